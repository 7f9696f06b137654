import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bencode } from '../../src/bencode/bencode.ts'
import { storageFiles } from '../../src/metainfo/fileStorage.ts'
import { isInsidePath, type NameRules } from '../../src/metainfo/sanitizePath.ts'
import { TorrentInfo } from '../../src/metainfo/torrentInfo.ts'
import type { TorrentLimits } from '../../src/metainfo/torrentLimits.ts'
import { utf8 } from '../../src/util/bytes.ts'
import { FakeDisk } from './disk/fakeDisk.ts'

const RULES: readonly NameRules[] = ['posix', 'windows']

type Path = readonly (string | Uint8Array)[]

/** Where the files of a torrent, each of one byte, come to lie below the save path. */
function pathsOf(files: readonly Path[], limits: TorrentLimits = {}, name = 't'): string[] {
  const info = {
    files: files.map((path) => ({ length: 1, path })),
    name,
    'piece length': 16_384,
    pieces: new Uint8Array(20).fill(1),
  }
  return storageFiles(new TorrentInfo(bencode({ info }), limits).files()).map(({ path }) => path)
}

/** How file systems compare paths, each simplified to the part that torrents can abuse. */
const fileSystems: Readonly<Record<string, (path: string) => string>> = {
  'ext4 and most others': (path) => path,
  NTFS: (path) => looseEndsRemoved(simpleUpperCase(path)),
  FAT: (path) => looseEndsRemoved(simpleUpperCase(path)),
  'HFS+': (path) => path.normalize('NFD').toLowerCase(),
  'APFS, ext4 with casefold': (path) => path.normalize('NFD').toLowerCase().toUpperCase().toLowerCase(),
}

function simpleUpperCase(path: string): string {
  return Array.from(path, (char) => (char.toUpperCase().length === char.length ? char.toUpperCase() : char)).join('')
}

function looseEndsRemoved(path: string): string {
  return path
    .split('/')
    .map((part) => part.replace(/[. ]+$/, ''))
    .join('/')
}

function expectApart(paths: readonly string[]): void {
  for (const [system, seen] of Object.entries(fileSystems)) {
    const names = paths.map(seen)
    expect(new Set(names).size, `different files on ${system}: ${JSON.stringify(paths)}`).toBe(names.length)
    const directories = new Set(names.flatMap((path) => parentsOf(path)))
    for (const name of names) expect(directories, `${JSON.stringify(name)} on ${system}`).not.toContain(name)
  }
}

function parentsOf(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'))
}

