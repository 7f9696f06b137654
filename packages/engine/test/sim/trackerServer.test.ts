import { expect } from 'vitest'
import type { SimHost } from '../../sim/simHost.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { TrackerServer } from '../../src/api/trackerServer.ts'
import type { HttpServer } from '../../src/platform/httpServer.ts'
import type { TrackerServerOptions } from '../../src/trackerServer/trackerServerOptions.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const PORT = 6969

/** A machine with the name tracker.example. */
function trackerHost(world: SimWorld): SimHost {
  const host = world.host('tracker')
  world.names.set('tracker.example', host.address)
  return host
}

/** Our tracker on a machine of the simulated world. */
async function openTracker(world: SimWorld, host: SimHost, options: TrackerServerOptions = {}): Promise<TrackerServer> {
  const { clock, timers, random, udp } = world.platformOf(host)
  const httpServer: HttpServer = {
    listen(local, handler, _limits, done) {
      const origin = `http://tracker.example:${PORT}`
      world.web.serve(origin, host, ({ path, query, from }) => handler(query === '' ? path : `${path}?${query}`, from))
      const close = (closed: () => void) => {
        world.web.stop(origin)
        closed()
      }
      timers.after(0, () => done({ local, close }))
    },
  }
  const params = { port: PORT, hosts: [host.address], interval: 600, ...options }
  const tracker = new TrackerServer(params, { clock, timers, random, udp, httpServer })
  await world.settle(tracker.ready)
  return tracker
}

for (const scheme of ['http', 'udp']) {
  const url = `${scheme}://tracker.example:${PORT}/announce`

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
  const url = `udp://tracker.example:${PORT}`
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
