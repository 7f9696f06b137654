import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Defer, DiskWorker, DiskWorkerHandler, StartDiskWorker } from './diskWorker.ts'
import type { WatchedWorker } from './hangingWorkers.ts'
import { announceBatch, BATCH_JOBS, JobBatch, JobOp } from './jobBatch.ts'
import {
  fromWireError,
  type StorageLayout,
  type StoreAnswer,
  type StoreCall,
  type StoreReply,
  type StoreRequest,
  type StoreSetup,
  toWireError,
  type WireError,
} from './storeProtocol.ts'

/** A batch is posted before the end of the turn when its jobs touch this much: bounds how long an answer waits. */
const BATCH_BYTES = 4 * 1024 * 1024
/** An idle worker gets its first batch of a turn as soon as it holds this much, so that both threads work. */
const EAGER_BATCH_BYTES = 256 * 1024

export type CallDone = (error: LibtorrentError | null, answer: StoreAnswer) => void

export interface WorkerLaneHost {
  readonly startWorker: StartDiskWorker
  readonly storeSetup: StoreSetup
  /** Asks for a call of `flush` at the end of this turn of the event loop. */
  flushLater(): void
  /** The jobs of `batch` are done; errors in the records count from 1 in `errors`. */
  onBatchAnswered(batch: JobBatch, errors: readonly WireError[] | null): void
  /** Calls back in a later turn. */
  readonly defer: Defer
  /** The worker hung, and is no more. */
  onWorkerGivenUp(error: LibtorrentError): void
}

/**
 * One disk worker as the network thread sees it: started by the first job, it gathers the jobs of a turn into a
 * batch and posts that as one message. A worker that dies fails what it had to do; the next job starts a new one.
 */
export class WorkerLane implements DiskWorkerHandler, WatchedWorker {
  private worker: DiskWorker | null = null
  private gathering: JobBatch | null = null
  private inFlight: JobBatch[] = []
  /** Batches of hashes that nobody waits for: answered in their own order, when the worker finds the time. */
  private gatheringChecks: JobBatch | null = null
  private checks: JobBatch[] = []
  private spare: JobBatch[] = []
  private calls = new Map<number, CallDone>()
  private readonly opened = new Set<number>()
  private nextBatch = 0
  private nextCall = 0
  private keepsAlive = false
  private whenEnded: (() => void) | null = null
  numAnswers = 0
  /** Bytes that its unanswered jobs touch, but for checks. */
  backlog = 0
  /** Why the worker was given up: there will be no other. */
  private givenUp: LibtorrentError | null = null

  constructor(
    private readonly host: WorkerLaneHost,
    readonly index: number,
  ) {}

  /** Whether the worker knows the storage. */
  hasOpened(storage: number): boolean {
    return this.opened.has(storage)
  }

  /** Makes a storage known to the worker, or tells its new layout. Jobs added later see it. */
  open(storage: number, layout: StorageLayout): void {
    this.opened.add(storage)
    this.flush()
    this.post({ kind: 'open', storage, layout })
  }

  /** The worker was told to forget the storage. */
  forgotten(storage: number): void {
    this.opened.delete(storage)
  }

  /** `weight` is the number of bytes the job touches. */
  add(
    op: JobOp,
    storage: number,
    piece: number,
    offset: number,
    length: number,
    slot: number,
    token: number,
    weight: number,
  ): void {
    // what was asked for first must be sent first
    if (this.gatheringChecks !== null) this.flushChecks()
    let batch = this.gathering
    if (batch === null) {
      batch = this.gathering = this.spare.pop() ?? this.makeBatch()
      this.host.flushLater()
    }
    batch.add(op, storage, piece, offset, length, slot, token, weight)
    this.backlog += weight
    if (
      batch.count === BATCH_JOBS ||
      batch.weight >= BATCH_BYTES ||
      (this.inFlight.length === 0 && batch.weight >= EAGER_BATCH_BYTES)
    ) {
      this.flush()
    }
  }

  /** A hash that nobody waits for: the worker does everything else before it. */
  addCheck(storage: number, piece: number, weight: number): void {
    if (this.gathering !== null) this.flush()
    let batch = this.gatheringChecks
    if (batch === null) {
      batch = this.gatheringChecks = this.spare.pop() ?? this.makeBatch()
      this.host.flushLater()
    }
    batch.add(JobOp.hash, storage, piece, 0, 0, -1, 0, weight)
    if (batch.count === BATCH_JOBS || batch.weight >= BATCH_BYTES) this.flushChecks()
  }

  /** Posts what was gathered. */
  flush(): void {
    const batch = this.gathering
    this.gathering = null
    if (batch !== null) this.send(batch, this.inFlight)
    // at most one of the two holds anything
    this.flushChecks()
  }

