import type { PieceIndex } from '../util/flavored.ts'
import type { PieceTable } from './pieceTable.ts'

/** Blocks of an extent: 4 MiB (libtorrent). */
const EXTENT_BLOCKS = 256
/** Extents being completed at a time: further ones begin when one of these is complete (libtorrent). */
const MAX_EXTENTS = 5

/**
 * The stretches of 4 MiB of neighbouring pieces in which something is in progress and the rest is wanted next
 * (setting `piece_extent_affinity`). Pieces of 4 MiB and more are large enough by themselves.
 */
export class RecentExtents<P extends object> {
  /** Numbers of the extents, oldest first. */
  readonly list: number[] = []
  private readonly piecesPerExtent: number

  constructor(private readonly table: PieceTable<P>) {
    this.piecesPerExtent = Math.max(1, Math.floor(EXTENT_BLOCKS / table.layout.blocksPerPiece))
  }

  startOf(extent: number): PieceIndex {
    return extent * this.piecesPerExtent
  }

  endOf(extent: number): PieceIndex {
    return Math.min((extent + 1) * this.piecesPerExtent, this.table.layout.numPieces)
  }

  /**
   * `piece` has been begun. Its neighbours follow if there are some to be had, and all have its priority: others belong
   * to other files, or somebody has decided what comes first.
   */
  record(piece: PieceIndex): void {
    if (this.piecesPerExtent === 1 || this.list.length >= MAX_EXTENTS) return
    const extent = Math.floor(piece / this.piecesPerExtent)
    if (this.list.includes(extent)) return
    const { have, priority } = this.table
    let isLackingOthers = false
    for (let each = this.startOf(extent); each < this.endOf(extent); each++) {
      if (priority[each] !== priority[piece]) return
      if (each !== piece && !have.get(each)) isLackingOthers = true
    }
    if (isLackingOthers) this.list.push(extent)
  }

  /** Forgets the extents in which nothing more is wanted. */
  prune(): void {
    for (let i = this.list.length - 1; i >= 0; i--) if (this.isComplete(this.list[i])) this.list.splice(i, 1)
  }

  private isComplete(extent: number): boolean {
    for (let piece = this.startOf(extent); piece < this.endOf(extent); piece++) {
      if (this.table.isWanted(piece)) return false
    }
    return true
  }
}
