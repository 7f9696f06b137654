import type { Millis } from '../util/flavored.ts'

/** Shorter pauses no timer can make: who goes round faster is not paced. */
const SHORTEST_PAUSE: Millis = 1
const FASTEST_ROUND: Millis = 5
/** What may go at once: as TCP's pacing does. */
const BURST_PACKETS = 10
/** Where nothing else limits it: what the system keeps for a receiver that has to be woken up. */
const UNPACED_BURST_BYTES = 48 * 1024

/**
 * Spreads a window over the round trip: acks come in lumps, and a whole window at once overflows the first small queue on
 * its way.
 */
export class Pacer {
  private budget = 0
  private filledAt: Millis = 0
  private pause: Millis = 0

  /**
   * At the beginning of a turn of sending: how much may go by now.
   * @param window bytes that may be under way
   * @param rtt smoothed round-trip time; 0: unknown
   * @param haste how much faster than window per round trip: above 1, so that the window is the limit.
   */
  begin(now: Millis, window: number, rtt: Millis, haste: number, packetBytes: number): void {
    if (rtt < FASTEST_ROUND) {
      this.budget = UNPACED_BURST_BYTES
      this.filledAt = now
      this.pause = 0
      return
    }
    const rate = (window * haste) / rtt
    const most = Math.max(BURST_PACKETS * packetBytes, rate * 2 * SHORTEST_PAUSE)
    this.budget = Math.min(most, this.budget + rate * (now - this.filledAt))
    this.filledAt = now
    this.pause = Math.max(SHORTEST_PAUSE, (packetBytes * 2) / rate)
  }

  /** Whether another packet may go now. */
  get allows(): boolean {
    return this.budget > 0
  }

  /** When one may go that may not go now. */
  get nextAt(): Millis {
    return this.filledAt + this.pause
  }

  /** A packet went. */
  spend(bytes: number): void {
    this.budget -= bytes
  }
}
