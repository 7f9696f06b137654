import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { pathMatcher } from '../../src/options/glob.ts'

test.each([
  ['*.mkv', 'show/s01/e01.mkv', true],
  ['*.mkv', 'show/s01/e01.mkv.txt', false],
  ['e0?.mkv', 'show/e01.mkv', true],
  ['e0?.mkv', 'show/e011.mkv', false],
  ['s01', 'show/s01/e01.mkv', true],
  ['s01/', 'show/s01/e01.mkv', true],
  ['show/s01', 'show/s01/e01.mkv', true],
  ['show/s1', 'show/s01/e01.mkv', false],
  ['show/*.mkv', 'show/s01/e01.mkv', false],
  ['show/*/e01.mkv', 'show/s01/e01.mkv', true],
  ['show/**/e01.mkv', 'show/e01.mkv', true],
  ['show/**/e01.mkv', 'show/a/b/e01.mkv', true],
  ['show/**', 'show/a/b/e01.mkv', true],
  ['**', 'anything/at all', true],
  ['*.{mkv,srt}', 'show/e01.srt', true],
  ['*.{mkv,srt}', 'show/e01.nfo', false],
  ['e[0-9][!9].mkv', 'show/e01.mkv', true],
  ['e[0-9][!9].mkv', 'show/e09.mkv', false],
  ['[Group] Show - 01.mkv', 'x/[Group] Show - 01.mkv', true],
  ['{a,b', '{a,b', true],
  ['a[b', 'a[b', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['./show/e01.mkv', 'show/e01.mkv', true],
  ['a.b', 'axb', false],
  ['(a|b)+', '(a|b)+', true],
  ['日本*', 'show/日本語.txt', true],
])('%s on %s: %s', (pattern, path, expected) => {
  expect(pathMatcher(pattern)(path)).toBe(expected)
})

const partOfName = fc.stringMatching(/^[^/]+$/).filter((part) => part !== '.' && part !== '..')

test('a path matches itself, whatever signs it has in it', () => {
  fc.assert(
    fc.property(fc.array(partOfName, { minLength: 1, maxLength: 4 }), (parts) => {
      const path = parts.join('/')
      expect(pathMatcher(path)(path)).toBe(true)
    }),
  )
})

test('any text is a pattern', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (pattern, path) => {
      pathMatcher(pattern)(path)
    }),
  )
})
