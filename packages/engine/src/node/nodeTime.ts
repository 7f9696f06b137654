import { performance } from 'node:perf_hooks'
import type { Clock, Timer, Timers } from '../platform/clock.ts'
import type { Millis, UnixSeconds } from '../util/flavored.ts'

/** The machine's monotonic and wall clocks. */
export class NodeClock implements Clock {
  now(): Millis {
    return performance.now() + 1
  }

  unixTime(): UnixSeconds {
    return Math.floor(Date.now() / 1000)
  }
}

class ImmediateTimer implements Timer {
  private readonly handle: NodeJS.Immediate

  constructor(callback: () => void) {
    this.handle = setImmediate(callback)
  }

  cancel(): void {
    clearImmediate(this.handle)
  }
}

class TimeoutTimer implements Timer {
  private readonly handle: NodeJS.Timeout

  constructor(delay: Millis, callback: () => void) {
    this.handle = setTimeout(callback, delay)
    this.handle.unref()
  }

  cancel(): void {
    clearTimeout(this.handle)
  }
}

/** A delay of 0 runs after the sockets that are ready in this turn: what they all caused is handled together. */
export class NodeTimers implements Timers {
  after(delay: Millis, callback: () => void): Timer {
    return delay <= 0 ? new ImmediateTimer(callback) : new TimeoutTimer(delay, callback)
  }
}
