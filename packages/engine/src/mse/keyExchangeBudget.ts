import { networkOf } from '../address/networkOf.ts'
import type { Clock } from '../platform/clock.ts'
import { SourceBudget } from '../util/sourceBudget.ts'

/** Key exchanges a second that strangers may cause: at 0.1 ms each, 3% of a processor. */
export const EXCHANGES_PER_SECOND = 300
/** From one address. Whoever shares many torrents with us connects for each of them, 30 times a second (libtorrent). */
export const EXCHANGES_PER_SECOND_OF_ADDRESS = 10
export const BURST_OF_ADDRESS = 60

const LIMITS = {
  burst: EXCHANGES_PER_SECOND,
  interval: 1000 / EXCHANGES_PER_SECOND,
  burstOfSource: BURST_OF_ADDRESS,
  intervalOfSource: 1000 / EXCHANGES_PER_SECOND_OF_ADDRESS,
  maxSources: 2000,
}

/**
 * How many handshakes strangers may have us compute: anybody can make us do it by sending 96 bytes, again and again.
 * Of IPv6 a /64 counts as one address.
 */
export class KeyExchangeBudget {
  private readonly budget: SourceBudget

  constructor(clock: Pick<Clock, 'now'>) {
    this.budget = new SourceBudget(clock, LIMITS)
  }

  /** Whether one more may be computed for `address` now; it counts as computed. */
  take(address: string): boolean {
    return this.budget.take(networkOf(address))
  }
}
