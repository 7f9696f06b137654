import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { PriorityBuckets } from '../../../src/picker/priorityBuckets.ts'

test('pieces stay sorted by key, each at its noted position, whatever is added, moved and removed', () => {
  const change = fc.record({ piece: fc.nat(19), key: fc.integer({ min: -1, max: 200 }) })
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 60 }),
      fc.array(fc.integer({ min: -1, max: 9 }), { minLength: 20, maxLength: 20 }),
      (changes, start) => {
        const keys = [...start]
        const buckets = new PriorityBuckets(20, new SeededRandom(7))
        buckets.rebuild((piece) => keys[piece])
        for (const { piece, key } of changes) {
          if (keys[piece] < 0 && key >= 0) buckets.add(piece, key)
          else if (keys[piece] >= 0 && key < 0) buckets.remove(piece, keys[piece])
          else if (key >= 0) buckets.move(piece, keys[piece], key)
          keys[piece] = key
        }
        const order = [...buckets.order.subarray(0, buckets.length)]
        const expected = keys.flatMap((key, piece) => (key >= 0 ? [piece] : []))
        expect([...order].sort((a, b) => a - b)).toEqual(expected)
        order.forEach((piece, i) => {
          expect(buckets.position[piece]).toBe(i)
          if (i > 0) expect(keys[order[i - 1]]).toBeLessThanOrEqual(keys[piece])
        })
        for (const key of [0, 3, 50, 300]) {
          expect(buckets.endOf(key)).toBe(expected.filter((piece) => keys[piece] <= key).length)
        }
      },
    ),
  )
})
