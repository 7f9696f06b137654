import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { PieceLayout } from '../../../src/metainfo/pieceLayout.ts'
import type { FileStat, StorageFile } from '../../../src/platform/disk.ts'
import { checkResume, type ResumeCheckOptions, type ResumeTarget } from '../../../src/resume/checkResume.ts'
import { readResumeData } from '../../../src/resume/readResumeData.ts'
import { emptyResumeState, type ResumeState } from '../../../src/resume/resumeState.ts'
import { RESUME_WRITER } from '../../../src/resume/writeResumeData.ts'
import { Bitfield } from '../../../src/util/bitfield.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

const KiB = 1024
const PIECE = 32 * KiB
const SAVED = 1_600_000_000
const infoHash = Sha1Hash.fromHex('00112233445566778899aabbccddeeff00112233')

/** Four pieces of two blocks: `a` has one and a half, `b` what is left, of which the last piece has one block. */
const target = aTarget([1.5 * PIECE, 2 * PIECE])
const complete: FileStat[] = [
  { size: 1.5 * PIECE, mtime: SAVED },
  { size: 2 * PIECE, mtime: SAVED },
]
const gone: FileStat = { size: -1, mtime: 0 }

function aTarget(sizes: readonly number[], pieceLength = PIECE): ResumeTarget {
  let offset = 0
  const files: StorageFile[] = sizes.map((size, i) => {
    const file = { path: `scene/${'abcdef'[i]}`, size, offset, pad: false }
    offset += size
    return file
  })
  return { infoHash, files, layout: new PieceLayout(offset, pieceLength) }
}

function pieces(text: string): Bitfield {
  const bits = new Bitfield(text.length)
  for (let i = 0; i < text.length; i++) if (text[i] === '*') bits.set(i)
  return bits
}

/** Data saved when all four pieces and both files were there. */
function saved(changes: Partial<ResumeState> = {}): ResumeState {
  return {
    ...emptyResumeState(infoHash),
    blocksPerPiece: 2,
    have: pieces('****'),
    fileSizes: complete,
    ...changes,
  }
}

/** `accepted`, with pieces and blocks, or the code. */
function verdict(state: ResumeState, stats = complete, options?: ResumeCheckOptions, of = target): string {
  const result = checkResume(state, of, stats, options)
  if (result.kind === 'rejected') return `${result.error.code}${result.error.path ? ` ${result.error.path}` : ''}`
  const have = [...result.have].map((bit) => (bit ? '*' : '-')).join('')
  return [have, ...result.unfinishedBlocks].join(' ')
}

test('data that fits the files is accepted', () => {
  expect(verdict(saved())).toBe('****')
  expect(verdict(saved({ have: pieces('*--*') }))).toBe('*--*')
})

test('data of another torrent is not', () => {
  const other = Sha1Hash.fromHex('ff'.repeat(20))
  expect(verdict(saved({ infoHash: other }))).toBe('mismatchingInfoHash')
})

