import { BLOCK_SIZE_BYTES, type SlotIndex } from '../util/flavored.ts'

/** The slots of a block pool's memory as views, made once each and only when first used. Any thread may have one. */
export class SlotMemory {
  /** Number of slots. */
  readonly capacity: number
  private readonly views: (Uint8Array | undefined)[]

  constructor(readonly memory: SharedArrayBuffer) {
    this.capacity = Math.floor(memory.byteLength / BLOCK_SIZE_BYTES)
    this.views = new Array<Uint8Array | undefined>(this.capacity).fill(undefined)
  }

  /** The 16 KiB of a slot; the same object every time. */
  bytes(slot: SlotIndex): Uint8Array {
    const view = this.views[slot]
    if (view !== undefined) return view
    if (!(slot >= 0 && slot < this.capacity)) throw new RangeError(`no slot ${slot} in a pool of ${this.capacity}`)
    return (this.views[slot] = new Uint8Array(this.memory, slot * BLOCK_SIZE_BYTES, BLOCK_SIZE_BYTES))
  }
}
