import type { HalfSipHash } from '../crypto/halfSipHash.ts'
import type { Millis } from '../util/flavored.ts'

const NONE = -1
const FIRST_CAPACITY = 64

/**
 * A set of keys, all of `keySize` bytes, each with a slot number for its owner to keep data by, and in the order in
 * which they were last touched. Finding, adding, touching and removing take constant time and make no garbage; memory is
 * in a few arrays that double up to `limit` keys and stay. The hash is keyed, so that strangers who choose the keys
 * cannot make them fall on one another.
 */
export class AgedKeys {
  /** Keys in the set. */
  size = 0
  /** Slots there is memory for: every slot number is below. Grows. */
  capacity = 0
  /** The key of slot `n` begins at `n * keySize`. */
  keys = new Uint8Array(0)
  /** When each slot was last touched. */
  touched = new Float64Array(0)
  /** The slot that was touched longest ago, -1 when there is none. */
  oldest = NONE
  private newest = NONE
  private older = new Int32Array(0)
  private newer = new Int32Array(0)
  /** First slot of each bucket, and for each slot the next of its bucket; of free slots the next free one. */
  private buckets = new Int32Array(0)
  private chain = new Int32Array(0)
  private free = NONE

  constructor(
    readonly keySize: number,
    readonly limit: number,
    private readonly hash: HalfSipHash,
  ) {}

  /** The slot of the key that begins at `at` of `bytes`, or -1. */
  find(bytes: Uint8Array, at: number): number {
    if (this.size === 0) return NONE
    let slot = this.buckets[this.bucketOf(bytes, at)]
    while (slot !== NONE && !this.hasKey(slot, bytes, at)) slot = this.chain[slot]
    return slot
  }

  /** Adds a key that is not there; gives its slot, or -1 when there are `limit` already. */
  add(bytes: Uint8Array, at: number, now: Millis): number {
    if (this.free === NONE && !this.grow()) return NONE
    const slot = this.free
    this.free = this.chain[slot]
    const start = slot * this.keySize
    for (let i = 0; i < this.keySize; i++) this.keys[start + i] = bytes[at + i]
    this.enterBucket(slot)
    this.append(slot, now)
    this.size++
    return slot
  }

  /** The key of `slot` is the youngest again. */
  touch(slot: number, now: Millis): void {
    this.unlink(slot)
    this.append(slot, now)
  }

  remove(slot: number): void {
    const bucket = this.bucketOf(this.keys, slot * this.keySize)
    if (this.buckets[bucket] === slot) this.buckets[bucket] = this.chain[slot]
    else {
      let before = this.buckets[bucket]
      while (this.chain[before] !== slot) before = this.chain[before]
      this.chain[before] = this.chain[slot]
    }
    this.unlink(slot)
    this.chain[slot] = this.free
    this.free = slot
    this.size--
  }

  private hasKey(slot: number, bytes: Uint8Array, at: number): boolean {
    const start = slot * this.keySize
    for (let i = 0; i < this.keySize; i++) if (this.keys[start + i] !== bytes[at + i]) return false
    return true
  }

  private bucketOf(bytes: Uint8Array, at: number): number {
    // The number of buckets is a power of two.
    return this.hash.hash(bytes, at, this.keySize) & (this.buckets.length - 1)
  }

  private enterBucket(slot: number): void {
    const bucket = this.bucketOf(this.keys, slot * this.keySize)
    this.chain[slot] = this.buckets[bucket]
    this.buckets[bucket] = slot
  }

  private append(slot: number, now: Millis): void {
    this.touched[slot] = now
    this.older[slot] = this.newest
    this.newer[slot] = NONE
    if (this.newest === NONE) this.oldest = slot
    else this.newer[this.newest] = slot
    this.newest = slot
  }

  private unlink(slot: number): void {
    const older = this.older[slot]
    const newer = this.newer[slot]
    if (older === NONE) this.oldest = newer
    else this.newer[older] = newer
    if (newer === NONE) this.newest = older
    else this.older[newer] = older
  }

  private grow(): boolean {
    const before = this.capacity
    if (before >= this.limit) return false
    const capacity = Math.min(this.limit, Math.max(FIRST_CAPACITY, before * 2))
    this.capacity = capacity
    this.keys = grown(this.keys, new Uint8Array(capacity * this.keySize))
    this.touched = grown(this.touched, new Float64Array(capacity))
    this.older = grown(this.older, new Int32Array(capacity))
    this.newer = grown(this.newer, new Int32Array(capacity))
    this.chain = grown(this.chain, new Int32Array(capacity))
    this.buckets = new Int32Array(2 ** Math.ceil(Math.log2(capacity))).fill(NONE)
    // Every slot is in use: growing is for want of a free one.
    for (let slot = 0; slot < before; slot++) this.enterBucket(slot)
    for (let slot = capacity - 1; slot >= before; slot--) {
      this.chain[slot] = this.free
      this.free = slot
    }
    return true
  }
}

/** `to` with the elements of `from` at its start. */
export function grown<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
