import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { BlockState, PieceState } from '../../../src/picker/downloadingPiece.ts'
import { PiecePicker } from '../../../src/picker/piecePicker.ts'
import { alice, aPicker, bits, bob, carol, finish, pick, request } from './scene.ts'

describe('the life of a block', () => {
  test('it goes from free to requested, writing and finished', () => {
    const picker = aPicker([1])
    const states = [picker.blockState(2)]
    picker.markAsDownloading(2, alice)
    states.push(picker.blockState(2))
    expect([picker.numPeers(2), picker.getDownloader(2)]).toEqual([1, alice])
    expect(picker.markAsWriting(2, alice)).toBe(true)
    states.push(picker.blockState(2))
    expect(picker.numPeers(2)).toBe(0)
    picker.markAsFinished(2, null)
    states.push(picker.blockState(2))
    expect(states).toEqual([BlockState.none, BlockState.requested, BlockState.writing, BlockState.finished])
    expect(picker.getDownloaders(0)).toEqual([null, null, alice, null])
  })

  test('a requested block is given to nobody else while others are free', () => {
    const picker = aPicker([1])
    request(picker, 0, [0, 1], alice)
    expect(pick(picker, 100, { peer: bob }).blocks).toEqual([2, 3])
  })

  test('a block that arrives twice is written once', () => {
    const picker = aPicker([1])
    picker.markAsDownloading(0, alice)
    expect(picker.markAsWriting(0, alice)).toBe(true)
    expect(picker.markAsWriting(0, bob)).toBe(false)
    expect(picker.getDownloader(0)).toBe(alice)
    expect(picker.markAsDownloading(0, bob)).toBe(false)
  })

  test('an aborted request frees the block, and an untouched piece is no longer in progress', () => {
    const picker = aPicker([1])
    picker.markAsDownloading(0, alice)
    expect(picker.downloadQueueSize).toBe(1)
    picker.abortDownload(0, bob)
    expect(picker.isRequested(0)).toBe(true)
    picker.abortDownload(0, alice)
    expect(picker.isRequested(0)).toBe(false)
    expect(picker.downloadQueueSize).toBe(0)
    picker.abortDownload(0, alice)
    expect(pick(picker, 100).blocks).toHaveLength(4)
  })

  test('aborting what has arrived changes nothing', () => {
    const picker = aPicker([1])
    picker.markAsDownloading(0, alice)
    picker.markAsWriting(0, alice)
    picker.abortDownload(0, alice)
    expect(picker.isDownloaded(0)).toBe(true)
  })

  test('a failed write locks the piece until it is unlocked; what is on disk stays', () => {
    const picker = aPicker([1])
    finish(picker, 0, [0], alice)
    picker.markAsWriting(1, alice)
    picker.writeFailed(1)
    expect(picker.isLocked(0)).toBe(true)
    expect(pick(picker, 100).blocks).toEqual([])
    picker.unlockPiece(0)
    expect(pick(picker, 100).blocks).toEqual([1, 2, 3])
  })

  test('a piece whose only block could not be written stays locked, then is as if never touched', () => {
    const picker = aPicker([1])
    picker.markAsWriting(0, alice)
    picker.writeFailed(0)
    expect(pick(picker, 100).blocks).toEqual([])
    picker.unlockPiece(0)
    expect(picker.downloadQueueSize).toBe(0)
    expect(pick(picker, 100).blocks).toHaveLength(4)
  })

  test('a piece that failed its hash check is downloaded again from the start', () => {
    const picker = aPicker([1])
    finish(picker, 0, [0, 1, 2, 3], alice)
    picker.lockPiece(0)
    picker.restorePiece(0)
    expect(picker.isLocked(0)).toBe(false)
    expect(pick(picker, 100).blocks).toEqual([0, 1, 2, 3])
  })

  test('or only the blocks that are known to be bad', () => {
    const picker = aPicker([1])
    finish(picker, 0, [0, 1, 2, 3], alice)
    picker.restorePiece(0, [3, 1])
    expect(pick(picker, 100).blocks).toEqual([1, 3])
    expect(picker.getDownloaders(0)).toEqual([alice, null, alice, null])
  })

  test('a forgotten peer is no longer named as the source of its blocks', () => {
    const picker = aPicker([1])
    finish(picker, 0, [0], alice)
    finish(picker, 0, [1], bob)
    picker.clearPeer(alice)
    expect(picker.getDownloaders(0)).toEqual([null, bob, null, null])
  })
})

