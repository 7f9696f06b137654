import type { Millis } from '../util/flavored.ts'

/** What a choker needs of a torrent; peers of one torrent share one object. */
export interface UnchokeTorrent {
  readonly pieceLength: number
  readonly totalSize: number
  /** Most peers of the torrent unchoked at a time (`set_max_uploads`), -1 for no limit. */
  readonly maxUploads: number
}

/**
 * A connected peer that is interested in us and so may be unchoked. Peers that are not are choked by the caller
 * without asking; neither are peers exempt from the slots (local ones) passed to a choker.
 */
export interface UnchokeCandidate {
  readonly torrent: UnchokeTorrent
  /** We choke it now. */
  readonly isChoked: boolean
  readonly isOptimisticallyUnchoked: boolean
  /** Payload bytes since the last unchoke round. */
  readonly downloadedInLastRound: number
  readonly uploadedInLastRound: number
  /** Payload bytes we sent since we last unchoked it. */
  readonly uploadedSinceUnchoked: number
  /** Payload bytes we sent in all. */
  readonly totalPayloadUpload: number
  /** Pieces the peer has. */
  readonly numHavePieces: number
  /** When we last unchoked it, 0 for never. */
  readonly lastUnchoked: Millis
  /** When it last became an optimistic unchoke, 0 for never. */
  readonly lastOptimisticallyUnchoked: Millis
  /** Higher comes first whatever the rates; 1 unless peer classes say otherwise. */
  readonly uploadPriority: number
}
