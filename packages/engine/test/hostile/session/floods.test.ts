import { expect } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { encodeUtMetadata } from '../../../src/wire/utMetadataMessage.ts'
import { SimClient, seedOf } from '../../sim/client.ts'
import { theirId } from '../../sim/extensionPeer.ts'
import { scenario } from '../../sim/scenario.ts'
import { BLOCK, FAST_AND_EXTENDED, Siege } from './siege.ts'

const ONCE = { seeds: 1 }
const MEBIBYTE = 1024 * 1024

// Hostile inputs, lines 20, 22, 23, 28: what a peer makes us keep is bounded, whatever it sends and however little it
// reads.

/** Most bytes that ever waited to be sent to the peer at `address`. */
function watchUnsent(siege: Siege, seconds: number): number {
  let peak = 0
  for (let i = 0; i < seconds * 10; i++) {
    siege.world.run({ ms: 100 })
    for (const peer of siege.client.torrent.getPeerInfo()) peak = Math.max(peak, peer.usedSendBuffer)
  }
  return peak
}

scenario(
  'a hundred thousand requests from a peer that reads nothing fill no memory',
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker()
    attacker.send((to) => to.interested())
    world.run({ seconds: 1 })
    attacker.stream.pauseReading()
    for (let round = 0; round < 150; round++) {
      attacker.send((to) => {
        for (let i = 0; i < 2000; i++) to.request(0, 0, BLOCK)
      })
    }
    const peak = watchUnsent(siege, 20)
    expect(peak).toBeLessThan(2.5 * MEBIBYTE)
    const [info] = siege.client.torrent.getPeerInfo().filter(({ ip }) => ip.address === attacker.stream.local?.address)
    expect(info?.uploadQueueLength ?? 0).toBeLessThanOrEqual(2000)
    siege.survive()
  },
  ONCE,
)

scenario(
  'a peer that turns its interest on and off without reading fills no memory',
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker()
    attacker.stream.pauseReading()
    for (let round = 0; round < 100; round++) {
      attacker.send((to) => {
        for (let i = 0; i < 5000; i++) {
          to.interested()
          to.notInterested()
        }
      })
    }
    expect(watchUnsent(siege, 20)).toBeLessThan(2.5 * MEBIBYTE)
    siege.survive()
  },
  ONCE,
)

scenario(
  'a flood of metadata requests that is never read fills no memory',
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker()
    const id = theirId(attacker, 'ut_metadata')
    expect(id).toBeGreaterThan(0)
    attacker.send((to) => to.extended(0, Buffer.from('d1:md11:ut_metadatai1eee')))
    attacker.stream.pauseReading()
    for (let round = 0; round < 30; round++) {
      attacker.send((to) => {
        for (let i = 0; i < 1000; i++) to.extended(id, encodeUtMetadata({ type: 'request', piece: i % 2 }))
      })
    }
    expect(watchUnsent(siege, 20)).toBeLessThan(2.5 * MEBIBYTE)
    siege.survive()
  },
  ONCE,
)

scenario(
  'haves one by one before the metadata is known cost no more than a bitfield',
  (world) => {
    const torrent = new TestTorrent({ size: 100_000 })
    const magnet = new SimClient(world, 'magnet', torrent, { magnet: true })
    world.run({ seconds: 1 })
    const flood = world.peer('flood', { torrent, has: 'nothing' }).connect(magnet.endpoint)
    world.run({ seconds: 1 })
    const begin = performance.now()
    flood.send((to) => {
      for (let piece = 0; piece < 1_000_000; piece++) to.have(piece)
    })
    world.run({ seconds: 10 })
    expect(performance.now() - begin).toBeLessThan(5000)
    expect(magnet.numPeers).toBe(1)
    flood.send((to) => to.have(2 ** 31))
    world.run({ seconds: 1 })
    expect(magnet.endCodes).toEqual(['invalidHave'])
  },
  ONCE,
)

scenario(
  'cancels of what was never asked, and keep-alives without end, are borne',
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker({ has: 'all' })
    for (let round = 0; round < 20; round++) {
      attacker.send((to) => {
        for (let i = 0; i < 5000; i++) {
          to.cancel(i, i, i)
          to.keepAlive()
          to.dhtPort(i & 0xffff)
        }
      })
      world.run({ ms: 500 })
    }
    expect(siege.verdicts).toEqual([])
    siege.survive()
  },
  ONCE,
)

scenario(
  'chokes and unchokes without end cost a request each at most, and starve nobody',
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker({ has: 'all' })
    for (let round = 0; round < 100; round++) {
      attacker.send((to) => {
        for (let i = 0; i < 50; i++) {
          to.unchoke()
          to.choke()
        }
      })
      world.run({ ms: 100 })
    }
    siege.survive()
  },
  ONCE,
)

scenario(
  'strangers that come and go leave nothing behind',
  (world) => {
    const siege = new Siege(world, { settings: { maxPeerlistSize: 50 } })
    for (let i = 0; i < 200; i++) {
      const attacker = siege.attacker({ has: i % 2 ? 'all' : 'none' })
      attacker.send((to) => to.interested())
      world.run({ ms: 50 })
      attacker.close()
      if (i === 20) siege.survive()
    }
    world.run({ seconds: 5 })
    expect(siege.client.torrent.status().listPeers).toBeLessThanOrEqual(50)
    expect(siege.client.session.numConnections).toBe(0)
    expect(siege.client.session.numUploads).toBe(0)
  },
  ONCE,
)

scenario(
  'a flood of requests that have to be refused leaves the upload limit to others',
  (world) => {
    const content = new TestTorrent({ size: 8_000_000, pieceLength: 64 * 1024 })
    const seed = seedOf(world, content, { settings: { uploadRateLimit: 50_000 } })
    const leech = new SimClient(world, 'leech', content, { add: { peers: [seed.endpoint] } })
    const attacker = world.peer('attacker', { torrent: content, reserved: FAST_AND_EXTENDED }).connect(seed.endpoint)
    world.run({ seconds: 2 })
    attacker.send((to) => to.interested())
    world.run({ seconds: 20 })
    const before = leech.torrent.status().totalPayloadDownload
    for (let second = 0; second < 60; second++) {
      attacker.send((to) => {
        for (let i = 0; i < 10_000; i++) to.request(i % 100, 0, BLOCK)
      })
      world.run({ seconds: 1 })
    }
    // It gets its part of the blocks, like anybody.
    expect((leech.torrent.status().totalPayloadDownload - before) / 60).toBeGreaterThan(15_000)
    expect(attacker.received('reject').length).toBeLessThan(60 * 1000)
  },
  ONCE,
)
