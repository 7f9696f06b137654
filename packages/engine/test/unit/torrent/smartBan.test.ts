import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { TorrentPeer } from '../../../src/peers/torrentPeer.ts'
import { SmartBan } from '../../../src/torrent/smartBan.ts'

const peer = (last: number) => new TorrentPeer({ address: `1.0.0.${last}`, port: 6881 }, true, 1)
const [anna, bert, carl] = [peer(1), peer(2), peer(3)]
const hashOf = (text: string) => createHash('sha1').update(text).digest()

/** Answers hashes of blocks with what the test says is on disk. */
function scene(maxPieces?: number, maxVersions?: number) {
  const asked: [number, number][] = []
  const liars: TorrentPeer[] = []
  const innocents: [TorrentPeer, number][] = []
  const smartBan = new SmartBan(
    {
      hashBlock: (piece, block) => asked.push([piece, block]),
      onLiar: (liar) => liars.push(liar),
      onInnocent: (innocent, failures) => innocents.push([innocent, failures]),
    },
    maxPieces,
    maxVersions,
  )
  /** Null for a block that cannot be read. */
  const answer = (blocks: readonly (string | null)[]) => {
    for (const [piece, block] of asked.splice(0)) {
      const bytes = blocks[block]
      smartBan.onBlockHashed(piece, block, bytes === null ? null : hashOf(bytes))
    }
  }
  const fail = (piece: number, senders: readonly (TorrentPeer | null)[], blocks: readonly (string | null)[]) => {
    smartBan.onPieceFailed(piece, senders)
    answer(blocks)
  }
  const pass = (piece: number, blocks: readonly (string | null)[]) => {
    smartBan.onPiecePassed(piece)
    answer(blocks)
  }
  return { smartBan, asked, liars, innocents, answer, fail, pass }
}

test('the sender of the block that differs is the liar, and the others are absolved', () => {
  const { fail, pass, liars, innocents, smartBan } = scene()
  fail(7, [anna, bert, carl, anna], ['a', 'WRONG', 'c', 'd'])
  expect(liars).toEqual([])
  pass(7, ['a', 'b', 'c', 'd'])
  expect(liars).toEqual([bert])
  expect(innocents).toEqual([
    [anna, 1],
    [carl, 1],
  ])
  expect(smartBan.size).toBe(0)
})

test('several liars of one piece are all found, each with its own block', () => {
  const { fail, pass, liars, innocents } = scene()
  fail(0, [anna, bert, carl], ['a', 'WRONG', 'WRONG'])
  pass(0, ['a', 'b', 'c'])
  expect(liars).toEqual([bert, carl])
  expect(innocents).toEqual([[anna, 1]])
})

test('a peer that sends two versions of one block is a liar before the piece has passed', () => {
  const { fail, liars } = scene()
  fail(0, [anna, bert], ['a', 'WRONG'])
  fail(0, [anna, bert], ['a', 'b'])
  expect(liars).toEqual([bert])
})

test('a peer that sends the same wrong block again is found when the piece passes', () => {
  const { fail, pass, liars, innocents } = scene()
  fail(0, [anna, bert], ['a', 'WRONG'])
  fail(0, [anna, bert], ['a', 'WRONG'])
  expect(liars).toEqual([])
  pass(0, ['a', 'b'])
  expect(liars).toEqual([bert])
  expect(innocents).toEqual([[anna, 2]])
})

test('what others sent of a block at an earlier failure is not forgotten', () => {
  const { fail, pass, liars, innocents } = scene()
  fail(0, [bert, anna], ['WRONG', 'b'])
  fail(0, [anna, carl], ['a', 'WRONG TOO'])
  pass(0, ['a', 'b'])
  expect(liars).toEqual([bert, carl])
  expect(innocents).toEqual([[anna, 2]])
})