describe('two names that some system takes for one', () => {
  const pairs: readonly [system: string, first: string, second: string][] = [
    ['Windows and macOS: letter case', 'A.txt', 'a.txt'],
    ['letter case beyond ASCII', 'ÄÖÜ.txt', 'äöü.txt'],
    ['macOS: composed and decomposed', '\u00e9.txt', 'e\u0301.txt'],
    ['macOS: both at once', '\u00c9.txt', 'e\u0301.txt'],
    ['macOS: marks in another order', 'a\u0323\u0307', 'a\u0307\u0323'],
    ['macOS: Hangul', '\uac01', '\u1100\u1161\u11a8'],
    ['macOS: signs that are letters', '\u212b', '\u00e5'],
    ['Windows: the Kelvin sign', '\u212a', 'k'],
    ['all: the sigma at the end of a word', 'ΟΔΟΣ', 'οδος'],
    ['APFS: the two small sigmas', 'οδοσ', 'οδος'],
    ['APFS, ext4: ß', 'straße', 'STRASSE'],
    ['APFS, ext4: capital ß', 'STRAẞE', 'strasse'],
    ['APFS, ext4: long s', 'me\u017f\u017fage', 'message'],
    ['APFS, ext4: ligatures', '\ufb01le', 'FILE'],
    ['all: micro and mu', '\u00b5', '\u03bc'],
    ['ext4: soft hyphens', 'in\u00advisible', 'invisible'],
    ['HFS+, ext4: shapes of emoji', '\u2764\ufe0f', '\u2764'],
    ['Windows: a dot at the end', 'name', 'name.'],
    ['Windows: a space at the end', 'name', 'NAME '],
    ['Windows: both, repeated', 'name.. ', 'name . '],
  ]

  describe.each(pairs)('%s (%j, %j)', (_, first, second) => {
    const key = (path: string) => path.replace(/[. ]+$/gm, '')

    test.each(RULES)('as files: the second gets another name (%s)', (nameRules) => {
      const [one, two] = pathsOf([[first], [second]], { nameRules })
      expect(key(one)).toBe(key(`t/${first}`))
      expect(two).toMatch(/\.1/)
      expectApart([one, two])
    })

    test.each(RULES)('as directories: their files do not meet (%s)', (nameRules) => {
      const paths = pathsOf(
        [
          [first, 'x'],
          [second, 'x'],
          [second, 'X'],
          [first, 'y'],
        ],
        { nameRules },
      )
      expect(paths.map((path) => path.split('/').at(-1))).toEqual(['x', 'x.1', 'X.2', 'y'])
      expectApart(paths)
    })

    test.each(RULES)('as file and directory: the file gives way, whichever comes first (%s)', (nameRules) => {
      for (const files of [
        [[first], [second, 'x']],
        [[second, 'x'], [first]],
        [[second], [first, 'x', 'y']],
      ]) {
        const paths = pathsOf(files, { nameRules })
        expect(paths.filter((path) => path.includes('.1'))).toHaveLength(1)
        expectApart(paths)
      }
    })
  })
})

test('digits in another script and letters that only look alike are different names: nothing is renamed', () => {
  const names = ['1', '①', '１', 'a', 'а', 'o', 'ο', 'x', 'x²', 'x2', 'ﾊ', 'ハ']
  expect(pathsOf(names.map((name) => [name]))).toEqual(names.map((name) => `t/${name}`))
})

describe('names that are the same once they are made safe', () => {
  test.each(RULES)('by characters that are left out or replaced (%s)', (nameRules) => {
    const paths = pathsOf([['a/b'], ['a\\b'], ['ab'], ['a\u202eb'], ['a\0b'], ['a\x01'], ['a\x02'], ['..'], ['_']], {
      nameRules,
    })
    expect(paths.slice(0, 3)).toEqual(['t/ab', 't/ab.1', 't/ab.2'])
    expectApart(paths)
  })

  test('by what Windows forbids', () => {
    const paths = pathsOf([['a?'], ['a*'], ['a_'], ['con'], ['_con'], ['CON.'], ['con .txt'], ['_con.txt']], {
      nameRules: 'windows',
    })
    expect(paths.slice(0, 3)).toEqual(['t/a_', 't/a_.1', 't/a_.2'])
    expectApart(paths)
  })

  test.each(RULES)('by their length: the first 240 bytes are the same (%s)', (nameRules) => {
    const long = (end: string) => `${'n'.repeat(300)}${end}`
    const files = [[long('1.txt')], [long('2.txt')], [long('3')], [long('3'), 'x'], [long('4'), 'x']]
    const paths = pathsOf(files, { nameRules })
    expectApart(paths)
    expect(paths.every((path) => path.split('/').every((part) => utf8(part).length <= 255))).toBe(true)
  })

  test('a name at its limit stays within 255 bytes, however many share it', () => {
    const name = `${'n'.repeat(239)}\u{1f600}${'x'.repeat(50)}.12345678`
    const paths = pathsOf(
      Array.from({ length: 150 }, () => [name]),
      { maxDuplicateFilenames: 20_000 },
    )
    expectApart(paths)
    const lengths = paths.map((path) => utf8(path).length - 2)
    expect([lengths[0], Math.max(...lengths)]).toEqual([252, 255])
    expect(paths.every((path) => path.endsWith('.12345678') && !path.includes('\ufffd'))).toBe(true)
  })
})

