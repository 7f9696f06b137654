import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bencode } from '../../../src/bencode/bencode.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { PieceLayout } from '../../../src/metainfo/pieceLayout.ts'
import type { FileStat, StorageFile } from '../../../src/platform/disk.ts'
import { checkResume } from '../../../src/resume/checkResume.ts'
import { readResumeData } from '../../../src/resume/readResumeData.ts'
import { restateClaim } from '../../../src/resume/restateClaim.ts'
import {
  emptyResumeState,
  fitted,
  RESUME_FLAGS,
  RESUME_NUMBERS,
  RESUME_TEXTS,
  type ResumeState,
} from '../../../src/resume/resumeState.ts'
import { RESUME_WRITER, writeResumeData } from '../../../src/resume/writeResumeData.ts'
import { Bitfield } from '../../../src/util/bitfield.ts'
import { Sha1Hash, Sha256Hash } from '../../../src/util/digest.ts'

const NUM_PIECES = 6
const BLOCK = 16 * 1024
const PIECE = 2 * BLOCK
const infoHash = new Sha1Hash(new Uint8Array(20).fill(7))

const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
const seconds = fc.nat(2_000_000_000)
const texts = fc.array(fc.string({ minLength: 1 }), { maxLength: 3 })

function bits(size: number): fc.Arbitrary<Bitfield> {
  return fc.array(fc.boolean(), { minLength: size, maxLength: size }).map((values) => {
    const field = new Bitfield(size)
    values.forEach((value, i) => {
      if (value) field.set(i)
    })
    return field
  })
}

const peers = fc.array(
  fc.record(
    {
      address: fc.oneof(fc.ipV4(), fc.constantFrom('::1', '2001:db8::5')),
      port: fc.integer({ min: 1, max: 65535 }),
      supportsEncryption: fc.constant(true as const),
    },
    { requiredKeys: ['address', 'port'] },
  ),
  { maxLength: 4 },
)

/** What is followed, and perhaps its newest item. */
const followed = fc
  .record({
    publicKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    salt: fc.uint8Array({ maxLength: 64 }),
    newest: orNull(
      fc.record({
        seq: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
        signature: fc.uint8Array({ minLength: 64, maxLength: 64 }),
        value: fc.uint8Array({ maxLength: 1000 }),
      }),
    ),
  })
  .map(({ newest, ...mutableTorrent }) => ({
    mutableTorrent,
    mutableItem: newest === null ? null : { ...mutableTorrent, ...newest },
  }))

const fields = <T>(keys: object, value: fc.Arbitrary<T>) =>
  fc.record(Object.fromEntries(Object.keys(keys).map((key) => [key, value])) as Record<string, fc.Arbitrary<T>>)

/** Anything that can be written; blocks by the byte, as they are written. */
const states: fc.Arbitrary<ResumeState> = fc
  .tuple(
    fields(RESUME_NUMBERS, seconds),
    fields(RESUME_FLAGS, orNull(fc.boolean())),
    fields(RESUME_TEXTS, fc.string()),
    fc.record({
      infoHash2: orNull(fc.constant(new Sha256Hash(new Uint8Array(32).fill(9)))),
      allocation: fc.constantFrom('sparse' as const, 'allocate' as const, 'compact' as const),
      blocksPerPiece: orNull(fc.nat()),
      have: orNull(bits(NUM_PIECES)),
      slots: orNull(fc.array(fc.integer({ min: -2, max: 9 }))),
      unfinished: fc.array(fc.record({ piece: fc.nat(NUM_PIECES), blocks: bits(8) }), { maxLength: 3 }),
      fileSizes: orNull(fc.array(fc.record({ size: fc.maxSafeNat(), mtime: seconds }), { maxLength: 3 })),
      filePriorities: orNull(fc.array(fc.nat(7))),
      piecePriorities: orNull(fc.uint8Array({ max: 7 })),
      mappedFiles: orNull(fc.array(fc.string())),
      trackers: orNull(fc.array(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }))),
      urlSeeds: orNull(texts),
      httpSeeds: orNull(texts),
      peers,
    }),
    orNull(followed),
  )
  .map(([numbers, flags, words, rest, follows]) => ({
    ...emptyResumeState(infoHash),
    ...numbers,
    ...flags,
    ...words,
    ...rest,
    ...follows,
  }))

describe('the file format', () => {
  test('whatever is written is read back the same', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(readResumeData(writeResumeData(state))).toEqual({ ...state, libtorrentVersion: RESUME_WRITER })
      }),
    )
  })

  test('any bytes give a state or an error, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readResumeData(bytes) instanceof LibtorrentError),
    )
  })

  test('a file cut off anywhere is refused, one with a changed byte gives a state or an error', () => {
    fc.assert(
      fc.property(states, fc.nat(), fc.integer({ min: 1, max: 255 }), (state, at, change) => {
        const bytes = writeResumeData(state)
        const cut = readResumeData(bytes.subarray(0, at % bytes.length))
        expect(cut instanceof LibtorrentError && cut.is('parseFailed')).toBe(true)
        bytes[at % bytes.length] ^= change
        readResumeData(bytes)
      }),
    )
  })

  test('any dictionary under the right tag is read or refused', () => {
    const value = fc.oneof(
      fc.integer(),
      fc.uint8Array({ maxLength: 40 }),
      fc.array(
        fc.oneof(fc.integer(), fc.uint8Array(), fc.constant({ piece: 1, bitmask: 'x', ip: '1.2.3.4', port: 5 })),
      ),
    )
    const keys = fc.constantFrom(
      ...['pieces', 'slots', 'unfinished', 'file sizes', 'file_priority', 'piece_priority', 'mapped_files', 'trackers'],
      ...['url-list', 'httpseeds', 'peers', 'peers6', 'banned_peers', 'info', 'info-hash2', 'allocation', 'verified'],
      ...Object.values(RESUME_NUMBERS),
    )
    fc.assert(
      fc.property(fc.dictionary(keys, value), (more) => {
        const tag = { 'file-format': 'libtorrent resume file', 'info-hash': infoHash.bytes }
        const result = readResumeData(bencode({ ...more, ...tag }))
        expect(result).not.toBeInstanceOf(LibtorrentError)
      }),
    )
  })
})

