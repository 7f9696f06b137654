import type { Millis } from '../util/flavored.ts'

const SECOND: Millis = 1000
/** What a second leaves of the average of those before it, as in `StatChannel`. */
const DECAY = 4 / 5

/** Bytes a second over the last five seconds or so; needs no timer. */
export class ByteRate {
  private average = 0
  /** Of the second that began at `since`. */
  private bytes = 0

  constructor(private since: Millis) {}

  add(bytes: number, now: Millis): void {
    this.advance(now)
    this.bytes += bytes
  }

  rate(now: Millis): number {
    this.advance(now)
    return Math.floor(this.average)
  }

  private advance(now: Millis): void {
    if (now - this.since < SECOND) return
    const seconds = Math.floor((now - this.since) / SECOND)
    this.average = (this.average * DECAY + this.bytes * (1 - DECAY)) * DECAY ** (seconds - 1)
    this.bytes = 0
    this.since += seconds * SECOND
  }
}
