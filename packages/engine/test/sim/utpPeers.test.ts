import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { PeerFlags } from '../../src/torrent/peerInfo.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const UTP = { enableOutgoingUtp: true, enableIncomingUtp: true }
const ONLY_UTP = { ...UTP, enableOutgoingTcp: false, enableIncomingTcp: false }
const content = new TestTorrent({ size: 600_000, pieceLength: 64 * 1024 })

scenario('two clients that speak nothing but uTP', (world) => {
  const seed = new SimClient(world, 'seed', content, { has: 'all', settings: ONLY_UTP })
  const leecher = new SimClient(world, 'leecher', content, { settings: ONLY_UTP })
  world.run({ seconds: 1 })
  leecher.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => leecher.torrent.getPeerInfo().length > 0, { seconds: 5 })
  expect(leecher.torrent.getPeerInfo()[0].flags & PeerFlags.utpSocket).toBe(PeerFlags.utpSocket)
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 2 })
  const { utpStats } = seed.session.status()
  expect(utpStats.payloadPktsOut).toBeGreaterThan(400)
  expect(utpStats.packetsIn).toBeGreaterThan(10)
})

scenario('uTP is tried first, and TCP at once when nobody answers to it', (world) => {
  const seed = new SimClient(world, 'seed', content, { has: 'all' })
  const leecher = new SimClient(world, 'leecher', content, { settings: UTP })
  world.run({ seconds: 1 })
  leecher.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 2 })
  const types = leecher.alerts('peerConnect').map(({ socketType }) => socketType)
  expect(types.slice(0, 2)).toEqual(['utp', 'tcp'])
})

scenario('a session that ends takes leave of its uTP peers as it does of others', (world) => {
  const seed = new SimClient(world, 'seed', content, { has: 'all', settings: ONLY_UTP, up: 50_000 })
  const leecher = new SimClient(world, 'leecher', content, {
    settings: { ...UTP, enableUpnp: false, enableNatpmp: false },
  })
  world.run({ seconds: 1 })
  leecher.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => leecher.torrent.status().numPeers === 1 && seed.numPeers === 1, { seconds: 5 })
  world.run({ seconds: 1 })
  expect(leecher.torrent.getPeerInfo()[0].flags & PeerFlags.utpSocket).toBe(PeerFlags.utpSocket)
  leecher.forget()
  seed.forget()
  world.settle(leecher.session.abort())
  world.run({ seconds: 5 })
  expect(seed.endings.filter(({ address }) => address === leecher.host.address).map(({ code }) => code)).toEqual([
    'EOF',
  ])
  expect(leecher.endCodes).toEqual(['sessionClosing'])
  expect(leecher.alerts('peerConnect')).toEqual([])
})

scenario('where TCP is off, nobody is dialled by TCP because uTP is not to be had', (world) => {
  const seed = new SimClient(world, 'seed', content, { has: 'all', settings: UTP })
  const settings = { ...ONLY_UTP, listenInterfaces: '' }
  const leecher = new SimClient(world, 'leecher', content, { settings })
  world.run({ seconds: 1 })
  leecher.torrent.connectPeer(seed.endpoint)
  world.run({ seconds: 30 })
  expect(seed.numPeers).toBe(0)
  expect(new Set(leecher.endCodes)).toEqual(new Set(['EADDRNOTAVAIL']))
})
