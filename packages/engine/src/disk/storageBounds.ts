import type { StorageParams } from '../platform/disk.ts'
import { BLOCK_SIZE_BYTES, type PieceIndex } from '../util/flavored.ts'

/** Bytes of a piece: the last one may be short. 0 when there is no such piece. */
export function pieceSize(params: Pick<StorageParams, 'pieceLength' | 'totalSize'>, piece: PieceIndex): number {
  return Math.max(0, Math.min(params.pieceLength, params.totalSize - piece * params.pieceLength))
}

/** @throws RangeError unless the block is 1 byte to 16 KiB long and lies inside its piece. */
export function checkBlock(params: StorageParams, piece: PieceIndex, offset: number, length: number): void {
  const fits = length >= 1 && length <= BLOCK_SIZE_BYTES && offset >= 0 && offset + length <= pieceSize(params, piece)
  if (!fits || piece < 0) throw new RangeError(`no block of ${length} bytes at ${offset} in piece ${piece}`)
}

/** @throws RangeError unless the piece exists. */
export function checkPiece(params: StorageParams, piece: PieceIndex): void {
  if (!(piece >= 0) || pieceSize(params, piece) === 0) throw new RangeError(`no piece ${piece}`)
}
