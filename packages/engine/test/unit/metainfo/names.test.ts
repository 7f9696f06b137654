import { describe, expect, test } from 'vitest'
import { collisionKey } from '../../../src/metainfo/collisionKey.ts'
import {
  isInsidePath,
  sanitizeFilePath,
  sanitizePath,
  sanitizePathElement,
} from '../../../src/metainfo/sanitizePath.ts'
import { fromHex, utf8 } from '../../../src/util/bytes.ts'
import { errorOf, multiFileInfo, pathsOf, singleFileInfo, torrentBytes, torrentOf, vectors } from './builders.ts'

describe('path elements come out as from libtorrent 2.0.8', () => {
  test.each(vectors.pathElements)('$element', ({ element, path }) => {
    expect(`root/${sanitizePathElement(fromHex(element)!, true, 'posix')}`).toBe(path)
  })
})

describe('torrent names come out as from libtorrent 2.0.8', () => {
  const posix = { nameRules: 'posix' } as const

  test.each(vectors.torrentNames)('$element', ({ element, single, multi, hash }) => {
    const name = fromHex(element)!
    const bytes = torrentBytes(singleFileInfo({ name }))
    if (single === null) expect(errorOf(bytes, posix)).toBe('torrentMissingName')
    else expect(torrentOf(singleFileInfo({ name }), {}, posix).name).toBe(single)
    const info = multiFileInfo([{ path: ['f'] }], { name })
    // a directory of which no name is left has the info-hash for one; the vector's torrent has another hash than ours
    const torrent = torrentOf(info, {}, posix)
    expect(torrent.name).toBe(multi === hash ? torrent.infoHash.toHex() : multi)
  })
})

describe('Windows', () => {
  test.each([
    ['a?b*c:d|e<f>g"h', 'a_b_c_d_e_f_g_h'],
    ['trailing. ', 'trailing'],
    ['...', '_'],
    ['   ', '_'],
    ['con', '_con'],
    ['AUX.txt', '_AUX.txt'],
    ['Lpt1.tar.gz', '_Lpt1.tar.gz'],
    ['com\u00b9', '_com\u00b9'],
    ['nul .txt', '_nul .txt'],
    ['console', 'console'],
    ['C:\\x', 'C_x'],
    ['name.', 'name'],
  ])('%j becomes %j', (element, expected) => {
    expect(sanitizePathElement(utf8(element), true, 'windows')).toBe(expected)
  })

  test('a torrent read with its rules has only names it can store', () => {
    const torrent = torrentOf(multiFileInfo([{ path: ['aux', 'a:b'] }], { name: 'con' }), {}, { nameRules: 'windows' })
    expect(pathsOf(torrent)).toEqual(['_con/_aux/a_b'])
  })
})

describe('sanitizePath', () => {
  test('joins what is left of every element', () => {
    expect(sanitizePath(['..', 'a', '', '../b', '.'], 'posix')).toBe('_/a/_/..b/_')
    expect(sanitizePath([], 'posix')).toBe('_')
  })

  test('drops characters that make a name look like another', () => {
    expect(sanitizePath(['a\u200bb\u202ec\u2066d\ufeffe\u061cf'], 'posix')).toBe('abcdef')
    expect(sanitizePath(['a\u0085b\u007fc'], 'posix')).toBe('a_b_c')
  })
})

test("a user's path is made safe, or refused when it leads out", () => {
  expect(sanitizeFilePath('dir//./a\u202eb', 'posix')).toBe('dir/ab')
  expect(sanitizeFilePath('dir\\aux', 'windows')).toBe('dir/_aux')
  for (const path of ['', '.', '/', '/etc/x', '..', 'a/../b']) expect(sanitizeFilePath(path, 'posix')).toBe('')
  for (const path of ['C:\\x', '\\x', '\\\\host\\share', 'a\\..\\b']) expect(sanitizeFilePath(path, 'windows')).toBe('')
})

test('isInsidePath takes plain relative paths only', () => {
  for (const path of ['a', 'a/b', '.hidden', 'a..b', '...']) expect(isInsidePath(path)).toBe(true)
  for (const path of ['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', 'a\\b', 'a\0b'])
    expect(isInsidePath(path)).toBe(false)
  expect(isInsidePath('C:x', 'windows')).toBe(false)
  expect(isInsidePath('a/b:c', 'windows')).toBe(false)
  expect(isInsidePath('a:b', 'posix')).toBe(true)
})

describe('paths that are taken', () => {
  test.each(vectors.duplicates)('$files are told apart as by libtorrent 2.0.8', ({ files, paths }) => {
    expect(pathsOf(torrentOf(multiFileInfo(files.map((path) => ({ path: path.split('/') })))))).toEqual(paths)
  })

  test('by another Unicode form of the same name are not used twice', () => {
    const torrent = torrentOf(multiFileInfo([{ path: ['\u00e9'] }, { path: ['e\u0301'] }, { path: ['E\u0301'] }]))
    expect(new Set(pathsOf(torrent).map(collisionKey)).size).toBe(3)
  })

  test('by a directory in another letter case are not used for a file', () => {
    const torrent = torrentOf(multiFileInfo([{ path: ['DIR'] }, { path: ['dir', 'x'] }]))
    expect(pathsOf(torrent)).toEqual(['root/DIR.1', 'root/dir/x'])
  })

  test('by padding may be shared by padding, which is never on disk', () => {
    const pad = { path: ['.pad', '5'], length: 5, attr: 'p' }
    expect(pathsOf(torrentOf(multiFileInfo([{ path: ['a'] }, pad, pad])))).toEqual([
      'root/a',
      'root/.pad/5',
      'root/.pad/5',
    ])
  })

  test('keep their own name in origFiles(), which web seeds need', () => {
    const torrent = torrentOf(multiFileInfo([{ path: ['a'] }, { path: ['a'] }]))
    expect(Array.from(torrent.origFiles(), ({ path }) => path)).toEqual(['root/a', 'root/a'])
  })
})

describe('symbolic links (BEP 47)', () => {
  test.each(vectors.symlinks.slice(0, -1))('$files lead where libtorrent 2.0.8 lets them', ({ files, symlinks }) => {
    const specs = files.map(([path, target]) =>
      target === null
        ? { path: path.split('/') }
        : { path: path.split('/'), length: 0, attr: 'l', 'symlink path': target },
    )
    const torrent = torrentOf(multiFileInfo(specs))
    expect(Array.from(torrent.files(), ({ symlinkPath }) => symlinkPath)).toEqual(symlinks)
  })

  test('two that lead through each other end at themselves or each other, never outside', () => {
    const link = (name: string, through: string) => ({
      path: [name],
      length: 0,
      attr: 'l',
      'symlink path': [through, 'x'],
    })
    const torrent = torrentOf(multiFileInfo([{ path: ['a'] }, link('l', 'm'), link('m', 'l')]))
    expect(torrent.fileAt(1).symlinkPath).toBe('root/l')
    expect(torrent.fileAt(2).symlinkPath).toBe('root/m')
  })

  test('without a target are ordinary empty files', () => {
    const torrent = torrentOf(multiFileInfo([{ path: ['a'] }, { path: ['l'], length: 0, attr: 'l' }]))
    expect(torrent.fileAt(1)).toMatchObject({ symlinkAttribute: false, symlinkPath: '', size: 0 })
  })
})
