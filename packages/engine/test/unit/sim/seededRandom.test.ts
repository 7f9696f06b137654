import { expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'

const draw = (random: SeededRandom, count = 50) => Array.from({ length: count }, () => random.u32())

test('the same seed gives the same numbers, another seed others', () => {
  expect(draw(new SeededRandom(5))).toEqual(draw(new SeededRandom(5)))
  expect(draw(new SeededRandom(5))).not.toEqual(draw(new SeededRandom(6)))
})

test('a fork depends on seed and label, not on what was drawn before', () => {
  const a = new SeededRandom(5)
  const fresh = draw(a.fork('x'))
  draw(a)
  expect(draw(a.fork('x'))).toEqual(fresh)
  expect(draw(a.fork('y'))).not.toEqual(fresh)
  expect(draw(new SeededRandom(6).fork('x'))).not.toEqual(fresh)
})

test('numbers below a limit are within it and spread evenly', () => {
  const random = new SeededRandom(1)
  const counts = new Array(10).fill(0)
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]++
  // 10,000 each; 5 standard deviations of a binomial are 474.
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(474)
  expect(random.below(1)).toBe(0)
  expect(random.below(2 ** 32)).toBeLessThan(2 ** 32)
  expect(() => random.below(0)).toThrow(RangeError)
})

test('random bytes have any length asked for, and are not all alike', () => {
  const random = new SeededRandom(1)
  for (const length of [0, 1, 3, 4, 5, 1000]) expect(random.bytes(length)).toHaveLength(length)
  expect(new Set(random.bytes(1000)).size).toBeGreaterThan(200)
})

test('chance 0 and 1 are certain and draw nothing', () => {
  const random = new SeededRandom(9)
  const twin = new SeededRandom(9)
  expect([random.chance(0), random.chance(1)]).toEqual([false, true])
  expect(random.u32()).toBe(twin.u32())
})
