import { expect, test } from 'vitest'
import {
  formatBytes,
  formatDuration,
  formatElapsed,
  formatPercent,
  formatPieceSize,
  formatRanges,
  formatRate,
  plural,
  shellWord,
} from '../../src/output/format.ts'

test('sizes have three digits', () => {
  const texts = [0, 999, 1000, 9994, 12_340, 999_499, 999_500, 1_073_741_824, 2 ** 53].map(formatBytes)
  expect(texts).toEqual(['0 B', '999 B', '1.00 kB', '9.99 kB', '12.3 kB', '999 kB', '1.00 MB', '1.07 GB', '9.01 PB'])
  expect(formatRate(-0.2)).toBe('0 B/s')
})

test('piece sizes are exact', () => {
  expect([1024, 16_384, 262_144, 1_048_576, 1_048_577, 49_152].map(formatPieceSize)).toEqual([
    '1 KiB',
    '16 KiB',
    '256 KiB',
    '1 MiB',
    '1048577 B',
    '48 KiB',
  ])
})

test('100 % means all', () => {
  expect([0, 0.5, 0.9999, 1].map(formatPercent)).toEqual(['0.0 %', '50.0 %', '99.9 %', '100.0 %'])
})

test('times name the two largest units', () => {
  expect([0, 59.4, 60, 3599, 3600, 86_399, 90_000].map(formatDuration)).toEqual([
    '0s',
    '59s',
    '1m 00s',
    '59m 59s',
    '1h 00m',
    '23h 59m',
    '1d 01h',
  ])
})

test('short times that have passed have a tenth', () => {
  expect([0, 0.04, 0.45, 9.94, 9.96, 61].map(formatElapsed)).toEqual(['0.0s', '0.0s', '0.5s', '9.9s', '10s', '1m 01s'])
})

test('what a shell would take apart is quoted', () => {
  expect(['a/b-c.torrent', 'a b', "it's", '$(x)', '', 'é'].map(shellWord)).toEqual([
    'a/b-c.torrent',
    "'a b'",
    "'it'\\''s'",
    "'$(x)'",
    "''",
    "'é'",
  ])
})

test('runs of numbers are drawn together, and long lists are cut', () => {
  expect(formatRanges([])).toBe('')
  expect(formatRanges([0, 1, 2, 5, 7, 8])).toBe('0-2, 5, 7-8')
  expect(formatRanges([0, 2, 4, 6], 2)).toBe('0, 2, ...')
})

test('one is singular', () => {
  expect([0, 1, 2000].map((count) => plural(count, 'file'))).toEqual(['0 files', '1 file', '2,000 files'])
})
