import { expect } from 'vitest'
import type { SimTracker } from '../../sim/simTracker.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { retryDelay } from '../../src/tracker/announceIntervals.ts'
import type { Millis } from '../../src/util/flavored.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const HOUR: Millis = 3_600_000
const MAX_PAUSE: Millis = 3_600_000

/** Announces that came between two hours of the day. */
function during(tracker: SimTracker, from: number, to: number): readonly Millis[] {
  return tracker.announces.map(({ time }) => time).filter((time) => time >= from * HOUR && time < to * HOUR)
}

/** Most announces within any hour. */
function busiestHour(tracker: SimTracker): number {
  const times = tracker.announces.map(({ time }) => time)
  return Math.max(0, ...times.map((start, i) => times.slice(i).filter((time) => time < start + HOUR).length))
}

scenario(
  'a day on which trackers fail one after the other, all at once, and come back',
  (world) => {
    const urls = [
      'http://first.example/announce',
      'udp://second.example:6969/announce',
      'http://third.example/announce',
    ]
    const trackers = urls.map((url) => world.tracker(url, { interval: 1800 }))
    const [first, second, third] = trackers
    const content = new TestTorrent({
      size: 200_000,
      trackers: [urls.slice(0, 1), urls.slice(1, 2), urls.slice(2)],
    })
    // They lack the same, so that their connection has no other reason to end than an outage.
    const half = (piece: number) => piece < content.pieceCount / 2
    const one = new SimClient(world, 'one', content, { has: half })
    const other = new SimClient(world, 'other', content, { has: half })
    world.runUntil(() => other.numPeers === 1, { minutes: 5 })
    const both = [one, other]
    const currentOf = (client: SimClient) => client.torrent.status().currentTracker
    const until = (hour: number) => world.time.runUntil(() => world.time.elapsed >= hour * HOUR, { hours: 24 })

    // The first two hours: the first tracker alone is asked, twice an hour by each.
    until(2)
    expect([second, third].map(({ announces }) => announces.length)).toEqual([0, 0])
    expect(during(first, 0, 2).length).toBeLessThanOrEqual(both.length * 6)

    // It fails: the next tier serves, within one announce of each; the third is not bothered.
    first.isDown = true
    until(5)
    expect(both.map(currentOf)).toEqual([second.url, second.url])
    expect(during(second, 2, 5).length).toBeGreaterThanOrEqual(both.length * 4)
    expect(third.announces.length).toBe(0)

    // All fail: each is asked again and again, by pauses that grow up to an hour.
    second.isDown = true
    third.isDown = true
    until(14)
    // A UDP tracker that is down sees no announce, since nobody gets past connecting to it.
    for (const tracker of [first, third]) {
      const dark = during(tracker, 6, 14).length
      // With pauses of an hour at the end, and of seconds at the beginning.
      expect(dark).toBeGreaterThanOrEqual(both.length * 6)
      expect(dark).toBeLessThanOrEqual(both.length * numRetries(8))
      const late = during(tracker, 12, 14)
      expect(late.length).toBeLessThanOrEqual(both.length * 3)
    }

    // One comes back, the last choice: it is found within an hour, and serves.
    third.isDown = false
    until(16)
    expect(both.map(currentOf)).toEqual([third.url, third.url])
    // So does the first choice: it is preferred again, and the others are left alone.
    first.isDown = false
    second.isDown = false
    until(20)
    expect(both.map(currentOf)).toEqual([first.url, first.url])
    until(24)
    expect(during(second, 21, 24).length + during(third, 21, 24).length).toBe(0)
    expect(during(first, 21, 24).length).toBeLessThanOrEqual(both.length * 7)

    // No storm at any time, whoever was down, and nobody lost anybody.
    const worst = both.length * numRetries(1)
    for (const tracker of trackers) expect(busiestHour(tracker)).toBeLessThanOrEqual(worst)
    for (const client of both) {
      expect(client.numPeers).toBe(1)
      // At the beginning the tracker names ourselves as well.
      expect(client.endings.filter(({ code }) => code !== 'selfConnection')).toEqual([])
      expect(client.alerts('trackerError').length).toBeGreaterThan(10)
    }
  },
  { seeds: 1 },
)

/** Attempts in so many hours when all fail: each waits its pause. */
function numRetries(hours: number): number {
  let count = 1
  for (let time = 0; time < hours * HOUR; count++) time += Math.min(MAX_PAUSE, retryDelay(count, 250) * 1000)
  return count
}
