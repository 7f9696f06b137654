import type { Millis } from '../util/flavored.ts'
import { DelayHistory } from './delayHistory.ts'
import type { UtpCounters } from './utpCounters.ts'
import type { UtpHeader } from './utpHeader.ts'
import type { UtpSettings } from './utpSettings.ts'

/** Sent by old versions of µTorrent while they know no difference. */
const UNKNOWN_DIFFERENCE = 0x7fffffff
/** Of so many delays the least counts: a single packet may have been held up. */
const LATEST_DELAYS = 3

export interface DelayMeterHost {
  readonly settings: Readonly<Pick<UtpSettings, 'utpTargetDelay'>>
  readonly counters: UtpCounters
}

/** What the times in the packets of a connection tell: how long those of ours waited in queues (BEP 29). */
export class DelayMeter {
  private readonly ours = new DelayHistory()
  private readonly theirs = new DelayHistory()
  private readonly latest: Millis[] = []
  private reply = 0

  constructor(private readonly host: DelayMeterHost) {}

  /** Our clock minus the other side's when its last packet came, microseconds modulo 2^32: what our packets tell it. */
  get replyMicros(): number {
    return this.reply
  }

  /** Takes the times of a packet. Returns the queueing delay of our packets, the least of the last three; null: not told. */
  sample(header: UtpHeader, now: Millis): Millis | null {
    if (header.timestamp !== 0) this.sampleTheirs((now * 1000 - header.timestamp) >>> 0, now)
    const difference = header.timestampDifference
    if (difference === 0 || difference === UNKNOWN_DIFFERENCE) return null
    const delay = this.ours.sample(difference, now) / 1000
    if (this.latest.length === LATEST_DELAYS) this.latest.shift()
    this.latest.push(delay)
    const { counters, settings } = this.host
    if (delay > settings.utpTargetDelay) counters.samplesAboveTarget++
    else counters.samplesBelowTarget++
    return Math.min(...this.latest)
  }

  private sampleTheirs(micros: number, now: Millis): void {
    this.reply = micros
    const before = this.theirs.base
    const isFirst = !this.theirs.isKnown
    this.theirs.sample(micros, now)
    if (!isFirst) this.ours.followDrift(before, this.theirs.base)
  }
}
