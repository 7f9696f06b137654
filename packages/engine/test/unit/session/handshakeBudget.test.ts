import { expect, test } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { HandshakeBudget } from '../../../src/session/handshakeBudget.ts'

const taken = (budget: HandshakeBudget, addresses: readonly string[]) =>
  addresses.filter((address) => budget.take(address)).length

test('one address gets ten handshakes, and one a second from then on', () => {
  const time = new VirtualTime()
  const budget = new HandshakeBudget(time)
  const twenty = Array<string>(20).fill('10.0.0.1')
  expect(taken(budget, twenty)).toBe(10)
  expect(taken(budget, ['10.0.0.2'])).toBe(1)
  time.run({ seconds: 3 })
  expect(taken(budget, twenty)).toBe(3)
})

test('addresses of one IPv6 network count as one', () => {
  const budget = new HandshakeBudget(new VirtualTime())
  const of = (network: number) => Array.from({ length: 20 }, (_, i) => `2001:db8:0:${network}::${i + 1}`)
  expect(taken(budget, of(1))).toBe(10)
  expect(taken(budget, of(2))).toBe(10)
})

test('all together get a hundred, and fifty a second', () => {
  const time = new VirtualTime()
  const budget = new HandshakeBudget(time)
  const many = (from: number) => Array.from({ length: 5000 }, (_, i) => `10.${from}.${i >> 8}.${i & 255}`)
  expect(taken(budget, many(0))).toBe(100)
  time.run({ seconds: 1 })
  expect(taken(budget, many(1))).toBe(50)
})
