import { describe, expect, test } from 'vitest'
import { AnnounceEntry } from '../../../src/tracker/announceEntry.ts'
import { clampIntervals, clampRetry, retryDelay } from '../../../src/tracker/announceIntervals.ts'
import { planAnnounces } from '../../../src/tracker/trackerSchedule.ts'

const NOW = 10_000

interface Scene {
  readonly tier?: number
  readonly fails?: number
  readonly next?: number
  readonly min?: number
  readonly updating?: boolean
  readonly failLimit?: number
  readonly manual?: boolean
}

const LOCAL = { address: '0.0.0.0', port: 6881 }
const OTHER = { address: '::', port: 6881 }

function entry(name: string, scene: Scene = {}, from = LOCAL): AnnounceEntry {
  const made = new AnnounceEntry({ url: name, tier: scene.tier ?? 0, failLimit: scene.failLimit })
  const endpoint = made.openEndpoint(from)
  endpoint.fails = scene.fails ?? 0
  endpoint.nextAnnounce = scene.next ?? 0
  endpoint.minAnnounce = scene.min ?? 0
  endpoint.updating = scene.updating ?? false
  endpoint.triggeredManually = scene.manual ?? false
  return made
}

function plan(entries: AnnounceEntry[], mode: { trackers?: boolean; tiers?: boolean } = {}, local = LOCAL) {
  const { due, wakeAt } = planAnnounces(entries, local, NOW, {
    announceToAllTrackers: mode.trackers ?? false,
    announceToAllTiers: mode.tiers ?? false,
  })
  return { due: due.map(({ url }) => url).join(' '), wakeAt }
}

describe('BEP 12: of two tiers of two trackers', () => {
  const tiers = (a: Scene, b: Scene, c: Scene, d: Scene) => [
    entry('a', a),
    entry('b', b),
    entry('c', { tier: 1, ...c }),
    entry('d', { tier: 1, ...d }),
  ]

  test.each([
    [{}, 'a'],
    [{ trackers: true }, 'a b'],
    [{ tiers: true }, 'a c'],
    [{ trackers: true, tiers: true }, 'a b c d'],
  ])('that were never tried, with %j, %s are due', (mode, due) => {
    expect(plan(tiers({}, {}, {}, {}), mode).due).toBe(due)
  })

  test.each([
    [{}, 'b'],
    [{ trackers: true }, 'b'],
    [{ tiers: true }, 'b c'],
  ])('of which the first has failed, with %j, %s are due', (mode, due) => {
    expect(plan(tiers({ fails: 1, next: NOW + 5 }, {}, {}, {}), mode).due).toBe(due)
  })

  test.each([
    [{}, 'c'],
    [{ trackers: true }, 'c d'],
  ])('of which the first tier has failed, with %j, %s are due', (mode, due) => {
    const failed = { fails: 1, next: NOW + 5 }
    expect(plan(tiers(failed, failed, {}, {}), mode).due).toBe(due)
  })

  test('of which the first has failed and may be tried again, it is due beside the next', () => {
    expect(plan(tiers({ fails: 1 }, {}, {}, {})).due).toBe('a b')
  })

  test('of which one is being announced to, the others wait', () => {
    expect(plan(tiers({ updating: true }, {}, {}, {}))).toEqual({ due: '', wakeAt: null })
  })

  test('of which the failed one is being tried again, the next is due', () => {
    expect(plan(tiers({ updating: true, fails: 2 }, {}, {}, {})).due).toBe('b')
  })
})

describe('the next wake', () => {
  test('is when the first tracker in question may be announced to', () => {
    expect(
      plan([entry('a', { fails: 1, next: NOW + 70 }), entry('b', { next: NOW + 50 }), entry('c', { next: NOW + 1 })]),
    ).toEqual({ due: '', wakeAt: NOW + 50 })
  })

  test('respects the minimum interval', () => {
    expect(plan([entry('a', { next: NOW, min: NOW + 9 })])).toEqual({ due: '', wakeAt: NOW + 9 })
  })

  test('never comes when no tracker is left', () => {
    expect(plan([])).toEqual({ due: '', wakeAt: null })
    expect(plan([entry('a', { fails: 1, failLimit: 1 })])).toEqual({ due: '', wakeAt: null })
  })
})

test('a tracker that has failed too often is passed over, unless somebody asks for it', () => {
  expect(plan([entry('a', { fails: 3, failLimit: 3 }), entry('b')]).due).toBe('b')
  expect(plan([entry('a', { fails: 3, failLimit: 3, manual: true }), entry('b')]).due).toBe('a b')
})

test('a tracker that somebody asked for is due although another works', () => {
  expect(plan([entry('a', { next: NOW + 5 }), entry('b', { manual: true })])).toEqual({ due: 'b', wakeAt: NOW + 5 })
})

test('each listen socket plans for itself', () => {
  const list = [entry('a', { fails: 1, next: NOW + 5 }), entry('b', { next: NOW + 7 }), entry('c', { updating: true })]
  expect(plan(list)).toEqual({ due: '', wakeAt: NOW + 5 })
  expect(plan(list, {}, OTHER)).toEqual({ due: 'a', wakeAt: null })
})

test('a tracker that is retired is passed over by all, unless somebody asks for it', () => {
  const list = [entry('a'), entry('b')]
  list[0].retire()
  expect([plan(list).due, plan(list, {}, OTHER).due]).toEqual(['b', 'b'])
  list[0].openEndpoint(LOCAL).triggeredManually = true
  expect(plan(list).due).toBe('a b')
})

test('the delay of a failing tracker grows with the square of its failures up to an hour', () => {
  expect([1, 2, 3, 4, 5].map((fails) => retryDelay(fails, 250))).toEqual([17, 55, 117, 205, 317])
  expect(retryDelay(127, 250)).toBe(3600)
  expect(retryDelay(10, 0)).toBe(5)
})

describe('the intervals of trackers', () => {
  test.each([
    [1800, 60, 1800, 60],
    [0, 0, 300, 30],
    [-1, -1, 300, 30],
    [2 ** 31, 2 ** 31, 86_400, 86_400],
    [Number.MAX_SAFE_INTEGER, 30, 86_400, 30],
    [Number.NaN, Number.NaN, 86_400, 86_400],
    [600, 1200, 600, 600],
  ])('%d and %d are kept as %d and %d', (interval, minInterval, kept, keptMin) => {
    expect(clampIntervals(interval, minInterval, 300)).toEqual({ interval: kept, minInterval: keptMin })
  })

  test('that refuse are kept within a day', () => {
    expect([-5, 60, 2 ** 40].map(clampRetry)).toEqual([0, 60, 86_400])
  })
})

describe('WebSocket trackers, which know other peers than the rest', () => {
  const all = (settings: { webSockets?: boolean } = {}) =>
    planAnnounces(
      [entry('udp://a'), entry('wss://b', { tier: 1 }), entry('http://c', { tier: 2 }), entry('ws://d', { tier: 3 })],
      LOCAL,
      NOW,
      { announceToAllTrackers: false, announceToAllTiers: false },
      settings.webSockets,
    ).due.map(({ url }) => url)

  test('are announced to whatever other tracker works, the first of them that works', () => {
    expect(all()).toEqual(['udp://a', 'wss://b'])
  })

  test('are left out where they are not to be used', () => {
    expect(all({ webSockets: false })).toEqual(['udp://a'])
  })

  test('do not keep others from being announced to', () => {
    const entries = [entry('wss://b'), entry('udp://a', { tier: 1 })]
    expect(plan(entries).due).toBe('wss://b udp://a')
  })
})
