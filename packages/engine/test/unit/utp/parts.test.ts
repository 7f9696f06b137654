import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { DelayHistory } from '../../../src/utp/delayHistory.ts'
import { LARGEST_WINDOW_BYTES, LedbatWindow } from '../../../src/utp/ledbat.ts'
import { MtuSearch } from '../../../src/utp/mtuSearch.ts'
import { RttEstimator } from '../../../src/utp/rttEstimator.ts'
import { defaultUtpSettings } from '../../../src/utp/utpSettings.ts'
import { WakeHeap } from '../../../src/utp/wakeHeap.ts'

describe('delay history', () => {
  test('tells how far a packet is above the fastest, wherever the clocks wrap', () => {
    const history = new DelayHistory()
    expect(history.sample(0xffff_fff0, 0)).toBe(0)
    expect(history.sample(0x10, 10)).toBe(0x20)
    expect(history.sample(0xffff_ffe0, 20)).toBe(0)
    expect(history.sample(0, 30)).toBe(0x20)
  })

  test('forgets a minimum after twenty minutes, not before', () => {
    const history = new DelayHistory()
    history.sample(1000, 0)
    for (let minute = 1; minute < 20; minute++) expect(history.sample(5000, minute * 60_000)).toBe(4000)
    expect(history.sample(5000, 20 * 60_000)).toBe(0)
  })

  test('follows a clock that drifts, as the other direction shows it, but no leap', () => {
    const history = new DelayHistory()
    history.sample(1000, 0)
    history.followDrift(500, 400)
    expect(history.sample(1100, 1)).toBe(0)
    history.followDrift(400, 400 - 20_000)
    history.followDrift(400, 600)
    expect(history.base).toBe(1100)
  })
})

describe('settings of the congestion window', () => {
  const sample = { bytes: 1400, delay: 0, packetBytes: 1400, rtt: 100 }
  /** A window out of slow start, after an ack with that delay: by how many bytes it has changed. */
  const change = (settings: object, delay: number) => {
    const window = new LedbatWindow({ ...defaultUtpSettings, ...settings })
    window.acked({ ...sample, bytes: 100_000, inFlight: 100_000, now: 0 })
    window.lost(1400, 0)
    const before = window.bytes
    window.acked({ ...sample, delay, bytes: before, inFlight: before, now: 1000 })
    return window.bytes - before
  }

  test('utp_gain_factor is by how much it grows in a round trip', () => {
    for (const utpGainFactor of [300, 3000, 30_000]) expect(change({ utpGainFactor }, 0)).toBeCloseTo(utpGainFactor)
  })

  test('utp_target_delay is where growing ends', () => {
    expect(change({ utpTargetDelay: 100 }, 60)).toBeGreaterThan(0)
    expect(change({ utpTargetDelay: 50 }, 60)).toBeLessThan(0)
    expect(change({ utpTargetDelay: 200 }, 150)).toBeGreaterThan(0)
  })

  test('utp_loss_multiplier is what a loss leaves of it', () => {
    for (const utpLossMultiplier of [20, 50, 80]) {
      const window = new LedbatWindow({ ...defaultUtpSettings, utpLossMultiplier })
      window.acked({ ...sample, bytes: 100_000, inFlight: 100_000, now: 0 })
      const before = window.bytes
      window.lost(1400, 0)
      expect(window.bytes).toBeCloseTo((before * utpLossMultiplier) / 100)
    }
  })

  test('it has an end, whatever is acknowledged', () => {
    const window = new LedbatWindow(defaultUtpSettings)
    for (let i = 0; i < 50; i++) window.acked({ ...sample, bytes: window.bytes, inFlight: window.bytes, now: i })
    expect(window.bytes).toBe(LARGEST_WINDOW_BYTES)
  })
})

describe('congestion window', () => {
  const sample = { bytes: 1400, delay: 0, packetBytes: 1400, now: 0, rtt: 100 }
  const acked = (window: LedbatWindow, over: object = {}) =>
    window.acked({ ...sample, inFlight: window.bytes, ...over })

  test('doubles each round trip until there is a queue, and does not when it is not used', () => {
    const window = new LedbatWindow(defaultUtpSettings)
    const before = window.bytes
    acked(window, { bytes: before })
    expect(window.bytes).toBe(2 * before)
    acked(window, { inFlight: 100, bytes: 100 })
    expect(window.bytes).toBe(2 * before)
    acked(window, { delay: 60 })
    expect(window.isSlowStart).toBe(false)
  })

  test('grows by the gain in a round trip without a queue, less near the target, and shrinks beyond it', () => {
    const steady = () => {
      const window = new LedbatWindow(defaultUtpSettings)
      acked(window, { delay: 60 })
      return window
    }
    const growth = (delay: number) => {
      const window = steady()
      const before = window.bytes
      acked(window, { bytes: before, delay })
      return window.bytes - before
    }
    expect(growth(0)).toBeCloseTo(3000)
    expect(growth(50)).toBeCloseTo(1500)
    expect(growth(99)).toBeCloseTo(600)
    expect(growth(150)).toBeLessThan(0)
  })

  test('is halved by a loss, one packet after a timeout, and never less', () => {
    const window = new LedbatWindow(defaultUtpSettings)
    acked(window, { bytes: 100_000 })
    const before = window.bytes
    window.lost(1400, 0)
    expect(window.bytes).toBe(before / 2)
    window.timedOut(1400)
    expect(window.bytes).toBe(1400)
    window.lost(1400, 1000)
    expect(window.bytes).toBe(1400)
  })

  test('holds back for two round trips when the queue was not empty for long, and comes back', () => {
    const window = new LedbatWindow(defaultUtpSettings)
    for (let i = 0; i < 6; i++) acked(window, { bytes: window.bytes })
    acked(window, { delay: 60 })
    const before = window.bytes
    let now = 0
    while (window.bytes > 2800) {
      now += 100
      acked(window, { delay: 95, now })
      expect(now).toBeLessThan(10_000)
    }
    for (let i = 0; i < 6; i++) acked(window, { bytes: window.bytes, delay: 0, now: (now += 100) })
    expect(window.bytes).toBeGreaterThan(before * 0.9)
  })
})

