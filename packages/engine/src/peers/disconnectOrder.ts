import type { Millis } from '../util/flavored.ts'

/** What deciding whom to disconnect takes. */
export interface DisconnectCandidate {
  readonly isClosed: boolean
  /** It has something we want. */
  readonly isInteresting: boolean
  readonly isSeed: boolean
  readonly isOnParole: boolean
  /** Payload bytes it sent us. */
  readonly totalPayloadDownload: number
  readonly connectedAt: Millis
  /** We choke it. */
  readonly isChoked: boolean
  readonly lastReceived: Millis
}

/**
 * The `count` least useful of `peers`, worst first (libtorrent): who is closing already, has nothing we want, is no
 * seed, is suspected of bad data, sent us less per second since it connected, is choked by us, was heard of longest ago.
 */
export function leastUseful<P>(
  peers: Iterable<P>,
  count: number,
  now: Millis,
  describe: (peer: P) => DisconnectCandidate,
): P[] {
  if (count <= 0) return []
  const ranked = Array.from(peers, (peer) => {
    const candidate = describe(peer)
    return { peer, candidate, rate: bytesPerSecond(candidate, now) }
  })
  ranked.sort(
    ({ candidate: a, rate: aRate }, { candidate: b, rate: bRate }) =>
      Number(b.isClosed) - Number(a.isClosed) ||
      Number(a.isInteresting) - Number(b.isInteresting) ||
      Number(a.isSeed) - Number(b.isSeed) ||
      Number(b.isOnParole) - Number(a.isOnParole) ||
      aRate - bRate ||
      Number(b.isChoked) - Number(a.isChoked) ||
      a.lastReceived - b.lastReceived,
  )
  return ranked.slice(0, count).map(({ peer }) => peer)
}

/** Whole bytes, over whole seconds and one more: whoever came a moment ago is not judged by that moment. */
function bytesPerSecond({ totalPayloadDownload, connectedAt }: DisconnectCandidate, now: Millis): number {
  return Math.floor(totalPayloadDownload / (Math.floor((now - connectedAt) / 1000) + 1))
}
