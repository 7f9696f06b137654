import { expect } from 'vitest'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { ProxyType } from '../../src/settings/proxyType.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { decodeExtensionHandshake } from '../../src/wire/extensionHandshake.ts'
import { SimClient } from './client.ts'
import { extensionPeer, sendExtensionHandshake } from './extensionPeer.ts'
import { scenario } from './scenario.ts'

const V4 = '60.0.0.1'
const V6 = '2001:db8::1'
const BOTH = `${V4}:6881,[${V6}]:6881`

const content = new TestTorrent({ size: 100_000 })

/** What a client with both families tells a peer that it connects to. */
function told(world: SimWorld, peerAddress: string, settings: Partial<Settings>) {
  const client = new SimClient(world, 'client', content, { address: [V4, V6], settings })
  const peer = extensionPeer(world, 'peer', content, {}, { address: peerAddress })
  peer.listen(6881)
  world.run({ seconds: 2 })
  client.torrent.connectPeer({ address: peerAddress, port: 6881 })
  world.runUntil(() => peer.connections.some((each) => each.received('extended').length > 0), { minutes: 1 })
  const handshake = decodeExtensionHandshake(peer.connection.received('extended')[0].body.subarray(1))
  return { ipv4: handshake?.ipv4, ipv6: handshake?.ipv6 }
}

scenario('a peer by IPv4 is told our IPv6 address', (world) => {
  expect(told(world, '70.0.0.1', { listenInterfaces: BOTH })).toEqual({ ipv4: undefined, ipv6: V6 })
})

scenario('a peer by IPv6 is told our IPv4 address', (world) => {
  expect(told(world, '2001:db8::7', { listenInterfaces: BOTH })).toEqual({ ipv4: V4, ipv6: undefined })
})

scenario('an address that nobody has told us, and the setting does not name, is not told', (world) => {
  expect(told(world, '70.0.0.1', {})).toEqual({ ipv4: undefined, ipv6: undefined })
})

scenario('an address that we do not listen on is not told', (world) => {
  expect(told(world, '70.0.0.1', { listenInterfaces: `${V4}:6881` })).toEqual({ ipv4: undefined, ipv6: undefined })
})

scenario('in anonymous mode no address is told', (world) => {
  const settings = { listenInterfaces: BOTH, anonymousMode: true }
  expect(told(world, '70.0.0.1', settings)).toEqual({ ipv4: undefined, ipv6: undefined })
})

scenario('behind a proxy no address is told', (world) => {
  const proxy = world.proxy('proxy', { kind: 'socks5' })
  const settings = { proxyType: ProxyType.socks5, proxyHostname: proxy.host.address, proxyPort: proxy.port }
  expect(told(world, '70.0.0.1', { ...settings, listenInterfaces: BOTH })).toEqual({ ipv4: undefined, ipv6: undefined })
})

scenario('the address that others see is told where we listen on all', (world) => {
  const client = new SimClient(world, 'client', content, { address: [V4, V6] })
  for (let i = 0; i < 3; i++) {
    const peer = extensionPeer(world, `peer ${i}`, content, { yourAddress: V6 }, { address: `2001:db8:${i}::7` })
    peer.connect({ address: V6, port: 6881 })
  }
  world.run({ seconds: 2 })
  const peer = extensionPeer(world, 'peer', content, {}, { address: '70.0.0.1' })
  const connection = peer.connect(client.endpoint)
  world.run({ seconds: 2 })
  const handshake = decodeExtensionHandshake(connection.received('extended')[0].body.subarray(1))
  expect(handshake?.ipv6).toBe(V6)
})

scenario('nobody is connected to because a peer claims to be there, too', (world) => {
  const client = new SimClient(world, 'client', content, { address: [V4, V6] })
  const peer = extensionPeer(world, 'peer', content, {})
  const connection = peer.connect(client.endpoint)
  world.run({ seconds: 1 })
  sendExtensionHandshake(connection, { ipv4: '9.9.9.9', ipv6: '2001:db8::9', listenPort: 6881 })
  world.run({ minutes: 2 })
  expect(client.alerts('peerConnect')).toEqual([])
  expect(client.torrent.status().listPeers).toBe(1)
})
