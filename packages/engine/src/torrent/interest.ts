import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'

export interface InterestHost {
  /** Null when every piece is had, or the metadata is not known. */
  readonly picker: PiecePicker<TorrentPeer> | null
  /** False in upload mode: nothing is wanted then. */
  readonly isDownloadAllowed: boolean
}

/**
 * Keeps, for each connection, how many pieces it has that we want, and tells the peer when that becomes or ceases
 * to be none. A HAVE or a piece gained changes the number by one; only bitfields and priorities make it counted anew.
 */
export class Interest {
  constructor(private readonly host: InterestHost) {}

  /** The peer's pieces, or what we want, have changed as a whole. */
  recount(peer: PeerConnection): void {
    peer.wantedPieces = this.count(peer)
    this.update(peer)
  }

  peerHas(peer: PeerConnection, piece: number): void {
    if (this.host.picker?.isWanted(piece)) peer.wantedPieces++
    this.update(peer)
  }

  peerHasNot(peer: PeerConnection, piece: number): void {
    if (this.host.picker?.isWanted(piece)) peer.wantedPieces--
    this.update(peer)
  }

  /** We got a piece; one of priority 0 was not counted. */
  gained(peer: PeerConnection, piece: number): void {
    const wasWanted = (this.host.picker?.piecePriority(piece) ?? 0) > 0
    if (wasWanted && peer.pieces.get(piece)) peer.wantedPieces--
    this.update(peer)
  }

  update(peer: PeerConnection): void {
    if (peer.isReady) peer.setInteresting(peer.wantedPieces > 0 && this.host.isDownloadAllowed)
  }

  private count(peer: PeerConnection): number {
    const { picker } = this.host
    if (picker === null) return 0
    if (peer.isSeed) return picker.numWantLeft
    let wanted = 0
    peer.pieces.forEachSet((piece) => {
      if (picker.isWanted(piece)) wanted++
    })
    return wanted
  }
}
