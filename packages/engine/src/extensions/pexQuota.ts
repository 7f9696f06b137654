import { networkOf } from '../address/networkOf.ts'
import type { Millis } from '../util/flavored.ts'

/** So many peers may be named from one address in an hour: what a busy swarm has, and no row without end. */
export const PEX_PEERS_PER_HOUR = 300
const HOUR_MS: Millis = 3_600_000
/** Addresses remembered; beyond, the one whose hour began first is forgotten. */
const MAX_ADDRESSES = 1000

/**
 * How many peers were named by whom, over all of its connections: who takes back peers to name others, or comes again and
 * again, must not fill our list of peers. Of IPv6 a /64 counts as one address.
 */
export class PexQuota {
  /** In the order in which their hours began. */
  private readonly hours = new Map<string, { readonly began: Millis; named: number }>()

  /** Whether one more peer may be taken from `address`; it counts as taken. */
  take(address: string, now: Millis): boolean {
    const key = networkOf(address)
    let hour = this.hours.get(key)
    if (hour === undefined || now - hour.began >= HOUR_MS) {
      hour = { began: now, named: 0 }
      this.hours.delete(key)
      const [oldest] = this.hours.keys()
      if (this.hours.size >= MAX_ADDRESSES) this.hours.delete(oldest)
      this.hours.set(key, hour)
    }
    return hour.named++ < PEX_PEERS_PER_HOUR
  }
}
