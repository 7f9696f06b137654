import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { SlotIndex } from '../util/flavored.ts'

/** Who asked for a block from disk: a connection, or a user reading a piece. */
export interface BlockConsumer {
  /** Takes `slot`. */
  sendBlock(piece: number, begin: number, length: number, slot: SlotIndex): void
  /** True when the failure concerns only whoever asked, and not the torrent. */
  readFailed(piece: number, begin: number, length: number, error: LibtorrentError | null): boolean
}

/** The disk reads under way, by token: kept in columns and reused, so that a block costs no object. */
export class ReadTable {
  readonly consumers: (BlockConsumer | null)[] = []
  readonly pieces: number[] = []
  readonly begins: number[] = []
  readonly lengths: number[] = []
  private readonly free: number[] = []

  /** A token for one read. */
  add(consumer: BlockConsumer, piece: number, begin: number, length: number): number {
    const token = this.free.pop() ?? this.consumers.length
    this.consumers[token] = consumer
    this.pieces[token] = piece
    this.begins[token] = begin
    this.lengths[token] = length
    return token
  }

  release(token: number): void {
    this.consumers[token] = null
    this.free.push(token)
  }
}
