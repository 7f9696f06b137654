import { describe, expect, test } from 'vitest'
import { bdecode } from '../../src/bencode/bdecode.ts'
import { bencode } from '../../src/bencode/bencode.ts'
import { bdecodeEntry, type Entry } from '../../src/bencode/entry.ts'
import { sha1 } from '../../src/crypto/sha1.ts'
import { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { collisionKey } from '../../src/metainfo/collisionKey.ts'
import { storageFiles } from '../../src/metainfo/fileStorage.ts'
import { parseMagnetUri, selectedFiles } from '../../src/metainfo/magnet.ts'
import { isInsidePath } from '../../src/metainfo/sanitizePath.ts'
import { TorrentInfo } from '../../src/metainfo/torrentInfo.ts'
import { concatBytes, fromLatin1, utf8 } from '../../src/util/bytes.ts'
import { cpuTime } from '../cpuTime.ts'

const HASH = '0123456789abcdef0123456789abcdef01234567'

/** Generous for a busy machine, and still far below what anything quadratic would take with these inputs. */
const BOUNDED_MS = 5_000

function timed<T>(action: () => T): T {
  const start = cpuTime()
  const result = action()
  expect(cpuTime() - start).toBeLessThan(BOUNDED_MS)
  return result
}

function codeOf(bytes: Uint8Array): string {
  const result = timed(() => TorrentInfo.parse(bytes))
  return result instanceof LibtorrentError ? result.code : 'noError'
}

function decodeCode(text: string): string {
  const result = timed(() => bdecode(fromLatin1(text), { whole: true }))
  return result.ok ? 'noError' : result.code
}

const info = (changes: { [key: string]: Entry | undefined } = {}) => ({
  length: 20_000,
  name: 'x',
  'piece length': 16_384,
  pieces: new Uint8Array(40).fill(1),
  ...changes,
})
const multi = (files: Entry, changes: { [key: string]: Entry | undefined } = {}) =>
  info({ length: undefined, files, pieces: new Uint8Array(20).fill(1), ...changes })
const torrent = (dict: Entry, outer: { [key: string]: Entry } = {}) => bencode({ info: dict, ...outer })

describe('nesting a million levels deep', () => {
  const lists = new Uint8Array(1_000_000).fill(0x6c)
  const dicts = fromLatin1('d1:a'.repeat(1_000_000))

  test.each([
    ['lists', lists],
    ['dicts', dicts],
  ])('%s stop the decoder at its limit', (_, bytes) => {
    expect(timed(() => bdecode(bytes))).toMatchObject({ ok: false, code: 'depthExceeded' })
  })

  test.each([
    ['lists', lists],
    ['dicts', dicts],
  ])('%s as a .torrent, and as metadata from the swarm, are an error', (_, bytes) => {
    expect(codeOf(bytes)).toBe('invalidBencoding')
    const error = timed(() => new TorrentInfo(sha1(bytes)).parseInfoSection(bytes))
    expect(error).toMatchObject({ code: 'invalidSwarmMetadata' })
  })

  test('inside a key nobody reads is an error all the same', () => {
    const deep = fromLatin1(`d4:infod1:x${'l'.repeat(200)}${'e'.repeat(200)}ee`)
    expect(codeOf(deep)).toBe('invalidBencoding')
  })
})

describe('string lengths that lie', () => {
  test.each([
    ['99999999999:x', 'unexpectedEof'],
    [`${'9'.repeat(100_000)}:x`, 'unexpectedEof'],
    ['2147483648:x', 'unexpectedEof'],
    ['-1:', 'expectedValue'],
    ['00005:hello', 'expectedColon'],
    ['5:ab', 'unexpectedEof'],
    ['5', 'unexpectedEof'],
    [':', 'expectedValue'],
    ['1', 'unexpectedEof'],
  ])('%.20s is an error, and nothing of that size is allocated', (text, code) => {
    expect(decodeCode(text)).toBe(code)
  })
})

describe('integers that are none or too large', () => {
  test.each([
    ['i-0e', 'expectedValue'],
    ['i03e', 'expectedValue'],
    ['ie', 'expectedValue'],
    // i1e is whole, what follows it is garbage
    ['i1e10e', 'invalidBencoding'],
    ['i9223372036854775808e', 'overflow'],
    [`i${'9'.repeat(300)}e`, 'overflow'],
    [`i-${'9'.repeat(1_000_000)}e`, 'overflow'],
  ])('%.30s is an error in linear time', (text, code) => {
    expect(decodeCode(text)).toBe(code)
  })

  test('a length beyond 2^53 is no size', () => {
    for (const length of [2n ** 53n, 2n ** 63n - 1n, -1n, -(2n ** 63n)]) {
      expect(codeOf(torrent(info({ length })))).toBe('torrentInvalidLength')
    }
  })
})

describe('dictionaries no encoder writes', () => {
  test('unsorted and duplicate keys: the hash is that of the bytes as found, the first key counts', () => {
    const raw = `d4:name1:x6:lengthi20000e6:lengthi1e12:piece lengthi16384e6:pieces40:${'1'.repeat(40)}e`
    const parsed = TorrentInfo.parse(fromLatin1(`d4:info${raw}8:announce9:http://a/e`))
    if (parsed instanceof LibtorrentError) throw parsed
    expect(parsed.infoHash.equals(sha1(fromLatin1(raw)))).toBe(true)
    expect(parsed.totalSize).toBe(20_000)
    expect(parsed.trackers.length).toBe(1)
  })

  test('keys that are no strings are an error', () => {
    for (const text of ['di1ei2ee', 'dlei1ee', 'ddei1ee']) expect(decodeCode(text)).toBe('expectedString')
  })

  test('garbage behind the torrent is not part of it', () => {
    const bytes = torrent(info())
    const parsed = TorrentInfo.parse(concatBytes(bytes, new Uint8Array(1000).fill(0xff)))
    if (parsed instanceof LibtorrentError) throw parsed
    expect(parsed.infoHash.equals(new TorrentInfo(bytes).infoHash)).toBe(true)
  })

  test('names of Object members as keys pollute nothing and find nothing', () => {
    const members = { polluted: 1 }
    const evil = new Map<string, Entry>()
    for (const key of ['__proto__', 'constructor', 'hasOwnProperty', 'prototype', 'toString']) evil.set(key, members)
    const bytes = bencode(new Map<string, Entry>([...evil, ['info', new Map([...evil, ...Object.entries(info())])]]))
    const parsed = new TorrentInfo(bytes as Uint8Array)
    expect(parsed.name).toBe('x')
    bdecodeEntry(bytes)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    const plain = bdecode(bencode({}))
    expect(plain.ok && plain.root.get('__proto__')).toBeNull()
  })
})

describe('sizes that do not fit together', () => {
  test.each([0, -1, 2 ** 31, 2 ** 40, 2n ** 63n - 1n])('a piece length of %d is refused', (length) => {
    expect(codeOf(torrent(info({ 'piece length': length })))).toBe('torrentMissingPieceLength')
  })

  test('piece lengths of 1 and 3 bytes are odd but consistent', () => {
    expect(codeOf(torrent(info({ length: 3, 'piece length': 1, pieces: new Uint8Array(60) })))).toBe('noError')
    expect(codeOf(torrent(info({ length: 4, 'piece length': 3 })))).toBe('noError')
  })

  test('one byte pieces of a large file are too many pieces', () => {
    expect(codeOf(torrent(info({ length: 2 ** 40, 'piece length': 1 })))).toBe('tooManyPiecesInTorrent')
    expect(codeOf(torrent(info({ length: 0x200001, 'piece length': 1 })))).toBe('tooManyPiecesInTorrent')
  })

  test('hashes that are not 20 bytes for each piece are refused', () => {
    for (const size of [0, 20, 39, 41, 60]) {
      expect(codeOf(torrent(info({ pieces: new Uint8Array(size) })))).toBe('torrentInvalidHashes')
    }
  })

  test('a torrent without a single byte is refused', () => {
    expect(codeOf(torrent(info({ length: 0, pieces: '' })))).toBe('torrentInvalidLength')
    expect(codeOf(torrent(multi([{ length: 0, path: ['a'] }], { pieces: '' })))).toBe('torrentInvalidLength')
    expect(codeOf(torrent(multi([])))).toBe('noFilesInTorrent')
  })

  test('sizes whose sum overflows are refused', () => {
    const files = ['a', 'b', 'c'].map((name) => ({ length: 2 ** 43, path: [name] }))
    expect(codeOf(torrent(multi(files)))).toBe('tooManyPiecesInTorrent')
    const many = Array.from({ length: 40 }, (_, i) => ({ length: 2 ** 43, path: [`${i}`] }))
    expect(codeOf(torrent(multi(many)))).toBe('torrentInvalidLength')
  })

  test('a .torrent above 10 MB is not read', () => {
    expect(codeOf(torrent(info({ junk: new Uint8Array(10_000_000) })))).toBe('metadataTooLarge')
  })

  test('as many files as fit into 10 MB are read in bounded time', () => {
    const files = Array.from({ length: 250_000 }, (_, i) => {
      const name = i.toString(36)
      return `d6:lengthi0e4:pathl${name.length}:${name}ee`
    })
    const first = 'd6:lengthi1e4:pathl5:firstee'
    const dict = `d5:filesl${first}${files.join('')}e4:name1:x12:piece lengthi16384e6:pieces20:${'1'.repeat(20)}e`
    const bytes = fromLatin1(`d4:info${dict}e`)
    expect(bytes.length).toBeLessThan(10_000_000)
    const parsed = timed(() => new TorrentInfo(bytes))
    expect(parsed.numFiles).toBe(250_001)
    expect(parsed.mapBlock(0, 0, 1)).toEqual([{ fileIndex: 0, offset: 0, size: 1 }])
  })

  test('a million files in metadata from the swarm, where 10 MB is no limit, are an error in bounded time', () => {
    const parts = ['d5:filesl']
    for (let i = 0; i < 1_000_000; i++) parts.push('d6:lengthi1e4:pathl1:aee')
    parts.push(`e4:name1:x12:piece lengthi16384e6:pieces20:${'1'.repeat(20)}e`)
    const bytes = fromLatin1(parts.join(''))
    const parsed = new TorrentInfo(sha1(bytes))
    const error = timed(() => parsed.parseInfoSection(bytes))
    expect(error).toMatchObject({ code: 'invalidSwarmMetadata' })
    expect(parsed.isValid).toBe(false)
  })

  test('three million tokens are the most that is decoded', () => {
    const bytes = fromLatin1(`d4:infol${'i1e'.repeat(3_100_000)}ee`)
    expect(codeOf(bytes)).toBe('invalidBencoding')
  })
})

describe('paths that want out', () => {
  const names = [
    '../../x',
    '/abs',
    'a/../../b',
    'C:\\x',
    '..\\x',
    '.',
    '..',
    '',
    '\0',
    'a\0b',
    'CON',
    'aux.txt',
    'dot.',
    'space ',
    'n'.repeat(300),
    'p/'.repeat(2048),
    '\u202egpj.exe',
    Uint8Array.of(0xff, 0xfe, 0x2f),
    Uint8Array.of(0xc0, 0xae, 0xc0, 0xae, 0x2f),
    'é',
    'e\u0301',
    'É',
    '~/.ssh',
    '-rf',
  ]

  test.each(['posix', 'windows'] as const)(
    'every name lands on a path of its own below the save path (%s)',
    (rules) => {
      const files = names.flatMap((name) => [
        { length: 1, path: [name] },
        { length: 1, path: [name, name] },
        { length: 1, path: ['dir', name, 'file'] },
      ])
      const parsed = new TorrentInfo(torrent(multi(files, { name: '..' })), { nameRules: rules })
      const paths = storageFiles(parsed.files()).map(({ path }) => path)
      for (const path of paths) {
        expect(isInsidePath(path, rules)).toBe(true)
        for (const part of path.split('/')) expect(utf8(part).length).toBeLessThanOrEqual(255)
      }
      expect(new Set(paths.map(collisionKey)).size).toBe(files.length)
    },
  )

  test.each(names.map((name) => [name]))('as the name of a torrent, %j stays inside or is refused', (name) => {
    for (const dict of [info({ name }), multi([{ length: 1, path: ['f'] }], { name })]) {
      const parsed = TorrentInfo.parse(torrent(dict))
      if (parsed instanceof LibtorrentError) expect(parsed.code).toBe('torrentMissingName')
      else for (const { path } of parsed.files()) expect(isInsidePath(path)).toBe(true)
    }
  })

  test('a path of more than 100 directories is refused', () => {
    expect(codeOf(torrent(multi([{ length: 1, path: new Array(101).fill('a') }])))).toBe('torrentInvalidName')
    expect(codeOf(torrent(multi([{ length: 1, path: new Array(100).fill('a') }])))).toBe('noError')
  })
})

describe('files that would overwrite each other', () => {
  test('the same path twice, and a file named as a directory, get names of their own, always the same', () => {
    const files = [['a'], ['a'], ['A'], ['d'], ['d', 'x'], ['d', 'X'], ['d', 'x', 'y']].map((path) => ({
      length: 1,
      path,
    }))
    const paths = () => storageFiles(new TorrentInfo(torrent(multi(files))).files()).map(({ path }) => path)
    expect(paths()).toEqual(
      ['root/a', 'root/a.1', 'root/A.2', 'root/d.1', 'root/d/x.1', 'root/d/X.2', 'root/d/x/y'].map((path) =>
        path.replace('root', 'x'),
      ),
    )
    expect(paths()).toEqual(paths())
  })

  test('five hundred duplicates are renamed, more are refused in bounded time', () => {
    const same = (count: number) => Array.from({ length: count }, () => ({ length: 1, path: ['same'] }))
    expect(codeOf(torrent(multi(same(31))))).toBe('noError')
    expect(codeOf(torrent(multi(same(100_000), { pieces: new Uint8Array(140).fill(1) })))).toBe(
      'torrentFileParseFailed',
    )
  })
})

describe('symbolic links that want out (BEP 47)', () => {
  test.each([
    [['etc', 'passwd']],
    [['/etc/passwd']],
    [['', 'etc', 'passwd']],
    [['..', '..', 'x']],
    [['a', '..', '..', '..', 'x']],
    [['link']],
    [['other']],
    [['other', 'a']],
  ])('to %j lead nowhere or to a file of the torrent', (target) => {
    const link = (name: string, path: readonly string[]) => ({
      length: 0,
      attr: 'l',
      path: [name],
      'symlink path': path,
    })
    const files = [{ length: 1, path: ['a'] }, link('link', target), link('other', ['link'])]
    const parsed = new TorrentInfo(torrent(multi(files)))
    const known = new Set(storageFiles(parsed.files()).map(({ path }) => path))
    for (const { symlink } of storageFiles(parsed.files())) {
      if (symlink !== undefined) expect(known).toContain(symlink)
    }
  })

  test('ten thousand links through each other are checked in bounded time', () => {
    const files = Array.from({ length: 10_000 }, (_, i) => ({
      length: 0,
      attr: 'l',
      path: [`l${i}`],
      'symlink path': [`l${(i + 1) % 10_000}`, 'x'],
    }))
    expect(codeOf(torrent(multi([{ length: 1, path: ['a'] }, ...files])))).toBe('noError')
  })
})

describe('BEP 52 keys meant to confuse', () => {
  test('a file tree ten thousand levels deep is an error', () => {
    const tree = `${'d1:a'.repeat(10_000)}de${'e'.repeat(10_000)}`
    expect(codeOf(fromLatin1(`d4:infod9:file tree${tree}4:name1:xee`))).toBe('invalidBencoding')
  })

  test('padding with real content is still padding: never on disk', () => {
    const files = [
      { length: 1, path: ['a'] },
      { length: 9, path: ['important.doc'], attr: 'p' },
    ]
    expect(storageFiles(new TorrentInfo(torrent(multi(files))).files())[1].pad).toBe(true)
  })
})

describe('lists without end', () => {
  const many = 100_000

  test('trackers, seeds and nodes are capped', () => {
    const urls = Array.from({ length: many }, (_, i) => `http://h/${i}`)
    const outer = { 'announce-list': urls.map((url) => [url]), httpseeds: urls }
    const parsed = timed(() => new TorrentInfo(torrent(info(), outer)))
    expect([parsed.trackers.length, parsed.httpSeeds.length]).toEqual([1000, 1000])
    expect(parsed.trackers.at(-1)?.tier).toBe(255)
    const nodes = timed(
      () => new TorrentInfo(torrent(info(), { 'url-list': urls, nodes: urls.map((url) => [url, 80]) })),
    )
    expect([nodes.urlSeeds.length, nodes.nodes.length]).toEqual([1000, 1000])
  })

  test('of the wrong type are passed over', () => {
    for (const junk of [1, 'x', [1], [[1]], [{}], { a: 1 }, [[[]]]] as Entry[]) {
      const outer = { 'announce-list': junk, nodes: junk, similar: junk, collections: junk, 'creation date': junk }
      expect(codeOf(torrent(info(), { ...outer, announce: junk, comment: junk, 'created by': junk }))).toBe('noError')
    }
  })

  test('a URL that could forge a request is left out or encoded', () => {
    const evil = 'http://a/\r\nHost: b'
    const parsed = new TorrentInfo(torrent(info(), { announce: evil, 'announce-list': [[evil]], 'url-list': evil }))
    expect(parsed.trackers).toEqual([])
    expect(parsed.urlSeeds).toEqual(['http://a/%0D%0AHost:%20b'])
  })
})

describe('magnet links that ask for too much', () => {
  const link = (rest: string) => timed(() => parseMagnetUri(`magnet:?xt=urn:btih:${HASH}${rest}`))

  test('ten megabytes are refused', () => {
    expect(link(`&dn=${'a'.repeat(10_000_000)}`)).toMatchObject({ code: 'urlParseError' })
  })

  test('a hundred thousand trackers, peers or ranges are capped', () => {
    const repeat = (text: (i: number) => string) => Array.from({ length: 40_000 }, (_, i) => text(i)).join('')
    expect(link(repeat((i) => `&tr=http://${i}/`))).toMatchObject({ trackers: { length: 1000 } })
    expect(link(repeat((i) => `&x.pe=1.2.${i >> 8}.${i & 255}:1`))).toMatchObject({ peers: { length: 1000 } })
    expect(link(`&so=${repeat((i) => `${i * 2},`)}`)).toMatchObject({ selectOnly: { length: 1000 } })
  })

  test('a selection of four thousand million files costs nothing', () => {
    const magnet = link('&so=0-4294967295')
    if (magnet instanceof LibtorrentError) throw magnet
    expect(magnet.selectOnly).toEqual([{ first: 0, last: 2 ** 31 - 1 }])
    expect(timed(() => selectedFiles(magnet.selectOnly, 3))).toEqual([true, true, true])
  })

  test('a name of any length is shown in part', () => {
    const magnet = link(`&dn=${'\u{1f600}'.repeat(100_000)}`)
    expect(magnet).toMatchObject({ name: expect.stringMatching(/^.{512}$/u) })
  })

  test('bad hashes and multihashes of another kind are errors', () => {
    for (const xt of [
      'urn:btih:zz',
      'urn:btih:0',
      `urn:btmh:1120${HASH}`,
      'urn:btmh:1220zz',
      `urn:btih:${'1'.repeat(32)}`,
    ]) {
      expect(parseMagnetUri(`magnet:?xt=${xt}`)).toMatchObject({ code: 'invalidInfoHash' })
    }
  })

  test('addresses to fetch the torrent from are never even read', () => {
    const magnet = link('&xs=http://169.254.169.254/latest&xs=file:///etc/passwd&as=http://10.0.0.1/')
    expect(JSON.stringify(magnet)).not.toMatch(/169|passwd|10\.0/)
  })
})

test('metadata whose hash is right but whose content is not leaves the torrent as it was', () => {
  for (const bytes of [new Uint8Array(0), utf8('le'), utf8('de'), bencode(info({ pieces: 'x' }))]) {
    const parsed = new TorrentInfo(sha1(bytes))
    expect(parsed.parseInfoSection(bytes)).toMatchObject({ code: 'invalidSwarmMetadata' })
    expect([parsed.isValid, parsed.metadataSize]).toEqual([false, 0])
  }
})
