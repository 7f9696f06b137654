import { type JobBatch, JobOp } from '../jobBatch.ts'
import type { SlotMemory } from '../slotMemory.ts'
import { toWireError, type WireError } from '../storeProtocol.ts'
import type { BlockTransfer } from './blockTransfer.ts'
import { JobList } from './jobList.ts'
import type { PieceHasher } from './pieceHasher.ts'
import type { PieceHashes } from './pieceHashes.ts'
import type { StorageFiles } from './storageFiles.ts'

/**
 * Carries out a batch of jobs. They are put aside by kind and done together, adjacent blocks in one system call.
 * Jobs of different pieces may change places; those of one piece never do, as far as that could be seen.
 */
export class BatchRunner {
  private readonly writes = new JobList()
  private readonly reads = new JobList()
  private readonly hashJobs = new JobList()
  private errors: WireError[] = []

  constructor(
    private readonly storages: ReadonlyMap<number, StorageFiles>,
    private readonly slots: SlotMemory,
    private readonly transfer: BlockTransfer,
    private readonly hasher: PieceHasher,
    private readonly hashes: PieceHashes,
  ) {}

  /** Leaves results in the batch; the errors its jobs refer to are returned. */
  run(batch: JobBatch): readonly WireError[] {
    this.errors = []
    this.hasher.beginBatch()
    for (let job = 0; job < batch.count; job++) {
      const storage = batch.storage(job)
      const piece = batch.piece(job)
      const op = batch.op(job)
      const files = this.storages.get(storage)
      if (files === undefined) {
        this.fail(batch, job, new Error(`storage ${storage} is not open`))
        continue
      }
      const position = files.pieceStart(piece)
      switch (op) {
        case JobOp.write:
          if (this.reads.touches(batch, storage, piece)) this.doReads(batch)
          if (this.hashJobs.touches(batch, storage, piece)) this.doHashes(batch)
          this.writes.add(job, position + batch.offset(job))
          break
        case JobOp.read:
          if (this.writes.touches(batch, storage, piece)) this.doWrites(batch)
          this.reads.add(job, position + batch.offset(job))
          break
        case JobOp.hash:
        case JobOp.hashBlock:
          this.hashJobs.add(job, position)
          break
        case JobOp.clear:
          if (this.hashJobs.touches(batch, storage, piece)) this.doHashes(batch)
          if (this.writes.touches(batch, storage, piece)) this.doWrites(batch)
          this.hashes.clear(storage, piece)
      }
    }
    this.doWrites(batch)
    this.doReads(batch)
    this.doHashes(batch)
    return this.errors
  }

  private doWrites(batch: JobBatch): void {
    this.doRuns('write', batch, this.writes)
    for (let i = 0; i < this.writes.count; i++) {
      const job = this.writes.job(i)
      const storage = batch.storage(job)
      const piece = batch.piece(job)
      if (batch.error(job) !== 0) {
        this.hashes.clear(storage, piece)
        continue
      }
      const bytes = this.slots.bytes(batch.slot(job))
      const length = batch.length(job)
      const block = length === bytes.length ? bytes : bytes.subarray(0, length)
      this.hashes.written(storage, piece, batch.offset(job), block)
    }
    this.writes.clear()
  }

  private doReads(batch: JobBatch): void {
    this.doRuns('read', batch, this.reads)
    this.reads.clear()
  }

  private doRuns(direction: 'read' | 'write', batch: JobBatch, list: JobList): void {
    list.sort(batch)
    for (let from = 0; from < list.count; ) {
      const to = list.runEnd(batch, from)
      const files = this.storages.get(batch.storage(list.job(from))) as StorageFiles
      this.transfer.run(direction, files, batch, list, from, to, this.errors)
      from = to
    }
  }

  /** After the writes, which may be of the same pieces. */
  private doHashes(batch: JobBatch): void {
    this.doWrites(batch)
    for (let i = 0; i < this.hashJobs.count; i++) {
      const job = this.hashJobs.job(i)
      const files = this.storages.get(batch.storage(job)) as StorageFiles
      try {
        const piece = batch.piece(job)
        const digest =
          batch.op(job) === JobOp.hash
            ? this.hasher.digest(files, piece)
            : this.hasher.blockDigest(files, piece, batch.offset(job), batch.length(job))
        batch.setDigest(job, digest)
      } catch (cause) {
        this.fail(batch, job, cause)
      }
    }
    this.hashJobs.clear()
  }

  private fail(batch: JobBatch, job: number, cause: unknown): void {
    this.errors.push(toWireError(cause, 'fileRead'))
    batch.setError(job, this.errors.length)
  }
}
