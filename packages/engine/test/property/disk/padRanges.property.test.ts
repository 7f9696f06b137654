import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PadRanges } from '../../../src/disk/padRanges.ts'
import { layFiles } from '../../integration/disk/storageDriver.ts'

test('exactly the bytes of pad files are zeroed, and it is known when that was all of them', () => {
  const files = fc.array(fc.record({ size: fc.integer({ min: 0, max: 20 }), pad: fc.boolean() }), { minLength: 1 })
  fc.assert(
    fc.property(files, fc.nat(), fc.nat(), (sizes, a, b) => {
      const laid = layFiles(sizes.map((file, i) => ({ ...file, path: `${i}` })))
      const total = laid.reduce((sum, file) => sum + file.size, 0)
      if (total === 0) return
      const position = a % total
      const bytes = new Uint8Array(1 + (b % (total - position))).fill(1)
      const expected = Array.from(bytes, (_, i) => {
        const file = laid.find(({ offset, size }) => offset <= position + i && position + i < offset + size)
        return file?.pad ? 0 : 1
      })
      expect(new PadRanges(laid).zero(position, bytes)).toBe(!expected.includes(1))
      expect([...bytes]).toEqual(expected)
    }),
  )
})
