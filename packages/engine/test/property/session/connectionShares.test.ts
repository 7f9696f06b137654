import fc from 'fast-check'
import { expect, test } from 'vitest'
import { surplusConnections } from '../../../src/session/connectionShares.ts'

const counts = fc.array(fc.nat({ max: 300 }), { maxLength: 20 })

test('exactly what is above the limit is given up, and the torrents that give come to be even', () => {
  fc.assert(
    fc.property(counts, fc.nat({ max: 2000 }), (all, limit) => {
      const given = surplusConnections(all, limit)
      const total = all.reduce((sum, count) => sum + count, 0)
      expect(given.reduce((sum, count) => sum + count, 0)).toBe(Math.max(0, total - limit))
      const kept = all.map((count, i) => count - given[i])
      for (const count of [...kept, ...given]) expect(count).toBeGreaterThanOrEqual(0)
      const giving = kept.filter((_, i) => given[i] > 0)
      if (giving.length === 0) return
      expect(Math.max(...giving) - Math.min(...giving)).toBeLessThanOrEqual(1)
      // Who gives nothing has no more than who gives.
      expect(Math.max(...kept)).toBeLessThanOrEqual(Math.min(...giving) + 1)
    }),
  )
})