describe('end game', () => {
  test('when every piece is started, one block others were asked for is given to an idle peer', () => {
    const picker = aPicker([2, 2])
    request(picker, 0, [0, 1, 2, 3], bob)
    request(picker, 1, [0, 1, 2, 3], carol)
    const { blocks } = pick(picker, 100)
    expect(blocks).toHaveLength(1)
    expect(picker.numPeers(blocks[0])).toBe(1)
    picker.markAsDownloading(blocks[0], alice)
    expect(picker.numPeers(blocks[0])).toBe(2)
  })

  test('strict: not while a wanted piece is untouched, though this peer has it not', () => {
    const picker = aPicker([1, 1])
    request(picker, 0, [0, 1, 2, 3], bob)
    expect(pick(picker, 1, {}, bits('*-')).blocks).toEqual([])
    expect(pick(picker, 1, { strictEndGameMode: false }, bits('*-')).blocks).toHaveLength(1)
    picker.setPiecePriority(1, 0)
    expect(pick(picker, 1, {}, bits('*-')).blocks).toHaveLength(1)
  })

  test('not for a peer that still has requests to answer', () => {
    const picker = aPicker([1])
    request(picker, 0, [0, 1, 2, 3], bob)
    expect(pick(picker, 1, { outstandingRequests: 1 }).blocks).toEqual([])
  })

  test('no peer is asked for the same block twice', () => {
    const picker = aPicker([3])
    request(picker, 0, [0, 1, 2, 3], alice)
    request(picker, 0, [0, 1], bob)
    expect(pick(picker, 1, { peer: alice }).blocks).toEqual([])
    const first = pick(picker, 1, { peer: bob }).blocks
    expect([2, 3]).toContain(first[0])
    expect(picker.markAsDownloading(0, alice)).toBe(false)
  })

  test('the block is free again only when nobody is asked for it any more', () => {
    const picker = aPicker([3])
    request(picker, 0, [0], alice)
    request(picker, 0, [0], bob)
    request(picker, 0, [0], carol)
    picker.abortDownload(0, bob)
    expect([picker.numPeers(0), picker.isRequestedFrom(0, alice), picker.isRequestedFrom(0, bob)]).toEqual([
      2,
      true,
      false,
    ])
    picker.abortDownload(0, carol)
    expect([picker.numPeers(0), picker.getDownloader(0)]).toEqual([1, alice])
    picker.abortDownload(0, alice)
    expect(picker.blockState(0)).toBe(BlockState.none)
  })

  test('whoever delivers first, the block counts as requested from nobody', () => {
    const picker = aPicker([3])
    request(picker, 0, [0], alice)
    request(picker, 0, [0], bob)
    picker.markAsWriting(0, alice)
    expect([picker.numPeers(0), picker.getDownloader(0)]).toEqual([0, alice])
    picker.abortDownload(0, bob)
    expect(picker.isDownloaded(0)).toBe(true)
  })
})

