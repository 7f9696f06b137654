import type { Millis } from '../util/flavored.ts'

/** Nobody waits longer for an answer. */
const LONGEST_TIMEOUT: Millis = 60_000
/** Before anything is known (RFC 6298). */
const FIRST_TIMEOUT: Millis = 1000

/** Round-trip time and how long to wait for an ack (RFC 6298). */
export class RttEstimator {
  private mean: Millis = 0
  private deviation: Millis = 0
  private lowest: Millis = Number.POSITIVE_INFINITY

  /** False until the first sample. */
  get isKnown(): boolean {
    return this.lowest !== Number.POSITIVE_INFINITY
  }

  /** Smoothed; 0 while unknown. */
  get smoothed(): Millis {
    return this.mean
  }

  /** The lowest there was; infinite while unknown. */
  get minimum(): Millis {
    return this.lowest
  }

  /** A packet sent once only was acknowledged so long after it was sent. */
  sample(rtt: Millis): void {
    if (!this.isKnown) {
      this.mean = rtt
      this.deviation = rtt / 2
    } else {
      this.deviation += (Math.abs(rtt - this.mean) - this.deviation) / 4
      this.mean += (rtt - this.mean) / 8
    }
    this.lowest = Math.min(this.lowest, rtt)
  }

  /** How long to wait for an ack, after so many timeouts in a row: each doubles it. */
  timeout(minimum: Millis, timeouts: number): Millis {
    const base = this.isKnown ? Math.max(minimum, this.mean + 4 * this.deviation) : Math.max(minimum, FIRST_TIMEOUT)
    return Math.min(LONGEST_TIMEOUT, base * 2 ** Math.min(timeouts, 10))
  }
}
