import { describe, expect, test } from 'vitest'
import { chooseUnchoked, type UnchokeRules } from '../../../src/choking/chooseUnchoked.ts'
import { ChokingAlgorithm, SeedChokingAlgorithm } from '../../../src/settings/settingEnums.ts'
import { aPeer, aTorrent, INTERVAL, type NamedCandidate, NOW, names, theRules } from './unchokePeers.ts'

function unchoked(peers: readonly NamedCandidate[], rules: Partial<UnchokeRules> = {}): string[] {
  return names(chooseUnchoked(peers, theRules(rules), INTERVAL, NOW).unchoked)
}

describe('fixed slots, downloading', () => {
  test('those who gave most in the last round get the slots, one of which is kept for an optimistic unchoke', () => {
    const peers = [10, 40, 20, 30].map((bytes) => aPeer(`gave ${bytes}`, { downloadedInLastRound: bytes }))
    expect(unchoked(peers)).toEqual(['gave 40', 'gave 30'])
  })

  test('a higher priority comes before any rate', () => {
    const peers = [aPeer('fast', { downloadedInLastRound: 1e6 }), aPeer('important', { uploadPriority: 2 })]
    expect(unchoked(peers, { unchokeSlotsLimit: 2 })).toEqual(['important'])
  })

  test('without a limit everybody is unchoked', () => {
    const peers = ['a', 'b', 'c', 'd', 'e'].map((name) => aPeer(name))
    const round = chooseUnchoked(peers, theRules({ unchokeSlotsLimit: -1 }), INTERVAL, NOW)
    expect(round.slots).toBe(Number.POSITIVE_INFINITY)
    expect(names(round.unchoked)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('without slots nobody is', () => {
    expect(unchoked([aPeer('a')], { unchokeSlotsLimit: 0 })).toEqual([])
  })

  test('as many slots are kept as there are optimistic unchokes now', () => {
    const peers = [
      ...['a', 'b', 'c'].map((name) => aPeer(name, { isChoked: false, downloadedInLastRound: 10 })),
      ...['d', 'e'].map((name) => aPeer(name, { isChoked: false, isOptimisticallyUnchoked: true })),
    ]
    expect(unchoked(peers, { unchokeSlotsLimit: 4 })).toEqual(['a', 'b'])
  })

  test('an optimistic unchoke that gives enough earns a regular slot', () => {
    const newcomer = aPeer('newcomer', { isChoked: false, isOptimisticallyUnchoked: true, downloadedInLastRound: 100 })
    const peers = [aPeer('a', { downloadedInLastRound: 10 }), newcomer, aPeer('b', { downloadedInLastRound: 20 })]
    expect(unchoked(peers, { unchokeSlotsLimit: 2 })).toEqual(['newcomer'])
  })

  test('by default a fifth of the slots is kept, and never none', () => {
    const peers = Array.from({ length: 20 }, (_, i) => aPeer(`${i}`))
    for (const [slots, regular] of [
      [1, 0],
      [4, 3],
      [8, 7],
      [15, 12],
    ]) {
      expect(unchoked(peers, { unchokeSlotsLimit: slots, numOptimisticUnchokeSlots: 0 })).toHaveLength(regular)
    }
  })

  test('a torrent with a limit of its own leaves its slots to peers of others', () => {
    const small = aTorrent(1)
    const peers = [
      aPeer('small 1', { torrent: small, downloadedInLastRound: 30 }),
      aPeer('small 2', { torrent: small, downloadedInLastRound: 20 }),
      aPeer('other', { downloadedInLastRound: 10 }),
    ]
    expect(unchoked(peers)).toEqual(['small 1', 'other'])
    expect(unchoked(peers, { unchokeSlotsLimit: -1 })).toEqual(['small 1', 'other'])
  })
})

describe('seeding, round robin', () => {
  const done = { isChoked: false, uploadedSinceUnchoked: 20_001, lastUnchoked: NOW - 60_001, uploadedInLastRound: 999 }

  test('who is unchoked stays so until it has had its quota', () => {
    const peers = [
      aPeer('waiting', { lastUnchoked: 1 }),
      aPeer('being served', { ...done, uploadedSinceUnchoked: 20_000 }),
    ]
    expect(unchoked(peers, { unchokeSlotsLimit: 2 })).toEqual(['being served'])
  })

  test('who has had its quota makes room for who waited longest', () => {
    const peers = [
      aPeer('served', done),
      aPeer('waited', { lastUnchoked: 2 }),
      aPeer('waited longest', { lastUnchoked: 1 }),
    ]
    expect(unchoked(peers, { unchokeSlotsLimit: 2 })).toEqual(['waited longest'])
  })

  test('but not within the first minute', () => {
    const peers = [aPeer('served fast', { ...done, lastUnchoked: NOW - 60_000 }), aPeer('waiting', { lastUnchoked: 1 })]
    expect(unchoked(peers, { unchokeSlotsLimit: 2 })).toEqual(['served fast'])
  })

  test('what trickled out to a peer choked meanwhile counts nothing', () => {
    const peers = [
      aPeer('choked a moment ago', { uploadedInLastRound: 5000, lastUnchoked: NOW - 15_000 }),
      aPeer('never unchoked'),
    ]
    expect(unchoked(peers, { unchokeSlotsLimit: 2 })).toEqual(['never unchoked'])
  })
})

describe('seeding, other ways', () => {
  test('fastest upload: those we send to fastest', () => {
    const peers = [10, 30, 20].map((bytes) => aPeer(`${bytes}`, { uploadedInLastRound: bytes }))
    expect(unchoked(peers, { seedChokingAlgorithm: SeedChokingAlgorithm.fastestUpload })).toEqual(['30', '20'])
  })

  test('anti leech: those who have just begun or are nearly done', () => {
    const peers = [50, 5, 70, 98].map((pieces) => aPeer(`${pieces} %`, { numHavePieces: pieces }))
    const rules = { seedChokingAlgorithm: SeedChokingAlgorithm.antiLeech }
    expect(unchoked(peers, rules)).toEqual(['98 %', '5 %'])
  })

  test('anti leech: what we sent counts as had, so that hiding pieces is no use, and helps nobody past half', () => {
    const rules = { seedChokingAlgorithm: SeedChokingAlgorithm.antiLeech, unchokeSlotsLimit: 2 }
    const hider = aPeer('says it has nothing', { totalPayloadUpload: 40_000 })
    expect(unchoked([hider, aPeer('has 20 %', { numHavePieces: 20 })], rules)).toEqual(['has 20 %'])
    const greedy = aPeer('had everything twice', { totalPayloadUpload: 200_000 })
    expect(unchoked([greedy, aPeer('has 45 %', { numHavePieces: 45 })], rules)).toEqual(['has 45 %'])
  })
})

describe('rate based', () => {
  /** Peers we sent to at the given rates, in bytes a second. */
  function peersAt(...rates: number[]): NamedCandidate[] {
    return rates.map((rate) => aPeer(`${rate}`, { uploadedInLastRound: (rate * INTERVAL) / 1000, isChoked: false }))
  }

  test.each([
    ['nobody is sent anything', [0, 0, 0], 1],
    ['one reaches the first threshold', [1024, 1023], 2],
    ['each reaches a threshold 2048 higher than the one before', [1024 + 4096, 1024 + 4096, 1024 + 4096], 4],
    ['the third is too slow', [9000, 9000, 1024 + 4096 - 1, 1024], 3],
  ])('when %s, the slots are as many as reach their threshold, and one to try', (_, rates, slots) => {
    const rules = theRules({ chokingAlgorithm: ChokingAlgorithm.rateBasedChoker })
    expect(chooseUnchoked(peersAt(...rates), rules, INTERVAL, NOW).slots).toBe(slots)
  })
})
