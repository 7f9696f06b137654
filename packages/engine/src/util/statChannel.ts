import type { Millis } from './flavored.ts'

/** Bytes of one kind in one direction: a total, and a rate that follows the last five seconds or so. */
export class StatChannel {
  private totalBytes = 0
  private sinceTick = 0
  private average = 0

  /** Bytes since the start, and what `offset` added. */
  get total(): number {
    return this.totalBytes
  }

  /** Bytes since the last `tick`. */
  get counter(): number {
    return this.sinceTick
  }

  /** Bytes a second. */
  get rate(): number {
    return this.average
  }

  add(bytes: number): void {
    this.totalBytes += bytes
    this.sinceTick += bytes
  }

  /** Adds to the total what was transferred before and must not show in the rate. */
  offset(bytes: number): void {
    this.totalBytes += bytes
  }

  /** Once a second: a fifth of the average is replaced by what came in the `elapsed` time. */
  tick(elapsed: Millis): void {
    if (this.average === 0 && this.sinceTick === 0) return
    const perSecond = (this.sinceTick * 1000) / elapsed
    // Rounded down, so that an idle channel comes to rest at 0.
    this.average = Math.floor((this.average * 4) / 5 + perSecond / 5)
    this.sinceTick = 0
  }

  clear(): void {
    this.totalBytes = 0
    this.sinceTick = 0
    this.average = 0
  }
}
