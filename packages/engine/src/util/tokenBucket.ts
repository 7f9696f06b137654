import type { Millis } from './flavored.ts'

/** Tells the time; a `Clock` does. */
export interface TimeSource {
  now(): Millis
}

/** Lets `capacity` things happen at once, and one more each `interval`. */
export class TokenBucket {
  private tokens: number
  private at: Millis

  constructor(
    private readonly clock: TimeSource,
    private readonly capacity: number,
    private readonly interval: Millis,
  ) {
    this.tokens = capacity
    this.at = clock.now()
  }

  /** True when it may happen now. */
  take(): boolean {
    this.refill()
    if (this.tokens < 1) return false
    this.tokens--
    return true
  }

  /** How long until `take` says yes. */
  get wait(): Millis {
    this.refill()
    return this.tokens >= 1 ? 0 : Math.ceil((1 - this.tokens) * this.interval)
  }

  private refill(): void {
    const now = this.clock.now()
    this.tokens = Math.min(this.capacity, this.tokens + (now - this.at) / this.interval)
    this.at = now
  }
}
