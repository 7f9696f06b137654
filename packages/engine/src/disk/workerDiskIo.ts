import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Timers } from '../platform/clock.ts'
import type { DiskIo, DiskLimits, StorageHandler, StorageParams, TorrentStorage } from '../platform/disk.ts'
import { type FaultReport, guarded } from '../util/guarded.ts'
import type { SharedBlockPool } from './blockPool.ts'
import { CongestionGate } from './congestionGate.ts'
import { CustomStorage } from './customStorage.ts'
import type { Defer, StartDiskWorker } from './diskWorker.ts'
import { HangingWorkers } from './hangingWorkers.ts'
import type { JobBatch } from './jobBatch.ts'
import type { StorageInterface } from './storageInterface.ts'
import type { StoreSetup, WireError } from './storeProtocol.ts'
import { WorkerLane, type WorkerLaneHost } from './workerLane.ts'
import { WorkerStorage, type WorkerStorageHost } from './workerStorage.ts'

export interface WorkerDiskIoOptions {
  readonly pool: SharedBlockPool
  /** At least 1. Each worker is started by its first job. */
  readonly workerCount: number
  readonly startWorker: StartDiskWorker
  readonly defer: Defer
  /** For giving up workers that hang. Default: they are waited for. */
  readonly timers?: Timers
  readonly limits: DiskLimits
}

/**
 * From this part of `max_queued_disk_bytes` on no worker is spared: halfway between where peers stop for the disk and where
 * they go on.
 */
const FULL_SHARE = 3 / 4

/** A read that waits for a slot. */
interface WaitingRead {
  readonly storage: TorrentStorage
  readonly begin: () => void
}

/**
 * The disk of a session, network-thread side. Files are touched only by the stores in the workers; here jobs are
 * gathered, spread over the workers and answered. Pieces of a storage go to the workers in turn, which keeps checking
 * busy on all cores; those that are written, all to one as long as it keeps up. A piece always goes to the same one: that
 * keeps operations on it in order.
 */
export class WorkerDiskIo implements DiskIo, WorkerLaneHost, WorkerStorageHost {
  readonly pool: SharedBlockPool
  readonly lanes: readonly WorkerLane[]
  readonly startWorker: StartDiskWorker
  readonly defer: Defer
  onFault: FaultReport | undefined
  private limits: DiskLimits
  private readonly gate: CongestionGate
  private readonly hanging: HangingWorkers | null
  private readonly storages = new Map<number, WorkerStorage>()
  private readonly customStorages = new Set<TorrentStorage>()
  private waitingReads: WaitingRead[] = []
  private nextStorage = 0
  private flushAsked = false
  private stopped = false

  constructor(options: WorkerDiskIoOptions) {
    this.pool = options.pool
    this.startWorker = (index, setup, handler) =>
      options.startWorker(index, setup, {
        onReply: guarded(handler.onReply.bind(handler), this.report),
        onEnded: guarded(handler.onEnded.bind(handler), this.report),
      })
    this.defer = (callback) => options.defer(guarded(callback, this.report))
    this.limits = options.limits
    this.gate = new CongestionGate(options.pool, this.defer, options.limits.maxQueuedDiskBytes)
    this.lanes = Array.from({ length: Math.max(1, options.workerCount) }, (_, index) => new WorkerLane(this, index))
    this.hanging =
      options.timers === undefined ? null : new HangingWorkers(guardedTimers(options.timers, this.report), this.lanes)
    this.pool.onRelease = guarded(() => {
      this.serveWaitingReads()
      this.gate.update()
    }, this.report)
  }

  get queuedWriteBytes(): number {
    return this.gate.queuedWriteBytes
  }

  get isCongested(): boolean {
    return this.gate.isCongested
  }

  get storeSetup(): StoreSetup {
    return { poolMemory: this.pool.memory, filePoolSize: this.filesPerWorker() }
  }

  openStorage(params: StorageParams, handler: StorageHandler): TorrentStorage {
    this.refuseWhenStopped()
    const storage = new WorkerStorage(this, this.nextStorage++, params, handler)
    this.storages.set(storage.id, storage)
    return storage
  }

