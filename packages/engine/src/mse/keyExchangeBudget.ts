import { networkOf } from '../address/networkOf.ts'
import type { Millis } from '../util/flavored.ts'

/** Key exchanges a second that strangers may cause: at 0.1 ms each, 3% of a processor. */
export const EXCHANGES_PER_SECOND = 300
/** From one address. Whoever shares many torrents with us connects for each of them, 30 times a second (libtorrent). */
export const EXCHANGES_PER_SECOND_OF_ADDRESS = 10
export const BURST_OF_ADDRESS = 60
/** Addresses remembered; beyond, the one that was quiet longest is forgotten. */
const MAX_ADDRESSES = 2000

interface Bucket {
  left: number
  filledAt: Millis
}

/**
 * How many handshakes strangers may have us compute: anybody can make us do it by sending 96 bytes, again and again.
 * Of IPv6 a /64 counts as one address.
 */
export class KeyExchangeBudget {
  private readonly all: Bucket = { left: EXCHANGES_PER_SECOND, filledAt: 0 }
  /** Quiet longest first. */
  private readonly addresses = new Map<string, Bucket>()

  /** Whether one more may be computed for `address`; it counts as computed. */
  take(address: string, now: Millis): boolean {
    const bucket = this.bucketOf(networkOf(address), now)
    refill(bucket, now, EXCHANGES_PER_SECOND_OF_ADDRESS, BURST_OF_ADDRESS)
    refill(this.all, now, EXCHANGES_PER_SECOND, EXCHANGES_PER_SECOND)
    if (bucket.left < 1 || this.all.left < 1) return false
    bucket.left--
    this.all.left--
    return true
  }

  private bucketOf(network: string, now: Millis): Bucket {
    const bucket = this.addresses.get(network) ?? { left: BURST_OF_ADDRESS, filledAt: now }
    this.addresses.delete(network)
    if (this.addresses.size >= MAX_ADDRESSES) this.addresses.delete(this.addresses.keys().next().value as string)
    this.addresses.set(network, bucket)
    return bucket
  }
}

function refill(bucket: Bucket, now: Millis, perSecond: number, most: number): void {
  bucket.left = Math.min(most, bucket.left + ((now - bucket.filledAt) / 1000) * perSecond)
  bucket.filledAt = now
}
