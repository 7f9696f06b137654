import { addressToBytes } from '../address/addressBytes.ts'
import { TokenBucket } from '../lsd/tokenBucket.ts'
import type { Clock } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'

/** A handshake costs a few milliseconds of computing: 50 a second take at most a fifth of a processor. */
const BURST = 100
const INTERVAL_MS: Millis = 20
/** Of one address, so that others get their turn. */
const BURST_OF_ADDRESS = 10
const INTERVAL_OF_ADDRESS_MS: Millis = 1000
/** Addresses remembered; beyond them the oldest starts anew. */
const MAX_ADDRESSES = 1000

/** How many TLS handshakes strangers may have us compute, over all and for each address (IPv6: each /64). */
export class HandshakeBudget {
  private readonly all: TokenBucket
  /** Oldest first. */
  private readonly ofAddress = new Map<string, TokenBucket>()

  constructor(private readonly clock: Clock) {
    this.all = new TokenBucket(clock, BURST, INTERVAL_MS)
  }

  /** True when somebody at `address` may have one now. */
  take(address: string): boolean {
    return this.bucketOf(address).take() && this.all.take()
  }

  private bucketOf(address: string): TokenBucket {
    const key = networkOf(address)
    const known = this.ofAddress.get(key)
    if (known !== undefined) return known
    if (this.ofAddress.size === MAX_ADDRESSES) this.ofAddress.delete(this.ofAddress.keys().next().value as string)
    const bucket = new TokenBucket(this.clock, BURST_OF_ADDRESS, INTERVAL_OF_ADDRESS_MS)
    this.ofAddress.set(key, bucket)
    return bucket
  }
}

function networkOf(address: string): string {
  const bytes = addressToBytes(address)
  return bytes === null || bytes.length === 4 ? address : bytes.subarray(0, 8).join('.')
}
