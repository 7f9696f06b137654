import type { Millis } from '../util/flavored.ts'

/** A channel nobody used for a while holds no more than this: what may pass at once beyond the limit. */
const MOST_SAVED_S = 1
/** What passed although there was no quota - small messages, headers - is made up for, but no longer than this. */
const MOST_OWED_S = 3

/** Less than this of a byte is a rounding error. */
const NOTHING = 1e-3

/** Told when a channel gets a limit, or loses it. */
export interface BandwidthChannelHost {
  onLimited(isLimited: boolean): void
}

/**
 * A limit on how many bytes pass each second: of the session, a torrent, a peer, or a kind of peers, in one direction
 * (libtorrent's `bandwidth_channel`). A bucket that fills at the rate of the limit; who lets bytes pass takes them out.
 */
export class BandwidthChannel {
  /** Of the round that is going on; only `BandwidthManager` cares. */
  round = 0
  weight = 0
  level = 0
  holdsBack = false
  private bytesPerSecond = 0
  private saved = 0
  private filledAt: Millis = 0

  /** @param id unlike that of any other channel of its manager. */
  constructor(
    private readonly host: BandwidthChannelHost,
    readonly id: number,
  ) {}

  /** Bytes a second, 0 for none. */
  get limit(): number {
    return this.bytesPerSecond
  }

  /** What may pass now, as of the last `fill`; negative when more has passed than should have. */
  get quota(): number {
    return this.saved
  }

  get isUsedUp(): boolean {
    return this.saved <= NOTHING
  }

  /** `limit`: bytes a second; 0, or less, for none. What was saved under the old limit is cut to the new one. */
  setLimit(limit: number, now: Millis): void {
    const before = this.bytesPerSecond
    const next = Math.max(0, limit)
    if (next === before) return
    this.fill(now)
    this.bytesPerSecond = next
    this.saved = before === 0 || next === 0 ? 0 : this.bounded(this.saved)
    if ((before === 0) !== (next === 0)) this.host.onLimited(next !== 0)
  }

  /** Adds what the time since the last call has brought. */
  fill(now: Millis): void {
    const elapsed = now - this.filledAt
    this.filledAt = now
    if (elapsed > 0) this.saved = this.bounded(this.saved + (this.bytesPerSecond * elapsed) / 1000)
  }

  /**
   * There is more than half a second's worth beyond `bytes`: nobody has to wait, since the limit is not reached. What is
   * less is shared out in rounds.
   */
  isPlentyFor(bytes: number): boolean {
    return this.saved - bytes >= this.bytesPerSecond / 2
  }

  use(bytes: number): void {
    this.saved = this.bounded(this.saved - bytes)
  }

  giveBack(bytes: number): void {
    this.saved = this.bounded(this.saved + bytes)
  }

  private bounded(bytes: number): number {
    const limit = this.bytesPerSecond
    return Math.max(-limit * MOST_OWED_S, Math.min(limit * MOST_SAVED_S, bytes))
  }
}
