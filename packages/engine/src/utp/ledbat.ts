import type { Millis } from '../util/flavored.ts'
import type { UtpSettings } from './utpSettings.ts'

/** As TCP begins (RFC 3390). */
const INITIAL_WINDOW_BYTES = 4380
/** Where it ends, whatever a receiver claims: a gigabit over a third of a second. */
export const LARGEST_WINDOW_BYTES = 32 * 1024 * 1024
/** Slow start ends at this part of the target delay: what it has sent until then still adds to the queue. */
const SLOW_START_END = 0.5
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
 * in queues, slower the closer they are, and shrinks when they wait longer; by how much in proportion to itself, so that
 * connections that share a queue come to equal shares (draft-irtf-iccrg-ledbat-plus-plus). A loss halves it. It starts
 * like TCP, doubling each round trip, until the first sign of a queue.
 */
export class LedbatWindow {
  private size = INITIAL_WINDOW_BYTES
  private threshold = Number.POSITIVE_INFINITY
  private nextCutAt: Millis = 0
  private phase: 'slowStart' | 'steady' = 'slowStart'

  constructor(private readonly settings: LedbatSettings) {}

  /** Bytes that may be under way. */
  get bytes(): number {
    return this.size
  }

  get isSlowStart(): boolean {
    return this.phase === 'slowStart'
  }

  /** Takes what an ack says. */
  acked(sample: LedbatSample): void {
    const target = Math.max(1, this.settings.utpTargetDelay)
    const { bytes, packetBytes, delay } = sample
    const inFlight = Math.max(sample.inFlight, bytes, 1)
    // Who does not use the window learns nothing about whether it could be larger.
    const isUsed = inFlight + packetBytes > this.size
    if (this.phase === 'slowStart') {
      if (delay !== null && delay > target * SLOW_START_END) this.endSlowStart()
      else if (this.size >= this.threshold) this.phase = 'steady'
      else {
        if (isUsed) this.set(this.size + bytes, packetBytes)
        return
      }
    }
    if (delay === null) return
    const offTarget = (target - delay) / target
    if (offTarget >= 0) {
      if (isUsed) this.set(this.size + (this.settings.utpGainFactor * offTarget * bytes) / inFlight, packetBytes)
    } else if (sample.now >= this.nextCutAt) {
      // As much as leaves the target in the queue, if it were all ours; what it does is seen a round trip later.
      const left = (sample.rtt - delay + target) / Math.max(sample.rtt, target)
      this.set(this.size * Math.max(LARGEST_CUT, Math.min(1, left)), packetBytes)
      this.nextCutAt = sample.now + sample.rtt
    }
  }

  /** Packets were lost. To be called once for all that were under way together. */
  lost(packetBytes: number): void {
    this.set((this.size * this.settings.utpLossMultiplier) / 100, packetBytes)
    this.endSlowStart()
  }

  /** No ack came for too long: one packet at a time, and then as at the start, but not as far. */
  timedOut(packetBytes: number): void {
    this.threshold = Math.max(this.size / 2, 2 * packetBytes)
    this.size = packetBytes
    this.phase = 'slowStart'
  }

  /** Makes room for at least one packet of a new size. */
  fit(packetBytes: number): void {
    this.set(this.size, packetBytes)
  }

  private endSlowStart(): void {
    this.phase = 'steady'
    this.threshold = this.size
  }

  private set(bytes: number, packetBytes: number): void {
    this.size = Math.min(LARGEST_WINDOW_BYTES, Math.max(packetBytes, bytes))
  }
}
