import { describe, expect, test } from 'vitest'
import { tcpLimit } from '../../../src/bandwidth/mixedMode.ts'
import { ratioLimit } from '../../../src/bandwidth/ratioLimit.ts'

describe('mixed mode', () => {
  test('without uTP peers, or with few peers at all, TCP is not limited', () => {
    expect(tcpLimit('upload', 20, 0, 1_000_000)).toBe(0)
    expect(tcpLimit('upload', 2, 2, 1_000_000)).toBe(0)
  })

  test('TCP gets its part by its number, four times over', () => {
    expect(tcpLimit('download', 1, 9, 1_000_000)).toBe(400_000)
    expect(tcpLimit('upload', 2, 14, 800_000)).toBe(400_000)
    // Nobody transfers by TCP: the first one to come has a place.
    expect(tcpLimit('upload', 0, 10, 1_000_000)).toBe(400_000)
  })

  test('and never less than 5 kB/s up and 30 kB/s down', () => {
    expect([tcpLimit('upload', 1, 50, 1000), tcpLimit('download', 1, 50, 1000)]).toEqual([5000, 30_000])
  })
})

describe('the ratio', () => {
  test('who gave nothing is given a little, and then nearly nothing', () => {
    const first = ratioLimit(1, 0, 0, 0)
    expect(first * 15).toBeGreaterThan(4 * 16_384)
    expect(ratioLimit(1, 0, 200_000, 0)).toBe(20)
  })

  test('who gives gets as much, or as many times as much', () => {
    expect(Math.abs(ratioLimit(1, 10_000_000, 10_000_000, 50_000) - 50_000)).toBeLessThan(10_000)
    expect(Math.abs(ratioLimit(2, 10_000_000, 20_000_000, 50_000) - 100_000)).toBeLessThan(10_000)
  })
})
