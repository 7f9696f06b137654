import type { Output } from '../output/output.ts'
import { exitCodeOf, onStopSignals } from '../signals.ts'

/** Reports how far hashing is, as often as the output wants to know. */
export class HashingProgress {
  private checked = 0
  private total = 0
  private readonly startedAt = performance.now()
  private readonly timer: NodeJS.Timeout

  /** @param activity what is being done, shown in front of the percentage */
  constructor(
    private readonly activity: string,
    private readonly output: Output,
  ) {
    this.timer = setInterval(() => this.report(), output.progressInterval)
    // Nothing has been written yet: only the terminal is left in order.
    onStopSignals((signal) => {
      this.stop()
      process.exit(exitCodeOf(signal))
    })
  }

  /** To be called after each piece. */
  readonly onProgress = (checked: number, total: number): void => {
    this.checked = checked
    this.total = total
  }

  stop(): void {
    clearInterval(this.timer)
    this.output.clearProgress()
  }

  private report(): void {
    if (this.total === 0) return
    const fraction = this.checked / this.total
    const seconds = (performance.now() - this.startedAt) / 1000
    this.output.progress(
      { type: 'progress', state: this.activity, progress: fraction, checked: this.checked, pieces: this.total },
      {
        activity: this.activity,
        fraction,
        pieces: null,
        downloadRate: null,
        uploadRate: null,
        peers: null,
        eta: fraction > 0 ? Math.ceil((seconds / fraction) * (1 - fraction)) : null,
      },
    )
  }
}
