import * as fc from 'fast-check'
import { Bitfield } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { type Progress, piecesBar, progressLine } from '../../src/output/progressLine.ts'

const downloading: Progress = {
  activity: '',
  fraction: 0.25,
  pieces: null,
  downloadRate: 12_300_000,
  uploadRate: 1000,
  peers: 3,
  eta: 70,
}

test('a terminal of 80 columns shows everything, and the bar takes the room that is left', () => {
  const line = progressLine(downloading, 79, false)
  expect(line).toMatch(/^\[#{4} {14}\] {2}25\.0 % {2}down 12\.3 MB\/s {2}ETA 1m 10s {2}3 peers {2}up 1\.00 kB\/s$/)
  expect(line).toHaveLength(79)
})

test('the bar never grows beyond what is useful', () => {
  expect(progressLine(downloading, 500, false)).toContain(`[${'#'.repeat(10)}${' '.repeat(30)}]`)
})

test('no line is wider than the terminal, and the percentage is the last to go', () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 300 }), fc.float({ min: 0, max: 1, noNaN: true }), (columns, fraction) => {
      const line = progressLine({ ...downloading, fraction }, columns, true)
      expect(line.length).toBeLessThanOrEqual(columns)
      expect(line).toMatch(/\d %/)
    }),
  )
})

test('cells of the bar are darker the more of their pieces are had', () => {
  const pieces = new Bitfield(16)
  for (const piece of [0, 1, 2, 3, 4, 5, 6, 8]) pieces.set(piece)
  expect(piecesBar(pieces, 0.5, 4, false)).toBe('#=. ')
})

test('a cell is empty only without any of its pieces, and full only with all', () => {
  const bits = fc.array(fc.boolean(), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(bits, fc.integer({ min: 1, max: 40 }), (had, width) => {
      const pieces = new Bitfield(had.length)
      for (const [piece, bit] of had.entries()) if (bit) pieces.set(piece)
      const bar = piecesBar(pieces, 0, width, false)
      expect(bar).toHaveLength(width)
      expect(/^ *$/.test(bar)).toBe(pieces.count === 0)
      expect(/^#*$/.test(bar)).toBe(pieces.count === had.length)
    }),
  )
})

test('without pieces the bar shows the fraction', () => {
  expect(piecesBar(null, 0.5, 10, false)).toBe('#####     ')
  expect(piecesBar(null, 7, 4, true)).toBe('████')
})
