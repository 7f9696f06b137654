import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'
import { openTracker, TRACKER_PORT, trackerHost } from './simTrackerServer.ts'

for (const scheme of ['http', 'udp']) {
  const url = `${scheme}://tracker.example:${TRACKER_PORT}/announce`

  scenario(
    `sessions find one another through our own tracker (${scheme}), and it follows what becomes of them`,
    async (world) => {
      const tracker = await openTracker(world, trackerHost(world))
      const torrent = new TestTorrent({ size: 300_000, trackers: [url] })
      const seed = new SimClient(world, 'seed', torrent, { has: 'all' })
      world.runUntil(() => tracker.stats().seeds === 1, { minutes: 1 })
      const clients = ['a', 'b', 'c'].map((name) => new SimClient(world, name, torrent))
      world.runUntil(() => clients.every((client) => client.torrent.isSeed), { minutes: 30 })
      world.run({ minutes: 1 })
      expect(tracker.stats()).toMatchObject({ torrents: 1, peers: 4, seeds: 4, refused: 0, rateLimited: 0 })
      world.kill(clients[0].host)
      await world.settle(seed.session.abort())
      expect(tracker.stats()).toMatchObject({ peers: 3, seeds: 3 })
      world.run({ minutes: 16 })
      expect(tracker.stats()).toMatchObject({ peers: 2, seeds: 2 })
      await world.shutDown()
      expect(tracker.stats().peers).toBe(0)
      await world.settle(tracker.close())
    },
  )
}

scenario('a tracker that was started again knows its swarm after one interval', async (world) => {
  const url = `udp://tracker.example:${TRACKER_PORT}`
  const torrent = new TestTorrent({ size: 100_000, trackers: [url] })
  const host = trackerHost(world)
  const first = await openTracker(world, host, { http: false })
  const names = Array.from({ length: 8 }, (_, i) => `client ${i}`)
  for (const name of names) new SimClient(world, name, torrent, { has: 'all' })
  world.runUntil(() => first.stats().peers === names.length, { minutes: 2 })
  await world.settle(first.close())
  world.run({ minutes: 1 })
  const again = await openTracker(world, host, { http: false })
  world.run({ minutes: 12 })
  expect(again.stats().peers).toBe(names.length)
  await world.shutDown()
  await world.settle(again.close())
})
