import { expect, test } from 'vitest'
import { ConnectionIds } from '../../../src/trackerServer/connectionIds.ts'
import { SourceAddress } from '../../../src/trackerServer/sourceAddress.ts'
import { FakeRandom } from '../tracker/fakes.ts'

const from = (text: string) => new SourceAddress().parse(text)

function make(ids: ConnectionIds, text: string, now: number): Uint8Array {
  const { bytes, length } = from(text)
  const id = new Uint8Array(8)
  ids.write(bytes, length, now, id, 0)
  return id
}

function isValid(ids: ConnectionIds, id: Uint8Array, text: string, now: number): boolean {
  const { bytes, length } = from(text)
  return ids.isValid(id, 0, bytes, length, now)
}

test('an id is good for its address for two minutes at least and three at most (BEP 15)', () => {
  for (let begin = 0; begin < 200_000; begin += 7_777) {
    const ids = new ConnectionIds(new FakeRandom())
    const id = make(ids, '1.2.3.4', begin)
    for (const age of [0, 60_000, 120_000]) expect(isValid(ids, id, '1.2.3.4', begin + age)).toBe(true)
    for (const age of [180_000, 240_000, 300_000, 1e9]) expect(isValid(ids, id, '1.2.3.4', begin + age)).toBe(false)
  }
})

test('an id is good for no other address, and with no bit changed', () => {
  const ids = new ConnectionIds(new FakeRandom())
  const id = make(ids, '1.2.3.4', 500_000)
  expect(isValid(ids, id, '1.2.3.5', 500_000)).toBe(false)
  expect(isValid(ids, id, '2001:db8::1', 500_000)).toBe(false)
  for (let bit = 0; bit < 64; bit++) {
    const changed = id.slice()
    changed[bit >> 3] ^= 1 << (bit & 7)
    expect(isValid(ids, changed, '1.2.3.4', 500_000)).toBe(false)
  }
})

test('ids of one address differ from minute to minute, and from tracker to tracker', () => {
  const ids = new ConnectionIds(new FakeRandom(1))
  const others = new ConnectionIds(new FakeRandom(2))
  const all = [0, 1, 2, 3, 4, 5].map((minute) => make(ids, '1.2.3.4', minute * 60_000).join())
  all.push(make(others, '1.2.3.4', 0).join())
  expect(new Set(all).size).toBe(all.length)
})
