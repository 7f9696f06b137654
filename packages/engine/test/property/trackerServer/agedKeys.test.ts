import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HalfSipHash } from '../../../src/crypto/halfSipHash.ts'
import { AgedKeys } from '../../../src/trackerServer/agedKeys.ts'

const LIMIT = 70

test('AgedKeys is a map from keys to slots, ordered by last touch', () => {
  const operation = fc.tuple(fc.constantFrom('add', 'touch', 'remove', 'removeOldest'), fc.nat(99))
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 400 }), fc.nat(), (operations, seed) => {
      const keys = new AgedKeys(3, LIMIT, new HalfSipHash(seed, 1))
      const model = new Map<number, number>()
      const bytes = (n: number) => Uint8Array.of(9, n, 7, 7, 0)
      for (const [time, [what, n]] of operations.entries()) {
        const known = model.get(n)
        expect(keys.find(bytes(n), 1)).toBe(known ?? -1)
        if (what === 'add' && known === undefined) {
          const slot = keys.add(bytes(n), 1, time)
          expect(slot === -1).toBe(model.size === LIMIT)
          if (slot !== -1) {
            expect([...model.values()]).not.toContain(slot)
            expect(slot).toBeLessThan(keys.capacity)
            model.set(n, slot)
          }
        } else if (what === 'touch' && known !== undefined) {
          keys.touch(known, time)
          model.delete(n)
          model.set(n, known)
        } else if (what === 'remove' && known !== undefined) {
          keys.remove(known)
          model.delete(n)
        } else if (what === 'removeOldest' && model.size > 0) {
          const [oldest, slot] = [...model][0]
          expect(keys.oldest).toBe(slot)
          keys.remove(slot)
          model.delete(oldest)
        }
        expect(keys.size).toBe(model.size)
        expect(keys.oldest).toBe([...model.values()][0] ?? -1)
      }
    }),
  )
})
