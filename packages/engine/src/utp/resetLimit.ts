import type { Millis } from '../util/flavored.ts'

const BURST = 50
const PER_SECOND = 50

/** How many resets strangers may get of us: enough for those we forgot, too few to hurt whom they are aimed at. */
export class ResetLimit {
  private left = BURST
  private at: Millis = 0

  /** True when one more may be sent now. */
  take(now: Millis): boolean {
    this.left = Math.min(BURST, this.left + ((now - this.at) * PER_SECOND) / 1000)
    this.at = now
    if (this.left < 1) return false
    this.left--
    return true
  }
}
