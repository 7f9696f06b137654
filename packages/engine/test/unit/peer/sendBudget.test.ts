import { expect, test } from 'vitest'
import { SendBudget } from '../../../src/peer/sendBudget.ts'
import { defaultSettings } from '../../../src/settings/settings.ts'

const settings = { ...defaultSettings(), sendBufferLowWatermark: 10_000, sendBufferWatermark: 100_000 }

/** Asks for more than the budget `times` times, with everything sent in between; the budgets found. */
function drained(budget: SendBudget, times: number): number[] {
  return Array.from({ length: times }, () => {
    const bytes = budget.bytes(0, 0, settings)
    budget.exhausted()
    return bytes
  })
}

test('a peer that takes all there is at once gets twice as much each time, up to the high water mark', () => {
  expect(drained(new SendBudget(), 6)).toEqual([10_000, 20_000, 40_000, 80_000, 100_000, 100_000])
})

test('a peer that still has something to take gets no more than its rate asks for', () => {
  const budget = new SendBudget()
  budget.exhausted()
  expect(budget.bytes(1, 0, settings)).toBe(10_000)
  expect(budget.bytes(1, 60_000, settings)).toBe(30_000)
  expect(budget.bytes(1, 1_000_000, settings)).toBe(100_000)
})

test('a peer that asks for less than the budget leaves it as it is', () => {
  const budget = new SendBudget()
  for (let i = 0; i < 5; i++) expect(budget.bytes(0, 0, settings)).toBe(10_000)
})

test('the budget of a peer that slowed down halves each second', () => {
  const budget = new SendBudget()
  drained(budget, 5)
  budget.tick()
  expect(budget.bytes(1, 0, settings)).toBe(100_000)
  budget.tick()
  expect(budget.bytes(1, 0, settings)).toBe(50_000)
  for (let i = 0; i < 5; i++) budget.tick()
  expect(budget.bytes(1, 0, settings)).toBe(10_000)
})
