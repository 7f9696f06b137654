import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bdecode } from '../../../src/bencode/bdecode.ts'
import { bencode } from '../../../src/bencode/bencode.ts'
import type { Entry } from '../../../src/bencode/entry.ts'
import { sha1 } from '../../../src/crypto/sha1.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { readResumeData } from '../../../src/resume/readResumeData.ts'
import { emptyResumeState, type ResumeState } from '../../../src/resume/resumeState.ts'
import { RESUME_WRITER, writeResumeData } from '../../../src/resume/writeResumeData.ts'
import { Bitfield } from '../../../src/util/bitfield.ts'
import { fromLatin1, utf8 } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

const vectors = new URL('../../vectors/resume/', import.meta.url)
const infoHash = Sha1Hash.fromHex('00112233445566778899aabbccddeeff00112233')

function vector(name: string): ResumeState {
  return state(readFileSync(new URL(name, vectors)))
}

function state(bytes: Uint8Array): ResumeState {
  const result = readResumeData(bytes)
  if (result instanceof LibtorrentError) throw result
  return result
}

function codeOf(bytes: Uint8Array): string {
  const result = readResumeData(bytes)
  return result instanceof LibtorrentError ? result.code : 'accepted'
}

/** A file as the manual has it, with `more` in it. */
function file(more: Record<string, Entry | undefined> = {}): Uint8Array {
  return bencode({
    'file-format': 'libtorrent resume file',
    'file-version': 1,
    'info-hash': infoHash.bytes,
    ...more,
  })
}

function indexes(bits: Bitfield): number[] {
  const found: number[] = []
  bits.forEachSet((index) => found.push(index))
  return found
}

describe('data that libtorrent 2.0.8 wrote', () => {
  test('a seed has every piece, and the info dictionary is in it', () => {
    const seed = vector('libtorrent-2.0.8-seed.fastresume')
    expect(seed.infoHash?.toHex()).toBe('660eac9d4482457403ae2d8fd3bbdc51b9f3554d')
    expect(seed.infoHash2).toBeNull()
    expect([seed.libtorrentVersion, seed.name, seed.savePath]).toEqual(['2.0.8.0', 'scene', '/downloads'])
    expect(indexes(seed.have!)).toEqual([0, 1, 2, 3, 4])
    expect(seed.trackers).toEqual([['http://tracker.example/announce'], ['udp://other.example:80']])
    expect(seed.urlSeeds).toEqual(['http://seed.example/'])
    expect(sha1(seed.info!).equals(seed.infoHash!)).toBe(true)
    expect([seed.paused, seed.autoManaged, seed.seedMode]).toEqual([false, false, false])
    expect([seed.maxConnections, seed.maxUploads, seed.numComplete]).toEqual([-1, -1, -1])
    expect(seed.fileSizes).toBeNull()
  })

  test('a partial download has priorities and limits', () => {
    const partial = vector('libtorrent-2.0.8-partial.fastresume')
    expect(indexes(partial.have!)).toEqual([1, 4])
    expect(partial.filePriorities).toEqual([4, 7])
    expect([...partial.piecePriorities!]).toEqual([4, 4, 4, 7, 7])
    expect([partial.uploadRateLimit, partial.maxUploads, partial.sequentialDownload]).toEqual([1000, 3, true])
  })

  test('blocks, peers and renamed files are found', () => {
    const state = vector('libtorrent-2.0.8-unfinished.fastresume')
    expect(state.unfinished.map(({ piece, blocks }) => [piece, indexes(blocks)])).toEqual([[2, [0]]])
    expect(state.mappedFiles).toEqual(['', 'renamed.bin'])
    expect(state.peers).toEqual([
      { address: '10.0.0.1', port: 6881 },
      { address: '::2', port: 6882 },
    ])
    expect(state.bannedPeers).toEqual([{ address: '10.0.0.9', port: 9 }])
  })

  test('a magnet link without metadata claims nothing', () => {
    const magnet = vector('libtorrent-2.0.8-magnet.fastresume')
    expect([magnet.have?.size, magnet.info, magnet.name]).toEqual([0, null, 'unknown'])
  })
})

