import { describe, expect, test } from 'vitest'
import { chooseOptimisticUnchokes, optimisticSlots } from '../../../src/choking/optimisticUnchoke.ts'
import { aPeer, aTorrent, names } from './unchokePeers.ts'

describe('optimistic unchokes', () => {
  test('go to those who waited longest, never to those in a regular slot', () => {
    const peers = [
      aPeer('regular', { isChoked: false }),
      aPeer('recent', { lastOptimisticallyUnchoked: 300 }),
      aPeer('long ago', { lastOptimisticallyUnchoked: 100 }),
      aPeer('newcomer'),
    ]
    expect(names(chooseOptimisticUnchokes(peers, 10, 2))).toEqual(['newcomer', 'long ago'])
  })

  test('go to somebody else at the next turn, unless there is nobody else', () => {
    const current = aPeer('current', {
      isChoked: false,
      isOptimisticallyUnchoked: true,
      lastOptimisticallyUnchoked: 500,
    })
    expect(names(chooseOptimisticUnchokes([current, aPeer('next')], 5, 1))).toEqual(['next'])
    expect(names(chooseOptimisticUnchokes([current], 5, 1))).toEqual(['current'])
  })

  test('are a fifth of the slots, at least one, unless the setting says how many', () => {
    expect([1, 4, 8, 10, 20].map((slots) => optimisticSlots(slots, 0))).toEqual([1, 1, 1, 2, 4])
    expect(optimisticSlots(20, 7)).toBe(7)
  })

  test('are none when there are no slots, or no limit on them', () => {
    expect(chooseOptimisticUnchokes([aPeer('a')], 0, 1)).toEqual([])
    expect(chooseOptimisticUnchokes([aPeer('a')], Number.POSITIVE_INFINITY, 1)).toEqual([])
  })

  test('leave out peers of a torrent whose own slots are used up', () => {
    const small = aTorrent(1)
    const peers = [
      aPeer('regular', { torrent: small, isChoked: false }),
      aPeer('full', { torrent: small }),
      aPeer('other', { lastOptimisticallyUnchoked: 100 }),
    ]
    expect(names(chooseOptimisticUnchokes(peers, 10, 1))).toEqual(['other'])
  })

  test('everybody interested gets its turn', () => {
    const times = new Map(['a', 'b', 'c', 'd'].map((name) => [name, 0]))
    const turns: string[] = []
    for (let round = 1; round <= 4; round++) {
      const peers = [...times].map(([name, at]) => aPeer(name, { lastOptimisticallyUnchoked: at }))
      const [chosen] = names(chooseOptimisticUnchokes(peers, 5, 1))
      times.set(chosen, round)
      turns.push(chosen)
    }
    expect(turns.sort()).toEqual(['a', 'b', 'c', 'd'])
  })
})
