import { isBetterToErase } from './peerOrder.ts'
import { PeerSource } from './peerSource.ts'
import type { TorrentPeer } from './torrentPeer.ts'

/** A list that can be weeded. */
export interface WeededList<P> {
  readonly size: number
  at(index: number): P
  /** Of no use any more. */
  isEraseCandidate(peer: P): boolean
  /** Can be spared if need be. */
  isForceEraseCandidate(peer: P): boolean
  /** Another peer may move into its place. */
  erase(peer: P): void
}

/** Beyond this share of its limit a list is weeded. */
const WEEDING_SHARE = 0.95
/** Peers looked at to find one to erase: bounds the cost whatever the size of the list (libtorrent). */
const SCAN_COUNT = 300

/** Whether a list of `size` peers with room for `maxSize` (0 for no limit) is to be weeded, bit by bit. */
export function needsWeeding(size: number, maxSize: number): boolean {
  return maxSize > 0 && size >= maxSize * WEEDING_SHARE
}

/**
 * The verdict on a peer of no use, `worst` being the worst one seen so far: `erase` it at once, it is the new `worst`,
 * or it may stay (libtorrent). What only resume data knew of is not kept for the next time.
 */
export function judgeUseless<P extends TorrentPeer>(peer: P, worst: P | null): 'erase' | 'worst' | 'stays' {
  if (worst !== null && isBetterToErase(worst, peer)) return 'stays'
  return peer.source === PeerSource.resumeData ? 'erase' : 'worst'
}

/**
 * Makes room in a full list with place for `maxSize`: erases the worst of the peers from index `start` on, 300 of them
 * at most; when `force`, one that is still good if there is no other.
 */
export function makeRoom<P extends TorrentPeer>(
  list: WeededList<P>,
  maxSize: number,
  start: number,
  force: boolean,
): void {
  const enough = Math.min(Math.floor(maxSize * WEEDING_SHARE), maxSize - 1)
  let at = start
  let worst: P | null = null
  let worstForced: P | null = null
  for (let i = Math.min(list.size, SCAN_COUNT); i > 0 && list.size >= enough && list.size > 0; i--) {
    if (at >= list.size) at = 0
    const peer = list.at(at)
    const verdict = list.isEraseCandidate(peer) ? judgeUseless(peer, worst) : 'stays'
    if (verdict === 'erase') {
      // Another peer moves into its place: the position stays.
      list.erase(peer)
      continue
    }
    if (verdict === 'worst') worst = peer
    if (list.isForceEraseCandidate(peer) && (worstForced === null || !isBetterToErase(worstForced, peer))) {
      worstForced = peer
    }
    at++
  }
  if (worst !== null) list.erase(worst)
  else if (force && worstForced !== null) list.erase(worstForced)
}
