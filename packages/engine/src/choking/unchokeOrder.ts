import { SeedChokingAlgorithm } from '../settings/settingEnums.ts'
import type { Millis } from '../util/flavored.ts'
import type { UnchokeCandidate } from './unchokeCandidate.ts'

/** A peer keeps its slot at least this long before its quota counts. */
const MIN_TURN_MS = 60_000

type Order = (a: UnchokeCandidate, b: UnchokeCandidate) => number

/**
 * Sorts whom to unchoke first to the front. First by priority, then by what the peer sent us in the last round:
 * while downloading that is tit for tat. Seeding, nobody sends us anything and `algorithm` decides.
 * The last tie goes to whoever waited longest.
 */
export function unchokeOrder(algorithm: SeedChokingAlgorithm, seedingPieceQuota: number, now: Millis): Order {
  const seedOrder = seedOrders[algorithm](seedingPieceQuota, now)
  return (a, b) =>
    b.uploadPriority - a.uploadPriority ||
    b.downloadedInLastRound - a.downloadedInLastRound ||
    seedOrder(a, b) ||
    a.lastUnchoked - b.lastUnchoked
}

const seedOrders: Record<SeedChokingAlgorithm, (quota: number, now: Millis) => Order> = {
  [SeedChokingAlgorithm.roundRobin]: (quota, now) => (a, b) =>
    Number(hasHadItsTurn(a, quota, now)) - Number(hasHadItsTurn(b, quota, now)) || liveUpload(b) - liveUpload(a),
  [SeedChokingAlgorithm.fastestUpload]: () => (a, b) => b.uploadedInLastRound - a.uploadedInLastRound,
  [SeedChokingAlgorithm.antiLeech]: () => (a, b) => antiLeechScore(b) - antiLeechScore(a),
}

/** Unchoked for a minute, and sent `quota` pieces since. */
function hasHadItsTurn(peer: UnchokeCandidate, quota: number, now: Millis): boolean {
  return (
    !peer.isChoked &&
    peer.uploadedSinceUnchoked > peer.torrent.pieceLength * quota &&
    now - peer.lastUnchoked > MIN_TURN_MS
  )
}

/** What still trickled out to a peer choked a moment ago must not bring it back at once. */
function liveUpload(peer: UnchokeCandidate): number {
  return peer.isChoked ? 0 : peer.uploadedInLastRound
}

/**
 * From 1000 for a peer with nothing, or everything, down to 0 for one with half (Chow et al., "Improving BitTorrent: a
 * simple approach"). What we sent it counts as had, up to half, so that hiding pieces does not help.
 */
function antiLeechScore(peer: UnchokeCandidate): number {
  const { totalSize, pieceLength } = peer.torrent
  if (totalSize === 0) return 0
  const given = Math.min(peer.totalPayloadUpload, totalSize / 2)
  const had = Math.max(given, pieceLength * peer.numHavePieces)
  return Math.abs(Math.trunc(((had - totalSize / 2) * 2000) / totalSize))
}
