import { expect, test } from 'vitest'
import { piecePrioritiesFromFiles } from '../../../src/picker/filePriorities.ts'

test('a piece has the highest priority of the files it belongs to', () => {
  const files = [
    { offset: 0, size: 15 },
    { offset: 15, size: 0 },
    { offset: 15, size: 10 },
    { offset: 25, size: 5 },
  ]
  expect([...piecePrioritiesFromFiles(files, [0, 7, 3, 6], 10, 3)]).toEqual([0, 3, 6])
})

test('files without a priority have the default one', () => {
  expect([
    ...piecePrioritiesFromFiles(
      [
        { offset: 0, size: 10 },
        { offset: 10, size: 10 },
      ],
      [0],
      10,
      2,
    ),
  ]).toEqual([0, 1])
})

test('a pad file is wanted as much as the file before it', () => {
  const files = [
    { offset: 0, size: 4 },
    { offset: 4, size: 16, pad: true },
    { offset: 20, size: 10 },
  ]
  expect([...piecePrioritiesFromFiles(files, [5, 7, 0], 10, 3)]).toEqual([5, 5, 0])
})
