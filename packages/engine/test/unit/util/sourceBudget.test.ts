import { expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { SourceBudget } from '../../../src/util/sourceBudget.ts'

const LIMITS = { burst: 1000, interval: 1, burstOfSource: 2, intervalOfSource: 1000, maxSources: 10 }

const taken = (budget: SourceBudget, source: string, attempts = 5) =>
  Array.from({ length: attempts }, () => budget.take(source)).filter(Boolean).length

test('each source has its burst, however many others there are, up to those that are remembered', () => {
  const budget = new SourceBudget(new VirtualTime(), LIMITS)
  for (let i = 0; i < 10; i++) expect(taken(budget, `${i}`)).toBe(2)
  for (let i = 0; i < 10; i++) expect(taken(budget, `${i}`)).toBe(0)
})

test('beyond that the one that came first is forgotten, and starts anew', () => {
  const budget = new SourceBudget(new VirtualTime(), LIMITS)
  for (let i = 0; i < 11; i++) taken(budget, `${i}`)
  expect(taken(budget, '1')).toBe(0)
  expect(taken(budget, '0')).toBe(2)
  // It took the place of the next.
  expect(taken(budget, '2')).toBe(0)
  expect(taken(budget, '1')).toBe(2)
})

test('what one source asks for in vain is not taken from all', () => {
  const budget = new SourceBudget(new VirtualTime(), { ...LIMITS, burst: 4 })
  taken(budget, 'flood', 1000)
  expect(taken(budget, 'other')).toBe(2)
  expect(taken(budget, 'third')).toBe(0)
})