describe('having and wanting', () => {
  test('a piece we have is not picked, and not wanted, and its blocks are finished', () => {
    const picker = aPicker([1, 1])
    request(picker, 0, [0], alice)
    picker.weHave(0)
    expect(pick(picker, 100).pieces).toEqual([1])
    expect([picker.isWanted(0), picker.isWanted(1), picker.numHave, picker.downloadQueueSize]).toEqual([
      false,
      true,
      1,
      0,
    ])
    expect(picker.isFinishedBlock(0)).toBe(true)
    picker.markAsFinished(0, null)
    expect(picker.markAsWriting(1, alice)).toBe(false)
    expect(picker.downloadQueueSize).toBe(0)
  })

  test('finished is having what is wanted, seeding is having everything', () => {
    const picker = aPicker([1, 1])
    picker.setPiecePriority(1, 0)
    picker.weHave(0)
    expect([picker.isFinished, picker.isSeeding]).toEqual([true, false])
    picker.weHave(1)
    expect([picker.isFinished, picker.isSeeding, picker.numHaveFiltered, picker.numFiltered]).toEqual([
      true,
      true,
      1,
      0,
    ])
    picker.weDontHave(0)
    expect([picker.isFinished, picker.numWantLeft]).toEqual([false, 1])
  })

  test('a peer is interesting while it has a wanted piece', () => {
    const picker = aPicker([1, 1, 1])
    picker.weHave(0)
    picker.setPiecePriority(1, 0)
    expect(picker.hasWantedPiece(bits('**-'))).toBe(false)
    expect(picker.hasWantedPiece(bits('--*'))).toBe(true)
    expect(picker.hasWantedPiece('all')).toBe(true)
    picker.weHave(2)
    expect(picker.hasWantedPiece('all')).toBe(false)
  })

  test('everything can be had at once', () => {
    const picker = aPicker([1, 1, 1])
    request(picker, 1, [0], alice)
    picker.weHaveAll()
    expect([picker.isSeeding, picker.downloadQueueSize, picker.cursor, picker.reverseCursor]).toEqual([true, 0, 3, 0])
    expect(pick(picker, 100).blocks).toEqual([])
  })

  test('pieces found on disk are had, without being touched one by one', () => {
    const picker = aPicker([1, 1, 1, 1])
    picker.weHaveBits(bits('*--*'))
    expect([picker.numHave, picker.cursor, picker.reverseCursor]).toEqual([2, 1, 3])
  })

  test('the blocks of an unwanted piece in progress are kept, and picked once it is wanted again', () => {
    const picker = aPicker([1])
    finish(picker, 0, [0], alice)
    picker.setPiecePriority(0, 0)
    expect(picker.downloadQueueSizes()).toEqual({ partial: 0, full: 0, finished: 0, zeroPriority: 1 })
    expect(pick(picker, 100).blocks).toEqual([])
    picker.setPiecePriority(0, 1)
    expect(pick(picker, 100).blocks).toEqual([1, 2, 3])
  })

  test('a peer that was a seed and lost a piece is counted piece by piece', () => {
    const picker = aPicker([0, 1])
    picker.incRefcountAll()
    picker.decRefcount(0)
    expect(picker.pieceAvailability()).toEqual([0, 2])
    picker.decRefcountBits(bits('-*'))
    expect(picker.pieceAvailability()).toEqual([0, 1])
    expect(() => picker.decRefcount(0)).toThrow()
  })

  test('a peer that became a seed by HAVEs may leave as one', () => {
    const picker = aPicker([0, 0])
    picker.incRefcountBits(bits('*-'))
    picker.incRefcount(1)
    picker.decRefcountAll()
    expect(picker.pieceAvailability()).toEqual([0, 0])
  })
})

describe('reports', () => {
  test('distributed copies: two of the rarest pieces, and a quarter of all pieces has more', () => {
    const picker = aPicker([1, 0, 2, 0])
    picker.incRefcountAll()
    picker.weHave(1)
    picker.weHave(3)
    expect(picker.distributedCopies()).toEqual({ fullCopies: 2, fraction: 250, copies: 2.25 })
  })

  test('the download queue shows each piece in progress with its blocks, and the short last one', () => {
    const picker = new PiecePicker<object>(
      { numPieces: 3, blocksPerPiece: 3, blocksInLastPiece: 2 },
      new SeededRandom(1),
    )
    picker.markAsDownloading(picker.blockId(2, 1), alice, { speed: PieceState.medium })
    picker.markAsFinished(picker.blockId(0, 2), bob)
    const size = (piece: number, block: number) => (piece === 2 && block === 1 ? 5 : 16384)
    const free = { state: BlockState.none, peer: null, bytesProgress: 0, blockSize: 16384, numPeers: 0 }
    expect(picker.downloadQueue(size)).toEqual([
      {
        pieceIndex: 0,
        blocksInPiece: 3,
        finished: 1,
        writing: 0,
        requested: 0,
        pieceState: PieceState.none,
        blocks: [free, free, { ...free, state: BlockState.finished, peer: bob, bytesProgress: 16384 }],
      },
      {
        pieceIndex: 2,
        blocksInPiece: 2,
        finished: 0,
        writing: 0,
        requested: 1,
        pieceState: PieceState.medium,
        blocks: [free, { state: BlockState.requested, peer: alice, bytesProgress: 0, blockSize: 5, numPeers: 1 }],
      },
    ])
  })

  test('block numbers go beyond 32 bits', () => {
    const layout = { numPieces: 2_097_152, blocksPerPiece: 8192, blocksInLastPiece: 1 }
    const picker = new PiecePicker<object>(layout, new SeededRandom(1))
    const id = picker.blockId(2_097_151, 0)
    expect(id).toBeGreaterThan(2 ** 32)
    expect([picker.pieceOf(id), picker.blockOf(id), picker.blocksInPiece(2_097_151)]).toEqual([2_097_151, 0, 1])
    picker.incRefcount(2_097_151)
    expect(pick(picker as PiecePicker<typeof alice>, 5).blocks).toEqual([id])
  })
})
