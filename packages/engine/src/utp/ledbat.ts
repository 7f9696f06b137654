import type { Millis } from '../util/flavored.ts'
import type { UtpSettings } from './utpSettings.ts'

/** As TCP begins (RFC 3390). */
const INITIAL_WINDOW_BYTES = 4380
/** Where it ends, whatever a receiver claims: a gigabit over a third of a second. */
export const LARGEST_WINDOW_BYTES = 32 * 1024 * 1024
/** Slow start ends at this part of the target delay: what it has sent until then still adds to the queue. */
const SLOW_START_END = 0.5
/** Growth near the target and beyond it, as a part of `utp_gain_factor`: what makes shares equal in the end. */
const LEAST_GAIN = 0.2
/**
 * Shorter round trips grow the window by less each, so that it takes as long as it would at this one: cuts after a loss are
 * at least `utp_cwnd_reduce_timer` apart, and in between there may be a hundred round trips.
 */
const FULL_GAIN_RTT: Millis = 20
/** A queue below this part of the target is as good as empty. */
const EMPTY_QUEUE = 0.25
/** Holding back: so many packets for so many round trips, one for the queue to run empty, one to see it. */
const HELD_PACKETS = 2
const HOLD_ROUNDS = 2
/** From one such look to the next it takes so many times as long as a look. */
const HOLD_SHARE = 15
/** After slow start it comes sooner: that went too far, perhaps. */
const FIRST_LOOK_ROUNDS = 25
/** Clocks drift: this long a minimum may be believed. */
const LONGEST_WITHOUT_LOOK: Millis = 60_000
/** What is left of the window at least when it is cut because of delay. */
const LARGEST_CUT = 0.5

/** What an ack says. */
export interface LedbatSample {
  /** Bytes it acknowledges. */
  readonly bytes: number
  /** Bytes that were under way before it came. */
  readonly inFlight: number
  /** Queueing delay of our packets; null: it brought no measurement. */
  readonly delay: Millis | null
  /** Payload of a full packet. */
  readonly packetBytes: number
  readonly now: Millis
  /** Round-trip time, smoothed; 0: unknown. */
  readonly rtt: Millis
}

/** The settings the window depends on. */
export type LedbatSettings = Pick<UtpSettings, 'utpTargetDelay' | 'utpGainFactor' | 'utpLossMultiplier'>

/**
 * How many bytes may be under way (LEDBAT: RFC 6817, BEP 29). The window grows while our packets wait less than the target
 * in queues, slower the closer they are, and shrinks when they wait longer. A loss halves it. It starts like TCP, doubling
 * each round trip, until the first sign of a queue.
 *
 * Two things are those of LEDBAT++ (draft-irtf-iccrg-ledbat-plus-plus), without which whoever came last would push out
 * the others: the window shrinks in proportion to itself and grows by a constant, so that those who share a queue come to
 * equal shares; and when the queue has not been empty for long, the connection holds back for a moment to see how long the
 * way is without its own packets.
 */
export class LedbatWindow {
  private size = INITIAL_WINDOW_BYTES
  private threshold = Number.POSITIVE_INFINITY
  private nextCutAt: Millis = 0
  private phase: Phase = { name: 'slowStart' }

  constructor(private readonly settings: LedbatSettings) {}

  /** Bytes that may be under way. */
  get bytes(): number {
    return this.size
  }

  get isSlowStart(): boolean {
    return this.phase.name === 'slowStart' || this.phase.name === 'returning'
  }

