import { expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { IpVoter } from '../../../src/address/ipVoter.ts'

const voter = () => new IpVoter(new SeededRandom(1), 1000)
const source = (n: number) => `60.${n >> 8}.${n & 255}.1`

test('the first vote is believed until there are enough', () => {
  const v = voter()
  expect(v.vote('51.0.0.1', source(1), 1000)).toBe(true)
  expect(v.vote('51.0.0.2', source(2), 1000)).toBe(false)
  expect(v.externalAddress).toBe('51.0.0.1')
})

test('with 25 votes the majority decides, whatever came first', () => {
  const v = voter()
  v.vote('51.0.0.66', source(0), 1000)
  let changed = 0
  for (let i = 1; i < 30; i++) if (v.vote('51.0.0.1', source(i), 1000)) changed++
  expect(changed).toBe(1)
  expect(v.externalAddress).toBe('51.0.0.1')
})

test('one source has one vote, however often it speaks', () => {
  const v = voter()
  for (let i = 0; i < 30; i++) v.vote('51.0.0.1', source(i), 1000)
  for (let i = 0; i < 1000; i++) v.vote('51.0.0.66', source(99), 10 * 60_000)
  expect(v.externalAddress).toBe('51.0.0.1')
})

test('a new address is believed five minutes after the last decision, when two say so', () => {
  const v = voter()
  for (let i = 0; i < 25; i++) v.vote('51.0.0.1', source(i), 1000)
  expect(v.vote('51.0.0.2', source(100), 1000 + 6 * 60_000)).toBe(false)
  expect(v.vote('51.0.0.2', source(101), 1000 + 6 * 60_000)).toBe(true)
  expect(v.externalAddress).toBe('51.0.0.2')
})

test('votes without a clear winner change nothing', () => {
  const v = voter()
  for (let i = 0; i < 30; i++) v.vote('51.0.0.1', source(i), 1000)
  for (let i = 0; i < 200; i++) v.vote(i % 2 === 0 ? '51.0.0.2' : '51.0.0.3', source(1000 + i), 400_000)
  expect(v.externalAddress).toBe('51.0.0.1')
})

test('addresses that cannot be ours on the internet, or of another family, are no votes', () => {
  const v = voter()
  expect(v.vote('192.168.1.5', source(1), 1000)).toBe(false)
  expect(v.vote('127.0.0.1', source(2), 1000)).toBe(false)
  expect(v.vote('0.0.0.0', source(3), 1000)).toBe(false)
  expect(v.vote('2001:db8::1', source(4), 1000)).toBe(false)
  expect(v.externalAddress).toBeNull()
})

test('a flood of candidates from many sources stays bounded and wins nothing', () => {
  const v = voter()
  for (let i = 0; i < 30; i++) v.vote('51.0.0.1', source(i), 1000)
  for (let i = 0; i < 20_000; i++) v.vote(`52.${i >> 8}.${i & 255}.1`, source(1000 + i), 1000 + i)
  expect(v.externalAddress).toBe('51.0.0.1')
})
