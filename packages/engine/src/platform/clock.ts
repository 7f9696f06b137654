import type { Millis, UnixSeconds } from '../util/flavored.ts'

/** The only source of time. */
export interface Clock {
  /** Monotonic, unaffected by changes of the wall clock. Starts anywhere above 0. */
  now(): Millis
  /** Wall clock, whole seconds since 1970. Only for what is shown or stored, never for durations. */
  unixTime(): UnixSeconds
}

/** A timer that was set; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  /** The callback is not called any more. */
  cancel(): void
}

/** The only way to be called at a later time. */
export interface Timers {
  /** Calls `callback` once, `delay` ms from now (at least one turn later, even for 0). Keeps no process alive. */
  after(delay: Millis, callback: () => void): Timer
}
