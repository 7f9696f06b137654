import { libtorrentError } from '../errors/libtorrentError.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import { type TrackerFailure, trackerFailure } from '../tracker/trackerRequest.ts'
import type { Millis } from '../util/flavored.ts'
import type { WebTracker } from './webTracker.ts'

/** One announce or scrape: steps that follow each other, which can be given up at any of them, within a limit of time. */
export class WebExchange<Reply> {
  /** When the tracker was asked; null: that is still to come. */
  asked: Millis | null = null
  private isOver = false
  private steps = 0
  private stopStep = () => {}
  private readonly timer: Timer

  constructor(
    private readonly tracker: WebTracker,
    timers: Timers,
    timeout: Millis,
    private readonly done: (result: Reply | TrackerFailure) => void,
  ) {
    tracker.hold()
    this.timer = timers.after(timeout, () => {
      if (this.asked !== null) tracker.onSilence(this.asked)
      this.finish(trackerFailure(libtorrentError('timedOut', TRACKER)))
    })
  }

  /** Does the next thing: `start` gives how to stop it. */
  step(start: () => () => void): void {
    if (this.isOver) return
    const step = ++this.steps
    const stop = start()
    // It may have been done at once, and another one begun.
    if (step === this.steps) this.stopStep = stop
  }

  finish(result: Reply | TrackerFailure): void {
    if (this.isOver) return
    this.cancel()
    this.done(result)
  }

  /** Nobody is told. */
  cancel(): void {
    if (this.isOver) return
    this.isOver = true
    this.timer.cancel()
    this.stopStep()
    this.tracker.release()
  }
}

const TRACKER = { operation: 'tracker' } as const
