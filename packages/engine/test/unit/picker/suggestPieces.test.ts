import { expect, test } from 'vitest'
import { SuggestPieces } from '../../../src/picker/suggestPieces.ts'
import { Bitfield } from '../../../src/util/bitfield.ts'

const NOTHING = new Bitfield(100)

test('the piece read last is the best to suggest, and comes last', () => {
  const pieces = new SuggestPieces()
  for (const piece of [1, 2, 3, 2]) pieces.add(piece, 0, 10)
  expect(pieces.choose(NOTHING, [], 2)).toEqual([3, 2])
  expect(pieces.choose(NOTHING, [], 10)).toEqual([1, 3, 2])
})

test('what more peers have than the mean of those before is not suggested', () => {
  const pieces = new SuggestPieces()
  // The first one is above the mean of none.
  pieces.add(0, 50, 10)
  pieces.add(1, 50, 10)
  pieces.add(2, 80, 10)
  pieces.add(3, 40, 10)
  expect(pieces.choose(NOTHING, [], 10)).toEqual([1, 3])
})

test('the mean forgets what was long ago', () => {
  const pieces = new SuggestPieces()
  for (let i = 0; i < 100; i++) pieces.add(0, 5, 10)
  for (let i = 0; i < 300; i++) pieces.add(1, 90, 10)
  pieces.add(2, 88, 10)
  expect(pieces.choose(NOTHING, [], 1)).toEqual([2])
})

test('no more are kept than the limit', () => {
  const pieces = new SuggestPieces()
  for (let piece = 0; piece < 50; piece++) pieces.add(piece, 0, 3)
  expect(pieces.choose(NOTHING, [], 10)).toEqual([47, 48, 49])
  pieces.add(50, 0, 0)
  expect(pieces.size).toBe(0)
})

test('a peer is suggested nothing it has, and nothing twice', () => {
  const pieces = new SuggestPieces()
  for (const piece of [1, 2, 3, 4]) pieces.add(piece, 0, 10)
  const has = new Bitfield(100)
  has.set(4)
  expect(pieces.choose(has, [2], 10)).toEqual([1, 3])
})
