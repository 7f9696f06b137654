import type { Clock, Timer, Timers } from '../src/platform/clock.ts'
import type { Millis, Seconds, UnixSeconds } from '../src/util/flavored.ts'
import { Heap } from '../src/util/heap.ts'
import { type Duration, durationMillis } from './duration.ts'

/** Wall clock at the start of every simulation: 2024-01-01 00:00:00 UTC. */
export const SIM_EPOCH: UnixSeconds = 1_704_067_200

/** Monotonic clock at the start: an instant that is neither 0 nor close to the wall clock, so that mix-ups show. */
const START_MICROS = 1_000_000_000

/** Limits of virtual time. */
export interface VirtualTimeOptions {
  /**
   * So many events at one instant are taken for a program that goes round in circles without letting time pass.
   * Default 200,000.
   */
  readonly maxEventsPerInstant?: number
}

interface SimEvent extends Timer {
  readonly at: number
  readonly order: number
  callback: (() => void) | null
}

/**
 * Virtual time: a queue of events, each at its instant, carried out one after the other with nothing in between, so
 * that a day with few events is over in milliseconds. Events of one instant happen in the order they were asked for.
 *
 * Instants are whole microseconds inside, so that sums of delays never drift.
 */
export class VirtualTime implements Clock, Timers {
  private nowMicros = START_MICROS
  private wallOffset: Seconds = 0
  private order = 0
  private cancelled = 0
  private running = false
  private instant = START_MICROS
  private eventsAtInstant = 0
  private total = 0
  private readonly maxEventsPerInstant: number
  private readonly queue = new Heap<SimEvent>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order))

  constructor(options: VirtualTimeOptions = {}) {
    this.maxEventsPerInstant = options.maxEventsPerInstant ?? 200_000
  }

  now(): Millis {
    return this.nowMicros / 1000
  }

  unixTime(): UnixSeconds {
    return SIM_EPOCH + Math.floor((this.nowMicros - START_MICROS) / 1_000_000) + this.wallOffset
  }

  /** Time since the simulation began. */
  get elapsed(): Millis {
    return (this.nowMicros - START_MICROS) / 1000
  }

  /** Events that wait for their time. */
  get pending(): number {
    return this.queue.size - this.cancelled
  }

  /** Events carried out since the beginning. */
  get eventCount(): number {
    return this.total
  }

  after(delay: Millis, callback: () => void): Timer {
    const event: SimEvent = {
      at: this.nowMicros + Math.max(0, Math.ceil(delay * 1000)),
      order: this.order++,
      callback,
      cancel: () => {
        if (event.callback === null) return
        event.callback = null
        this.cancelled++
        if (this.cancelled > 1024 && this.cancelled * 2 > this.queue.size) this.sweep()
      },
    }
    if (!Number.isFinite(event.at)) throw new RangeError(`a timer needs a finite delay, not ${delay}`)
    this.queue.push(event)
    return event
  }

  /** Sets the wall clock forward, or back when negative. The monotonic clock and timers do not notice. */
  jumpWallClock(seconds: Seconds): void {
    this.wallOffset += seconds
  }

  /** Lets time pass, and everything happen that falls into it. */
  run(duration: Duration): void {
    this.runTo(this.nowMicros + Math.round(durationMillis(duration) * 1000), () => false)
  }

  /**
   * Lets time pass until `predicate` holds; it is asked after every event. Returns false when it still does not hold
   * after `limit` (default one day), which has then passed in full.
   */
  runUntil(predicate: () => boolean, limit: Duration = { days: 1 }): boolean {
    if (predicate()) return true
    return this.runTo(this.nowMicros + Math.round(durationMillis(limit) * 1000), predicate)
  }

  /** Carries out the next event if it is due within `limit`. False when there was none; time then stays. */
  step(limit: Duration = { days: 1 }): boolean {
    const event = this.next(this.nowMicros + durationMillis(limit) * 1000)
    if (event === undefined) return false
    this.carryOut(event)
    return true
  }

  private runTo(end: number, predicate: () => boolean): boolean {
    if (this.running) throw new Error('time cannot be run from inside an event')
    this.running = true
    try {
      for (let event = this.next(end); event !== undefined; event = this.next(end)) {
        this.carryOut(event)
        if (predicate()) return true
      }
      this.nowMicros = end
      return false
    } finally {
      this.running = false
    }
  }

  /** Takes the next live event up to `end` out of the queue. */
  private next(end: number): SimEvent | undefined {
    for (let event = this.queue.peek(); event !== undefined && event.at <= end; event = this.queue.peek()) {
      this.queue.pop()
      if (event.callback !== null) return event
      this.cancelled--
    }
    return undefined
  }

  private carryOut(event: SimEvent): void {
    const { callback, at } = event
    event.callback = null
    this.nowMicros = at
    this.total++
    if (at !== this.instant) {
      this.instant = at
      this.eventsAtInstant = 0
    }
    if (++this.eventsAtInstant > this.maxEventsPerInstant) {
      throw new Error(
        `livelock: more than ${this.maxEventsPerInstant} events at ${this.elapsed} ms; ` +
          'something keeps asking for another turn without letting time pass. ' +
          `Last callback: ${String(callback).slice(0, 200)}`,
      )
    }
    callback?.()
  }

  private sweep(): void {
    this.queue.retain((event) => event.callback !== null)
    this.cancelled = 0
  }
}