describe('file sizes and times', () => {
  test('a file that became shorter is a mismatch, a missing one too', () => {
    expect(verdict(saved(), [complete[0], { size: 2 * PIECE - 1, mtime: SAVED }])).toBe('mismatchingFilesSize scene/b')
    expect(verdict(saved(), [gone, complete[1]])).toBe('mismatchingFilesSize scene/a')
  })

  test('in sparse files more may have been written, not long after', () => {
    const less = saved({
      have: pieces('*---'),
      fileSizes: [
        { size: PIECE, mtime: SAVED },
        { size: 0, mtime: 0 },
      ],
    })
    expect(
      verdict(less, [
        { size: 1.5 * PIECE, mtime: SAVED + 300 },
        { size: PIECE, mtime: SAVED + 10_000 },
      ]),
    ).toBe('*---')
    expect(verdict(less, [{ size: 1.5 * PIECE, mtime: SAVED + 301 }, gone])).toBe('mismatchingFileTimestamp scene/a')
    expect(verdict(less, [{ size: PIECE, mtime: SAVED - 1 }, gone])).toBe('*---')
    expect(verdict(less, [{ size: PIECE, mtime: SAVED - 2 }, gone])).toBe('mismatchingFileTimestamp scene/a')
  })

  test('compact data must be as it was, to the second', () => {
    const compact = saved({ allocation: 'compact', slots: [0, 1, 2, 3] })
    const later = complete.map((stat) => ({ ...stat, mtime: SAVED + 1 }))
    expect(verdict(compact, later)).toBe('****')
    expect(verdict(compact, [{ ...complete[0], mtime: SAVED + 2 }, complete[1]])).toBe(
      'mismatchingFileTimestamp scene/a',
    )
    expect(verdict(compact, [{ ...complete[0], size: 2 * PIECE }, complete[1]])).toBe('mismatchingFilesSize scene/a')
  })

  test('of full allocation they are disregarded, but what is claimed must be there', () => {
    const full = saved({ allocation: 'allocate' })
    const older = complete.map((stat) => ({ ...stat, mtime: 1 }))
    expect(verdict(full, older)).toBe('****')
    expect(verdict(full, [complete[0], { size: PIECE, mtime: SAVED }])).toBe('mismatchingFilesSize scene/b')
  })

  test('times can be ignored', () => {
    const touched = complete.map((stat) => ({ ...stat, mtime: SAVED + 100_000 }))
    expect(verdict(saved(), touched)).toBe('mismatchingFileTimestamp scene/a')
    expect(verdict(saved(), touched, { ignoreTimestamps: true })).toBe('****')
  })

  test('sizes that are missing, empty or of another number have their codes', () => {
    expect(verdict(saved({ fileSizes: null }))).toBe('missingFileSizes')
    expect(verdict(saved({ fileSizes: 'invalid' }))).toBe('missingFileSizes')
    expect(verdict(saved({ fileSizes: [] }))).toBe('noFilesInResumeData')
    expect(verdict(saved({ fileSizes: [complete[0]] }))).toBe('mismatchingNumberOfFiles')
  })

  test('a piece beyond the size the data itself tells is not believed', () => {
    const short = [complete[0], { size: PIECE, mtime: SAVED }]
    expect(verdict(saved({ fileSizes: short }))).toBe('mismatchingFilesSize scene/b')
  })

  test('empty files and pad files may be missing', () => {
    const files: StorageFile[] = [
      { path: 'a', size: PIECE - 5, offset: 0, pad: false },
      { path: 'empty', size: 0, offset: PIECE - 5, pad: false },
      { path: 'pad', size: 5, offset: PIECE - 5, pad: true },
      { path: 'b', size: 7, offset: PIECE, pad: false },
    ]
    const padded = { infoHash, files, layout: new PieceLayout(PIECE + 7, PIECE) }
    const sizes = [PIECE - 5, 0, 0, 7].map((size) => ({ size, mtime: SAVED }))
    const stats = [sizes[0], gone, gone, sizes[3]]
    expect(verdict(saved({ have: pieces('**'), fileSizes: sizes }), stats, {}, padded)).toBe('**')
  })
})

describe('data of libtorrent 2, without file sizes', () => {
  const modern = { fileSizes: null, blocksPerPiece: null, libtorrentVersion: '2.0.8.0' }

  test('it is accepted when the files reach as far as the pieces', () => {
    expect(verdict(saved(modern))).toBe('****')
    expect(verdict(saved({ ...modern, have: pieces('**--') }), [complete[0], { size: PIECE / 2, mtime: 1 }])).toBe(
      '**--',
    )
    expect(verdict(saved({ ...modern, have: pieces('**--') }), [complete[0], { size: PIECE / 2 - 1, mtime: 1 }])).toBe(
      'mismatchingFilesSize scene/b',
    )
    expect(verdict(saved({ ...modern, have: pieces('*---') }), [complete[0], gone])).toBe('*---')
  })

  test('pieces of an unwanted file that is not there are left out, not the rest', () => {
    expect(verdict(saved({ ...modern, filePriorities: [1, 0] }), [complete[0], gone])).toBe('*---')
    expect(verdict(saved({ ...modern, filePriorities: [0, 1] }), [gone, complete[1]])).toBe('--**')
  })

  test('real data of a seed is accepted with its files, and only with them', () => {
    const vectors = new URL('../../vectors/resume/', import.meta.url)
    const state = readResumeData(readFileSync(new URL('libtorrent-2.0.8-seed.fastresume', vectors)))
    if (state instanceof LibtorrentError) throw state
    const scene = { ...aTarget([100_000, 50_000], 32_768), infoHash: state.infoHash }
    const stats = [100_000, 50_000].map((size) => ({ size, mtime: 5 }))
    expect(verdict(state, stats, {}, scene)).toBe('*****')
    expect(verdict(state, [stats[0], { size: 49_999, mtime: 5 }], {}, scene)).toBe('mismatchingFilesSize scene/b')
  })

  test('data saved before the metadata was known is right only when nothing is there', () => {
    const early = saved({ ...modern, have: new Bitfield(0), libtorrentVersion: '' })
    expect(verdict(early, [gone, gone])).toBe('----')
    expect(verdict(early)).toBe('missingPieces')
  })
})