describe('names of another kind on Windows', () => {
  test('devices, streams, drives and shares become plain names', () => {
    const names = [
      'CON',
      'aux.txt',
      'nul .x',
      'COM1.tar.gz',
      'lpt\u00b3',
      'conin$',
      'a:b',
      'a::$DATA',
      'C:',
      '\\\\h\\s',
    ]
    const paths = pathsOf(
      names.map((name) => [name]),
      { nameRules: 'windows' },
    )
    for (const path of paths) {
      expect(path).not.toMatch(/[:\\?*<>|"]/)
      expect(path).not.toMatch(/\/(con|aux|nul|com\d|lpt.|conin\$) *(\.|$)/i)
    }
    expectApart(paths)
  })

  test('short names, which stand for longer ones, are not used', () => {
    const paths = pathsOf([['Program Files', 'x'], ['PROGRA~1', 'x'], ['longname.text'], ['LONGNA~1.TEX'], ['a~b~2']], {
      nameRules: 'windows',
    })
    expect(paths).toEqual(['t/Program Files/x', 't/PROGRA_1/x', 't/longname.text', 't/LONGNA_1.TEX', 't/a~b_2'])
    expect(pathsOf([['backup~'], ['a~1 and more'], ['file~12.backup']], { nameRules: 'windows' })).toEqual([
      't/backup~',
      't/a~1 and more',
      't/file~12.backup',
    ])
    expect(pathsOf([['LONGNA~1.TEX']], { nameRules: 'posix' })).toEqual(['t/LONGNA~1.TEX'])
  })
})

test('whatever the names are, every file has a path of its own on every system', () => {
  const element = fc
    .array(
      fc.constantFrom(
        'a',
        'A',
        'ß',
        'ss',
        'SS',
        'é',
        'e\u0301',
        'Σ',
        'σ',
        'ς',
        '.',
        ' ',
        '..',
        '.1',
        '\u00ad',
        '~1',
        '?',
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((parts) => parts.join(''))
  const files = fc.array(fc.array(element, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(files, fc.constantFrom(...RULES), (paths, nameRules) => {
      const found = pathsOf(paths, { nameRules })
      expectApart(found)
      for (const path of found) expect(isInsidePath(path, nameRules)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('on a real disk each file is stored once, inside the save path, and nothing outside is touched', async () => {
  const fake = new FakeDisk()
  const outside = join(fake.root, 'outside')
  mkdirSync(outside)
  const names = [
    '../outside/x',
    '/abs',
    'a/../../b',
    '..\\x',
    '.',
    '..',
    '',
    '\0',
    'CON',
    'dot.',
    'dot',
    ' ',
    'n'.repeat(300),
    'p/'.repeat(2048),
    '\u202egpj.exe',
    Uint8Array.of(0xff, 0xfe, 0x2f),
    'é',
    'e\u0301',
    'É',
    '~',
    '-rf',
  ]
  const files = names.flatMap((name): Path[] => [[name], [name, name], ['dir', name, '..', name]])
  const info = {
    files: files.map((path) => ({ length: 1, path })),
    name: '..',
    'piece length': 1,
    pieces: new Uint8Array(20 * files.length).fill(1),
  }
  const laid = storageFiles(new TorrentInfo(bencode({ info })).files())
  const driver = fake.open(laid, 1)
  for (let piece = 0; piece < files.length; piece++) {
    expect(await driver.write(piece, 0, Uint8Array.of(piece))).toBeNull()
  }
  await driver.release()
  expect(readdirSync(fake.root).sort()).toEqual(['outside', 'save'])
  expect(readdirSync(outside)).toEqual([])
  const found = (readdirSync(fake.savePath, { recursive: true }) as string[]).filter((path) =>
    statSync(join(fake.savePath, path)).isFile(),
  )
  expect(found.sort()).toEqual(laid.map(({ path }) => path).sort())
  laid.forEach(({ path }, index) => {
    expect(readFileSync(join(fake.savePath, path))).toEqual(Buffer.of(index))
  })
  expect(await fake.end()).toEqual({ slots: 0, queued: 0 })
})
