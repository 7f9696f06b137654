import { expect, test } from 'vitest'
import { HalfSipHash } from '../../../src/crypto/halfSipHash.ts'

/** From vectors.h of the reference implementation: the key is 00 01 .. 07, the message the first n of 00 01 02 ... */
const vectors: readonly (readonly [length: number, result: string])[] = [
  [0, '218d1f59b9b83cc8'],
  [1, 'be552412f8387315'],
  [4, 'd5e78a175be52ea1'],
  [6, 'ce3e91358aa2bc25'],
  [18, 'c9b2db2b9a3e42f9'],
  [63, '2ea63c71bf326087'],
]

test.each(vectors)("HalfSipHash-2-4-64 of %i bytes is the reference implementation's", (length, result) => {
  const hash = new HalfSipHash(0x03020100, 0x07060504)
  const padded = Uint8Array.from({ length: length + 3 }, (_, i) => i - 3)
  hash.hash(padded, 3, length)
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(hash.first, 0)
  bytes.writeUInt32LE(hash.second, 4)
  expect(bytes.toString('hex')).toBe(result)
})