describe('unfinished pieces', () => {
  const blocks = (piece: number, text: string) => ({ piece, blocks: pieces(text) })

  test('their blocks are taken, as far as the files reach', () => {
    const state = saved({ have: pieces('*---'), unfinished: [blocks(1, '-*'), blocks(3, '*')] })
    expect(verdict(state)).toBe('*--- 3 6')
    const shorter = [complete[0], { size: 1.5 * PIECE, mtime: SAVED }]
    expect(verdict({ ...state, fileSizes: shorter }, shorter)).toBe('*--- 3')
  })

  test('a block that lies in two files needs both', () => {
    const three = aTarget([20 * KiB, 44 * KiB])
    const state = saved({
      have: pieces('--'),
      unfinished: [blocks(0, '**')],
      fileSizes: null,
      libtorrentVersion: '2.0.0',
    })
    const both = [20 * KiB, 12 * KiB].map((size) => ({ size, mtime: 1 }))
    expect(verdict(state, both, {}, three)).toBe('-- 0 1')
    expect(verdict(state, [both[0], { size: 12 * KiB - 1, mtime: 1 }], {}, three)).toBe('-- 0')
    expect(verdict(state, [{ size: 20 * KiB - 1, mtime: 1 }, both[1]], {}, three)).toBe('-- 0')
  })

  test('a piece that is also claimed as had is had no more; others are ignored', () => {
    const state = saved({ unfinished: [blocks(2, '*-'), blocks(2, '**'), blocks(9, '*')] })
    expect(verdict(state)).toBe('**-* 4')
  })

  test('more bits than blocks do no harm', () => {
    expect(verdict(saved({ have: pieces('***-'), unfinished: [blocks(3, '********')] }))).toBe('***- 6')
  })

  test('blocks that grew with the piece, as the manual has them, stand for several of ours', () => {
    const MiB = 1024 * KiB
    const large = aTarget([16 * MiB], 8 * MiB)
    const state = saved({
      have: pieces('--'),
      blocksPerPiece: 256,
      unfinished: [blocks(1, `-*${'-'.repeat(254)}`)],
      fileSizes: [{ size: 16 * MiB, mtime: SAVED }],
    })
    expect(verdict(state, [{ size: 16 * MiB, mtime: SAVED }], {}, large)).toBe(`-- ${512 + 2} ${512 + 3}`)
  })
})

describe('pieces and slots', () => {
  test.each([
    ['nothing about pieces', { have: null }, 'missingPieces'],
    ['too few pieces', { have: pieces('***') }, 'missingPieces'],
    ['too many pieces', { have: pieces('*****') }, 'tooManySlots'],
    ['other blocks', { blocksPerPiece: 3 }, 'invalidBlocksPerPiece'],
    ['compact without slots', { allocation: 'compact' as const }, 'missingSlots'],
    ['slots alone', { have: null, slots: [0, -1, 2, -2] }, '*-*-'],
    ['too many slots', { have: null, slots: [0, 1, 2, 3, -1] }, 'tooManySlots'],
    ['a slot that is no number', { have: null, slots: [null] }, 'invalidSlotList'],
    ['a slot out of range', { have: null, slots: [4] }, 'invalidPieceIndex'],
    ['a slot below the lowest value', { have: null, slots: [-3] }, 'invalidPieceIndex'],
    ['a piece out of place', { have: null, slots: [1, 0] }, 'invalidPieceIndex'],
    ['compact and out of place', { allocation: 'compact' as const, slots: [1, 0] }, 'piecesNeedReorder'],
    ['bitfields with spare bits', { fileVersion: 2 as const, have: pieces('*-*-****') }, '*-*-'],
  ])('%s', (_, changes, expected) => expect(verdict(saved(changes))).toBe(expected))

  test('blocks per piece may be rounded down', () => {
    const odd = aTarget([100 * KiB], 20 * KiB)
    const state = saved({ have: pieces('*****'), blocksPerPiece: 1, fileSizes: [{ size: 100 * KiB, mtime: SAVED }] })
    expect(verdict(state, [{ size: 100 * KiB, mtime: SAVED }], {}, odd)).toBe('*****')
  })
})

