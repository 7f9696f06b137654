import { BATCH_JOBS, type JobBatch } from '../jobBatch.ts'

/** Block jobs of a batch put aside to be carried out together, in the order of the torrents' bytes. */
export class JobList {
  count = 0
  private readonly jobs = new Int32Array(BATCH_JOBS)
  private readonly positions = new Float64Array(BATCH_JOBS)

  /** The job number of entry `i`. */
  job(i: number): number {
    return this.jobs[i]
  }

  /** Where in its torrent the block of entry `i` begins. */
  position(i: number): number {
    return this.positions[i]
  }

  add(job: number, position: number): void {
    this.jobs[this.count] = job
    this.positions[this.count++] = position
  }

  clear(): void {
    this.count = 0
  }

  /** Whether a job of the list concerns the piece. */
  touches(batch: JobBatch, storage: number, piece: number): boolean {
    for (let i = 0; i < this.count; i++) {
      const job = this.jobs[i]
      if (batch.piece(job) === piece && batch.storage(job) === storage) return true
    }
    return false
  }

  /** By storage, then position; jobs for the same bytes keep their order. Insertion: nearly in order as it comes. */
  sort(batch: JobBatch): void {
    const { jobs, positions } = this
    for (let i = 1; i < this.count; i++) {
      const job = jobs[i]
      const position = positions[i]
      const storage = batch.storage(job)
      let to = i
      while (to > 0) {
        const before = batch.storage(jobs[to - 1])
        if (before < storage || (before === storage && positions[to - 1] <= position)) break
        jobs[to] = jobs[to - 1]
        positions[to] = positions[to - 1]
        to--
      }
      jobs[to] = job
      positions[to] = position
    }
  }

  /** The end of the run that begins with entry `from`: blocks of one torrent, each where the one before ends. */
  runEnd(batch: JobBatch, from: number): number {
    const storage = batch.storage(this.jobs[from])
    let to = from + 1
    while (
      to < this.count &&
      this.positions[to] === this.positions[to - 1] + batch.length(this.jobs[to - 1]) &&
      batch.storage(this.jobs[to]) === storage
    ) {
      to++
    }
    return to
  }
}
