import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AnnounceEntry } from '../../../src/tracker/announceEntry.ts'
import { clampIntervals, retryDelay } from '../../../src/tracker/announceIntervals.ts'
import { TrackerList } from '../../../src/tracker/trackerList.ts'
import { planAnnounces } from '../../../src/tracker/trackerSchedule.ts'
import { FakeRandom, FakeTime } from '../../unit/tracker/fakes.ts'

const NOW = 1000
const LOCAL = { address: '0.0.0.0', port: 6881 }
const entries = fc
  .array(
    fc.record({
      tier: fc.nat(3),
      fails: fc.nat(3),
      failLimit: fc.nat(3),
      nextAnnounce: fc.nat(2000),
      minAnnounce: fc.nat(2000),
      updating: fc.boolean(),
      triggeredManually: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((states) =>
    states
      .sort((a, b) => a.tier - b.tier)
      .map(({ tier, failLimit, ...state }, i) => {
        const entry = new AnnounceEntry({ url: `u${i}`, tier, failLimit })
        Object.assign(entry.openEndpoint(LOCAL), state)
        return entry
      }),
  )
const modes = fc.record({ announceToAllTrackers: fc.boolean(), announceToAllTiers: fc.boolean() })

test('the next wake is later than now: a plan that is carried out never wants to be made again at once', () => {
  fc.assert(
    fc.property(entries, modes, (list, mode) => {
      const plan = planAnnounces(list, LOCAL, NOW, mode)
      if (plan.wakeAt !== null) expect(plan.wakeAt).toBeGreaterThan(NOW)
      for (const entry of plan.due) {
        expect(entry.updating).toBe(false)
        const endpoint = entry.openEndpoint(LOCAL)
        endpoint.updating = true
        endpoint.triggeredManually = false
      }
      expect(planAnnounces(list, LOCAL, NOW, mode).due).toEqual([])
    }),
  )
})

test('nothing is missed: sleeping until the wake finds somebody due', () => {
  fc.assert(
    fc.property(entries, modes, (list, mode) => {
      const { due, wakeAt } = planAnnounces(list, LOCAL, NOW, mode)
      if (due.length > 0 || wakeAt === null) return
      expect(planAnnounces(list, LOCAL, wakeAt - 1, mode).due).toEqual([])
      expect(planAnnounces(list, LOCAL, wakeAt, mode).due.length).toBeGreaterThan(0)
    }),
  )
})

test('as long as a tracker may be announced to at all, there is somebody due, under way, or to wait for', () => {
  fc.assert(
    fc.property(entries, modes, (list, mode) => {
      const { due, wakeAt } = planAnnounces(list, LOCAL, NOW, mode)
      const hope = list.some((entry) => !entry.isExhausted())
      if (hope) expect(due.length > 0 || wakeAt !== null || list.some((entry) => entry.updating)).toBe(true)
    }),
  )
})

test('whatever is done to it, the list of trackers stays in order of tiers, without doubles', () => {
  const url = fc.constantFrom('http://a/', 'udp://a:1', 'http://b/', 'udp://b:1', 'http://c/')
  const spec = fc.record({ url, tier: fc.nat(3) })
  const operation = fc.oneof(
    fc.record({ do: fc.constant('add' as const), spec }),
    fc.record({ do: fc.constant('replace' as const), specs: fc.array(spec) }),
    fc.record({ do: fc.constantFrom('front' as const, 'back' as const), index: fc.nat(5) }),
    fc.record({ do: fc.constant('udp' as const) }),
    fc.record({ do: fc.constant('shuffle' as const) }),
  )
  fc.assert(
    fc.property(fc.array(operation), (operations) => {
      const list = new TrackerList(new FakeTime())
      for (const step of operations) {
        if (step.do === 'add') list.add(step.spec)
        else if (step.do === 'replace') list.replace(step.specs)
        else if (step.do === 'udp') list.preferUdp()
        else if (step.do === 'shuffle') list.shuffleTiers(new FakeRandom())
        else {
          const entry = list.entries[step.index]
          if (entry !== undefined) step.do === 'front' ? list.moveToFront(entry) : list.moveToBack(entry)
        }
        const tiers = list.entries.map(({ tier }) => tier)
        expect(tiers).toEqual([...tiers].sort((a, b) => a - b))
        expect(new Set(list.entries.map((entry) => entry.url)).size).toBe(list.entries.length)
      }
    }),
  )
})

test('intervals are between the least allowed and a day, and retries within an hour', () => {
  fc.assert(
    fc.property(fc.double(), fc.double(), fc.nat(10_000), fc.nat(127), (wanted, wantedMin, least, fails) => {
      const { interval, minInterval } = clampIntervals(wanted, wantedMin, least)
      expect(interval).toBeGreaterThanOrEqual(least)
      expect(interval).toBeLessThanOrEqual(86_400)
      expect(minInterval).toBeLessThanOrEqual(interval)
      expect(minInterval).toBeGreaterThanOrEqual(Math.min(30, interval))
      expect(retryDelay(fails, 250)).toBeLessThanOrEqual(3600)
      expect(retryDelay(fails + 1, 250)).toBeGreaterThanOrEqual(retryDelay(fails, 250))
    }),
  )
})
