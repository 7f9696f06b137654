import type { PeerConnection } from '../peer/peerConnection.ts'

/** With more than this share of its connections still opening, one of those makes way for whoever is here already. */
const CONNECTING_SHARE = 0.1

/**
 * Which of the connections of a full torrent makes way for one that a peer has opened (libtorrent): the attempt under
 * way longest, if many are; otherwise the peer with the lowest priority (BEP 40), if it is below the newcomer's.
 * Null: the newcomer has to go.
 */
export function whoMakesWay(
  connections: ReadonlySet<PeerConnection>,
  limit: number,
  newcomerRank: number,
  rankOf: (peer: PeerConnection) => number,
): PeerConnection | null {
  let numConnecting = 0
  let longest: PeerConnection | null = null
  for (const peer of connections) {
    if (peer.state !== 'connecting') continue
    numConnecting++
    if (longest === null || peer.createdAt < longest.createdAt) longest = peer
  }
  if (numConnecting > limit * CONNECTING_SHARE) return longest
  const lowest = lowestRanking(connections, rankOf)
  return lowest !== null && rankOf(lowest) < newcomerRank ? lowest : null
}

/** The peer with the lowest priority towards us; null when there is none. */
export function lowestRanking(
  connections: Iterable<PeerConnection>,
  rankOf: (peer: PeerConnection) => number,
): PeerConnection | null {
  let lowest: PeerConnection | null = null
  let lowestRank = Number.POSITIVE_INFINITY
  for (const peer of connections) {
    const rank = rankOf(peer)
    if (lowest !== null && rank >= lowestRank) continue
    lowest = peer
    lowestRank = rank
  }
  return lowest
}
