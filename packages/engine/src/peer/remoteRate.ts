import type { Millis } from '../util/flavored.ts'

/** Over so long pieces are counted before they make a rate: they come one at a time. */
const WINDOW_MS: Millis = 15_000

/** How fast a peer downloads from everybody, by the pieces it tells of (manual, `remote_dl_rate`). */
export class RemoteRate {
  private rate = 0
  private bytes = 0
  private since: Millis = 0

  /** It has got a piece of `length` bytes. */
  gotPiece(length: number, now: Millis): void {
    if (this.since === 0) this.since = now
    this.roll(now)
    this.bytes += length
  }

  bytesPerSecond(now: Millis): number {
    this.roll(now)
    return Math.round(this.rate)
  }

  private roll(now: Millis): void {
    const elapsed = now - this.since
    if (this.since === 0 || elapsed < WINDOW_MS) return
    const measured = (this.bytes * 1000) / elapsed
    // A third of what is new, so that one piece more or less says little.
    this.rate = this.rate === 0 ? measured : (this.rate * 2 + measured) / 3
    this.bytes = 0
    this.since = now
  }
}
