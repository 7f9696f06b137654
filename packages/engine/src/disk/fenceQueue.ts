type Waiting =
  | { readonly exclusive: false; readonly run: () => void }
  | { readonly exclusive: true; readonly run: (release: () => void) => void }

/**
 * The order of one storage's work. Block jobs run side by side; an exclusive operation (move, rename, close, ...)
 * waits until the jobs before it are done, and holds back what is asked for after it.
 */
export class FenceQueue {
  private outstanding = 0
  private fenced = false
  private readonly waiting: Waiting[] = []

  /** True when a job may start at once; otherwise give it to `hold`. */
  get isOpen(): boolean {
    return !this.fenced && this.waiting.length === 0
  }

  /** A job has started; `finished` must follow once. */
  started(): void {
    this.outstanding++
  }

  finished(): void {
    this.outstanding--
    if (this.waiting.length > 0) this.advance()
  }

  /** Runs `job` when its turn comes: now if the queue is open. */
  hold(job: () => void): void {
    this.waiting.push({ exclusive: false, run: job })
    this.advance()
  }

  /** Runs `operation` alone, when its turn comes; it must call `release` once, when done. */
  fence(operation: (release: () => void) => void): void {
    this.waiting.push({ exclusive: true, run: operation })
    this.advance()
  }

  private advance(): void {
    while (!this.fenced && this.waiting.length > 0) {
      if (this.waiting[0].exclusive && this.outstanding > 0) return
      const next = this.waiting.shift() as Waiting
      if (next.exclusive) {
        this.fenced = true
        next.run(() => {
          this.fenced = false
          this.advance()
        })
      } else {
        next.run()
      }
    }
  }
}