describe('saved in the middle of a check', () => {
  const checked = (changes: Partial<ResumeState>, stats = complete): [string, number] | string => {
    const result = checkResume(saved({ libtorrentVersion: RESUME_WRITER, ...changes }), target, stats)
    if (result.kind === 'rejected') return result.error.code
    return [[...result.have].map((bit) => (bit ? '*' : '-')).join(''), result.checkFrom]
  }

  test('the pieces checked so far are believed, and the check goes on after them', () => {
    expect(checked({ have: pieces('*-*') })).toEqual(['*-*-', 3])
    expect(checked({ have: pieces('*-*'), libtorrentVersion: '1.1.0.0' })).toEqual(['*-*-', 3])
    expect(checked({ have: pieces('') })).toEqual(['----', 0])
    expect(checked({ have: pieces('*-*-') })).toEqual(['*-*-', 4])
  })

  test('with nothing on disk there is nothing to check', () => {
    expect(
      checked({ have: pieces(''), fileSizes: [gone, gone].map(() => ({ size: 0, mtime: 0 })) }, [gone, gone]),
    ).toEqual(['----', 4])
  })

  test('files that changed since reject it, as they always do', () => {
    expect(checked({ have: pieces('*-*') }, [complete[0], gone])).toBe('mismatchingFilesSize')
    expect(checked({ have: pieces('*') }, [{ ...complete[0], mtime: SAVED + 1000 }, complete[1]])).toBe(
      'mismatchingFileTimestamp',
    )
  })

  test('of bitfields filled up to whole bytes, the last bits say nothing for sure', () => {
    const many = aTarget([20 * PIECE])
    const stats = [{ size: 20 * PIECE, mtime: SAVED }]
    const state = saved({
      libtorrentVersion: '2.1.0.0',
      fileVersion: 2,
      fileSizes: stats,
      have: pieces(`${'*'.repeat(12)}----`),
    })
    const result = checkResume(state, many, stats)
    expect(result).toMatchObject({ kind: 'accepted', checkFrom: 9 })
    expect(result.kind === 'accepted' && result.have.count).toBe(9)
  })
})

describe('seed mode', () => {
  function seedMode(changes: Partial<ResumeState>): [boolean, number] {
    const result = checkResume(saved({ seedMode: true, ...changes }), target, complete)
    if (result.kind === 'rejected') throw result.error
    return [result.seedMode, result.verified.count]
  }

  test('it goes on with what was verified, if everything is there and wanted', () => {
    expect(seedMode({ verified: pieces('-**-') })).toEqual([true, 2])
    expect(seedMode({ have: pieces('***-'), verified: pieces('-**-') })).toEqual([false, 0])
    expect(seedMode({ filePriorities: [1, 0] })).toEqual([false, 0])
    expect(seedMode({ seedMode: null })).toEqual([false, 0])
  })
})

test('rejected data needs a full check only if there is something to check', () => {
  const reject = (stats: FileStat[]) => checkResume(saved({ have: null }), target, stats)
  expect(reject(complete)).toMatchObject({ kind: 'rejected', needsFullCheck: true })
  const none = checkResume(saved(), target, [gone, { size: 0, mtime: SAVED }])
  expect(none).toMatchObject({ kind: 'rejected', needsFullCheck: false })
})
