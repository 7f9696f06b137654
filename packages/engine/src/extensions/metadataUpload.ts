import { METADATA_PIECE_SIZE } from '../wire/utMetadataMessage.ts'

/** While this much waits to be sent to the peer, metadata waits too (libtorrent). */
export const METADATA_SEND_BUFFER_LIMIT = 160 * 1024
/** Requests of one peer that may wait; more are rejected (libtorrent). */
const MAX_WAITING = 1024

/** Piece `piece` of the info section, a view; null when there is none. */
export function metadataPiece(metadata: Uint8Array, piece: number): Uint8Array | null {
  if (!Number.isSafeInteger(piece) || piece < 0 || piece * METADATA_PIECE_SIZE >= metadata.length) return null
  return metadata.subarray(piece * METADATA_PIECE_SIZE, (piece + 1) * METADATA_PIECE_SIZE)
}

/** One peer's requests for metadata that wait because it reads too slowly (BEP 9). */
export class MetadataUpload {
  private waiting: number[] = []

  get waitingRequests(): number {
    return this.waiting.length
  }

  /**
   * The peer asks for `piece`. `send`: now. `wait`: `next` gives it later. `reject`: too many are waiting.
   * `unsentBytes`: what waits in the connection's send buffer. That the piece exists is checked before.
   */
  onRequest(piece: number, unsentBytes: number): 'send' | 'wait' | 'reject' {
    if (this.waiting.length === 0 && unsentBytes < METADATA_SEND_BUFFER_LIMIT) return 'send'
    if (this.waiting.length >= MAX_WAITING) return 'reject'
    this.waiting.push(piece)
    return 'wait'
  }

  /** The next piece to send, or null; to be called until null once a second, or when the send buffer has drained. */
  next(unsentBytes: number): number | null {
    return unsentBytes < METADATA_SEND_BUFFER_LIMIT ? (this.waiting.shift() ?? null) : null
  }
}
