import type { Timer, Timers } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'

/** Timers whose callbacks cannot take the process down: what they throw goes to `report`. */
export class GuardedTimers implements Timers {
  constructor(
    private readonly timers: Timers,
    private readonly report: (cause: unknown) => void,
  ) {}

  after(delay: Millis, callback: () => void): Timer {
    return this.timers.after(delay, () => {
      try {
        callback()
      } catch (cause) {
        this.report(cause)
      }
    })
  }
}
