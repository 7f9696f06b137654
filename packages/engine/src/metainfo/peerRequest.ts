import type { PieceIndex } from '../util/flavored.ts'

/** A range of bytes inside a piece: libtorrent's `peer_request`. May reach beyond the end of its piece (`mapFile`). */
export interface PeerRequest {
  /** The piece the range begins in. */
  readonly piece: PieceIndex
  /** Offset of the range in that piece, bytes. */
  readonly start: number
  /** Length of the range, bytes. */
  readonly length: number
}

/** libtorrent's `peer_request::operator==`. */
export function samePeerRequest(a: PeerRequest, b: PeerRequest): boolean {
  return a.piece === b.piece && a.start === b.start && a.length === b.length
}
