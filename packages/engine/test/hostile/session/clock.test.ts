import { expect } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { SimClient } from '../../sim/client.ts'
import { scenario } from '../../sim/scenario.ts'

// Hostile inputs, line 56: nothing that lasts is measured by the wall clock.

const DAY = 86_400

for (const jump of [DAY, -DAY, 40 * 365 * DAY]) {
  scenario(
    `the wall clock jumps by ${jump} s in the middle of a download: nobody is timed out, rates stay true`,
    (world) => {
      const torrent = new TestTorrent({ size: 1_000_000 })
      const client = new SimClient(world, 'client', torrent)
      client.torrent.connectPeer(world.peer('seed', { torrent, has: 'all', serves: true, up: 50_000 }).listen())
      const idle = world.peer('idle', { torrent, has: 'none' })
      client.torrent.connectPeer(idle.listen())
      world.run({ seconds: 8 })
      world.time.jumpWallClock(jump)
      world.run({ seconds: 2 })
      expect(client.endings).toEqual([])
      expect(client.alerts('peerSnubbed')).toEqual([])
      const { downloadPayloadRate, activeTime } = client.torrent.status()
      expect(downloadPayloadRate).toBeGreaterThan(20_000)
      expect(downloadPayloadRate).toBeLessThan(80_000)
      expect(activeTime).toBe(10)
      world.runUntil(() => client.torrent.isSeed, { seconds: 20 })
    },
    { seeds: 1 },
  )
}

scenario(
  'the machine sleeps for a night: dead connections are noticed, and the download goes on',
  (world) => {
    const torrent = new TestTorrent({ size: 1_000_000 })
    const client = new SimClient(world, 'client', torrent)
    const seed = world.peer('seed', { torrent, has: 'all', serves: true, up: 30_000 })
    client.torrent.connectPeer(seed.listen())
    world.run({ seconds: 10 })
    world.network.unplug(client.host)
    world.run({ hours: 8 })
    expect(client.numPeers).toBe(0)
    world.network.plugIn(client.host)
    client.torrent.connectPeer({ address: seed.host.address, port: 6881 })
    world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
  },
  { seeds: 1 },
)

scenario(
  'no name server at the start, and one later: the tracker is found then',
  (world) => {
    const tracker = world.tracker('http://tracker.example/announce')
    const torrent = new TestTorrent({ size: 100_000, trackers: [tracker.url] })
    const addresses = world.network.hostNamed('tracker tracker.example')!.addresses
    world.names.fail('tracker.example')
    const client = new SimClient(world, 'client', torrent)
    world.run({ minutes: 3 })
    expect(tracker.announces).toEqual([])
    expect(client.torrent.trackers()[0].fails).toBeGreaterThan(1)
    world.names.set('tracker.example', addresses)
    world.run({ minutes: 10 })
    expect(tracker.events).toEqual(['started'])
  },
  { seeds: 1 },
)
