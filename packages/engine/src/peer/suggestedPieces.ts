import type { PieceIndex } from '../util/flavored.ts'

/** Pieces a peer would like us to ask for (BEP 6): it has them in memory. */
export class SuggestedPieces {
  private readonly newestFirst: PieceIndex[] = []

  /** The latest suggestion first: it is the one the peer is least likely to have forgotten (libtorrent). */
  get pieces(): readonly PieceIndex[] {
    return this.newestFirst
  }

  /** Remembers `piece`, and no more than `limit` in all (setting `max_suggest_pieces`). */
  add(piece: PieceIndex, limit: number): void {
    this.remove(piece)
    this.newestFirst.unshift(piece)
    if (this.newestFirst.length > limit) this.newestFirst.length = limit
  }

  remove(piece: PieceIndex): void {
    const at = this.newestFirst.indexOf(piece)
    if (at !== -1) this.newestFirst.splice(at, 1)
  }
}
