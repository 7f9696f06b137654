import { expect, test } from 'vitest'
import { IntroductionBudget } from '../../../src/torrent/introductionBudget.ts'

function at(now: number) {
  const clock = { time: now }
  return { clock, budget: new IntroductionBudget({ now: () => clock.time }) }
}

test('one address may send twenty messages a minute, and be told twenty times', () => {
  const { clock, budget } = at(5)
  const taken = Array.from({ length: 30 }, () => budget.take('1.2.3.4')).filter(Boolean)
  const told = Array.from({ length: 30 }, () => budget.takeFor('1.2.3.4')).filter(Boolean)
  expect([taken.length, told.length]).toEqual([20, 20])
  expect(budget.take('1.2.3.5')).toBe(true)
  clock.time += 60_000
  expect(budget.take('1.2.3.4')).toBe(true)
})

test('beyond a thousand networks in a minute nobody new is served', () => {
  const { budget } = at(5)
  const served = Array.from({ length: 5000 }, (_, i) => budget.take(`2001:db8:0:${i.toString(16)}::1`)).filter(Boolean)
  expect(served).toHaveLength(1000)
  expect(budget.take('2001:db8::1')).toBe(true)
})

test('who has a whole /64 of IPv6 counts once, whatever address of it is used', () => {
  const { budget } = at(5)
  const taken = Array.from({ length: 30 }, (_, i) => budget.take(`2001:db8::${i.toString(16)}`)).filter(Boolean)
  const told = Array.from({ length: 30 }, (_, i) => budget.takeFor(`2001:db8::${i.toString(16)}`)).filter(Boolean)
  expect([taken.length, told.length]).toEqual([20, 20])
  expect(budget.take('2001:db8:0:1::')).toBe(true)
})
