import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LtMetadataRequest } from '../../../src/extensions/ltMetadataRequest.ts'
import {
  bytesOfUnits,
  decodeLtMetadata,
  encodeLtMetadata,
  type LtMetadataMessage,
  unitsOfBytes,
} from '../../../src/wire/ltMetadataMessage.ts'

const MAX = 4_000_000
const sizes = fc.integer({ min: 1, max: MAX })
const units = fc
  .integer({ min: 0, max: 255 })
  .chain((start) => fc.record({ start: fc.constant(start), count: fc.integer({ min: 1, max: 256 - start }) }))

test('what was written is read', () => {
  const data = fc.record({ totalSize: sizes, offset: fc.nat(100), data: fc.uint8Array({ maxLength: 100 }) })
  const messages = fc.oneof(
    units.map((range): LtMetadataMessage => ({ type: 'request', ...range })),
    fc.constant<LtMetadataMessage>({ type: 'dontHave' }),
    data.map(
      ({ totalSize, ...rest }): LtMetadataMessage => ({ type: 'data', totalSize: Math.max(200, totalSize), ...rest }),
    ),
  )
  fc.assert(
    fc.property(messages, (message) => {
      expect(decodeLtMetadata(encodeLtMetadata(message), MAX)).toEqual(message)
    }),
  )
})

test('units that follow each other are bytes that follow each other, from the first to the last', () => {
  fc.assert(
    fc.property(sizes, units, (size, { start, count }) => {
      const range = bytesOfUnits({ start, count }, size)
      expect(bytesOfUnits({ start: 0, count: 256 }, size)).toEqual({ offset: 0, length: size })
      if (start > 0) expect(bytesOfUnits({ start: 0, count: start }, size).length).toBe(range.offset)
      expect(range.offset + range.length).toBeLessThanOrEqual(size)
    }),
  )
})

test('the units of bytes contain them, and fewer would not', () => {
  const ranges = sizes.chain((size) =>
    fc
      .integer({ min: 0, max: size - 1 })
      .chain((offset) => fc.tuple(fc.constant(size), fc.constant(offset), fc.integer({ min: 1, max: size - offset }))),
  )
  fc.assert(
    fc.property(ranges, ([size, offset, length]) => {
      const { start, count } = unitsOfBytes({ offset, length }, size)
      expect(start + count).toBeLessThanOrEqual(256)
      const range = bytesOfUnits({ start, count }, size)
      expect(range.offset).toBeLessThanOrEqual(offset)
      expect(range.offset + range.length).toBeGreaterThanOrEqual(offset + length)
      // A unit of slack on either side is what the rounding may cost.
      expect(range.length).toBeLessThanOrEqual(length + 2 * Math.ceil(size / 256) + 2)
    }),
  )
})

test('from honest answers every piece is cut out right', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300_000 }), fc.nat(30), (size, pick) => {
      const piece = pick % Math.ceil(size / 16_384)
      const info = Uint8Array.from({ length: size }, (_, i) => i * 31 + (i >> 8))
      const request = new LtMetadataRequest(piece, size)
      const { offset, length } = bytesOfUnits(request.units, size)
      const data = info.subarray(offset, offset + length)
      const answer = request.judge({ type: 'data', totalSize: size, offset, data })
      expect(answer).toEqual({ type: 'piece', data: info.subarray(piece * 16_384, (piece + 1) * 16_384) })
      expect(request.judge({ type: 'data', totalSize: size, offset: offset + 1, data }).type).toBe('wrong')
    }),
    { numRuns: 50 },
  )
})

test('no bytes make the decoder throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (payload) => {
      decodeLtMetadata(payload, MAX)
      decodeLtMetadata(Uint8Array.of(1, ...payload), MAX)
    }),
  )
})
