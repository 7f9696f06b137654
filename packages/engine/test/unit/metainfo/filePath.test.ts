import { describe, expect, test } from 'vitest'
import { givenPath, isAbsolutePath } from '../../../src/metainfo/filePath.ts'

describe('a path a user gives a file', () => {
  test.each([
    ['a', false],
    ['dir/sub/a b', false],
    ['.hidden', false],
    ['a..b/...', false],
    ['con/a:b?', false],
    ['/abs', true],
    ['/abs/sub/a', true],
  ])('%j is taken as it is', (path, isAbsolute) => {
    expect(givenPath(path, 'posix')).toEqual({ path, isAbsolute })
    expect(isAbsolutePath(path, 'posix')).toBe(isAbsolute)
  })

  test.each([
    '',
    '/',
    '.',
    '..',
    'a/..',
    '../a',
    'a/../../b',
    '/a/../b',
    '/..',
    'a//b',
    '//a',
    'a/',
    './a',
    'a\\b',
    'a\0b',
    'n'.repeat(256),
    `a/${'é'.repeat(128)}/b`,
  ])('%j is refused, wherever it would lead', (path) => {
    expect(givenPath(path, 'posix')).toBeNull()
  })

  test('on Windows both slashes divide, and drives and shares are absolute', () => {
    const paths = [
      ['dir\\a', 'dir/a', false],
      ['C:\\dir\\a', 'C:/dir/a', true],
      ['d:/a', 'd:/a', true],
      ['\\\\server\\share\\a', '//server/share/a', true],
    ] as const
    for (const [given, path, isAbsolute] of paths) {
      expect(givenPath(given, 'windows')).toEqual({ path, isAbsolute })
    }
  })

  test.each([
    'C:a',
    'C:',
    'C:\\',
    '\\a',
    '/a',
    '\\\\server\\share',
    'a:b',
    'C:\\a:b',
    'con',
    'dir\\aux.txt',
    'name.',
    'dir \\a',
    'a?',
    'PROGRA~1\\a',
  ])('%j is refused on Windows: it is another place than it seems, or nowhere', (path) => {
    expect(givenPath(path, 'windows')).toBeNull()
  })
})
