import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fairShares } from '../../../src/session/fairShares.ts'

test('all that the limit allows is kept, nobody keeps more than it has, and nobody gives while another has two more', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 20 }), fc.nat(300), (counts, limit) => {
      const shares = fairShares(counts, limit)
      const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
      expect(sum(shares)).toBe(Math.min(limit, sum(counts)))
      const most = Math.max(0, ...shares)
      for (const [i, share] of shares.entries()) {
        expect(share).toBeLessThanOrEqual(counts[i])
        if (share < counts[i]) expect(share).toBeGreaterThanOrEqual(most - 1)
      }
    }),
  )
})
