/** Starts the work and returns how to abort it; the work calls `finished` once when it is over, never at once. */
export type QueuedJob = (finished: () => void) => () => void

/** Work that was given to the queue. */
export interface QueuedWork {
  /** Takes it off the queue, or aborts it. */
  cancel(): void
  /** A person asks for it now: if it waits, it goes on behind those that others asked for, before all the rest. */
  hurry(): void
}

type Ticket = { name: 'queued'; readonly job: QueuedJob } | { name: 'running'; abort: () => void } | { name: 'over' }

/**
 * Lets a limited number of announces run at once; the others wait in the order they came, those that a person asked
 * for before all others.
 */
export class AnnounceQueue {
  private readonly urgent = new Set<{ ticket: Ticket }>()
  private readonly normal = new Set<{ ticket: Ticket }>()
  private running = 0

  /** `limit` is asked each time, as it is a setting. */
  constructor(private readonly limit: () => number) {}

  /** Announces under way. */
  get activeCount(): number {
    return this.running
  }

  /** Announces that wait for their turn. */
  get queuedCount(): number {
    return this.urgent.size + this.normal.size
  }

  /** Runs `job`, perhaps at once. */
  submit(job: QueuedJob, urgent: boolean): QueuedWork {
    const entry: { ticket: Ticket } = { ticket: { name: 'queued', job } }
    const line = urgent ? this.urgent : this.normal
    line.add(entry)
    this.startNext()
    return {
      cancel: () => {
        const { ticket } = entry
        if (ticket.name === 'running') ticket.abort()
        this.urgent.delete(entry)
        this.normal.delete(entry)
        this.end(entry)
      },
      hurry: () => {
        if (this.normal.delete(entry)) this.urgent.add(entry)
      },
    }
  }

  /** Forgets all that wait. */
  clear(): void {
    this.urgent.clear()
    this.normal.clear()
  }

  private startNext(): void {
    while (this.running < Math.max(1, this.limit())) {
      const line = this.urgent.size > 0 ? this.urgent : this.normal
      const next = line.values().next()
      if (next.done === true) return
      const entry = next.value
      line.delete(entry)
      if (entry.ticket.name !== 'queued') continue
      this.running++
      const { job } = entry.ticket
      entry.ticket = { name: 'running', abort: () => {} }
      const abort = job(() => this.end(entry))
      if (entry.ticket.name === 'running') entry.ticket.abort = abort
    }
  }

  private end(entry: { ticket: Ticket }): void {
    const wasRunning = entry.ticket.name === 'running'
    if (entry.ticket.name === 'over') return
    entry.ticket = { name: 'over' }
    if (!wasRunning) return
    this.running--
    this.startNext()
  }
}
