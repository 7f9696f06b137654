import type { BlockPool } from '../src/platform/disk.ts'
import { BLOCK_SIZE_BYTES, type SlotIndex } from '../src/util/flavored.ts'

type SlotState = 'free' | 'taken' | 'reading'

/**
 * A block pool that watches its users: a slot released twice throws, and a released slot is overwritten, so that
 * whoever still uses it sees rubbish. Memory is made when a slot is first used.
 */
export class SimBlockPool implements BlockPool {
  private readonly slots: Uint8Array[] = []
  private readonly states: SlotState[] = []
  private readonly free: SlotIndex[] = []
  private reading = 0
  onRelease: (() => void) | null = null

  constructor(readonly capacity: number) {}

  get inUse(): number {
    return this.slots.length - this.free.length
  }

  get freeSlots(): number {
    return this.capacity - this.inUse
  }

  acquire(): SlotIndex {
    return this.take('taken')
  }

  /** Like `acquire`, for reads, which may hold half of the slots at most. */
  acquireForRead(): SlotIndex {
    if (this.reading >= Math.max(1, this.capacity >> 1)) return -1
    const slot = this.take('reading')
    if (slot >= 0) this.reading++
    return slot
  }

  release(slot: SlotIndex): void {
    const state = this.states[slot]
    if (state === undefined) throw new RangeError(`no slot ${slot} in a pool of ${this.capacity}`)
    if (state === 'free') throw new Error(`slot ${slot} was released twice`)
    if (state === 'reading') this.reading--
    this.states[slot] = 'free'
    this.slots[slot].fill(0xdd)
    this.free.push(slot)
    this.onRelease?.()
  }

  bytes(slot: SlotIndex): Uint8Array {
    const view = this.slots[slot]
    if (view === undefined) throw new RangeError(`no slot ${slot} was ever acquired`)
    return view
  }

  private take(state: SlotState): SlotIndex {
    let slot = this.free.pop()
    if (slot === undefined) {
      if (this.slots.length >= this.capacity) return -1
      slot = this.slots.push(new Uint8Array(BLOCK_SIZE_BYTES).fill(0xdd)) - 1
    }
    this.states[slot] = state
    return slot
  }
}
