import { BLOCK_SIZE_BYTES, type BlockIndex, type PieceIndex } from '../util/flavored.ts'

/**
 * How a torrent's bytes are cut into pieces and blocks. A block of the whole torrent has one number,
 * its block id: `piece * blocksPerPiece + block`, safe up to 2^53.
 */
export class PieceLayout {
  readonly numPieces: number
  /** Blocks in every piece but the last. */
  readonly blocksPerPiece: number

  constructor(
    readonly totalSize: number,
    readonly pieceLength: number,
  ) {
    this.numPieces = Math.ceil(totalSize / pieceLength)
    this.blocksPerPiece = Math.ceil(pieceLength / BLOCK_SIZE_BYTES)
  }

  pieceSize(piece: PieceIndex): number {
    return piece === this.numPieces - 1 ? this.totalSize - piece * this.pieceLength : this.pieceLength
  }

  blocksInPiece(piece: PieceIndex): number {
    return piece === this.numPieces - 1
      ? Math.ceil((this.totalSize - piece * this.pieceLength) / BLOCK_SIZE_BYTES)
      : this.blocksPerPiece
  }

  get blocksInLastPiece(): number {
    return this.numPieces === 0 ? 0 : this.blocksInPiece(this.numPieces - 1)
  }

  blockSize(piece: PieceIndex, block: BlockIndex): number {
    return Math.min(BLOCK_SIZE_BYTES, this.pieceSize(piece) - block * BLOCK_SIZE_BYTES)
  }

  blockId(piece: PieceIndex, block: BlockIndex): number {
    return piece * this.blocksPerPiece + block
  }

  pieceOf(blockId: number): PieceIndex {
    return Math.floor(blockId / this.blocksPerPiece)
  }

  blockOf(blockId: number): BlockIndex {
    return blockId % this.blocksPerPiece
  }

  /** True when `begin` and `length` name exactly one block of `piece`. */
  isBlock(piece: PieceIndex, begin: number, length: number): boolean {
    return (
      piece >= 0 &&
      piece < this.numPieces &&
      begin % BLOCK_SIZE_BYTES === 0 &&
      begin < this.pieceSize(piece) &&
      length === this.blockSize(piece, begin / BLOCK_SIZE_BYTES)
    )
  }

  /** True when the range is not empty and lies inside `piece`. */
  isInside(piece: PieceIndex, begin: number, length: number): boolean {
    return piece >= 0 && piece < this.numPieces && length > 0 && begin + length <= this.pieceSize(piece)
  }
}
