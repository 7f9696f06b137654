import { describe, expect, test } from 'vitest'
import { PieceState } from '../../../src/picker/downloadingPiece.ts'
import { contiguousBlocks, PickerFlags, pickerFlags } from '../../../src/picker/pickerFlags.ts'
import { alice, aPicker, bits, bob, finish, pick, request } from './scene.ts'

const ONE_PIECE = 4

describe('rarest first', () => {
  test('the piece with the fewest peers is picked first, then the next rarest', () => {
    const picker = aPicker([3, 1, 2, 5])
    expect(pick(picker, 4 * ONE_PIECE).pieces).toEqual([1, 2, 0, 3])
  })

  test('a piece nobody has is never picked, even from a peer that claims it', () => {
    const picker = aPicker([1, 0, 1])
    expect(pick(picker, 100).pieces.sort()).toEqual([0, 2])
  })

  test('only pieces the peer has are picked', () => {
    const picker = aPicker([1, 2, 3, 4])
    expect(pick(picker, 100, {}, bits('-*-*')).pieces).toEqual([1, 3])
  })

  test('pieces of the same rarity come in an order that differs from client to client', () => {
    const orders = [1, 2, 3, 4, 5].map((seed) => pick(aPicker(new Array(30).fill(2), 1, seed), 30).pieces.join())
    expect(new Set(orders).size).toBe(orders.length)
  })

  test('a HAVE makes a piece less urgent at once', () => {
    const picker = aPicker([1, 2, 3])
    expect(pick(picker, ONE_PIECE).pieces).toEqual([0])
    for (let i = 0; i < 5; i++) picker.incRefcount(0)
    expect(pick(picker, 3 * ONE_PIECE).pieces).toEqual([1, 2, 0])
  })

  test('a seed makes pieces without other peers available, and changes nothing else', () => {
    const picker = aPicker([0, 2, 1])
    expect(pick(picker, 100).pieces).toEqual([2, 1])
    picker.incRefcountAll()
    expect(pick(picker, 100).pieces).toEqual([0, 2, 1])
    picker.decRefcountAll()
    expect(pick(picker, 100).pieces).toEqual([2, 1])
  })

  test('a piece in progress comes before an untouched one of the same rarity, not before a rarer one', () => {
    const picker = aPicker([2, 2, 2, 1])
    request(picker, 1, [0], bob)
    const { pieces, blocks } = pick(picker, 100)
    expect(pieces.slice(0, 2)).toEqual([3, 1])
    expect(blocks.map((id) => picker.blockOf(id)).slice(4, 7)).toEqual([1, 2, 3])
  })

  test('a peer with very few pieces is given the rarest of them', () => {
    const picker = aPicker(Array.from({ length: 500 }, (_, piece) => (piece === 77 ? 2 : 4)))
    const few = bits('-'.repeat(500))
    for (const piece of [3, 77, 410]) few.set(piece)
    expect(pick(picker, 1, {}, few).pieces).toEqual([77])
    expect(pick(picker, 100, {}, few).pieces.sort((a, b) => a - b)).toEqual([3, 77, 410])
    expect(pick(picker, 100, { flags: PickerFlags.rarestFirst | PickerFlags.reverse }, few).pieces[2]).toBe(77)
  })
})

describe('reverse order', () => {
  const flags = PickerFlags.rarestFirst | PickerFlags.reverse

  test('a snubbed peer gets the most common pieces first', () => {
    expect(pick(aPicker([3, 1, 2, 5]), 100, { flags }).pieces).toEqual([3, 0, 2, 1])
  })

  test('a piece only snubbed peers work on comes after untouched ones, until another peer joins', () => {
    const picker = aPicker([2, 2])
    picker.markAsDownloading(picker.blockId(0, 0), bob, { reverse: true })
    expect(pick(picker, 1).pieces).toEqual([1])
    picker.markAsDownloading(picker.blockId(0, 1), bob)
    expect(pick(picker, 1).pieces).toEqual([0])
  })
})

