import { describe, expect, test } from 'vitest'
import { bdecodeEntry } from '../../../src/bencode/entry.ts'
import { automaticPieceSize, CreateFlags, CreateTorrent } from '../../../src/metainfo/createTorrent.ts'
import { FileFlags } from '../../../src/metainfo/fileEntry.ts'
import { FileStorage } from '../../../src/metainfo/fileStorage.ts'
import { TorrentInfo } from '../../../src/metainfo/torrentInfo.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'
import { multiFileInfo, PIECE, pieceHashes, torrentOf } from './builders.ts'

function storage(...files: [path: string, size: number][]): FileStorage {
  const result = new FileStorage()
  for (const [path, size] of files) result.addFile(path, size)
  return result
}

/** With made-up hashes for all pieces. */
function hashed(torrent: CreateTorrent): CreateTorrent {
  const hashes = pieceHashes(torrent.numPieces)
  for (let i = 0; i < torrent.numPieces; i++) torrent.setHash(i, hashes.subarray(i * 20, i * 20 + 20))
  return torrent
}

const readBack = (torrent: CreateTorrent) => new TorrentInfo(torrent.generateBytes())

describe('a torrent that was created', () => {
  test('reads back with everything that was put in', () => {
    const torrent = hashed(new CreateTorrent(storage(['root/a', 20_000], ['root/sub/b', 5]), PIECE))
    torrent.setComment('ä comment')
    torrent.setCreator('test')
    torrent.setCreationDate(1234)
    torrent.setPriv(true)
    torrent.setRootCert('PEM')
    torrent.addTracker('http://second/', 1)
    torrent.addTracker('http://first/', 0)
    torrent.addTracker('http://first/', 5)
    torrent.addUrlSeed('http://seed/')
    torrent.addHttpSeed('http://script/')
    torrent.addNode({ host: 'router', port: 6881 })
    torrent.addSimilarTorrent(Sha1Hash.zero)
    torrent.addCollection('c')
    const read = readBack(torrent)
    expect(Array.from(read.files(), ({ path, size }) => [path, size])).toEqual([
      ['root/a', 20_000],
      ['root/sub/b', 5],
    ])
    expect([read.comment, read.creator, read.creationDate, read.priv, read.sslCert]).toEqual([
      ...['ä comment', 'test', 1234, true, 'PEM'],
    ])
    expect(read.trackers.map(({ url, tier }) => [url, tier])).toEqual([
      ['http://first/', 0],
      ['http://second/', 1],
    ])
    expect([read.urlSeeds, read.httpSeeds]).toEqual([['http://seed/'], ['http://script/']])
    expect(read.nodes).toEqual([{ host: 'router', port: 6881 }])
    expect([read.similarTorrents, read.collections]).toEqual([[Sha1Hash.zero], ['c']])
    expect(read.pieceHashes).toEqual(pieceHashes(2))
  })

  test('has no key that was not asked for', () => {
    const entry = bdecodeEntry(hashed(new CreateTorrent(storage(['x', 5]))).generateBytes()) as Map<string, unknown>
    expect([...entry.keys()]).toEqual(['info'])
    expect([...(entry.get('info') as Map<string, unknown>).keys()]).toEqual([
      'length',
      'name',
      'piece length',
      'pieces',
    ])
  })

  test('is of one file without a directory, or of a directory with one file, as its path says', () => {
    expect(readBack(hashed(new CreateTorrent(storage(['x', 5])))).isMultiFile).toBe(false)
    expect(readBack(hashed(new CreateTorrent(storage(['dir/x', 5])))).isMultiFile).toBe(true)
  })

  test('keeps attributes, and times and links when asked to', () => {
    const files = storage(['root/a', 10])
    files.addFile('root/b', 5, FileFlags.executable | FileFlags.hidden, 99)
    files.addFile('root/l', 0, FileFlags.symlink, 0, 'a')
    const flags = CreateFlags.modificationTime | CreateFlags.symlinks
    const full = readBack(hashed(new CreateTorrent(files, 0, -1, flags)))
    expect(full.fileAt(1)).toMatchObject({ executableAttribute: true, hiddenAttribute: true, mtime: 99 })
    expect(full.fileAt(2)).toMatchObject({ symlinkAttribute: true, symlinkPath: 'root/a' })
    const plain = readBack(hashed(new CreateTorrent(files, 0, -1, 0)))
    expect(plain.fileAt(1)).toMatchObject({ executableAttribute: true, mtime: 0 })
    expect(plain.fileAt(2).symlinkAttribute).toBe(false)
  })

  test('pads files to piece boundaries within the limit', () => {
    const files = storage(['root/a', PIECE + 1], ['root/b', PIECE], ['root/c', 1])
    const torrent = hashed(new CreateTorrent(files, PIECE, PIECE - 1))
    const read = readBack(torrent)
    expect(Array.from(read.files(), ({ size, padFile }) => [size, padFile])).toEqual([
      [PIECE + 1, false],
      [1, false],
      [PIECE - 2, true],
      [PIECE, false],
    ])
    // the storage it was made from is not touched
    expect([files.numFiles, files.pieceLength]).toEqual([3, 0])
  })

  test('keeps the hash of a file', () => {
    const torrent = hashed(new CreateTorrent(storage(['x', 5]), 0, -1, CreateFlags.calculateFileHashes))
    expect(torrent.shouldAddFileHashes).toBe(true)
    torrent.setFileHash(0, new Sha1Hash(pieceHashes(1)))
    expect(readBack(torrent).fileAt(0).filehash).toEqual(new Sha1Hash(pieceHashes(1)))
  })
})

