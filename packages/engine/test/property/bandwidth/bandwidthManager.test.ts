import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BandwidthScene, Eater, INTERVAL_MS } from '../../unit/bandwidth/bandwidthScene.ts'

const SECONDS = 20
const limits = fc.oneof(fc.integer({ min: 50, max: 2000 }), fc.integer({ min: 2000, max: 5_000_000 }))

describe('BandwidthManager', () => {
  test('no channel ever lets more pass than its limit, and who always wants more leaves none of it unused', () => {
    fc.assert(
      fc.property(
        fc.array(limits, { minLength: 1, maxLength: 4 }),
        fc.array(
          fc.record({
            channels: fc.uniqueArray(fc.nat({ max: 3 }), { minLength: 1, maxLength: 4 }),
            priority: fc.integer({ min: 1, max: 256 }),
            chunk: fc.integer({ min: 1000, max: 65_536 }),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        (theLimits, eaters) => {
          const scene = new BandwidthScene()
          const channels = theLimits.map((limit) => scene.channel(limit))
          const all = eaters.map(({ channels: indices, priority, chunk }) => {
            const own = [...new Set(indices.map((index) => channels[index % channels.length]))]
            return new Eater(scene, own, priority, chunk)
          })
          for (const eater of all) eater.eat()
          scene.run(SECONDS * 1000)
          const passed = channels.map((channel) =>
            all.reduce((sum, eater) => sum + (eater.channels.includes(channel) ? eater.passed : 0), 0),
          )
          const isFull = channels.map(({ limit }, i) => passed[i] >= limit * SECONDS * 0.95 - 100 * all.length)
          channels.forEach(({ limit }, i) => {
            expect(passed[i]).toBeLessThanOrEqual(limit * SECONDS + 1)
          })
          // Each of them is held back by a channel that is used up.
          for (const { channels: own } of all)
            expect(own.some((channel) => isFull[channels.indexOf(channel)])).toBe(true)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('the same where some need whole blocks: what they put together exceeds no limit, and none of it is lost', () => {
    fc.assert(
      fc.property(
        fc.array(limits, { minLength: 1, maxLength: 4 }),
        fc.array(
          fc.record({
            channels: fc.uniqueArray(fc.nat({ max: 3 }), { minLength: 1, maxLength: 4 }),
            priority: fc.integer({ min: 1, max: 8 }),
            isWhole: fc.boolean(),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        (theLimits, eaters) => {
          const scene = new BandwidthScene()
          const channels = theLimits.map((limit) => scene.channel(limit))
          const all = eaters.map(({ channels: indices, priority, isWhole }) => {
            const own = [...new Set(indices.map((index) => channels[index % channels.length]))]
            return new Eater(scene, own, priority, 16_397, isWhole ? 16_397 : 1)
          })
          for (const eater of all) eater.eat()
          scene.run(SECONDS * 1000)
          const of = (channel: (typeof channels)[number]) => all.filter((eater) => eater.channels.includes(channel))
          const passed = channels.map((channel) => of(channel).reduce((sum, eater) => sum + eater.passed, 0))
          channels.forEach(({ limit }, i) => {
            expect(passed[i]).toBeLessThanOrEqual(limit * SECONDS + 1)
          })
          // What has not passed, each has saved for its next block.
          const isFull = channels.map((channel, i) => {
            return passed[i] + 16_397 * of(channel).length >= channel.limit * SECONDS * 0.95
          })
          for (const { channels: own } of all)
            expect(own.some((channel) => isFull[channels.indexOf(channel)])).toBe(true)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('shares are in proportion to priorities, and nobody starves', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 2, maxLength: 10 }),
        fc.integer({ min: 20_000, max: 2_000_000 }),
        (priorities, limit) => {
          const scene = new BandwidthScene()
          const channel = scene.channel(limit)
          const eaters = priorities.map((priority) => new Eater(scene, [channel], priority, 10_000_000))
          for (const eater of eaters) eater.eat()
          scene.run(SECONDS * 1000)
          const whole = priorities.reduce((sum, priority) => sum + priority, 0)
          eaters.forEach(({ passed }, i) => {
            const fair = (limit * SECONDS * priorities[i]) / whole
            expect(Math.abs(passed - fair)).toBeLessThan(fair * 0.03 + 50)
          })
        },
      ),
      { numRuns: 40 },
    )
  })

  test('whatever comes, goes and changes, no more passes than the limits of the time, and nothing is left waiting', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('eat' as const), who: fc.nat({ max: 5 }) }),
      fc.record({ do: fc.constant('leave' as const), who: fc.nat({ max: 5 }) }),
      fc.record({
        do: fc.constant('limit' as const),
        to: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 })),
      }),
      fc.record({ do: fc.constant('charge' as const), who: fc.nat({ max: 5 }), bytes: fc.nat({ max: 3000 }) }),
      fc.record({ do: fc.constant('run' as const), ms: fc.nat({ max: 3000 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const scene = new BandwidthScene()
        const channel = scene.channel(10_000)
        const eaters = Array.from(
          { length: 6 },
          (_, i) => new Eater(scene, [channel], 1, 16_384, i % 2 ? 16_384 : 1, 50_000),
        )
        const passed = () => eaters.reduce((sum, eater) => sum + eater.passed, 0)
        // What is given to those who wait is theirs, whatever limit comes next.
        let allowed = 0
        let free = 0
        for (const one of steps) {
          const before = passed()
          if (one.do === 'eat') eaters[one.who].eat()
          else if (one.do === 'leave') eaters[one.who].user.leave()
          else if (one.do === 'limit') channel.setLimit(one.to, scene.now)
          else if (one.do === 'charge') eaters[one.who].user.charge(one.bytes)
          else {
            allowed += (channel.limit * one.ms) / 1000
            scene.run(one.ms)
          }
          if (channel.limit === 0) free += passed() - before
        }
        expect(passed() - free).toBeLessThanOrEqual(allowed + 6 * 16_384 + 1)
        // And nobody is left out.
        channel.setLimit(100_000, scene.now)
        const before = eaters.map(({ passed: bytes }) => bytes)
        for (const eater of eaters) eater.eat()
        scene.run(10_000)
        eaters.forEach(({ passed: bytes }, i) => {
          expect(bytes - before[i]).toBeGreaterThan(100_000)
        })
        for (const eater of eaters) eater.user.leave()
        scene.run(2 * INTERVAL_MS)
        expect([scene.manager.queueSize, scene.isIdle, scene.faults.length]).toEqual([0, true, 0])
      }),
      { numRuns: 200 },
    )
  })
})
