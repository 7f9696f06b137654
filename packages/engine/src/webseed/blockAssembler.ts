import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { BlockPool } from '../platform/disk.ts'
import { copyToShared } from '../util/copyToShared.ts'
import { BLOCK_SIZE_BYTES, type SlotIndex } from '../util/flavored.ts'
import { blockAt, blockOffset } from './segment.ts'

const ZEROS = new Uint8Array(BLOCK_SIZE_BYTES)

export interface BlockAssemblerHost {
  readonly layout: PieceLayout
  readonly pool: BlockPool
  readonly isDiskCongested: boolean
  /** False when the block came from elsewhere meanwhile. */
  wantsBlock(blockId: number): boolean
  /** Takes `slot`, which holds the whole block. */
  onBlock(blockId: number, slot: SlotIndex): void
  onRedundantBytes(length: number): void
}

interface Arriving {
  /** -1 before its first byte. */
  slot: SlotIndex
  filled: number
  readonly size: number
}

/**
 * Puts blocks together from bytes that arrive in any number of runs, each run in order: a block at the border of two
 * files comes in two answers. Bytes are copied once, into the slot the block is written from.
 */
export class BlockAssembler {
  private readonly blocks = new Map<number, Arriving>()

  constructor(private readonly host: BlockAssemblerHost) {}

  /** Blocks that were asked for and are not complete. */
  get outstanding(): number {
    return this.blocks.size
  }

  /** The bytes of this block are going to come. */
  expect(blockId: number): void {
    const { layout } = this.host
    const size = layout.blockSize(layout.pieceOf(blockId), layout.blockOf(blockId))
    this.blocks.set(blockId, { slot: -1, filled: 0, size })
  }

  has(blockId: number): boolean {
    return this.blocks.has(blockId)
  }

  /** The bytes of the torrent from `offset` on arrived. How many were taken: fewer than all when there is no slot. */
  bytes(offset: number, chunk: Uint8Array): number {
    return this.fill(offset, chunk.length, chunk)
  }

  /** As `bytes`, of zeros. */
  zeros(offset: number, length: number): number {
    return this.fill(offset, length, null)
  }

  /** The block is not going to be completed. */
  giveUp(blockId: number): void {
    const block = this.blocks.get(blockId)
    if (block === undefined) return
    this.blocks.delete(blockId)
    if (block.slot === -1) return
    this.host.pool.release(block.slot)
    this.host.onRedundantBytes(block.filled)
  }

  /** None of the blocks will be completed; gives which they are. */
  giveUpAll(): number[] {
    const blocks = [...this.blocks.keys()]
    for (const blockId of blocks) this.giveUp(blockId)
    return blocks
  }

  private fill(offset: number, length: number, chunk: Uint8Array | null): number {
    const { host, blocks } = this
    let done = 0
    while (done < length) {
      const blockId = blockAt(host.layout, offset + done)
      const inBlock = offset + done - blockOffset(host.layout, blockId)
      const block = blocks.get(blockId)
      const size = block?.size ?? this.sizeOf(blockId)
      const part = Math.min(length - done, size - inBlock)
      if (block === undefined || !this.isWanted(blockId, block)) host.onRedundantBytes(part)
      else {
        if (block.slot === -1) block.slot = host.isDiskCongested ? -1 : host.pool.acquire()
        if (block.slot === -1) return done
        const source = chunk ?? ZEROS
        const from = chunk === null ? 0 : done
        const whole = from === 0 && part === source.length
        copyToShared(host.pool.bytes(block.slot), inBlock, whole ? source : source.subarray(from, from + part))
        block.filled += part
        if (block.filled === block.size) {
          blocks.delete(blockId)
          host.onBlock(blockId, block.slot)
        }
      }
      done += part
    }
    return done
  }

  /** Asked before the first byte only: what has a slot is completed. */
  private isWanted(blockId: number, block: Arriving): boolean {
    if (block.slot !== -1 || this.host.wantsBlock(blockId)) return true
    this.blocks.delete(blockId)
    return false
  }

  private sizeOf(blockId: number): number {
    const { layout } = this.host
    return layout.blockSize(layout.pieceOf(blockId), layout.blockOf(blockId))
  }
}