describe('a torrent made from another', () => {
  test('keeps its info dictionary byte for byte, unknown keys included', () => {
    const source = torrentOf(multiFileInfo([{ path: ['a'] }], { source: 'abc' }), { announce: 'http://a/' })
    const torrent = new CreateTorrent(source)
    torrent.addTracker('http://b/', 1)
    const read = readBack(torrent)
    expect(read.infoHash.equals(source.infoHash)).toBe(true)
    expect(read.metadata()).toEqual(source.metadata())
    expect(read.trackers.map(({ url }) => url)).toEqual(['http://a/', 'http://b/'])
  })

  test('needs its metadata', () => {
    expect(() => new CreateTorrent(new TorrentInfo(Sha1Hash.zero))).toThrow(
      expect.objectContaining({ code: 'noMetadata' }),
    )
  })
})

describe('what cannot be created', () => {
  const code = (code: string) => expect.objectContaining({ code })

  test('is refused by the constructor', () => {
    expect(() => new CreateTorrent(new FileStorage())).toThrow(code('noFilesInTorrent'))
    expect(() => new CreateTorrent(storage(['x', 0]))).toThrow(code('torrentInvalidLength'))
    for (const size of [-16_384, 3, 16_385, 2 ** 27 + PIECE]) {
      expect(() => new CreateTorrent(storage(['x', 5]), size)).toThrow(code('invalidPieceSize'))
    }
    for (const size of [1024, PIECE, 3 * PIECE, 2 ** 27]) {
      expect(new CreateTorrent(storage(['x', 5]), size).pieceLength).toBe(size)
    }
  })

  test('or by generate, as long as a piece has no hash', () => {
    const torrent = new CreateTorrent(storage(['x', 20_000]), PIECE)
    torrent.setHash(0, pieceHashes(1))
    expect(() => torrent.generate()).toThrow(code('invalidHashEntry'))
    expect(() => torrent.setHash(2, pieceHashes(1))).toThrow(RangeError)
    expect(() => torrent.setHash(1, new Uint8Array(19))).toThrow(RangeError)
    torrent.setHash(1, new Sha1Hash(pieceHashes(1)))
    expect(torrent.generate().has('info')).toBe(true)
    expect([torrent.numPieces, torrent.totalSize, torrent.pieceSize(1), torrent.priv]).toEqual([
      ...[2, 20_000, 20_000 - PIECE, false],
    ])
  })
})

// the sizes up to which libtorrent 2 chooses each piece size
test.each([
  [1, 16],
  [2_684_354, 16],
  [2_684_355, 32],
  [10_737_418, 32],
  [10_737_419, 64],
  [171_798_691, 128],
  [2_748_779_069, 512],
  [2_748_779_070, 1024],
  [703_687_441_776, 8192],
  [703_687_441_777, 16_384],
  [2 ** 47, 16_384],
])('%d bytes get pieces of %d KiB', (total, kib) => {
  expect(automaticPieceSize(total)).toBe(kib * 1024)
})
