import type { JobBatch } from '../jobBatch.ts'
import { toWireError, type WireError } from '../storeProtocol.ts'
import type { PieceHash, PieceHasher } from './pieceHasher.ts'
import type { StorageFiles } from './storageFiles.ts'
import { storeError } from './storeErrors.ts'

/**
 * Hashed between two looks at other requests: a third of a millisecond when the pages are cached, about three on a disk
 * that has to be waited for. Measured in bench/micro/checkLatency: shorter turns make a check slower, and nobody faster.
 */
const TURN_BYTES = 512 * 1024
/** What a piece that needs no reading counts for: opening a file takes about as long as hashing this much. */
const LEAST_BYTES = 16 * 1024
/** Keys keep the piece index below this. */
const MAX_PIECES = 2 ** 31

interface Check {
  readonly batch: JobBatch
  readonly errors: WireError[]
  /** The job to be done next. */
  job: number
  /** Jobs done before their turn. */
  early: Set<number> | null
}

/**
 * Pieces to be hashed that nobody waits for, since a torrent is being checked. They are done a part at a time, and
 * everything that comes in goes before them; but for jobs of the same piece, which find it hashed.
 */
export class CheckQueue {
  private readonly queue: Check[] = []
  /** Keys of the pieces that are waiting, and how often. */
  private readonly waiting = new Map<number, number>()
  private readonly cancelled = new Set<number>()
  private running: PieceHash | null = null
  private isScheduled = false

  constructor(
    private readonly storages: ReadonlyMap<number, StorageFiles>,
    private readonly hasher: PieceHasher,
    private readonly done: (batch: JobBatch, errors: readonly WireError[]) => void,
  ) {}

  add(batch: JobBatch): void {
    for (let job = 0; job < batch.count; job++) {
      const key = keyOf(batch, job)
      this.waiting.set(key, (this.waiting.get(key) ?? 0) + 1)
    }
    this.queue.push({ batch, errors: [], job: 0, early: null })
    this.schedule()
  }

  /** Hashes now those pieces that jobs of `batch` concern. */
  goBefore(batch: JobBatch): void {
    if (this.waiting.size === 0) return
    for (let job = 0; job < batch.count; job++) {
      const key = keyOf(batch, job)
      if (this.waiting.has(key)) this.hashNow(key)
    }
  }

  /** The pieces of a storage are no longer wanted: their jobs end soon, with an error. */
  cancel(storage: number): void {
    if (this.queue.length > 0) this.cancelled.add(storage)
  }

  /** Drops everything; nothing is answered. */
  clear(): void {
    this.queue.length = 0
    this.waiting.clear()
    this.running = null
  }

  private schedule(): void {
    if (this.isScheduled || this.queue.length === 0) return
    this.isScheduled = true
    setImmediate(this.turn)
  }

  private readonly turn = (): void => {
    this.isScheduled = false
    this.hasher.beginBatch()
    for (let left = TURN_BYTES; left > 0 && this.queue.length > 0; ) left -= this.step(this.queue[0], left)
    this.schedule()
  }

  /** Goes on with a batch; answers the bytes that took. */
  private step(check: Check, maxBytes: number): number {
    const { batch, job } = check
    if (job === batch.count) {
      this.queue.shift()
      if (this.queue.length === 0) this.cancelled.clear()
      this.done(batch, check.errors)
      return 0
    }
    if (check.early?.has(job)) {
      check.job++
      return 0
    }
    const bytes = this.hash(check, job, maxBytes)
    if (this.running === null) check.job++
    return Math.max(bytes, LEAST_BYTES)
  }

  /** Hashes up to `maxBytes` of a piece; it is still running if that was not all. */
  private hash(check: Check, job: number, maxBytes: number): number {
    const { batch } = check
    let bytes = 0
    try {
      if (this.cancelled.has(batch.storage(job))) throw storeError('ECANCELED', 'fileRead', '')
      this.running ??= this.hasher.begin(this.filesOf(batch, job), batch.piece(job))
      bytes = this.hasher.advance(this.running, maxBytes)
      if (!this.running.isComplete) return bytes
      batch.setDigest(job, this.running.digest())
    } catch (cause) {
      check.errors.push(toWireError(cause, 'fileRead'))
      batch.setError(job, check.errors.length)
    }
    this.running = null
    this.waitsNoMore(keyOf(batch, job))
    return bytes
  }

  private waitsNoMore(key: number): void {
    const times = (this.waiting.get(key) ?? 1) - 1
    if (times === 0) this.waiting.delete(key)
    else this.waiting.set(key, times)
  }

  private hashNow(key: number): void {
    const first = this.queue[0]
    for (const check of this.queue) {
      const { batch } = check
      for (let job = check.job; job < batch.count; job++) {
        if (keyOf(batch, job) !== key || check.early?.has(job)) continue
        if (check === first && job === check.job) {
          // it may be half done
          this.hash(check, job, Number.POSITIVE_INFINITY)
        } else {
          const other = this.running
          this.running = null
          this.hash(check, job, Number.POSITIVE_INFINITY)
          this.running = other
        }
        check.early ??= new Set()
        check.early.add(job)
      }
    }
  }

  private filesOf(batch: JobBatch, job: number): StorageFiles {
    const files = this.storages.get(batch.storage(job))
    if (files === undefined) throw new Error(`storage ${batch.storage(job)} is not open`)
    return files
  }
}

function keyOf(batch: JobBatch, job: number): number {
  return batch.storage(job) * MAX_PIECES + batch.piece(job)
}
