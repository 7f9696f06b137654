import { expect, test } from 'vitest'
import { ByteRate } from '../../../src/dht/byteRate.ts'

test('a steady stream has its own rate after a while, whoever asks how often', () => {
  const rate = new ByteRate(0)
  for (let now = 0; now < 60_000; now += 100) rate.add(50, now)
  expect(rate.rate(60_000)).toBeGreaterThanOrEqual(499)
  expect(rate.rate(60_000)).toBeLessThanOrEqual(500)
})

test('silence brings it to nothing, also when nobody looked meanwhile', () => {
  const looked = new ByteRate(0)
  const alone = new ByteRate(0)
  for (const rate of [looked, alone]) for (let now = 0; now < 20_000; now += 100) rate.add(1000, now)
  for (let now = 20_000; now < 30_000; now += 1000) looked.rate(now)
  expect(alone.rate(30_000)).toBe(looked.rate(30_000))
  expect(alone.rate(30_000)).toBeLessThan(10_000 * 0.8 ** 8)
  expect(alone.rate(120_000)).toBe(0)
})