describe('data as the manual has it', () => {
  test('peers are a list of dictionaries; what is no peer is left out', () => {
    const peers = [
      { ip: '10.1.2.3', port: 80 },
      { ip: '2001:DB8::0:1', port: 81 },
      { ip: 'localhost', port: 82 },
      { ip: '10.1.2.4', port: 0 },
      { ip: '10.1.2.5', port: 65536 },
      'nonsense',
    ]
    expect(state(file({ peers })).peers).toEqual([
      { address: '10.1.2.3', port: 80 },
      { address: '2001:db8::1', port: 81 },
    ])
  })

  test('compact peers of libtorrent 0.15 are read too, a broken end is left out', () => {
    const peers = Uint8Array.from([10, 1, 2, 3, 0, 80, 10, 1, 2])
    const peers6 = new Uint8Array(18).fill(1)
    expect(state(file({ peers, peers6 })).peers).toEqual([
      { address: '10.1.2.3', port: 80 },
      { address: '101:101:101:101:101:101:101:101', port: 257 },
    ])
  })

  test('pieces have a character each: bit 1 had, bit 2 verified', () => {
    const { have, verified } = state(file({ pieces: Uint8Array.from([0, 1, 2, 3]) }))
    expect([indexes(have!), indexes(verified!)]).toEqual([
      [1, 3],
      [2, 3],
    ])
  })

  test('libtorrent before 1.2 has the first block in the lowest bit', () => {
    const unfinished = [{ piece: 7, bitmask: Uint8Array.from([0b0000_0110]) }]
    for (const [version, blocks] of [
      ['0.15.5.0', [1, 2]],
      ['1.1.14.0', [1, 2]],
      ['1.2.0.0', [5, 6]],
      ['2.0.8.0', [5, 6]],
      [RESUME_WRITER, [5, 6]],
      [undefined, [5, 6]],
    ] as const) {
      expect(indexes(state(file({ unfinished, 'libtorrent-version': version })).unfinished[0].blocks)).toEqual(blocks)
    }
  })

  test('file sizes are pairs of size and time, or invalid', () => {
    expect(state(file({ 'file sizes': [[5, 1_600_000_000]] })).fileSizes).toEqual([{ size: 5, mtime: 1_600_000_000 }])
    for (const wrong of [7, [[5]], [5, 6], [[-1, 0]], [['5', 0]]] as Entry[]) {
      expect(state(file({ 'file sizes': wrong })).fileSizes).toBe('invalid')
    }
  })

  test('num_seeds and num_downloaders stand for the scrape counts', () => {
    const { numComplete, numIncomplete } = state(file({ num_seeds: 3, num_downloaders: 4 }))
    expect([numComplete, numIncomplete]).toEqual([3, 4])
  })

  test('flags that are not said are not invented', () => {
    const { paused, autoManaged } = state(file({ paused: 0 }))
    expect([paused, autoManaged]).toEqual([false, null])
  })

  test('version 2, of libtorrent 2.1, has bitfields', () => {
    const { have, verified } = state(
      file({ 'file-version': 2, pieces: Uint8Array.from([0xa0]), verified: Uint8Array.from([0x20]) }),
    )
    expect([indexes(have!), indexes(verified!)]).toEqual([[0, 2], [2]])
  })

  test('an info dictionary of another torrent is not taken', () => {
    expect(state(file({ info: { name: 'x' } })).info).toBeNull()
    const info = bencode({ name: 'x' })
    expect(state(file({ 'info-hash': sha1(info).bytes, info: { name: 'x' } })).info).toEqual(info)
  })
})

