import type { Timer, Timers } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'

/** How often it is looked whether a worker has answered. */
const INTERVAL: Millis = 5000
/** Looks in a row at which a worker had work and no answer came since the look before: 30 seconds. */
const MAX_SILENT_LOOKS = 6

/** A worker that is watched. */
export interface WatchedWorker {
  /** It was asked for something and has not answered everything. */
  readonly isBusy: boolean
  /** Answers so far. */
  readonly numAnswers: number
  /** It hangs: ends it, and fails what it was to do. */
  giveUp(): void
}

/**
 * While a session closes, gives up workers that have work and say nothing for half a minute: their disk has gone, or a
 * network file system hangs. Looks are counted, not time: a machine that slept, or a thread that was busy, takes none.
 */
export class HangingWorkers {
  private readonly answers = new Map<WatchedWorker, number>()
  private readonly silentLooks = new Map<WatchedWorker, number>()
  private timer: Timer | null = null

  constructor(
    private readonly timers: Timers,
    private readonly workers: readonly WatchedWorker[],
  ) {}

  /** Begins to watch; again does nothing. */
  start(): void {
    this.timer ??= this.timers.after(INTERVAL, this.look)
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = null
  }

  private readonly look = (): void => {
    this.timer = this.timers.after(INTERVAL, this.look)
    for (const worker of this.workers) {
      const isSilent = worker.isBusy && this.answers.get(worker) === worker.numAnswers
      const looks = isSilent ? (this.silentLooks.get(worker) ?? 0) + 1 : 0
      this.answers.set(worker, worker.numAnswers)
      this.silentLooks.set(worker, looks)
      if (looks >= MAX_SILENT_LOOKS) worker.giveUp()
    }
  }
}
