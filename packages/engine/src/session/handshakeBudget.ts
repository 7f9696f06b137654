import { networkOf } from '../address/networkOf.ts'
import type { Clock } from '../platform/clock.ts'
import { SourceBudget } from '../util/sourceBudget.ts'

/** A handshake costs a few milliseconds of computing: 50 a second take at most a fifth of a processor. */
const LIMITS = { burst: 100, interval: 20, burstOfSource: 10, intervalOfSource: 1000, maxSources: 1000 }

/** How many TLS handshakes strangers may have us compute, over all and for each address (IPv6: each /64). */
export class HandshakeBudget {
  private readonly budget: SourceBudget

  constructor(clock: Clock) {
    this.budget = new SourceBudget(clock, LIMITS)
  }

  /** True when somebody at `address` may have one now. */
  take(address: string): boolean {
    return this.budget.take(networkOf(address))
  }
}
