/**
 * How block jobs travel to a disk worker: records of nine 32-bit words in shared memory, up to 256 of them announced
 * by one message. The worker writes its results into the same records and announces the batch back, so that no object
 * is made per block on either side. A batch belongs to whoever was last sent its announcement.
 *
 *   word 0     operation (low 4 bits), and once answered the number of its error, 1-based (the bits above), 0 for none
 *   word 1-5   storage, piece, offset in the piece, length, slot
 *   word 6-7   token of a read, low and high half
 *   word 4-8   once a hash is answered: the 20 bytes of the digest; the offset of a `hashBlock` stays
 */
export const JobOp = { write: 1, read: 2, hash: 3, clear: 4, hashBlock: 5 } as const
export type JobOp = (typeof JobOp)[keyof typeof JobOp]

const WORDS = 9
const DIGEST_WORD = 4
const DIGEST_BYTES = 20
const ERROR_SHIFT = 4
const TWO_32 = 2 ** 32

/** Most jobs in one batch. 256 blocks are 4 MiB, some 3 ms of a worker's time: how long an answer may wait for others. */
export const BATCH_JOBS = 256

export class JobBatch {
  /** Jobs in it. */
  count = 0
  /** Sum of the bytes its jobs touch. */
  weight = 0
  private readonly words: Int32Array
  private readonly bytes: Uint8Array

  /** @param memory shared with the other side; made here when left out. */
  constructor(
    readonly id: number,
    readonly memory: SharedArrayBuffer = new SharedArrayBuffer(BATCH_JOBS * WORDS * 4),
  ) {
    this.words = new Int32Array(memory)
    this.bytes = new Uint8Array(memory)
  }

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
    const at = this.count++ * WORDS
    const words = this.words
    words[at] = op
    words[at + 1] = storage
    words[at + 2] = piece
    words[at + 3] = offset
    words[at + 4] = length
    words[at + 5] = slot
    words[at + 6] = token
    words[at + 7] = Math.floor(token / TWO_32)
    this.weight += weight
  }

  clear(): void {
    this.count = 0
    this.weight = 0
  }

  op(job: number): JobOp {
    return (this.words[job * WORDS] & 15) as JobOp
  }

  storage(job: number): number {
    return this.words[job * WORDS + 1]
  }

  piece(job: number): number {
    return this.words[job * WORDS + 2]
  }

  offset(job: number): number {
    return this.words[job * WORDS + 3]
  }

  length(job: number): number {
    return this.words[job * WORDS + 4]
  }

  slot(job: number): number {
    return this.words[job * WORDS + 5]
  }

  token(job: number): number {
    return (this.words[job * WORDS + 6] >>> 0) + this.words[job * WORDS + 7] * TWO_32
  }

  /** 0, or the 1-based number of the error in the list that came with the answer. */
  error(job: number): number {
    return this.words[job * WORDS] >>> ERROR_SHIFT
  }

  setError(job: number, error: number): void {
    this.words[job * WORDS] = this.op(job) | (error << ERROR_SHIFT)
  }

  /** A copy of the digest a hash job was answered with. */
  digest(job: number): Uint8Array {
    const at = (job * WORDS + DIGEST_WORD) * 4
    return this.bytes.slice(at, at + DIGEST_BYTES)
  }

  setDigest(job: number, digest: Uint8Array): void {
    this.bytes.set(digest, (job * WORDS + DIGEST_WORD) * 4)
  }
}

/**
 * The announcement of a batch: its id and how many jobs it holds, in one number, the cheapest message there is. It is
 * negative for a batch of hashes that nobody waits for (see CheckQueue). No batch is empty.
 */
export function announceBatch(batch: JobBatch, isCheck = false): number {
  const announcement = batch.id * (BATCH_JOBS + 1) + batch.count
  return isCheck ? -announcement : announcement
}

export function announcedBatch(announcement: number): { id: number; count: number } {
  const positive = Math.abs(announcement)
  const id = Math.floor(positive / (BATCH_JOBS + 1))
  return { id, count: positive - id * (BATCH_JOBS + 1) }
}

export function isCheckBatch(announcement: number): boolean {
  return announcement < 0
}
