import type { Clock } from '../platform/clock.ts'
import { SourceBudget } from '../util/sourceBudget.ts'

/** Packets read from one address, and from all: what a network full of busy clients sends is below it. */
const LIMITS = { burst: 300, interval: 20, burstOfSource: 60, intervalOfSource: 200, maxSources: 256 }

/** Decides which packets are read at all, so that a neighbour who floods us costs little. */
export class LsdGate {
  private readonly budget: SourceBudget

  constructor(clock: Clock) {
    this.budget = new SourceBudget(clock, LIMITS)
  }

  admits(address: string): boolean {
    return this.budget.take(address)
  }
}
