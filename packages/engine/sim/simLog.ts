import type { VirtualTime } from './virtualTime.ts'

const KEPT_LINES = 60

/**
 * What happened, as lines with their time. Keeps the last few to show when a scenario fails, and a running hash of all
 * of them: two runs with equal `digest` went the same way, event by event.
 */
export class SimLog {
  private hash = 0x811c9dc5
  private lines = 0
  private readonly kept: string[] = []
  private listener: ((line: string) => void) | null = null

  constructor(private readonly time: VirtualTime) {}

  /** Number of lines so far. */
  get length(): number {
    return this.lines
  }

  /** Hash of all lines so far. */
  get digest(): string {
    return `${this.lines}:${(this.hash >>> 0).toString(16)}`
  }

  /** Sees every line from now on. */
  onLine(listener: (line: string) => void): void {
    this.listener = listener
  }

  add(text: string): void {
    const line = `${this.time.elapsed.toFixed(3)} ${text}`
    for (let i = 0; i < line.length; i++) this.hash = Math.imul(this.hash ^ line.charCodeAt(i), 0x01000193)
    this.kept[this.lines++ % KEPT_LINES] = line
    this.listener?.(line)
  }

  /** The last lines, oldest first. */
  tail(): readonly string[] {
    if (this.lines <= KEPT_LINES) return this.kept.slice()
    const start = this.lines % KEPT_LINES
    return [...this.kept.slice(start), ...this.kept.slice(0, start)]
  }
}
