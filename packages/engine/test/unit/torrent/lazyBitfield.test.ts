import { expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { fullBitfield, sendLazyBitfield } from '../../../src/torrent/lazyBitfield.ts'
import { Bitfield } from '../../../src/util/bitfield.ts'
import { MessageWriter } from '../../../src/wire/messageWriter.ts'
import { WireParser } from '../../../src/wire/wireParser.ts'
import { RecordingHandler } from '../wire/recordingHandler.ts'

/** What a peer is told of a torrent of so many pieces. */
function told(numPieces: number, seed: number) {
  const writer = new MessageWriter()
  sendLazyBitfield(writer, numPieces, new SeededRandom(seed))
  const handler = new RecordingHandler()
  new WireParser(handler).push(writer.take() as Uint8Array)
  return handler.heard
}

test.each([
  [1, 1],
  [9, 1],
  [25, 2],
  [100, 10],
  [501, 50],
  [5000, 50],
])(
  'of %i pieces %i are left out of the bitfield and told after it, so that none is missing in the end',
  (total, lazy) => {
    for (let seed = 1; seed <= 5; seed++) {
      const [first, ...others] = told(total, seed)
      expect(first[0]).toBe('bitfield')
      const field = Bitfield.fromWire(Buffer.from(first[1] as string, 'hex'), total) as Bitfield
      expect(field.count).toBe(total - lazy)
      expect(others.map(([name]) => name)).toEqual(new Array(lazy).fill('have'))
      for (const [, piece] of others) field.set(piece as number)
      expect(field.isAllSet).toBe(true)
    }
  },
)

test('the pieces left out differ from time to time', () => {
  const chosen = [1, 2, 3, 4, 5].map((seed) => told(5000, seed).slice(1).join())
  expect(new Set(chosen).size).toBe(chosen.length)
})

test('a full bitfield has no bit beyond the last piece', () => {
  expect(fullBitfield(8)).toEqual(Uint8Array.of(0xff))
  expect(fullBitfield(11)).toEqual(Uint8Array.of(0xff, 0xe0))
})
