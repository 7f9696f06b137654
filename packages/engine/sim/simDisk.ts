import type { DiskIo, DiskLimits, StorageHandler, StorageParams, TorrentStorage } from '../src/platform/disk.ts'
import type { Millis } from '../src/util/flavored.ts'
import type { SeededRandom } from './seededRandom.ts'
import { SimBlockPool } from './simBlockPool.ts'
import type { SimFileSystem } from './simFileSystem.ts'
import type { SimProcess, SimResource } from './simProcess.ts'
import { type DiskJob, SimStorage, type StorageDisk } from './simStorage.ts'

/** How fast a simulated disk is, and how much memory it may use. */
export interface SimDiskOptions {
  /** Time an operation takes, apart from moving bytes, ms; varies by half of it, by seed. Default 0.2. */
  readonly latency?: Millis
  /** Bytes per second the disk moves. 0, the default, is unlimited. */
  readonly bytesPerSecond?: number
  /** Operations under way at once; those on one piece stay in order. Default 2. */
  readonly workers?: number
  /** Slots of the block pool. Default 512: 8 MiB. */
  readonly poolSlots?: number
  /** Bytes waiting to be written beyond which peers are not read from. Default 1 MiB. */
  readonly maxQueuedDiskBytes?: number
}

/**
 * The disk as one program on a simulated machine sees it. Files live in a `SimFileSystem`, which outlasts the program;
 * operations take virtual time.
 */
export class SimDisk implements DiskIo, StorageDisk, SimResource {
  readonly pool: SimBlockPool
  private readonly random: SeededRandom
  private readonly lanes: Millis[]
  private mediumFreeAt: Millis = 0
  /** Jobs asked for, and when each gets its turn. */
  private readonly jobs = new Map<DiskJob, Millis>()
  private readonly storages = new Set<TorrentStorage>()
  private readonly waitingForSlot: (() => void)[] = []
  private readonly waitingForRoom = new Set<() => void>()
  private queued = 0
  private maxQueued: number
  private checkScheduled = false
  private readonly options: Required<SimDiskOptions>

  constructor(
    private readonly process: SimProcess,
    readonly files: SimFileSystem,
    options: SimDiskOptions = {},
  ) {
    this.options = {
      latency: options.latency ?? 0.2,
      bytesPerSecond: options.bytesPerSecond ?? 0,
      workers: options.workers ?? 2,
      poolSlots: options.poolSlots ?? 512,
      maxQueuedDiskBytes: options.maxQueuedDiskBytes ?? 1024 * 1024,
    }
    this.random = process.network.random.fork(`disk of ${process.host.name}`)
    this.lanes = new Array(this.options.workers).fill(0)
    this.maxQueued = this.options.maxQueuedDiskBytes
    this.pool = new SimBlockPool(this.options.poolSlots)
    this.pool.onRelease = () => this.scheduleCheck()
    process.adopt('disk', this)
  }

  get queuedWriteBytes(): number {
    return this.queued
  }

  /** Jobs asked for and not yet done. */
  get pendingJobs(): number {
    return this.jobs.size
  }

  get openStorages(): number {
    return this.storages.size
  }

  get isCongested(): boolean {
    if (this.queued > 0 && this.queued >= this.maxQueued) return true
    // While nothing is being written no slot will come free by waiting: then the reserve may be used.
    const free = this.pool.freeSlots
    return free === 0 || (free < this.reserve && this.queued > 0)
  }

  openStorage(params: StorageParams, handler: StorageHandler): TorrentStorage {
    const storage = new SimStorage(this, params, handler)
    this.storages.add(storage)
    return storage
  }

  whenWritable(callback: () => void): () => void {
    // wrapped, so that two waiters with one function are two
    const waiter = () => callback()
    this.waitingForRoom.add(waiter)
    this.scheduleCheck()
    return () => this.waitingForRoom.delete(waiter)
  }

  configure(limits: DiskLimits): void {
    this.maxQueued = limits.maxQueuedDiskBytes
    this.scheduleCheck()
  }

  stop(done: () => void): void {
    const open = [...this.storages]
    let left = open.length
    const stopped = () => {
      this.process.release(this)
      done()
    }
    if (left === 0) return this.process.soon(stopped)
    for (const storage of open) {
      storage.close(() => {
        if (--left === 0) stopped()
      })
    }
  }

  kill(): void {
    // What was under way may be half done; what was still waiting is lost.
    const now = this.process.now()
    for (const [job, start] of this.jobs) if (start <= now) job.torn?.(this.random)
    this.jobs.clear()
  }

  describe(): string {
    return `with ${this.storages.size} open storages, ${this.jobs.size} jobs`
  }

  /** What was not given back: slots, jobs, queued bytes. */
  leftovers(): readonly string[] {
    const name = this.process.host.name
    const left: string[] = []
    if (this.pool.inUse > 0) left.push(`${name}: ${this.pool.inUse} slots of the block pool`)
    if (this.jobs.size > 0) left.push(`${name}: ${this.jobs.size} disk jobs`)
    if (this.queued > 0) left.push(`${name}: ${this.queued} queued bytes`)
    if (this.storages.size > 0) left.push(`${name}: ${this.storages.size} open storages`)
    return left
  }

  // For the storages.

  /** Carries a job out in its time. */
  submit(job: DiskJob): void {
    const now = this.process.now()
    const { latency, bytesPerSecond } = this.options
    const lane = job.lane % this.lanes.length
    const start = Math.max(now, this.lanes[lane])
    const positioned = start + latency * (0.5 + this.random.fraction())
    let end = positioned
    if (bytesPerSecond > 0 && job.bytes > 0) {
      end = Math.max(positioned, this.mediumFreeAt) + (job.bytes * 1000) / bytesPerSecond
      this.mediumFreeAt = end
    }
    this.lanes[lane] = end
    this.jobs.set(job, start)
    this.process.network.time.after(end - now, () => {
      if (this.jobs.delete(job)) job.run()
    })
  }

  soon(callback: () => void): void {
    this.process.soon(callback)
  }

  writeQueued(bytes: number): void {
    this.queued += bytes
  }

  writeDone(bytes: number): void {
    this.queued -= bytes
    this.scheduleCheck()
  }

  /** Calls `proceed` when a slot has been released. */
  waitForSlot(proceed: () => void): void {
    this.waitingForSlot.push(proceed)
  }

  /** Lets those who wait for a slot see whether they still need one. */
  wakeWaiters(): void {
    this.scheduleCheck()
  }

  closed(storage: TorrentStorage): void {
    this.storages.delete(storage)
  }

  /** Slots kept back so that what is under way can be finished. */
  private get reserve(): number {
    return Math.max(1, this.pool.capacity >> 4)
  }

  private get hasRoom(): boolean {
    if (this.queued > this.maxQueued / 2) return false
    const free = this.pool.freeSlots
    return free > 2 * this.reserve || (free > 0 && this.queued === 0)
  }

  private scheduleCheck(): void {
    if (this.checkScheduled) return
    this.checkScheduled = true
    this.process.soon(() => {
      this.checkScheduled = false
      for (const proceed of this.waitingForSlot.splice(0)) proceed()
      if (!this.hasRoom) return
      const waiting = [...this.waitingForRoom]
      for (const waiter of waiting) if (this.waitingForRoom.delete(waiter)) waiter()
    })
  }
}
