import type { Millis } from '../util/flavored.ts'

/** So many seconds' worth can be saved up. */
const BURST = 3

/**
 * What may be spent per second, with bursts (libtorrent's send quota). Spending may overdraw: the next one then waits
 * until the debt is paid.
 */
export class RateBudget {
  private left: number
  private last: Millis

  constructor(rate: number, now: Millis) {
    this.left = rate * BURST
    this.last = now
  }

  /** Whether there is anything left to spend at `rate` a second. */
  has(rate: number, now: Millis): boolean {
    this.left = Math.min(rate * BURST, this.left + ((now - this.last) / 1000) * rate)
    this.last = now
    return this.left > 0
  }

  spend(amount: number): void {
    this.left -= amount
  }
}