describe('priorities', () => {
  test('priority 0 is never picked', () => {
    const picker = aPicker([1, 1, 1])
    expect(picker.setPiecePriority(1, 0)).toBe(true)
    expect(picker.setPiecePriority(2, 3)).toBe(false)
    expect(pick(picker, 100).pieces).toEqual([2, 0])
  })

  test('among equally rare pieces the higher priority comes first', () => {
    const picker = aPicker([3, 3, 3, 3, 3, 3, 3])
    for (let piece = 0; piece < 7; piece++) picker.setPiecePriority(piece, piece + 1)
    expect(pick(picker, 100).pieces).toEqual([6, 5, 4, 3, 2, 1, 0])
  })

  test('priority 2 does not outweigh rarity', () => {
    const picker = aPicker([2, 1])
    picker.setPiecePriority(0, 2)
    expect(pick(picker, 100).pieces).toEqual([1, 0])
  })

  test('priority 7 comes before everything, however common, in every mode', () => {
    for (const flags of [PickerFlags.rarestFirst, PickerFlags.sequential, 0]) {
      const picker = aPicker([1, 1, 1, 60, 1])
      for (const piece of [0, 1, 2, 4]) picker.setPiecePriority(piece, 6)
      picker.setPiecePriority(3, 7)
      expect(pick(picker, 1, { flags }).pieces).toEqual([3])
      expect(pick(picker, 100, { flags }).pieces.sort()).toEqual([0, 1, 2, 3, 4])
    }
  })

  test('all priorities can be set at once', () => {
    const picker = aPicker([1, 1, 1, 1])
    picker.setPiecePriorities([0, 7, 0, 2])
    expect(pick(picker, 100).pieces).toEqual([1, 3])
    expect(picker.piecePriorities()).toEqual([0, 7, 0, 2])
    expect([picker.numWanted, picker.numFiltered]).toEqual([2, 2])
  })
})

describe('sequential', () => {
  const flags = PickerFlags.sequential

  test('pieces come in order, whatever their rarity', () => {
    expect(pick(aPicker([3, 1, 2, 5]), 100, { flags }).pieces).toEqual([0, 1, 2, 3])
  })

  test('in reverse they come from the end', () => {
    expect(pick(aPicker([3, 1, 2, 5]), 100, { flags: flags | PickerFlags.reverse }).pieces).toEqual([3, 2, 1, 0])
  })

  test('pieces we have or do not want are passed over, and come back when lost or wanted', () => {
    const picker = aPicker([1, 1, 1, 1, 1])
    picker.weHave(0)
    picker.setPiecePriority(1, 0)
    expect([picker.cursor, picker.reverseCursor]).toEqual([2, 5])
    expect(pick(picker, 100, { flags }).pieces).toEqual([2, 3, 4])
    picker.setPiecePriority(1, 1)
    picker.weDontHave(0)
    expect(pick(picker, 100, { flags }).pieces).toEqual([0, 1, 2, 3, 4])
  })
})

