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
