import { expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import type { LocalNetwork, NetworkInterface } from '../../../src/platform/localNetwork.ts'
import { OutgoingAddresses } from '../../../src/session/outgoingAddresses.ts'

const V4 = '198.51.100.7'
const V6 = '2001:db8:ffff::7'

function scene(listenInterfaces: string, outgoingInterfaces = '') {
  const present: NetworkInterface[] = [
    { name: 'eth0', address: '192.168.1.5', prefixLength: 24 },
    { name: 'eth0', address: 'fe80::5', prefixLength: 64 },
    { name: 'tun0', address: '10.8.0.2', prefixLength: 24 },
    { name: 'tun0', address: '2001:db8::2', prefixLength: 64 },
  ]
  const clock = new VirtualTime()
  const localNetwork = { interfaces: () => [...present] } as unknown as LocalNetwork
  const addresses = new OutgoingAddresses({ clock, localNetwork, settings: { listenInterfaces, outgoingInterfaces } })
  return { present, clock, choose: (remote: string, own: readonly string[] = []) => addresses.choose(remote, own) }
}

test('who listens everywhere lets the system choose', () => {
  const { choose } = scene('0.0.0.0:6881,[::]:6881')
  expect([choose(V4), choose(V6)]).toEqual([undefined, undefined])
})

test('who listens on one address connects from it, and to no other family', () => {
  const { choose } = scene('10.8.0.2:6881')
  expect([choose(V4), choose(V6)]).toEqual(['10.8.0.2', null])
})

test('of several addresses that are listened on the one in the network of the peer is taken', () => {
  const { choose } = scene('eth0:6881,tun0:6881')
  expect(choose('192.168.1.77')).toBe('192.168.1.5')
  expect(choose('10.8.0.77')).toBe('10.8.0.2')
  expect(new Set([choose(V4), choose(V4)])).toEqual(new Set(['192.168.1.5', '10.8.0.2']))
  expect(choose(V6)).toBe('2001:db8::2')
})

test('outgoing interfaces are used in turn, each family its own', () => {
  const { choose } = scene('0.0.0.0:6881', 'eth0, 10.8.0.2')
  expect([choose(V4), choose(V4), choose(V4)]).toEqual(['192.168.1.5', '10.8.0.2', '192.168.1.5'])
  expect(choose(V6)).toBeNull()
})

test('those of the torrent go before those of the settings', () => {
  const { choose } = scene('0.0.0.0:6881', 'eth0')
  expect(choose(V4, ['tun0'])).toBe('10.8.0.2')
})

test('while a device is gone nothing is connected by another way; when it is back, it is used', () => {
  const { choose, present, clock } = scene('0.0.0.0:6881', 'tun0')
  const gone = present.splice(2)
  expect(choose(V4)).toBeNull()
  present.push(...gone)
  clock.run({ seconds: 2 })
  expect(choose(V4)).toBe('10.8.0.2')
})

test('listening on loopback, as tests do, binds nothing', () => {
  expect(scene('127.0.0.1:0,[::1]:0').choose(V4)).toBeUndefined()
})
