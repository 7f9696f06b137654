import { expect, test } from 'vitest'
import {
  BURST_OF_ADDRESS,
  EXCHANGES_PER_SECOND,
  EXCHANGES_PER_SECOND_OF_ADDRESS,
  KeyExchangeBudget,
} from '../../../src/mse/keyExchangeBudget.ts'

/** How many of `attempts` are let through at `now`. */
function taken(budget: KeyExchangeBudget, attempts: number, now: number, address: (i: number) => string): number {
  let count = 0
  for (let i = 0; i < attempts; i++) if (budget.take(address(i), now)) count++
  return count
}

test('one address has its burst, then so many a second', () => {
  const budget = new KeyExchangeBudget()
  const one = () => '10.0.0.1'
  expect(taken(budget, 1000, 5000, one)).toBe(BURST_OF_ADDRESS)
  for (let second = 1; second < 20; second++) {
    expect(taken(budget, 1000, 5000 + second * 1000, one)).toBe(EXCHANGES_PER_SECOND_OF_ADDRESS)
  }
  expect(budget.take('10.0.0.2', 24_000)).toBe(true)
})

test('all addresses together have so many a second, however many they are', () => {
  const budget = new KeyExchangeBudget()
  for (let second = 0; second < 5; second++) {
    const from = (i: number) => `10.${second}.${i >> 8}.${i & 255}`
    expect(taken(budget, 5000, 1000 + second * 1000, from)).toBe(EXCHANGES_PER_SECOND)
  }
})

test('a network of IPv6 is one address', () => {
  const budget = new KeyExchangeBudget()
  expect(taken(budget, 1000, 1, (i) => `2001:db8::${(i + 1).toString(16)}`)).toBe(BURST_OF_ADDRESS)
})
