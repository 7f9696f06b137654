import { expect, test } from 'vitest'
import { copyToShared } from '../../../src/util/copyToShared.ts'

test('bytes arrive at their place in shared memory and nowhere else, at any alignment', () => {
  const source = Uint8Array.from({ length: 64 }, (_, i) => i + 1)
  for (let from = 0; from < 9; from++) {
    for (let to = 0; to < 9; to++) {
      for (const length of [0, 1, 7, 8, 33]) {
        const target = new Uint8Array(new SharedArrayBuffer(128), 16, 80)
        copyToShared(target, to, source.subarray(from, from + length))
        const expected = new Uint8Array(80)
        expected.set(source.subarray(from, from + length), to)
        expect([...target]).toEqual([...expected])
      }
    }
  }
})
