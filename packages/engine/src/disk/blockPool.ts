import type { BlockPool } from '../platform/disk.ts'
import { BLOCK_SIZE_BYTES, type SlotIndex } from '../util/flavored.ts'
import { SlotMemory } from './slotMemory.ts'

/** 4,096 slots: at 1 GB/s what a worker writes in 65 ms, and most of the memory a session needs. */
const DEFAULT_POOL_BYTES = 64 * 1024 * 1024

/** Reads may hold this part of the slots, so that peers slow to take an upload cannot stop the downloads. */
const READ_SHARE = 1 / 2

const FREE = 0
const TAKEN = 1
const TAKEN_FOR_READ = 2

/**
 * The block pool: one SharedArrayBuffer cut into 16 KiB slots, known to the network thread and every disk worker.
 * Only the network thread acquires and releases. The free list is a stack: the slot used last is used next, so the
 * memory in use stays small and warm in the caches, and slots never needed never become resident.
 */
export class SharedBlockPool implements BlockPool {
  readonly capacity: number
  /** Called after each release, while the slot is already free. */
  onRelease: (() => void) | null = null
  private readonly slots: SlotMemory
  private readonly state: Uint8Array
  private readonly stack: Int32Array
  private free: number
  private takenForRead = 0
  private readonly readLimit: number

  /** @param bytes size of the pool, at least one slot; a part of a slot is left out. */
  constructor(bytes: number = DEFAULT_POOL_BYTES) {
    this.capacity = Math.floor(bytes / BLOCK_SIZE_BYTES)
    if (!(this.capacity >= 1)) throw new RangeError(`a block pool needs ${BLOCK_SIZE_BYTES} bytes at least`)
    this.slots = new SlotMemory(new SharedArrayBuffer(this.capacity * BLOCK_SIZE_BYTES))
    this.state = new Uint8Array(this.capacity)
    // slot 0 on top
    this.stack = Int32Array.from({ length: this.capacity }, (_, i) => this.capacity - 1 - i)
    this.free = this.capacity
    this.readLimit = Math.max(1, Math.floor(this.capacity * READ_SHARE))
  }

  /** What the disk workers are given. */
  get memory(): SharedArrayBuffer {
    return this.slots.memory
  }

  get inUse(): number {
    return this.capacity - this.free
  }

  get freeSlots(): number {
    return this.free
  }

  acquire(): SlotIndex {
    return this.take(TAKEN)
  }

  /** Like `acquire`, for data read from disk: also -1 when reads hold their share of the pool. */
  acquireForRead(): SlotIndex {
    if (!this.hasSlotForRead) return -1
    this.takenForRead++
    return this.take(TAKEN_FOR_READ)
  }

  get hasSlotForRead(): boolean {
    return this.free > 0 && this.takenForRead < this.readLimit
  }

  /** @throws Error when the slot is free already or does not exist. */
  release(slot: SlotIndex): void {
    const state = this.state[slot]
    if (state === undefined) throw new RangeError(`no slot ${slot} in a pool of ${this.capacity}`)
    if (state === FREE) throw new Error(`slot ${slot} was released twice`)
    if (state === TAKEN_FOR_READ) this.takenForRead--
    this.state[slot] = FREE
    this.stack[this.free++] = slot
    this.onRelease?.()
  }

  bytes(slot: SlotIndex): Uint8Array {
    return this.slots.bytes(slot)
  }

  private take(state: number): SlotIndex {
    if (this.free === 0) return -1
    const slot = this.stack[--this.free]
    this.state[slot] = state
    return slot
  }
}
