import type { SharedBlockPool } from './blockPool.ts'
import type { Defer } from './diskWorker.ts'

/** Peers stop reading when this part of the slots is left: room for the blocks they are in the middle of. */
const RESERVED_SHARE = 1 / 16

interface Waiter {
  /** Null once cancelled. */
  callback: (() => void) | null
}

/**
 * Decides when the peers must stop reading because the disk does not keep up, and wakes them when it has.
 * Two limits: the bytes queued for writing (setting `max_queued_disk_bytes`), and the slots of the pool.
 */
export class CongestionGate {
  /** Bytes given to be written and not yet written. */
  queuedWriteBytes = 0
  private readonly reserve: number
  private waiting: Waiter[] = []
  private wakeAsked = false

  constructor(
    private readonly pool: SharedBlockPool,
    private readonly defer: Defer,
    private limit: number,
  ) {
    this.reserve = Math.max(1, Math.floor(pool.capacity * RESERVED_SHARE))
  }

  setLimit(maxQueuedDiskBytes: number): void {
    this.limit = maxQueuedDiskBytes
    this.update()
  }

  add(bytes: number): void {
    this.queuedWriteBytes += bytes
  }

  subtract(bytes: number): void {
    this.queuedWriteBytes -= bytes
  }

  get isCongested(): boolean {
    if (this.queuedWriteBytes > 0 && this.queuedWriteBytes >= this.limit) return true
    const free = this.pool.freeSlots
    // without writes under way waiting frees no slot: then the reserve is there to be used
    return free === 0 || (free < this.reserve && this.queuedWriteBytes > 0)
  }

  whenWritable(callback: () => void): () => void {
    const waiter: Waiter = { callback }
    this.waiting.push(waiter)
    this.update()
    return () => {
      waiter.callback = null
      this.waiting = this.waiting.filter((other) => other !== waiter)
    }
  }

  /** To be called whenever a slot came free or a write was answered. */
  update(): void {
    if (this.waiting.length === 0 || this.wakeAsked || !this.isRelaxed) return
    this.wakeAsked = true
    this.defer(this.wake)
  }

  /** Congestion is over only well below the limits, so that peers do not stop and go with every block. */
  private get isRelaxed(): boolean {
    if (this.queuedWriteBytes > this.limit / 2) return false
    const free = this.pool.freeSlots
    return free > 2 * this.reserve || (free > 0 && this.queuedWriteBytes === 0)
  }

  private readonly wake = (): void => {
    this.wakeAsked = false
    if (!this.isRelaxed) return
    const woken = this.waiting
    this.waiting = []
    for (const waiter of woken) waiter.callback?.()
  }
}
