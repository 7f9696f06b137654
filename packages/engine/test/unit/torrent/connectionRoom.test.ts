import { expect, test } from 'vitest'
import type { PeerConnection, PeerState } from '../../../src/peer/peerConnection.ts'
import { lowestRanking, whoMakesWay } from '../../../src/torrent/connectionRoom.ts'

/** The part of a connection that decides. */
interface Fake {
  readonly state: PeerState
  readonly createdAt: number
  readonly rank: number
}

function connected(rank: number): Fake {
  return { state: 'ready', createdAt: 0, rank }
}

function connecting(createdAt: number): Fake {
  return { state: 'connecting', createdAt, rank: 0 }
}

const rankOf = (peer: unknown) => (peer as Fake).rank

function leaving(peers: readonly Fake[], limit: number, newcomerRank: number): unknown {
  return whoMakesWay(new Set(peers) as unknown as Set<PeerConnection>, limit, newcomerRank, rankOf)
}

test('with more than a tenth of the connections still opening, the attempt under way longest makes way', () => {
  const oldest = connecting(100)
  const peers = [...Array.from({ length: 18 }, () => connected(5)), connecting(300), oldest, connecting(200)]
  expect(leaving(peers, 20, 0)).toBe(oldest)
})

test('otherwise the peer of the lowest priority does, if the newcomer has a higher one', () => {
  const lowest = connected(3)
  const peers = [connected(7), lowest, connected(5), ...Array.from({ length: 17 }, () => connected(9))]
  expect(leaving(peers, 20, 4)).toBe(lowest)
  expect(leaving(peers, 20, 3)).toBeNull()
})

test('nobody makes way while priorities are unknown', () => {
  expect(leaving([connected(0), connected(0)], 2, 0)).toBeNull()
})

test('of no peers none has the lowest priority', () => {
  expect(lowestRanking([], rankOf)).toBeNull()
})
