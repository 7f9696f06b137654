import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { BlockPool } from '../platform/disk.ts'
import { BLOCK_SIZE_BYTES, type PieceIndex, type SlotIndex } from '../util/flavored.ts'
import type { BlockConsumer } from './readTable.ts'

/** Blocks asked of the disk at once: a user's read must not take the pool from the peers. */
const WINDOW = 16

export interface PieceReaderHost {
  readonly pool: BlockPool
  read(consumer: BlockConsumer, piece: PieceIndex, begin: number, length: number): void
}

/** Reads one whole piece for a user (manual, `read_piece`). */
export class PieceReader implements BlockConsumer {
  private readonly buffer: Uint8Array
  private next = 0
  private outstanding = 0
  private error: LibtorrentError | null = null

  constructor(
    private readonly host: PieceReaderHost,
    private readonly piece: PieceIndex,
    size: number,
    private readonly done: (result: Uint8Array | LibtorrentError) => void,
  ) {
    this.buffer = new Uint8Array(size)
  }

  start(): void {
    while (this.error === null && this.outstanding < WINDOW && this.next < this.buffer.length) {
      const begin = this.next
      const length = Math.min(BLOCK_SIZE_BYTES, this.buffer.length - begin)
      this.next += length
      this.outstanding++
      this.host.read(this, this.piece, begin, length)
    }
  }

  sendBlock(_piece: number, begin: number, length: number, slot: SlotIndex): void {
    this.buffer.set(this.host.pool.bytes(slot).subarray(0, length), begin)
    this.host.pool.release(slot)
    this.answered()
  }

  readFailed(_piece: number, _begin: number, _length: number, error: LibtorrentError | null): boolean {
    this.error ??= error ?? libtorrentError('torrentAborted')
    this.answered()
    // A disk that cannot be read stops the torrent, whoever asked (manual, read_piece_alert).
    return error === null
  }

  private answered(): void {
    this.outstanding--
    this.start()
    if (this.outstanding > 0) return
    this.done(this.error ?? this.buffer)
  }
}
