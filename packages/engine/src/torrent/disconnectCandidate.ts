import type { PeerConnection } from '../peer/peerConnection.ts'
import type { DisconnectCandidate } from '../peers/disconnectOrder.ts'

/** A connection as the choice of whom to disconnect sees it. */
export function asDisconnectCandidate(peer: PeerConnection): DisconnectCandidate {
  return {
    isClosed: peer.isClosed,
    isInteresting: peer.isInteresting,
    isSeed: peer.isSeed,
    isOnParole: peer.entry?.onParole ?? false,
    totalPayloadDownload: peer.stats.totalPayloadDownload,
    connectedAt: peer.connectedAt,
    isChoked: peer.upload.isChoked,
    lastReceived: peer.lastReceived,
  }
}