  /** A storage whose bytes are kept by `implementation` instead of files; all else as `openStorage`. */
  openCustomStorage(params: StorageParams, handler: StorageHandler, implementation: StorageInterface): TorrentStorage {
    this.refuseWhenStopped()
    const storage = new CustomStorage(this, params, handler, implementation)
    this.customStorages.add(storage)
    return storage
  }

  whenWritable(callback: () => void): () => void {
    return this.gate.whenWritable(callback)
  }

  configure(limits: DiskLimits): void {
    this.limits = limits
    this.gate.setLimit(limits.maxQueuedDiskBytes)
    for (const lane of this.lanes) lane.setFilePoolSize(this.filesPerWorker())
  }

  giveUpHanging(): void {
    this.hanging?.start()
  }

  stop(done: () => void): void {
    this.stopped = true
    this.giveUpHanging()
    const open = [...this.storages.values(), ...this.customStorages]
    let closing = open.length
    const stopLanes = () => {
      let running = this.lanes.length
      for (const lane of this.lanes) {
        lane.stop(() => {
          if (--running > 0) return
          this.hanging?.stop()
          this.defer(done)
        })
      }
    }
    if (closing === 0) return stopLanes()
    for (const storage of open) {
      storage.close(() => {
        if (--closing === 0) stopLanes()
      })
    }
  }

  // WorkerStorageHost

  addQueuedWrite(bytes: number): void {
    this.gate.add(bytes)
  }

  subtractQueuedWrite(bytes: number): void {
    this.gate.subtract(bytes)
  }

  /**
   * One for each storage, as long as the disk keeps up: of two that write the same file one mostly waits for the other's
   * lock. One alone takes a twentieth less processor time (bench/README.md).
   */
  laneForWriting(storage: number): number {
    const { lanes } = this
    let best = storage % lanes.length
    if (this.queuedWriteBytes < this.limits.maxQueuedDiskBytes * FULL_SHARE) return best
    for (let i = 0; i < lanes.length; i++) if (lanes[i].backlog < lanes[best].backlog) best = i
    return best
  }

  waitForSlot(storage: TorrentStorage, begin: () => void): void {
    this.waitingReads.push({ storage, begin })
  }

  dropWaitingReads(storage: TorrentStorage): void {
    this.waitingReads = this.waitingReads.filter((read) => read.storage !== storage)
  }

  storageClosed(storage: TorrentStorage): void {
    if (storage instanceof WorkerStorage) this.storages.delete(storage.id)
    else this.customStorages.delete(storage)
  }

  // WorkerLaneHost

  flushLater(): void {
    if (this.flushAsked) return
    this.flushAsked = true
    this.defer(this.flush)
  }

  onBatchAnswered(batch: JobBatch, errors: readonly WireError[] | null): void {
    let thrown: { readonly cause: unknown } | null = null
    for (let job = 0; job < batch.count; job++) {
      try {
        this.storages.get(batch.storage(job))?.onJobAnswered(batch, job, errors)
      } catch (cause) {
        // the jobs after it must still be answered, or their slots would be lost
        thrown ??= { cause }
      }
    }
    this.gate.update()
    if (thrown !== null) throw thrown.cause
  }

  onWorkerGivenUp(error: LibtorrentError): void {
    this.onFault?.(error)
  }

  /** Each way from the event loop into this disk ends here when our code throws. */
  private readonly report = (cause: unknown): void => {
    if (this.onFault === undefined) throw cause
    this.onFault(cause)
  }

  private readonly flush = (): void => {
    this.flushAsked = false
    for (const lane of this.lanes) lane.flush()
  }

  private serveWaitingReads(): void {
    while (this.waitingReads.length > 0 && this.pool.hasSlotForRead) this.waitingReads.shift()?.begin()
  }

  private filesPerWorker(): number {
    return Math.max(1, Math.floor(this.limits.filePoolSize / this.lanes.length))
  }

  private refuseWhenStopped(): void {
    if (this.stopped) throw new Error('the disk was stopped')
  }
}

function guardedTimers(timers: Timers, report: FaultReport): Timers {
  return { after: (delay, callback) => timers.after(delay, guarded(callback, report)) }
}
