import type { Bitfield } from '../util/bitfield.ts'
import type { PieceIndex } from '../util/flavored.ts'

/** Samples the mean availability goes back to (libtorrent). */
const MEAN_SAMPLES = 30

/**
 * The pieces of a torrent worth suggesting to peers (BEP 6): rare ones that are in memory, since they were read or
 * received a moment ago. libtorrent's `suggest_piece`.
 */
export class SuggestPieces {
  /** The best last. */
  private readonly pieces: PieceIndex[] = []
  private mean = 0
  private samples = 0

  get size(): number {
    return this.pieces.length
  }

  /**
   * `piece` is in memory, and `availability` percent of the peers have it. Is that no more than of those before, it is
   * from now on the best to suggest; `limit` are kept.
   */
  add(piece: PieceIndex, availability: number, limit: number): void {
    const isRare = availability <= Math.round(this.mean)
    this.samples = Math.min(MEAN_SAMPLES, this.samples + 1)
    this.mean += (availability - this.mean) / this.samples
    if (!isRare) return
    const at = this.pieces.indexOf(piece)
    if (at !== -1) this.pieces.splice(at, 1)
    this.pieces.push(piece)
    if (this.pieces.length > limit) this.pieces.splice(0, this.pieces.length - limit)
  }

  /** Up to `count` pieces, the best last, that are neither among `has` nor were `told` before. */
  choose(has: Bitfield, told: readonly PieceIndex[], count: number): PieceIndex[] {
    const chosen: PieceIndex[] = []
    for (let i = this.pieces.length - 1; i >= 0 && chosen.length < count; i--) {
      const piece = this.pieces[i]
      if (!has.get(piece) && !told.includes(piece)) chosen.push(piece)
    }
    return chosen.reverse()
  }

  clear(): void {
    this.pieces.length = 0
    this.mean = 0
    this.samples = 0
  }
}
