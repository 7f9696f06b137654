import { posix, win32 } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bencode } from '../../../src/bencode/bencode.ts'
import type { Entry } from '../../../src/bencode/entry.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { collisionKey } from '../../../src/metainfo/collisionKey.ts'
import { CreateTorrent } from '../../../src/metainfo/createTorrent.ts'
import { FileFlags } from '../../../src/metainfo/fileEntry.ts'
import { FileStorage } from '../../../src/metainfo/fileStorage.ts'
import { identifyClient } from '../../../src/metainfo/identifyClient.ts'
import { makeMagnetUri, parseMagnetUri } from '../../../src/metainfo/magnet.ts'
import { isInsidePath, sanitizePath, sanitizePathElement } from '../../../src/metainfo/sanitizePath.ts'
import { TorrentInfo } from '../../../src/metainfo/torrentInfo.ts'
import { fromBase32, toBase32 } from '../../../src/util/base32.ts'
import { utf8 } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

const layouts = fc
  .record({
    sizes: fc.array(fc.oneof(fc.constant(0), fc.nat(100), fc.nat(5000)), { minLength: 1, maxLength: 20 }),
    pieceLength: fc.integer({ min: 1, max: 1000 }),
  })
  .map(({ sizes, pieceLength }) => {
    const files = new FileStorage()
    files.setPieceLength(pieceLength)
    sizes.forEach((size, index) => {
      files.addFile(`root/${index % 3}/${index}`, size)
    })
    return files
  })

/** Elements made of what is dangerous, and of anything. */
const pathElement = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        '.',
        '..',
        '/',
        '\\',
        '\0',
        ' ',
        ':',
        'a',
        'con',
        'aux',
        '\u202e',
        '\u200d',
        'é',
        'e\u0301',
        '~',
        'C:',
      ),
      { maxLength: 6 },
    )
    .map((parts) => utf8(parts.join(''))),
  fc.uint8Array({ maxLength: 300 }),
)
const nameRules = fc.constantFrom('posix' as const, 'windows' as const)

describe('mapping pieces to files and back', () => {
  test('the slices of a block are its bytes: in order, complete, inside their files', () => {
    fc.assert(
      fc.property(layouts, fc.nat(), fc.nat(), fc.nat(3000), (files, pieceSeed, offsetSeed, size) => {
        fc.pre(files.totalSize > 0)
        const piece = pieceSeed % files.numPieces
        const offset = offsetSeed % files.pieceLength
        const start = piece * files.pieceLength + offset
        let at = start
        for (const slice of files.mapBlock(piece, offset, size)) {
          expect(slice.size).toBeGreaterThan(0)
          expect(files.fileOffset(slice.fileIndex) + slice.offset).toBe(at)
          expect(slice.offset + slice.size).toBeLessThanOrEqual(files.fileSize(slice.fileIndex))
          at += slice.size
        }
        expect(at).toBe(Math.max(start, Math.min(start + size, files.totalSize)))
      }),
    )
  })

  test('mapFile and mapBlock are each other backwards', () => {
    fc.assert(
      fc.property(
        layouts,
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 3000 }),
        (files, fileSeed, offsetSeed, size) => {
          const file = fileSeed % files.numFiles
          const fileSize = files.fileSize(file)
          fc.pre(fileSize > 0)
          const offset = offsetSeed % fileSize
          const length = Math.min(size, fileSize - offset)
          const request = files.mapFile(file, offset, length)
          expect(request.start).toBeLessThan(files.pieceLength)
          expect(files.mapBlock(request.piece, request.start, request.length)).toEqual([
            { fileIndex: file, offset, size: length },
          ])
        },
      ),
    )
  })

  test('the pieces together are the whole torrent', () => {
    fc.assert(
      fc.property(layouts, (files) => {
        let total = 0
        let impossible = 0
        for (let piece = 0; piece < files.numPieces; piece++) {
          const size = files.pieceSize(piece)
          if (size <= 0 || size > files.pieceLength) impossible++
          total += size
        }
        expect(impossible).toBe(0)
        expect(total).toBe(files.totalSize)
      }),
    )
  })

  test('every byte has one file, which fileIndexAtOffset finds', () => {
    fc.assert(
      fc.property(layouts, fc.nat(), (files, seed) => {
        fc.pre(files.totalSize > 0)
        const offset = seed % files.totalSize
        const file = files.fileIndexAtOffset(offset)
        expect(files.fileOffset(file)).toBeLessThanOrEqual(offset)
        expect(files.fileOffset(file) + files.fileSize(file)).toBeGreaterThan(offset)
      }),
    )
  })

  test('optimize keeps every file with its size, and adds nothing but padding', () => {
    fc.assert(
      fc.property(layouts, fc.integer({ min: -1, max: 2000 }), (files, limit) => {
        const before = Array.from(files, ({ path, size }) => `${path} ${size}`).sort()
        files.optimize(limit)
        const after = Array.from(files)
        expect(
          after
            .filter(({ padFile }) => !padFile)
            .map(({ path, size }) => `${path} ${size}`)
            .sort(),
        ).toEqual(before)
        let offset = 0
        for (const file of after) {
          expect(file.offset).toBe(offset)
          if (limit >= 0 && !file.padFile && file.size > limit) expect(offset % files.pieceLength).toBe(0)
          offset += file.size
        }
        expect(files.totalSize).toBe(offset)
        if (limit < 0) expect(after.length).toBe(before.length)
      }),
    )
  })
})

