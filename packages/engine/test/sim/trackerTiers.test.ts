import { expect } from 'vitest'
import type { SimTracker } from '../../sim/simTracker.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

function tiersOf(world: SimWorld): { readonly trackers: SimTracker[]; readonly torrent: TestTorrent } {
  const urls = ['a', 'b', 'c', 'd'].map((name) => `http://${name}.example/announce`)
  const trackers = urls.map((url) => world.tracker(url, { interval: 1800 }))
  return { trackers, torrent: new TestTorrent({ size: 1000, trackers: [urls.slice(0, 2), urls.slice(2)] }) }
}

function asked(trackers: readonly SimTracker[]): boolean[] {
  return trackers.map(({ announces }) => announces.length > 0)
}

for (const allTrackers of [false, true]) {
  for (const allTiers of [false, true]) {
    scenario(`two tiers of two, all of a tier: ${allTrackers}, all tiers: ${allTiers}`, async (world) => {
      const { trackers, torrent } = tiersOf(world)
      const settings = { announceToAllTrackers: allTrackers, announceToAllTiers: allTiers }
      const client = new SimClient(world, 'client', torrent, { settings })
      world.run({ hours: 2 })
      const [a, b, c, d] = asked(trackers)
      const perTier = allTrackers ? 2 : 1
      expect([Number(a) + Number(b), Number(c) + Number(d)]).toEqual([perTier, allTiers ? perTier : 0])
      await world.settle(client.session.abort())
      for (const tracker of trackers) if (tracker.announces.length > 0) expect(tracker.events.at(-1)).toBe('stopped')
    })
  }
}

scenario('the next of a tier is tried when one fails, and the one that works is asked from then on', (world) => {
  const { trackers, torrent } = tiersOf(world)
  for (const tracker of trackers.slice(0, 3)) tracker.isDown = true
  const client = new SimClient(world, 'client', torrent)
  world.run({ minutes: 3 })
  expect(trackers[3].announces.length).toBe(1)
  expect(client.torrent.status().currentTracker).toBe(trackers[3].url)
  expect(client.torrent.trackers().find(({ url }) => url === trackers[3].url)).toMatchObject({
    verified: true,
    fails: 0,
  })
  world.run({ hours: 3 })
  expect(trackers[3].announces.length).toBeGreaterThan(4)
  // A tier above that works again is preferred again.
  trackers[0].isDown = false
  world.run({ hours: 3 })
  expect(client.torrent.status().currentTracker).toBe(trackers[0].url)
})

scenario(
  'failing trackers are retried with growing pauses while another works',
  (world) => {
    const { trackers, torrent } = tiersOf(world)
    trackers[0].isDown = true
    trackers[1].isDown = true
    const client = new SimClient(world, 'client', torrent, {
      settings: { announceToAllTiers: true, announceToAllTrackers: true },
    })
    world.run({ hours: 1 })
    const attempts = trackers[0].announces.map(({ time }) => time / 1000)
    // After n failures 5 + 5 * n * n * 250 / 100 seconds, and ten more until the silence counts as a failure.
    for (let n = 1; n < attempts.length; n++) {
      expect(Math.abs(attempts[n] - attempts[n - 1] - (10 + 5 + 12.5 * n * n))).toBeLessThan(2)
    }
    expect(attempts.length).toBeGreaterThan(6)
    expect(client.torrent.trackers()[0].fails + client.torrent.trackers()[1].fails).toBeGreaterThan(10)
    expect(trackers[2].announces.length).toBe(2)
  },
  { seeds: 1 },
)

scenario(
  'a tracker with no address of our family gives way to the next of its tier',
  (world) => {
    const first = 'http://six.example/announce'
    const second = 'http://four.example/announce'
    const six = world.tracker(first, { address: '2001:db8::1' })
    const four = world.tracker(second)
    new SimClient(world, 'client', new TestTorrent({ size: 1000, trackers: [[first, second]] }))
    world.run({ minutes: 1 })
    expect(six.announces).toEqual([])
    expect(four.announces.length).toBe(1)
  },
  { seeds: 4 },
)

scenario('trackers added while running are announced to, those replaced are left', async (world) => {
  const { trackers, torrent } = tiersOf(world)
  const client = new SimClient(world, 'client', torrent, {
    settings: { announceToAllTiers: true, announceToAllTrackers: true },
  })
  world.run({ seconds: 10 })
  const fresh = world.tracker('http://fresh.example/announce')
  client.torrent.addTracker({ url: fresh.url, tier: 5 })
  world.run({ seconds: 10 })
  expect(fresh.events).toEqual(['started'])
  client.torrent.replaceTrackers([{ url: fresh.url }])
  world.run({ hours: 2 })
  expect(trackers.map((tracker) => tracker.announces.length)).toEqual([1, 1, 1, 1])
  expect(fresh.announces.length).toBeGreaterThan(3)
  await world.settle(client.session.abort())
  expect(fresh.events.at(-1)).toBe('stopped')
})

for (const beside of [false, true]) {
  scenario(
    `a tracker that fails ${beside ? 'beside one that works' : 'alone in its tier'} is retried by the rule, the others keep their interval`,
    (world) => {
      const urls = ['a', 'failing', 'c'].map((name) => `http://${name}.example/announce`)
      const [a, failing, c] = urls.map((url) =>
        world.tracker(url, { interval: 1800, answers: url === urls[1] ? Array(100).fill({ status: 404 }) : [] }),
      )
      const tiers = [[urls[0]], beside ? urls.slice(1) : [urls[1]]]
      new SimClient(world, 'client', new TestTorrent({ size: 1000, trackers: tiers }), {
        settings: { announceToAllTiers: true, announceToAllTrackers: true },
      })
      const counts = () => [a, failing, c].map(({ announces }) => announces.length)
      // After 17 seconds, and then after 55, 117, 205, 317, 455 and 617 more.
      world.run({ seconds: 30 })
      expect(counts()).toEqual([1, 2, beside ? 1 : 0])
      world.run({ minutes: 31 })
      expect(counts()).toEqual([2, 8, beside ? 2 : 0])
    },
    { seeds: 1 },
  )
}