  /** Takes what an ack says. */
  acked(sample: LedbatSample): void {
    const { bytes, packetBytes, delay, now } = sample
    const target = Math.max(1, this.settings.utpTargetDelay)
    const inFlight = Math.max(sample.inFlight, bytes, 1)
    // Who does not use the window learns nothing about whether it could be larger.
    const isUsed = inFlight + packetBytes > this.size
    switch (this.phase.name) {
      case 'slowStart':
        if (this.size < this.threshold && (delay === null || delay <= target * SLOW_START_END)) {
          if (isUsed) this.set(this.size + bytes, packetBytes)
          return
        }
        return this.beginSteady(now, FIRST_LOOK_ROUNDS * sample.rtt)
      case 'holding':
        if (now < this.phase.until) return
        this.phase = { name: 'returning', since: this.phase.since }
        // Acks need not set the pace again, the pacer does.
        if (delay === null || delay <= target) this.set(this.threshold / 2, packetBytes)
        return
      case 'returning':
        if (this.size < this.threshold && (delay === null || delay <= target)) {
          if (isUsed) this.set(this.size + bytes, packetBytes)
          return
        }
        return this.beginSteady(now, HOLD_SHARE * (now - this.phase.since))
      case 'steady':
        if (delay === null) return
        this.steer(sample, delay, target, isUsed ? bytes / inFlight : 0)
    }
  }

  /** Packets were lost. To be called once for all that were under way together. */
  lost(packetBytes: number, now: Millis): void {
    this.set((this.size * this.settings.utpLossMultiplier) / 100, packetBytes)
    this.threshold = this.size
    if (this.phase.name !== 'steady') this.beginSteady(now, LONGEST_WITHOUT_LOOK)
  }

  /** No ack came for too long: one packet at a time, and then as at the start, but not as far. */
  timedOut(packetBytes: number): void {
    this.threshold = Math.max(this.size / 2, 2 * packetBytes)
    this.size = packetBytes
    this.phase = { name: 'slowStart' }
  }

  /** Makes room for at least one packet of a new size. */
  fit(packetBytes: number): void {
    this.set(this.size, packetBytes)
  }

  private steer(sample: LedbatSample, delay: Millis, target: Millis, share: number): void {
    const { packetBytes, now, rtt } = sample
    const { phase } = this
    if (phase.name !== 'steady') return
    // An empty queue shows the length of the way by itself.
    if (delay < target * EMPTY_QUEUE) phase.lookAt = now + phase.interval
    else if (now >= phase.lookAt) return this.hold(sample)
    const gain = this.settings.utpGainFactor * Math.min(1, rtt / FULL_GAIN_RTT)
    if (delay < target) {
      this.set(this.size + gain * Math.max(LEAST_GAIN, 1 - delay / target) * share, packetBytes)
    } else if (now >= this.nextCutAt) {
      // As much as leaves the target in the queue, if it were all ours; what it does is seen a round trip later.
      const left = (rtt - delay + target) / Math.max(rtt, target)
      this.set(this.size * Math.max(LARGEST_CUT, Math.min(1, left)) + gain * LEAST_GAIN, packetBytes)
      this.nextCutAt = now + rtt
    }
  }

  /** steady -> holding. */
  private hold({ packetBytes, now, rtt }: LedbatSample): void {
    this.threshold = this.size
    this.set(HELD_PACKETS * packetBytes, packetBytes)
    this.phase = { name: 'holding', since: now, until: now + HOLD_ROUNDS * rtt }
  }

  /** Any -> steady. */
  private beginSteady(now: Millis, lookIn: Millis): void {
    const interval = Math.min(LONGEST_WITHOUT_LOOK, lookIn)
    this.phase = { name: 'steady', interval, lookAt: now + interval }
    this.threshold = Math.min(this.threshold, this.size)
  }

  private set(bytes: number, packetBytes: number): void {
    this.size = Math.min(LARGEST_WINDOW_BYTES, Math.max(packetBytes, bytes))
  }
}

type Phase =
  /** Doubles each round trip. */
  | { readonly name: 'slowStart' }
  /** Follows the delay. When the queue was not empty for the `interval`, it is time to look at `lookAt`. */
  | { readonly name: 'steady'; readonly interval: Millis; lookAt: Millis }
  /** Sends next to nothing, so that the queue runs empty. */
  | { readonly name: 'holding'; readonly since: Millis; readonly until: Millis }
  /** From half of what it was up to there. */
  | { readonly name: 'returning'; readonly since: Millis }
