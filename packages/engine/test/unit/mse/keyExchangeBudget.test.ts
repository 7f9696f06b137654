import { expect, test } from 'vitest'
import {
  BURST_OF_ADDRESS,
  EXCHANGES_PER_SECOND,
  EXCHANGES_PER_SECOND_OF_ADDRESS,
  KeyExchangeBudget,
} from '../../../src/mse/keyExchangeBudget.ts'

/** A budget, and a clock that is set by hand. */
class Scene {
  private time = 0
  private readonly budget = new KeyExchangeBudget({ now: () => this.time })

  /** How many of `attempts` are let through at `time`. */
  taken(attempts: number, time: number, address: (i: number) => string): number {
    this.time = time
    let count = 0
    for (let i = 0; i < attempts; i++) if (this.budget.take(address(i))) count++
    return count
  }
}

test('one address has its burst, then so many a second', () => {
  const scene = new Scene()
  const one = () => '10.0.0.1'
  expect(scene.taken(1000, 5000, one)).toBe(BURST_OF_ADDRESS)
  for (let second = 1; second < 20; second++) {
    expect(scene.taken(1000, 5000 + second * 1000, one)).toBe(EXCHANGES_PER_SECOND_OF_ADDRESS)
  }
  expect(scene.taken(1, 24_000, () => '10.0.0.2')).toBe(1)
})

test('all addresses together have so many a second, however many they are', () => {
  const scene = new Scene()
  for (let second = 0; second < 5; second++) {
    const from = (i: number) => `10.${second}.${i >> 8}.${i & 255}`
    expect(scene.taken(5000, 1000 + second * 1000, from)).toBe(EXCHANGES_PER_SECOND)
  }
})

test('a network of IPv6 is one address', () => {
  const scene = new Scene()
  expect(scene.taken(1000, 1, (i) => `2001:db8::${(i + 1).toString(16)}`)).toBe(BURST_OF_ADDRESS)
})
