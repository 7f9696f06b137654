import { expect } from 'vitest'
import type { Scenario } from '../../sim/runScenario.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { scenario } from './scenario.ts'

const SAVE = '/save'

scenario('one downloader gets everything from one seed, found through the tracker', (world) => {
  const tracker = world.tracker('http://tracker.example/announce')
  const torrent = new TestTorrent({ size: 1_000_000, trackers: [tracker.url] })
  const seed = world.host('seed', { up: 200_000 })
  const leech = world.host('leech', { down: 1_000_000 })
  torrent.putOn(world.filesOf(seed), SAVE)
  const [, handle] = [seed, leech].map((host) =>
    world.session(host).addTorrent({ ti: torrent.info(), savePath: SAVE, autoManaged: false }),
  )
  world.runUntil(() => handle.isSeed, { minutes: 1 })
  expect(torrent.isOn(world.filesOf(leech), SAVE)).toBe(true)
  // 1,000,000 bytes at 200,000 per second, and a little for finding each other.
  expect(world.time.elapsed).toBeLessThan(8000)
})

const sharesTheLoad: Scenario = (world) => {
  const tracker = world.tracker('http://tracker.example/announce')
  const torrent = new TestTorrent({ size: 1_000_000, trackers: [tracker.url] })
  const seed = world.host('seed', { up: 100_000 })
  torrent.putOn(world.filesOf(seed), SAVE)
  const leeches = Array.from({ length: 10 }, (_, i) => world.host(`leech${i}`, { up: 100_000, down: 1_000_000 }))
  const handles = [seed, ...leeches].map((host) =>
    world.session(host).addTorrent({ ti: torrent.info(), savePath: SAVE, autoManaged: false }),
  )
  world.runUntil(() => handles.every((handle) => handle.isSeed), { minutes: 2 })
  for (const host of leeches) expect(torrent.isOn(world.filesOf(host), SAVE)).toBe(true)
  // The seed alone would need 100 s.
  expect(world.time.elapsed).toBeLessThan(50_000)
}
// `swarm.test.ts` has such swarms of several sizes.
scenario('a swarm of ten downloaders shares the load of a slow seed', sharesTheLoad, { seeds: 1 })
