import type { HalfSipHash } from '../crypto/halfSipHash.ts'
import type { Millis } from '../util/flavored.ts'

/** Addresses share a bucket only by chance: 65536 buckets take less than 1 MB. */
const BUCKETS = 65_536
/** A network of IPv6 is handed out whole: who has one address has all of its /64. */
const V6_PREFIX_BYTES = 8

export interface AddressRate {
  /** Requests a second on average; 0: no limit. */
  readonly perSecond: number
  /** Requests at once, after a time of silence. */
  readonly burst: number
}

/**
 * Limits how many requests one address makes, with a token bucket each. The buckets are a table of fixed size, found by
 * a keyed hash of the address: nothing a flood of addresses does makes it grow, and nobody can aim at a bucket of others.
 */
export class AddressRateLimit {
  private readonly tokens: Float32Array
  private readonly filled: Float64Array

  constructor(
    private readonly rate: AddressRate,
    private readonly hash: HalfSipHash,
  ) {
    const buckets = rate.perSecond > 0 ? BUCKETS : 0
    this.tokens = new Float32Array(buckets).fill(rate.burst)
    this.filled = new Float64Array(buckets)
  }

  /** Whether the address in the first `length` bytes of `address` may make one more request; it then counts. */
  take(address: Uint8Array, length: number, now: Millis): boolean {
    if (this.tokens.length === 0) return true
    const bucket = this.hash.hash(address, 0, length === 16 ? V6_PREFIX_BYTES : length) % BUCKETS
    const gained = ((now - this.filled[bucket]) / 1000) * this.rate.perSecond
    const tokens = Math.min(this.rate.burst, this.tokens[bucket] + gained)
    this.filled[bucket] = now
    const granted = tokens >= 1
    this.tokens[bucket] = granted ? tokens - 1 : tokens
    return granted
  }
}