describe('names', () => {
  test('a path from a torrent stays inside, on Linux and on Windows', () => {
    fc.assert(
      fc.property(fc.array(pathElement, { maxLength: 6 }), nameRules, (elements, rules) => {
        const path = sanitizePath(elements, rules)
        expect(isInsidePath(path, rules)).toBe(true)
        expect(posix.resolve('/save', path)).toMatch(/^\/save\/./)
        if (rules === 'windows') expect(win32.resolve('X:\\save', path)).toMatch(/^X:\\save\\./)
        expect(path.split('/').length).toBe(Math.max(elements.length, 1))
      }),
      { numRuns: 1000 },
    )
  })

  test('no element is longer than file systems allow, and safe ones are left alone', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), nameRules, (element, rules) => {
        const name = sanitizePathElement(element, true, rules)
        expect(utf8(name).length).toBeLessThanOrEqual(255)
        expect(sanitizePathElement(utf8(name), true, rules)).toBe(name)
      }),
      { numRuns: 1000 },
    )
  })

  test('the files of a torrent have different paths, none of which is a directory of another', () => {
    const files = fc.array(
      fc.array(fc.constantFrom('a', 'A', 'b', 'é', 'e\u0301', 'a.1', '..'), { minLength: 1, maxLength: 3 }),
      {
        minLength: 1,
        maxLength: 12,
      },
    )
    fc.assert(
      fc.property(files, (paths) => {
        const torrent = new TorrentInfo(torrentWith(paths.map((path) => ({ length: 1, path }))))
        const keys = Array.from(torrent.files(), ({ path }) => collisionKey(path))
        expect(new Set(keys).size).toBe(keys.length)
        for (const key of keys) for (const other of keys) expect(other.startsWith(`${key}/`)).toBe(false)
      }),
    )
  })

  test('no symbolic link leads outside, whatever it points to and through', () => {
    const part = fc.constantFrom('a', 'd', 'l1', 'l2', '..', '.', '', '/', '../..', '/etc')
    const link = fc.record({
      path: fc.constantFrom(['l1'], ['l2'], ['d', 'l3']),
      target: fc.array(part, { maxLength: 4 }),
    })
    fc.assert(
      fc.property(fc.array(link, { maxLength: 4 }), (links) => {
        const torrent = new TorrentInfo(
          torrentWith([
            { length: 1, path: ['a'] },
            { length: 1, path: ['d', 'f'] },
            ...links.map(({ path, target }) => ({ length: 0, attr: 'l', path, 'symlink path': target })),
          ]),
        )
        for (const { symlinkAttribute, symlinkPath } of torrent.files()) {
          if (symlinkAttribute) expect(symlinkPath.startsWith('root/') && isInsidePath(symlinkPath)).toBe(true)
        }
      }),
    )
  })
})