describe('before the initial picker threshold', () => {
  test('the first piece is a random one, not the rarest', () => {
    const first = new Set<number>()
    for (let seed = 0; seed < 40; seed++) first.add(pick(aPicker([1, 9, 9, 9, 9], 4, seed), 1, { flags: 0 }).pieces[0])
    expect(first.size).toBe(5)
  })

  test('every piece is found from any start', () => {
    const picker = aPicker(new Array(9).fill(1))
    expect(pick(picker, 100, { flags: 0 }).pieces.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })
})

describe('partial pieces', () => {
  const partialsFirst = PickerFlags.rarestFirst | PickerFlags.prioritizePartials

  test('with prioritizePartials they come first: the rarest, and of those the fullest', () => {
    const picker = aPicker([1, 5, 5, 3])
    request(picker, 1, [0], bob)
    request(picker, 2, [0, 1], bob)
    request(picker, 3, [0], bob)
    const { pieces, blocks } = pick(picker, 100, { flags: partialsFirst })
    expect(pieces).toEqual([3, 2, 1, 0])
    expect(blocks).toHaveLength(16 - 4)
  })

  test('more than one and a half partial pieces per peer are completed before new ones are begun', () => {
    const picker = aPicker([1, 5, 5, 5, 5])
    for (const piece of [1, 2, 3]) request(picker, piece, [0], bob)
    expect(pick(picker, 1, { numPeers: 2 }).pieces).toEqual([0])
    request(picker, 4, [0], bob)
    expect(pick(picker, 1, { numPeers: 2 }).pieces).not.toEqual([0])
  })

  test('more than 32 MiB of partial pieces has the same effect with any number of peers', () => {
    const picker = aPicker([1, 5, 5, 5], 1024)
    request(picker, 1, [0], bob)
    request(picker, 2, [0], bob)
    expect(pick(picker, 1).pieces).toEqual([0])
    request(picker, 3, [0], bob)
    expect(pick(picker, 1).pieces).not.toEqual([0])
  })

  test('a peer prefers pieces of its own speed, then untouched ones, then those of other speeds', () => {
    const picker = aPicker([1, 1, 1])
    picker.markAsDownloading(picker.blockId(0, 0), bob, { speed: PieceState.slow })
    picker.markAsDownloading(picker.blockId(1, 0), bob, { speed: PieceState.fast })
    expect(pick(picker, 100, { speed: PieceState.fast }).pieces).toEqual([1, 2, 0])
    expect(pick(picker, 100, { speed: PieceState.slow }).pieces).toEqual([0, 2, 1])
  })

  test('a piece nobody is downloading any more takes the speed of whoever comes next', () => {
    const picker = aPicker([1])
    picker.markAsDownloading(0, bob, { speed: PieceState.slow })
    picker.markAsWriting(0, bob)
    expect(picker.downloadQueue(() => 16384)[0].pieceState).toBe(PieceState.none)
    picker.markAsDownloading(1, alice, { speed: PieceState.fast })
    expect(picker.downloadQueue(() => 16384)[0].pieceState).toBe(PieceState.fast)
  })
})

describe('whole pieces', () => {
  test('a fast peer leaves pieces others work on alone, as long as there are untouched ones', () => {
    const picker = aPicker([1, 1, 1])
    request(picker, 0, [0], bob)
    expect(pick(picker, 4, { preferContiguousBlocks: 4 }).pieces).not.toContain(0)
    expect(pick(picker, 12, { preferContiguousBlocks: 4 }).pieces[2]).toBe(0)
  })

  test('it goes on with a piece only itself works on', () => {
    const picker = aPicker([1, 5])
    request(picker, 0, [0, 1], alice)
    expect(pick(picker, 2, { preferContiguousBlocks: 4 }).pieces).toEqual([0])
  })

  test('it gets the whole piece, though it asked for one block', () => {
    expect(pick(aPicker([1, 2]), 1, { preferContiguousBlocks: 4 }).blocks).toHaveLength(4)
  })

  test('for more than a piece it gets neighbouring pieces, without those in progress or had', () => {
    const picker = aPicker([9, 9, 9, 1, 9, 9, 9])
    expect(pick(picker, 1, { preferContiguousBlocks: 12 }).pieces).toEqual([1, 2, 3])
    request(picker, 1, [0], bob)
    picker.weHave(5)
    expect(pick(picker, 1, { preferContiguousBlocks: 12 }).pieces).toEqual([2, 3, 4])
  })

  test('as many pieces are preferred as the peer delivers within the threshold, at most 8 MiB', () => {
    const MiB = 1024 * 1024
    expect(contiguousBlocks(MiB / 40, 20_000, MiB, 64)).toBe(0)
    expect(contiguousBlocks(MiB / 20, 20_000, MiB, 64)).toBe(64)
    expect(contiguousBlocks(100 * MiB, 20_000, MiB, 64)).toBe(8 * 64)
    expect(contiguousBlocks(100 * MiB, 0, MiB, 64)).toBe(0)
  })
})

describe('suggested pieces', () => {
  test('they come before rarer ones, in the order of suggestion, once each', () => {
    const picker = aPicker([1, 2, 3, 4])
    expect(pick(picker, 100, { suggestedPieces: [3, 1, 3, 99] }).pieces).toEqual([3, 1, 0, 2])
    expect(pick(picker, 100, { suggestedPieces: [3, 1, 3, 99] }).blocks).toHaveLength(16)
  })

  test('one we have or the peer has not is ignored', () => {
    const picker = aPicker([1, 2, 3])
    picker.weHave(2)
    expect(pick(picker, 100, { suggestedPieces: [2, 1] }, bits('*-*')).pieces).toEqual([0])
  })
})

describe('extent affinity', () => {
  const flags = PickerFlags.rarestFirst | PickerFlags.pieceExtentAffinity
  /** 1 MiB: an extent is four pieces. */
  const BLOCKS = 64

  function begun(pieces: readonly number[], availability: readonly number[]) {
    const picker = aPicker(availability, BLOCKS)
    for (const piece of pieces) {
      picker.markAsDownloading(picker.blockId(piece, 0), bob, { extentAffinity: true })
      for (let block = 1; block < BLOCKS; block++) picker.markAsDownloading(picker.blockId(piece, block), bob)
    }
    return picker
  }

  test('the rest of the 4 MiB around a piece in progress comes before rarer pieces', () => {
    const picker = begun([5], [1, 1, 1, 1, 9, 9, 9, 9, 1, 1])
    expect(pick(picker, 4 * BLOCKS, { flags }).pieces.slice(0, 3)).toEqual([4, 6, 7])
    expect(pick(picker, 3 * BLOCKS).pieces).not.toContain(4)
  })

  test('only pieces the peer has, each block once', () => {
    const picker = begun([5], [1, 1, 1, 1, 9, 9, 9, 9])
    const { blocks, pieces } = pick(picker, 100 * BLOCKS, { flags }, bits('**--***-'))
    expect(pieces.slice(0, 2)).toEqual([4, 6])
    expect(new Set(blocks).size).toBe(blocks.length)
  })

  test('a piece with neighbours of another priority draws none of them', () => {
    const picker = aPicker([1, 1, 1, 1, 9, 9, 9, 9], BLOCKS)
    picker.setPiecePriority(7, 2)
    for (let block = 0; block < BLOCKS; block++) {
      picker.markAsDownloading(picker.blockId(5, block), bob, { extentAffinity: true })
    }
    expect(pick(picker, BLOCKS, { flags }).pieces[0]).toBeLessThan(4)
  })

  test('a sixth extent is begun only when one of the five is complete', () => {
    const availability = new Array(28).fill(9)
    availability[27] = 1
    const picker = begun([0, 4, 8, 12, 16, 20], availability)
    expect(pick(picker, 16 * BLOCKS, { flags }).pieces).toEqual([
      1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 27,
    ])
    for (const piece of [0, 1, 2, 3]) picker.weHave(piece)
    picker.abortDownload(picker.blockId(20, 0), bob)
    for (let block = 1; block < BLOCKS; block++) picker.abortDownload(picker.blockId(20, block), bob)
    pick(picker, 1, { flags })
    picker.markAsDownloading(picker.blockId(20, 0), alice, { extentAffinity: true })
    expect(pick(picker, 15 * BLOCKS - 1, { flags }).pieces).toEqual([
      5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 20, 21, 22,
    ])
  })

  test('pieces of 4 MiB are large enough by themselves', () => {
    const picker = aPicker([9, 9, 1], 256)
    for (let block = 0; block < 256; block++)
      picker.markAsDownloading(picker.blockId(0, block), bob, { extentAffinity: true })
    expect(pick(picker, 256, { flags }).pieces).toEqual([2])
  })
})

describe('parole', () => {
  const flags = PickerFlags.rarestFirst | PickerFlags.onParole | PickerFlags.prioritizePartials

  test('a suspected peer gets no block of a piece others took part in', () => {
    const picker = aPicker([1, 1, 5])
    finish(picker, 0, [0], bob)
    finish(picker, 1, [0], alice)
    expect(pick(picker, 100, { flags }).pieces).toEqual([1, 2])
  })

  test('others keep off its piece while they have something else to do', () => {
    const picker = aPicker([1, 5])
    picker.markAsDownloading(picker.blockId(0, 0), alice, { onParole: true })
    expect(pick(picker, 100, { peer: bob }).pieces).toEqual([1, 0])
    expect(pick(picker, 1, { peer: bob, flags: PickerFlags.prioritizePartials }).pieces).toEqual([1])
    expect(pick(picker, 1, { flags }).pieces).toEqual([0])
  })

  test('it is never given a block another peer was asked for', () => {
    const picker = aPicker([1])
    request(picker, 0, [0, 1, 2, 3], bob)
    expect(pick(picker, 1, { flags }).blocks).toEqual([])
    expect(pick(picker, 1).blocks).toHaveLength(1)
  })
})

describe('flags by situation', () => {
  const calm = {
    sequentialDownload: false,
    numHave: 4,
    initialPickerThreshold: 4,
    snubbed: false,
    onParole: false,
    prioritizePartialPieces: false,
  }

  test.each([
    ['normally', calm, PickerFlags.rarestFirst],
    ['with few pieces', { ...calm, numHave: 3 }, PickerFlags.prioritizePartials],
    ['in order', { ...calm, sequentialDownload: true, snubbed: true }, PickerFlags.sequential],
    ['snubbed', { ...calm, snubbed: true }, PickerFlags.rarestFirst | PickerFlags.reverse],
    [
      'with extent affinity',
      { ...calm, pieceExtentAffinity: true },
      PickerFlags.rarestFirst | PickerFlags.pieceExtentAffinity,
    ],
    [
      'snubbed, with extent affinity',
      { ...calm, pieceExtentAffinity: true, snubbed: true },
      PickerFlags.rarestFirst | PickerFlags.reverse,
    ],
    [
      'by setting',
      { ...calm, prioritizePartialPieces: true },
      PickerFlags.rarestFirst | PickerFlags.prioritizePartials,
    ],
    [
      'on parole',
      { ...calm, onParole: true },
      PickerFlags.rarestFirst | PickerFlags.onParole | PickerFlags.prioritizePartials,
    ],
  ])('%s', (_, situation, expected) => expect(pickerFlags(situation)).toBe(expected))
})
