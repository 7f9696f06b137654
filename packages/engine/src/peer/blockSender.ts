import type { BlockPool } from '../platform/disk.ts'
import type { Stream } from '../platform/tcp.ts'
import { writeU32 } from '../util/bytes.ts'
import type { SlotIndex } from '../util/flavored.ts'
import { BLOCK_SIZE_BYTES } from '../util/flavored.ts'

/** Length prefix, id, piece, begin. */
export const PIECE_HEADER_BYTES = 13
const PIECE_ID = 7

/** Told when a block it sent has left for the kernel. */
export interface BlockOwner {
  onBlockSent(): void
}

/**
 * Writes blocks from slots of the pool to streams, header first, and gives each slot back once it has been sent.
 * What a slot needs for that - header bytes, the callback, whose it is - is made once and reused with the slot.
 */
export class BlockSender {
  private readonly headers: Uint8Array[] = []
  private readonly sent: (() => void)[] = []
  private readonly owners: (BlockOwner | null)[] = []

  constructor(private readonly pool: BlockPool) {}

  /** Takes `slot`. */
  send(stream: Stream, owner: BlockOwner, piece: number, begin: number, length: number, slot: SlotIndex): void {
    if (this.headers[slot] === undefined) this.prepare(slot)
    this.owners[slot] = owner
    const header = this.headers[slot]
    writeU32(header, 0, PIECE_HEADER_BYTES - 4 + length)
    header[4] = PIECE_ID
    writeU32(header, 5, piece)
    writeU32(header, 9, begin)
    const block = this.pool.bytes(slot)
    stream.write(header)
    stream.write(length === BLOCK_SIZE_BYTES ? block : block.subarray(0, length), this.sent[slot])
  }

  private prepare(slot: SlotIndex): void {
    this.headers[slot] = new Uint8Array(PIECE_HEADER_BYTES)
    this.sent[slot] = () => {
      const owner = this.owners[slot]
      this.owners[slot] = null
      this.pool.release(slot)
      owner?.onBlockSent()
    }
  }
}