describe('hostile bytes', () => {
  const scalar = fc.oneof(
    fc.integer(),
    fc.string({ maxLength: 5 }),
    fc.constant([]),
    fc.constant({}),
    fc.uint8Array({ maxLength: 45 }),
  )
  const anyFile = fc.dictionary(
    fc.constantFrom('length', 'path', 'path.utf-8', 'attr', 'mtime', 'sha1', 'symlink path'),
    fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.constant('pxhl'), fc.nat(50_000)),
  )
  const anyInfo = fc.dictionary(
    fc.constantFrom(
      'length',
      'name',
      'piece length',
      'pieces',
      'files',
      'private',
      'meta version',
      'file tree',
      'attr',
    ),
    fc.oneof(scalar, fc.array(anyFile, { maxLength: 4 }), fc.constant(16_384), fc.constant('x')),
  )
  const anyTorrent = fc.dictionary(
    fc.constantFrom('info', 'announce', 'announce-list', 'nodes', 'url-list', 'httpseeds', 'comment', 'creation date'),
    fc.oneof(scalar, anyInfo, fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), { maxLength: 4 })),
  )

  test('a .torrent of any shape gives a torrent or an error, never an exception', () => {
    fc.assert(
      fc.property(anyTorrent, (torrent) => {
        const result = TorrentInfo.parse(bencode(torrent as Entry))
        if (result instanceof LibtorrentError) expect(result.category).toBe('libtorrent')
        else for (const { path } of result.files()) expect(isInsidePath(path)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('a good .torrent with bytes changed or missing gives a torrent or an error', () => {
    const good = torrentWith([
      { length: 5, path: ['a', 'b'] },
      { length: 5, path: ['c'], attr: 'xh' },
    ])
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat(good.length), (changes, length) => {
        const bytes = good.slice()
        for (const [at, byte] of changes) bytes[at] = byte
        const result = TorrentInfo.parse(bytes.subarray(0, length < good.length / 2 ? length : good.length))
        expect(result instanceof TorrentInfo || result instanceof LibtorrentError).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  test('any magnet link gives parameters or an error, and what it gives can be written and read again', () => {
    const part = fc.oneof(
      fc.constantFrom(
        'xt=urn:btih:',
        '0123456789abcdef0123456789abcdef01234567',
        '&',
        '=',
        'tr=',
        'dn=',
        '%',
        'so=1-5,',
        'x.pe=1.2.3.4:5',
        'dht=[::1]:6',
      ),
      fc.string({ maxLength: 8 }),
      fc.array(fc.nat(0xffff), { maxLength: 4 }).map((units) => String.fromCharCode(...units)),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const hash = '0123456789abcdef0123456789abcdef01234567'
        const magnet = parseMagnetUri(`magnet:?xt=urn:btih:${hash}&${parts.join('')}`)
        if (magnet instanceof LibtorrentError) return
        expect(JSON.stringify(parseMagnetUri(makeMagnetUri(magnet)))).toBe(JSON.stringify(magnet))
      }),
      { numRuns: 200 },
    )
  })

  test('any peer id is identified in printable ASCII', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (peerId) => {
        expect(identifyClient(peerId)).toMatch(/^[ -~]+$/)
      }),
    )
  })
})

test('a created torrent reads back as the files it was made of', () => {
  const files = fc.array(
    fc.record({
      name: fc.stringMatching(/^[a-z]{1,8}$/),
      size: fc.nat(100_000),
      flags: fc.constantFrom(0, FileFlags.hidden, FileFlags.executable),
    }),
    { minLength: 1, maxLength: 8 },
  )
  fc.assert(
    fc.property(files, (specs) => {
      fc.pre(specs.some(({ size }) => size > 0))
      const storage = new FileStorage()
      specs.forEach(({ name, size, flags }, i) => {
        storage.addFile(`root/${i}/${name}`, size, flags)
      })
      const torrent = new CreateTorrent(storage, 16_384, -1, 0)
      for (let i = 0; i < torrent.numPieces; i++) torrent.setHash(i, new Uint8Array(20).fill(1))
      const read = new TorrentInfo(torrent.generateBytes())
      expect(Array.from(read.files())).toEqual(Array.from(storage))
    }),
  )
})

test('base32 survives the round trip and equals the base32 of hashes in magnet links', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(fromBase32(toBase32(bytes))).toEqual(bytes)
      expect(fromBase32(toBase32(bytes).toLowerCase().replaceAll('=', ''))).toEqual(bytes)
    }),
  )
  expect(toBase32(Sha1Hash.zero.bytes)).toBe('A'.repeat(32))
  expect(fromBase32('A1')).toBeNull()
})

function torrentWith(files: readonly { length: number; path: readonly string[]; [key: string]: Entry }[]): Uint8Array {
  return bencode({ info: { files, name: 'root', 'piece length': 16_384, pieces: new Uint8Array(20).fill(1) } })
}
