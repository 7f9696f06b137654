import type { FileStorage } from '../metainfo/fileStorage.ts'
import { Bitfield } from '../util/bitfield.ts'
import type { FileIndex, PieceIndex } from '../util/flavored.ts'

/** What a web seed is believed to have: everything, until it turns out otherwise. */
export class WebSeedFiles {
  /** Pieces it has every byte of. */
  readonly pieces: Bitfield

  constructor(private readonly files: FileStorage) {
    this.pieces = new Bitfield(files.numPieces, true)
  }

  get hasNothing(): boolean {
    return this.pieces.isNoneSet
  }

  /** The server does not have `file`. Gives the pieces that are lost with it. */
  loseFile(file: FileIndex): PieceIndex[] {
    if (this.files.fileSize(file) === 0) return []
    const lost: PieceIndex[] = []
    const last = this.files.lastPieceIndexAtFile(file)
    for (let piece = this.files.pieceIndexAtFile(file); piece <= last; piece++) lost.push(...this.losePiece(piece))
    return lost
  }

  losePiece(piece: PieceIndex): PieceIndex[] {
    if (!this.pieces.get(piece)) return []
    this.pieces.clear(piece)
    return [piece]
  }

  /**
   * A piece it alone sent was not what it should be. When all of it is in one file, that file is taken to be another one
   * than ours; otherwise only the piece is not asked for again. Gives the pieces that are lost.
   */
  loseWrongPiece(piece: PieceIndex): PieceIndex[] {
    const slices = this.files.mapBlock(piece, 0, this.files.pieceSize(piece))
    const real = slices.filter(({ fileIndex }) => !this.files.padFileAt(fileIndex))
    return real.length === 1 ? this.loseFile(real[0].fileIndex) : this.losePiece(piece)
  }
}
