import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseUnchoked } from '../../../src/choking/chooseUnchoked.ts'
import { chooseOptimisticUnchokes } from '../../../src/choking/optimisticUnchoke.ts'
import { aPeer, aTorrent, INTERVAL, NOW, theRules } from '../../unit/choking/unchokePeers.ts'

const torrents = [aTorrent(), aTorrent(0), aTorrent(2)]
const peer = fc
  .record({
    torrent: fc.constantFrom(...torrents),
    isChoked: fc.boolean(),
    isOptimisticallyUnchoked: fc.boolean(),
    downloadedInLastRound: fc.nat({ max: 3 }),
    uploadedInLastRound: fc.nat({ max: 100_000 }),
    uploadedSinceUnchoked: fc.nat({ max: 40_000 }),
    totalPayloadUpload: fc.nat({ max: 200_000 }),
    numHavePieces: fc.nat({ max: 100 }),
    lastUnchoked: fc.nat({ max: NOW }),
    lastOptimisticallyUnchoked: fc.nat({ max: NOW }),
    uploadPriority: fc.integer({ min: 1, max: 2 }),
  })
  .map((fields) =>
    aPeer('', { ...fields, isOptimisticallyUnchoked: fields.isOptimisticallyUnchoked && !fields.isChoked }),
  )
const rules = fc
  .record({
    chokingAlgorithm: fc.constantFrom(0 as const, 2 as const),
    seedChokingAlgorithm: fc.constantFrom(0 as const, 1 as const, 2 as const),
    unchokeSlotsLimit: fc.integer({ min: -1, max: 12 }),
    numOptimisticUnchokeSlots: fc.nat({ max: 3 }),
  })
  .map(theRules)

describe('choking', () => {
  test('no round unchokes more peers than there are slots, in all or of one torrent, nor a worse peer than it chokes', () => {
    fc.assert(
      fc.property(fc.array(peer, { maxLength: 40 }), rules, (peers, theseRules) => {
        const { slots, unchoked } = chooseUnchoked(peers, theseRules, INTERVAL, NOW)
        expect(unchoked.size).toBeLessThanOrEqual(slots)
        for (const torrent of torrents) {
          const uploads = [...unchoked].filter((each) => each.torrent === torrent).length
          if (torrent.maxUploads >= 0) expect(uploads).toBeLessThanOrEqual(torrent.maxUploads)
        }
        if (slots === Number.POSITIVE_INFINITY) return
        const merit = (each: (typeof peers)[number]): number => each.uploadPriority * 10 + each.downloadedInLastRound
        const worst = Math.min(...[...unchoked].map(merit))
        const choked = peers.filter((each) => !unchoked.has(each) && each.torrent.maxUploads < 0)
        if (unchoked.size > 0) for (const each of choked) expect(merit(each)).toBeLessThanOrEqual(worst)
      }),
    )
  })

  test('optimistic unchokes are choked or optimistic before, and no more than asked for', () => {
    fc.assert(
      fc.property(
        fc.array(peer, { maxLength: 40 }),
        fc.nat({ max: 20 }),
        fc.nat({ max: 4 }),
        (peers, slots, setting) => {
          const chosen = chooseOptimisticUnchokes(peers, slots, setting)
          expect(new Set(chosen).size).toBe(chosen.length)
          expect(chosen.every((each) => each.isChoked || each.isOptimisticallyUnchoked)).toBe(true)
          expect(chosen.length).toBeLessThanOrEqual(setting > 0 ? setting : Math.max(1, Math.floor(slots / 5)))
        },
      ),
    )
  })
})
