import { bytesOfUnits, type LtMetadataMessage, type MetadataUnits, unitsOfBytes } from '../wire/ltMetadataMessage.ts'
import { METADATA_PIECE_SIZE } from '../wire/utMetadataMessage.ts'

/** What an answer brought: the piece asked for; only the size, so that the piece is to be asked for; or rubbish. */
export type LtMetadataAnswer =
  | { readonly type: 'piece'; readonly data: Uint8Array }
  | { readonly type: 'size' }
  | { readonly type: 'wrong' }

/**
 * A piece of metadata, as BEP 9 cuts it, asked for by `LT_metadata`, which cuts it in 256ths. While nobody knows how large
 * the info section is, the first 256th is asked for: its answer tells. A peer is asked one thing at a time: its answers
 * do not say to what.
 */
export class LtMetadataRequest {
  readonly units: MetadataUnits

  /** `size`: of the info section as far as known, else 0. */
  constructor(
    readonly piece: number,
    private readonly size: number,
  ) {
    this.units = size === 0 ? { start: 0, count: 1 } : unitsOfBytes(bytesOfPiece(piece, size), size)
  }

  judge({ totalSize, offset, data }: Extract<LtMetadataMessage, { type: 'data' }>): LtMetadataAnswer {
    const expected = bytesOfUnits(this.units, totalSize)
    if (offset !== expected.offset || data.length !== expected.length) return { type: 'wrong' }
    if (totalSize !== this.size) return { type: 'size' }
    const piece = bytesOfPiece(this.piece, totalSize)
    return { type: 'piece', data: data.subarray(piece.offset - offset, piece.offset - offset + piece.length) }
  }
}

function bytesOfPiece(piece: number, size: number): { offset: number; length: number } {
  const offset = piece * METADATA_PIECE_SIZE
  return { offset, length: Math.min(METADATA_PIECE_SIZE, size - offset) }
}
