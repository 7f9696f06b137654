import { expect, test } from 'vitest'
import { i2pSettings, parsePeer, parseSamBridge } from '../../src/options/i2pOptions.ts'
import { networkSettings } from '../../src/options/networkOptions.ts'
import { resolvePeers } from '../../src/transfer/peerKeeper.ts'

test.each([
  ['127.0.0.1', { host: '127.0.0.1', port: 7656 }],
  ['localhost', { host: 'localhost', port: 7656 }],
  ['router.lan:7000', { host: 'router.lan', port: 7000 }],
  ['[::1]', { host: '::1', port: 7656 }],
  ['[::1]:1', { host: '::1', port: 1 }],
])('the SAM bridge %s', (text, bridge) => {
  expect(parseSamBridge(text)).toEqual(bridge)
})

test.each(['', ':7656', '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:70000', '::1', '[1.2.3.4]', 'http://127.0.0.1:7656'])(
  '%s is no SAM bridge, and it is said what one looks like',
  (text) => {
    expect(() => parseSamBridge(text)).toThrow(/SAM bridge of an I2P router, written as 127\.0\.0\.1/)
  },
)

test('a router and mixing are settings of the engine', () => {
  const i2p = { host: '127.0.0.1', port: 7656 }
  expect(i2pSettings({})).toEqual({})
  expect(i2pSettings({ i2p })).toEqual({ i2pHostname: '127.0.0.1', i2pPort: 7656 })
  expect(i2pSettings({ i2p, i2pMixed: true })).toMatchObject({ allowI2pMixed: true })
  const finding = { dht: true, lsd: true, upnp: true, natpmp: true }
  expect(networkSettings({ ...finding, i2p, i2pMixed: true })).toMatchObject({ i2pPort: 7656, allowI2pMixed: true })
  expect(() => networkSettings({ ...finding, i2pMixed: true })).toThrow(/--i2p-mixed takes an I2P router/)
})

test('a peer in I2P needs no port, and no name server is asked for it', async () => {
  const peer = parsePeer(`${'A'.repeat(52)}.b32.i2p`)
  expect(peer).toEqual({ host: `${'a'.repeat(52)}.b32.i2p`, port: 6881 })
  expect(parsePeer('friend.i2p:1')).toEqual({ host: 'friend.i2p', port: 6881 })
  expect(parsePeer('10.0.0.1:7')).toEqual({ host: '10.0.0.1', port: 7 })
  const network = { proxy: null, isForced: true, isAnonymous: true, interfaces: [] }
  expect(await resolvePeers([peer], network)).toEqual([
    { name: peer.host, endpoints: [{ address: peer.host, port: 6881 }] },
  ])
})
