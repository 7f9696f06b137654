import type { TorrentPeer } from './torrentPeer.ts'

const MAX_TRUST_POINTS = 8
const MIN_TRUST_POINTS = -7
const MAX_HASHFAILS = 255

/** A piece passed its hash check: those who sent parts of it gain trust and leave parole. Repeated peers count once. */
export function rewardPiecePeers(peers: Iterable<TorrentPeer>): void {
  for (const peer of new Set(peers)) {
    peer.onParole = false
    peer.trustPoints = Math.min(MAX_TRUST_POINTS, peer.trustPoints + 1)
  }
}

/**
 * A piece failed its hash check: those who sent parts of it lose trust, and go on parole if that mode is used.
 * Losing is faster than gaining, so that few bad pieces among good ones are enough.
 *
 * Null among `peers` stands for blocks that nobody known has sent. Returns those to ban: with no trust left, or the only
 * sender, who is known to be at fault.
 * Banning (`PeerList.ban`), `peerBan` and closing with `tooManyCorruptPieces` are the caller's, who may first wait for
 * proof against those who were not alone (see `SmartBan.mayAbsolve`).
 */
export function penalizePiecePeers<P extends TorrentPeer>(peers: Iterable<P | null>, useParoleMode: boolean): P[] {
  const senders = new Set(peers)
  const toBan: P[] = []
  for (const peer of senders) {
    if (peer === null) continue
    if (useParoleMode) peer.onParole = true
    peer.trustPoints = Math.max(MIN_TRUST_POINTS, peer.trustPoints - 2)
    peer.hashfails = Math.min(MAX_HASHFAILS, peer.hashfails + 1)
    if (peer.trustPoints <= MIN_TRUST_POINTS || senders.size === 1) toBan.push(peer)
  }
  return toBan
}

/** A peer was suspected of `failures` bad pieces, and is known now to have sent none but good blocks of them. */
export function absolvePeer(peer: TorrentPeer, failures: number): void {
  peer.onParole = false
  peer.trustPoints = Math.min(MAX_TRUST_POINTS, peer.trustPoints + 2 * failures)
}
