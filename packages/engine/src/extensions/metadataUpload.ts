import { METADATA_PIECE_SIZE } from '../wire/utMetadataMessage.ts'

/** While this much waits to be sent to the peer, metadata waits too (libtorrent). */
export const METADATA_SEND_BUFFER_LIMIT = 160 * 1024
/** Requests of one peer that may wait; more are rejected (libtorrent). */
const MAX_WAITING = 1024

type PieceQuestion = (piece: number) => boolean

const always: PieceQuestion = () => true

/** Piece `piece` of the info section, a view; null when there is none. */
export function metadataPiece(metadata: Uint8Array, piece: number): Uint8Array | null {
  if (!Number.isSafeInteger(piece) || piece < 0 || piece * METADATA_PIECE_SIZE >= metadata.length) return null
  return metadata.subarray(piece * METADATA_PIECE_SIZE, (piece + 1) * METADATA_PIECE_SIZE)
}

/** One peer's requests for metadata that wait, because it reads too slowly or for the upload limits (BEP 9). */
export class MetadataUpload {
  private waiting: number[] = []

  get waitingRequests(): number {
    return this.waiting.length
  }

  /**
   * The peer asks for `piece`. `send`: now. `wait`: `next` gives it later. `reject`: too many are waiting.
   * `unsentBytes`: what waits in the connection's send buffer; `mayPass`: whether the limits let the piece leave, asked last.
   * That the piece exists is checked before.
   */
  onRequest(piece: number, unsentBytes: number, mayPass: PieceQuestion = always): 'send' | 'wait' | 'reject' {
    if (this.waiting.length === 0 && unsentBytes < METADATA_SEND_BUFFER_LIMIT && mayPass(piece)) return 'send'
    if (this.waiting.length >= MAX_WAITING) return 'reject'
    this.waiting.push(piece)
    return 'wait'
  }

  /** The next piece to send, or null; to be called until null once a second, or when the send buffer has drained or the limits let more pass. */
  next(unsentBytes: number, mayPass: PieceQuestion = always): number | null {
    if (this.waiting.length === 0 || unsentBytes >= METADATA_SEND_BUFFER_LIMIT || !mayPass(this.waiting[0])) return null
    return this.waiting.shift() ?? null
  }
}