  private flushChecks(): void {
    const batch = this.gatheringChecks
    this.gatheringChecks = null
    if (batch !== null) this.send(batch, this.checks)
  }

  private send(batch: JobBatch, list: JobBatch[]): void {
    list.push(batch)
    this.post(announceBatch(batch, list === this.checks))
    this.updateKeepsAlive()
  }

  /** A rare operation, after all jobs added so far were begun. */
  call(storage: number, call: StoreCall, done: CallDone): void {
    this.flush()
    const id = this.nextCall++
    this.calls.set(id, done)
    this.post({ kind: 'call', id, storage, call })
    this.updateKeepsAlive()
  }

  /** What of a storage's work takes long ends soon, with an error. */
  cancel(storage: number): void {
    if (this.worker === null) return
    this.flush()
    this.post({ kind: 'cancel', storage })
  }

  setFilePoolSize(filePoolSize: number): void {
    if (this.worker !== null) this.post({ kind: 'limits', filePoolSize })
  }

  /** Ends the worker, after all it was asked to do. */
  stop(done: () => void): void {
    if (this.worker === null) return done()
    this.flush()
    this.whenEnded = done
    this.post({ kind: 'stop' })
    this.updateKeepsAlive()
  }

  get isBusy(): boolean {
    return this.inFlight.length > 0 || this.checks.length > 0 || this.calls.size > 0 || this.whenEnded !== null
  }

  giveUp(): void {
    if (this.givenUp !== null) return
    const message = `ETIMEDOUT: disk worker ${this.index} gives no answer, and is given up`
    const error = systemError({ code: 'ETIMEDOUT', errno: 110, message })
    this.givenUp = error
    this.worker?.terminate()
    this.host.onWorkerGivenUp(error)
    this.end(error)
  }

  onReply(reply: StoreReply): void {
    if (this.givenUp !== null) return
    this.numAnswers++
    if (typeof reply === 'number') {
      this.batchAnswered(reply, null)
    } else if (reply.kind === 'batchErrors') {
      this.batchAnswered(reply.id, reply.errors)
    } else if (reply.kind === 'result') {
      const done = this.calls.get(reply.id)
      this.calls.delete(reply.id)
      this.updateKeepsAlive()
      done?.(reply.error === null ? null : fromWireError(reply.error), reply.answer ?? {})
    }
  }

  onEnded(cause: unknown): void {
    if (this.givenUp === null) this.end(cause)
  }

  private end(cause: unknown): void {
    const error = toWireError(cause ?? new Error('the disk worker was stopped'), 'unknown')
    const batches = [...this.inFlight, this.gathering, ...this.checks, this.gatheringChecks]
    const calls = this.calls
    this.worker = null
    this.keepsAlive = false
    this.gathering = null
    this.gatheringChecks = null
    this.inFlight = []
    this.backlog = 0
    this.checks = []
    this.spare = []
    this.calls = new Map()
    this.opened.clear()
    for (const batch of batches) {
      if (batch === null) continue
      for (let job = 0; job < batch.count; job++) batch.setError(job, 1)
      this.host.onBatchAnswered(batch, [error])
    }
    for (const done of calls.values()) done(fromWireError(error), {})
    const whenEnded = this.whenEnded
    this.whenEnded = null
    whenEnded?.()
  }

  private batchAnswered(id: number, errors: readonly WireError[] | null): void {
    const list = this.checks[0]?.id === id ? this.checks : this.inFlight
    const batch = list.shift()
    if (batch?.id !== id) throw new Error(`worker ${this.index} answered batch ${id}, not ${batch?.id}`)
    if (list === this.inFlight) this.backlog -= batch.weight
    this.updateKeepsAlive()
    try {
      this.host.onBatchAnswered(batch, errors)
    } finally {
      batch.clear()
      this.spare.push(batch)
    }
  }

  private makeBatch(): JobBatch {
    const batch = new JobBatch(this.nextBatch++)
    this.post({ kind: 'batchMemory', id: batch.id, memory: batch.memory })
    return batch
  }

  private post(request: StoreRequest): void {
    this.worker ??=
      this.givenUp === null ? this.host.startWorker(this.index, this.host.storeSetup, this) : this.noWorker()
    this.worker.post(request)
  }

  /** In the place of one that was given up: fails everything. */
  private noWorker(): DiskWorker {
    this.host.defer(() => this.end(this.givenUp))
    return { post: () => {}, setKeepsAlive: () => {}, terminate: () => {} }
  }

  private updateKeepsAlive(): void {
    const wanted = this.isBusy
    if (wanted === this.keepsAlive) return
    this.keepsAlive = wanted
    this.worker?.setKeepsAlive(wanted)
  }
}
