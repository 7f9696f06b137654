import type { Millis } from '../util/flavored.ts'

const BUCKET_MS: Millis = 120_000
const BUCKETS = 10
/** More than this within one packet is no drift of a clock. */
const LARGEST_DRIFT_MICROS = 10_000

/** `a` minus `b` of clocks that wrap at 2^32 microseconds, -2^31 to 2^31 - 1. */
function difference(a: number, b: number): number {
  return (a - b) | 0
}

/**
 * One-way delays without synchronous clocks: the difference of the two clocks at each packet is meaningless by itself, but
 * the lowest there was belongs to a packet that waited in no queue, and what others have more is queueing (BEP 29).
 * The minimum is that of the last 20 minutes, in steps of two: clocks drift, and paths change.
 *
 * All values are microseconds modulo 2^32.
 */
export class DelayHistory {
  private readonly minima: number[] = []
  private bucketEnd: Millis = 0
  private lowest = 0

  /** False until the first sample. */
  get isKnown(): boolean {
    return this.minima.length > 0
  }

  /** The lowest difference there was: the base delay. */
  get base(): number {
    return this.lowest
  }

  /** A measured difference. Returns by how much it is above the base, microseconds. */
  sample(value: number, now: Millis): number {
    const { minima } = this
    if (minima.length === 0 || now >= this.bucketEnd) {
      minima.push(value)
      if (minima.length > BUCKETS) minima.shift()
      this.bucketEnd = now + BUCKET_MS
      this.findLowest()
    } else if (difference(value, minima[minima.length - 1]) < 0) {
      minima[minima.length - 1] = value
      if (difference(value, this.lowest) < 0) this.lowest = value
    }
    return Math.max(0, difference(value, this.lowest))
  }

  /**
   * The base delay of the other direction sank from `before` to `after`. When that is a little, the clocks run at different
   * speeds, and what lowers theirs has raised ours as much.
   */
  followDrift(before: number, after: number): void {
    const sunk = difference(before, after)
    if (sunk <= 0 || sunk >= LARGEST_DRIFT_MICROS || !this.isKnown) return
    for (let i = 0; i < this.minima.length; i++) this.minima[i] = (this.minima[i] + sunk) >>> 0
    this.lowest = (this.lowest + sunk) >>> 0
  }

  private findLowest(): void {
    this.lowest = this.minima[0]
    for (const value of this.minima) if (difference(value, this.lowest) < 0) this.lowest = value
  }
}