test('the largest packet is found by few probes, and beyond Ethernet only inside this machine', () => {
  for (let largest = 548; largest <= 1472; largest += 7) {
    const search = new MtuSearch('8.8.8.8', true)
    let probes = 0
    for (let size = search.nextProbe; size > 0; size = search.nextProbe) {
      expect(size).toBeLessThanOrEqual(1472)
      if (size <= largest) search.gotThrough(size)
      else search.gotLost(size)
      expect(++probes).toBeLessThan(16)
    }
    expect(search.packetBytes).toBeLessThanOrEqual(largest)
    expect(search.packetBytes).toBeGreaterThan(largest - 17)
  }
  expect(new MtuSearch('2001:db8::1', true).packetBytes).toBe(1232)
  expect(new MtuSearch('127.0.0.1', false).nextProbe).toBe(1472)
  const large = new MtuSearch('::1', true)
  expect(large.isLarge(large.nextProbe)).toBe(true)
  large.gotLost(large.nextProbe)
  expect(large.nextProbe).toBe(1452)
})

test('a smaller packet that is lost once is tried again', () => {
  const search = new MtuSearch('8.8.8.8', true)
  search.gotLost(search.nextProbe)
  const size = search.nextProbe
  search.gotLost(size)
  expect(search.nextProbe).toBe(size)
  search.gotLost(size)
  expect(search.nextProbe).toBeLessThan(size)
})

test('a path that Linux has learned to cut packets for is believed at the first loss: by PPPoE they go in one piece', () => {
  for (const [address, largest] of [
    ['8.8.8.8', 1492 - 28],
    ['2001:db8::1', 1492 - 48],
  ] as const) {
    const search = new MtuSearch(address, true)
    let hasComplained = false
    for (let size = search.nextProbe; size > 0; size = search.nextProbe) {
      if (size <= largest || hasComplained) search.gotThrough(size)
      else search.gotLost(size)
      hasComplained ||= size > largest
    }
    expect(search.packetBytes).toBe(largest)
  }
})

test('a timeout is never below the minimum, follows the round trip, and doubles', () => {
  const rtt = new RttEstimator()
  expect(rtt.timeout(500, 0)).toBe(1000)
  rtt.sample(10)
  expect(rtt.timeout(500, 0)).toBe(500)
  expect(rtt.timeout(500, 3)).toBe(4000)
  expect(rtt.timeout(1500, 0)).toBe(1500)
  expect(rtt.timeout(200, 1)).toBe(400)
  for (let i = 0; i < 200; i++) rtt.sample(900)
  expect(rtt.timeout(500, 0)).toBeCloseTo(900, -1)
  expect(rtt.timeout(500, 100)).toBe(60_000)
})

test('who wants to be woken comes in the order of time, however the times moved', () => {
  const random = new SeededRandom(5)
  const heap = new WakeHeap<{ wakePosition: number; wakeKey: number; wakeAt: number }>()
  const items = Array.from({ length: 200 }, () => ({ wakePosition: -1, wakeKey: 0, wakeAt: random.below(1000) }))
  for (const item of items) heap.update(item)
  for (let i = 0; i < 1000; i++) {
    const item = items[random.below(items.length)]
    item.wakeAt = random.below(1000)
    // That it moved later need not be told.
    if (item.wakeAt < item.wakeKey || random.chance(0.5)) heap.update(item)
    if (random.chance(0.05)) heap.remove(item)
    else heap.update(item)
  }
  const expected = items.filter((item) => item.wakePosition !== -1).map((item) => item.wakeAt)
  const woken: number[] = []
  for (let now = 0; now <= 1000; now++) {
    for (let item = heap.takeDue(now); item !== null; item = heap.takeDue(now)) {
      expect(item.wakeAt).toBe(now)
      woken.push(item.wakeAt)
    }
  }
  expect(woken).toEqual(expected.sort((a, b) => a - b))
  expect(heap.nextAt).toBe(Number.POSITIVE_INFINITY)
})
