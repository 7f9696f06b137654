import type { Millis } from './flavored.ts'
import { type TimeSource, TokenBucket } from './tokenBucket.ts'

export interface SourceBudgetLimits {
  /** At once, from all; then one more each `interval`. */
  readonly burst: number
  readonly interval: Millis
  /** The same for each source. */
  readonly burstOfSource: number
  readonly intervalOfSource: Millis
  /** Sources remembered; beyond, the one that came first starts anew. */
  readonly maxSources: number
}

/** How much strangers may have us do, over all and each of them, so that others get their turn. */
export class SourceBudget {
  private readonly all: TokenBucket
  /** In the order in which they came. */
  private readonly sources = new Map<string, TokenBucket>()

  constructor(
    private readonly clock: TimeSource,
    private readonly limits: SourceBudgetLimits,
  ) {
    this.all = new TokenBucket(clock, limits.burst, limits.interval)
  }

  /** True when it may be done now for `source`, a key. One that floods takes nothing from the others. */
  take(source: string): boolean {
    return this.bucketOf(source).take() && this.all.take()
  }

  private bucketOf(source: string): TokenBucket {
    const known = this.sources.get(source)
    if (known !== undefined) return known
    const { maxSources, burstOfSource, intervalOfSource } = this.limits
    if (this.sources.size >= maxSources) this.sources.delete(this.sources.keys().next().value as string)
    const bucket = new TokenBucket(this.clock, burstOfSource, intervalOfSource)
    this.sources.set(source, bucket)
    return bucket
  }
}
