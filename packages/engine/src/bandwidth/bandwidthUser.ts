import type { Millis } from '../util/flavored.ts'
import type { BandwidthChannel } from './bandwidthChannel.ts'
import type { BandwidthManager } from './bandwidthManager.ts'

/** Quota comes in fractions of bytes: what lacks less than this of a byte lacks nothing. */
const ROUNDING = 1e-3

/** Whose bytes are counted. */
export interface BandwidthUserHost {
  /** Its weight among others, above 0. */
  readonly bandwidthPriority: number
  /** Bytes it will let pass in the next moments, beyond those it asks for: so much is given at once if there is so much. */
  readonly bandwidthAhead: number
  /** Adds the channels its bytes pass through. Those without a limit may be left out. */
  collectChannels(into: BandwidthChannel[]): void
  /** It waited, and may now ask again. Called from a round of the manager. */
  onQuota(): void
}

/**
 * One direction of one connection, before the limits that apply to it: takes quota for the bytes that are to pass, or waits
 * in the manager's queue until there is some. Costs nothing while nothing is limited.
 */
export class BandwidthUser {
  /** Quota it has and has not used. */
  quota = 0
  /** The manager's: its queue has it, waiting or gone. */
  isQueued = false
  isWaiting = false
  /** When it last had to wait, by the manager's clock. */
  lastWait: Millis = Number.NEGATIVE_INFINITY
  /** While it waits: what for, the least that helps it, and what it was given so far. */
  wanted = 0
  least = 0
  assigned = 0
  /** What others in the queue owe it; negative what it owes them. See `oneAfterAnother`. */
  balance = 0
  readonly channels: BandwidthChannel[] = []

  constructor(
    private readonly manager: BandwidthManager,
    readonly host: BandwidthUserHost,
  ) {}

  /**
   * How many of `bytes` may pass now; they are counted as passed. When fewer than all, `host.onQuota` comes once there
   * are `least` more; fewer than `least` are none.
   */
  take(bytes: number, least = 1): number {
    if (!this.manager.isLimited) {
      this.quota = 0
      return bytes
    }
    if (this.quota < bytes) this.manager.request(this, bytes, Math.min(least, bytes))
    const taken = Math.min(Math.floor(this.quota + ROUNDING), bytes)
    if (taken < least) return 0
    this.quota -= taken
    return taken
  }

  /** Bytes that were taken and did not pass. */
  giveBack(bytes: number): void {
    if (this.manager.isLimited) this.quota += bytes
  }

  /** Counts bytes that pass whatever the limits. */
  charge(bytes: number): void {
    if (this.manager.isLimited) this.manager.charge(this, bytes)
  }

  /** It wants nothing more for now: what it has and what it waits for is for others. */
  leave(): void {
    if (this.isWaiting || this.quota > 0 || this.balance !== 0) this.manager.leave(this)
  }
}