test('a block nobody is known to have sent is not read, and a piece of such blocks is not remembered', () => {
  const { smartBan, asked } = scene()
  smartBan.onPieceFailed(0, [null, anna, null])
  expect(asked).toEqual([[0, 1]])
  smartBan.onPieceFailed(1, [null, null])
  expect(smartBan.size).toBe(1)
})

test('of what could not be read nothing is said, neither for nor against', () => {
  const { fail, pass, liars, innocents } = scene()
  fail(0, [anna, bert], [null, 'WRONG'])
  pass(0, ['a', null])
  expect([liars, innocents]).toEqual([[], []])
  fail(1, [anna, bert], [null, 'WRONG'])
  pass(1, ['a', 'b'])
  expect([liars, innocents]).toEqual([[bert], []])
})

test('a peer that has left the list is neither blamed nor kept', () => {
  const { smartBan, fail, answer, pass, liars } = scene()
  fail(0, [anna, bert], ['a', 'WRONG'])
  smartBan.onPieceFailed(1, [bert, anna])
  smartBan.clearPeer(bert)
  answer(['WRONG', 'b'])
  pass(0, ['a', 'b'])
  pass(1, ['a', 'b'])
  expect(liars).toEqual([])
})

test('a suspect may be absolved until all is compared, or it is suspected too often', () => {
  const { smartBan, fail, pass, asked, answer } = scene()
  expect(smartBan.mayAbsolve(anna)).toBe(false)
  fail(0, [anna, bert], ['a', 'WRONG'])
  smartBan.onPiecePassed(0)
  expect(asked).toHaveLength(2)
  expect([anna, bert, carl].map((one) => smartBan.mayAbsolve(one))).toEqual([true, true, false])
  answer(['a', 'b'])
  expect(smartBan.mayAbsolve(anna)).toBe(false)
  for (let piece = 0; piece < 32; piece++) fail(piece, [anna, bert], ['a', 'WRONG'])
  expect(smartBan.mayAbsolve(anna)).toBe(true)
  fail(32, [anna, bert], ['a', 'WRONG'])
  expect(smartBan.mayAbsolve(anna)).toBe(false)
  pass(32, ['a', 'b'])
  expect(smartBan.mayAbsolve(anna)).toBe(true)
})

test('while no piece has failed nothing is asked of the disk', () => {
  const { smartBan, asked } = scene()
  for (let piece = 0; piece < 100; piece++) smartBan.onPiecePassed(piece)
  smartBan.onBlockHashed(3, 0, hashOf('late'))
  expect([asked, smartBan.size]).toEqual([[], 0])
})

test('beyond the limit of pieces the oldest failure is forgotten', () => {
  const { smartBan, fail, pass, liars } = scene(3)
  for (const piece of [0, 1, 2, 0, 3]) fail(piece, [anna, bert], ['a', 'WRONG'])
  expect(smartBan.size).toBe(3)
  pass(1, ['a', 'b'])
  expect(liars).toEqual([])
  pass(0, ['a', 'b'])
  expect(liars).toEqual([bert])
})

test('beyond the limit of blocks the oldest failures are forgotten, but never the latest', () => {
  const { smartBan, fail } = scene(64, 5)
  fail(0, [anna, bert], ['a', 'b'])
  fail(1, [anna, bert], ['a', 'b'])
  expect(smartBan.size).toBe(2)
  fail(2, [anna, bert, carl, anna, bert, carl], ['a', 'b', 'c', 'd', 'e', 'f'])
  expect(smartBan.size).toBe(1)
})

test('a piece that fails without end with ever other blocks keeps a few versions of each', () => {
  const { smartBan, fail, pass, liars } = scene(64, 1000)
  const crowd = Array.from({ length: 50 }, (_, i) => peer(i + 10))
  crowd.forEach((sender, i) => {
    fail(0, [sender, anna], [`WRONG ${i}`, 'b'])
  })
  expect(smartBan.size).toBe(1)
  pass(0, ['a', 'b'])
  expect(liars).toEqual(crowd.slice(0, 4))
})