describe('data that is none', () => {
  test.each([
    ['nothing', new Uint8Array(0), 'parseFailed'],
    ['zeros', new Uint8Array(500), 'parseFailed'],
    ['half a file', file().subarray(0, 40), 'parseFailed'],
    ['a list', utf8('le'), 'notADictionary'],
    ['another format', bencode({ 'file-format': 'something' }), 'invalidFileTag'],
    ['a version from the future', file({ 'file-version': 3 }), 'invalidFileTag'],
    ['a version that is no number', file({ 'file-version': '1' }), 'invalidFileTag'],
    ['no info-hash', file({ 'info-hash': undefined }), 'missingInfoHash'],
    ['an info-hash too short', file({ 'info-hash': 'abc' }), 'missingInfoHash'],
    ['an info-hash of zeros', file({ 'info-hash': new Uint8Array(20) }), 'missingInfoHash'],
    ['too many pieces', file({ pieces: new Uint8Array(2_097_153) }), 'tooManyPiecesInTorrent'],
    ['too deep', utf8('l'.repeat(200)), 'parseFailed'],
  ])('%s', (_, bytes, code) => expect(codeOf(bytes)).toBe(code))

  test('limits can be set', () => {
    const small = readResumeData(file(), { maxBufferSize: 50 })
    expect(small instanceof LibtorrentError && small.is('parseFailed')).toBe(true)
    const few = readResumeData(file({ pieces: 'aaaa' }), { maxPieces: 3 })
    expect(few instanceof LibtorrentError && few.is('tooManyPiecesInTorrent')).toBe(true)
  })

  test('values of the wrong type are as if not there', () => {
    const odd = state(
      file({
        pieces: 5,
        trackers: 'x',
        unfinished: [3, { piece: -1, bitmask: 'a' }, { piece: 1 }, { piece: 2, bitmask: '' }],
        total_uploaded: -5,
        file_priority: [9, -3, 'x'],
        paused: 'yes',
        slots: 4,
        peers: 9,
        name: [],
      }),
    )
    expect(odd).toEqual({ ...emptyResumeState(infoHash), filePriorities: [7, 0, 1] })
  })
})

describe('what we write', () => {
  test('has the keys and forms of the manual', () => {
    const bytes = writeResumeData({
      ...emptyResumeState(infoHash),
      allocation: 'allocate',
      blocksPerPiece: 4,
      have: Bitfield.fromWire(Uint8Array.of(0b1010_0000), 3),
      unfinished: [{ piece: 1, blocks: Bitfield.fromWire(Uint8Array.of(0b0110_0000), 4)! }],
      fileSizes: [{ size: 100, mtime: 1_600_000_000 }],
      peers: [{ address: '10.0.0.1', port: 6881 }],
      numComplete: 5,
      paused: true,
    })
    const decoded = bdecode(bytes, { strict: true, whole: true })
    if (!decoded.ok) throw new Error(decoded.code)
    const { root } = decoded
    expect(root.getText('file-format')).toBe('libtorrent resume file')
    expect(root.getInt('file-version')).toBe(1)
    expect(root.getString('info-hash')).toEqual(infoHash.bytes)
    expect(root.getText('allocation')).toBe('full')
    expect(root.getInt('blocks per piece')).toBe(4)
    expect(root.getString('pieces')).toEqual(Uint8Array.of(1, 0, 1))
    expect(root.getList('unfinished')?.at(0)?.getInt('piece')).toBe(1)
    expect(root.getList('unfinished')?.at(0)?.getString('bitmask')).toEqual(fromLatin1('\x60'))
    expect(root.getList('file sizes')?.at(0)?.at(1)?.asInt()).toBe(1_600_000_000)
    expect(root.getList('peers')?.at(0)?.getText('ip')).toBe('10.0.0.1')
    expect([root.getInt('num_seeds'), root.getInt('num_complete'), root.getInt('paused')]).toEqual([5, 5, 1])
    expect(root.get('auto_managed')).toBeNull()
  })
})