describe('the check', () => {
  const size = fc.integer({ min: 0, max: 2 * PIECE })
  const someFiles = fc.array(fc.record({ size, pad: fc.constantFrom(false, false, false, true) }), {
    minLength: 1,
    maxLength: 6,
  })

  const scenes = someFiles.chain((sizes) => {
    let offset = 0
    const files: StorageFile[] = sizes.map(({ size, pad }, i) => {
      const file = { path: `${i}`, size, offset, pad }
      offset += size
      return file
    })
    const layout = new PieceLayout(offset, PIECE)
    const stat = fc.record({ size: fc.integer({ min: -1, max: 2 * PIECE }), mtime: fc.constantFrom(0, 1000, 1010) })
    const perFile = <T>(arbitrary: fc.Arbitrary<T>) =>
      fc.array(arbitrary, { minLength: files.length, maxLength: files.length })
    const full = files.map((file) => ({ size: file.size, mtime: 1000 }))
    return fc.record({
      target: fc.constant({ infoHash, files, layout }),
      stats: fc.oneof(perFile(stat), fc.constant(full)) as fc.Arbitrary<FileStat[]>,
      state: fc.record({
        have: orNull(fc.oneof(bits(layout.numPieces), bits(layout.numPieces), bits(3))),
        slots: orNull(fc.array(fc.integer({ min: -3, max: layout.numPieces }))),
        unfinished: fc.array(fc.record({ piece: fc.nat(layout.numPieces + 1), blocks: bits(8) }), { maxLength: 4 }),
        fileSizes: orNull(fc.oneof(perFile(fc.record({ size, mtime: fc.constant(1000) })), fc.constant(full))),
        filePriorities: orNull(perFile(fc.nat(7))),
        allocation: fc.constantFrom('sparse' as const, 'sparse' as const, 'allocate' as const, 'compact' as const),
        libtorrentVersion: fc.constantFrom('', '1.1.0.0', '2.0.8.0', RESUME_WRITER),
        fileVersion: fc.constantFrom(1 as const, 1 as const, 2 as const),
        seedMode: fc.constantFrom(null, true),
      }),
    })
  })

  test('no piece or block is ever trusted whose bytes are not all in files long enough', () => {
    let accepted = 0
    fc.assert(
      fc.property(scenes, ({ target, stats, state }) => {
        const verdict = checkResume({ ...emptyResumeState(infoHash), ...state }, target, stats)
        if (verdict.kind === 'rejected') return
        accepted++
        const { layout, files } = target
        const isThere = (start: number, end: number) =>
          files.every((file, i) => {
            const last = Math.min(end, file.offset + file.size)
            return file.pad || last <= Math.max(start, file.offset) || stats[i].size >= last - file.offset
          })
        expect(verdict.have.size).toBe(layout.numPieces)
        verdict.have.forEachSet((piece) => {
          expect(isThere(piece * PIECE, piece * PIECE + layout.pieceSize(piece))).toBe(true)
        })
        expect(new Set(verdict.unfinishedBlocks).size).toBe(verdict.unfinishedBlocks.length)
        for (const id of verdict.unfinishedBlocks) {
          const [piece, block] = [layout.pieceOf(id), layout.blockOf(id)]
          const start = piece * PIECE + block * BLOCK
          expect(verdict.have.get(piece)).toBe(false)
          expect(isThere(start, start + layout.blockSize(piece, block))).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
    expect(accepted).toBeGreaterThan(10)
  })

  /** Bitfields of version 2 come in whole bytes. */
  const asRead = ({ have, fileVersion }: Pick<ResumeState, 'have' | 'fileVersion'>) =>
    have === null || fileVersion === 1 ? have : fitted(have, Math.ceil(have.size / 8) * 8)

  test('what is said again by us before it was judged is believed as it was: no more, and no less', () => {
    let accepted = 0
    fc.assert(
      fc.property(scenes, ({ target, stats, state }) => {
        const { numPieces } = target.layout
        const original = { ...emptyResumeState(infoHash), ...state, have: asRead(state) }
        const nothing = { have: new Bitfield(0), fileSizes: null }
        const claim = restateClaim(original, numPieces) ?? nothing
        const present = stats.map(({ size, mtime }) => ({ size: Math.max(0, size), mtime }))
        const ours = {
          ...emptyResumeState(infoHash),
          libtorrentVersion: RESUME_WRITER,
          filePriorities: state.filePriorities,
          ...claim,
          fileSizes: claim.fileSizes ?? present,
        }
        const before = checkResume(original, target, stats)
        const after = checkResume(ours, target, stats)
        if (before.kind === 'accepted') {
          accepted++
          expect(after).toEqual(before)
        } else if (after.kind === 'accepted') {
          expect(after).toMatchObject({ checkFrom: after.have.count === 0 && !before.needsFullCheck ? numPieces : 0 })
          expect([after.have.count, after.unfinishedBlocks.length]).toEqual([0, 0])
        }
      }),
      { numRuns: 500 },
    )
    expect(accepted).toBeGreaterThan(30)
  })
})
