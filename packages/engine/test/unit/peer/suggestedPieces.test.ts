import { expect, test } from 'vitest'
import { SuggestedPieces } from '../../../src/peer/suggestedPieces.ts'

test('the latest suggestion comes first, and each piece once', () => {
  const suggested = new SuggestedPieces()
  for (const piece of [1, 2, 3, 1]) suggested.add(piece, 10)
  expect(suggested.pieces).toEqual([1, 3, 2])
})

test('a flood of suggestions leaves the newest, as many as the limit', () => {
  const suggested = new SuggestedPieces()
  for (let piece = 0; piece < 10_000; piece++) suggested.add(piece, 3)
  expect(suggested.pieces).toEqual([9999, 9998, 9997])
  suggested.add(1, 0)
  expect(suggested.pieces).toEqual([])
})

test('one that is done is forgotten, one that was never suggested harms nothing', () => {
  const suggested = new SuggestedPieces()
  for (const piece of [1, 2]) suggested.add(piece, 10)
  suggested.remove(1)
  suggested.remove(7)
  expect(suggested.pieces).toEqual([2])
})
