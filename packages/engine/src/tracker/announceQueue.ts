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

interface Entry {
  readonly lane: Lane
  ticket: Ticket
}

/** Work that shares a fate, such as all that goes out from one listen socket. */
interface Lane {
  readonly urgent: Set<Entry>
  readonly normal: Set<Entry>
  running: number
}

/**
 * Lets a limited number of announces run at once; the others wait in the order they came, those that a person asked for
 * before all others. Each lane has its share: where one is slow - IPv6 that leads nowhere, say - the next turn is that
 * of the lane with the fewest under way.
 */
export class AnnounceQueue {
  private readonly lanes = new Map<string, Lane>()
  private running = 0

  /** `limit` is asked each time, as it is a setting. */
  constructor(private readonly limit: () => number) {}

  /** Announces under way. */
  get activeCount(): number {
    return this.running
  }

  /** Announces that wait for their turn. */
  get queuedCount(): number {
    let count = 0
    for (const { urgent, normal } of this.lanes.values()) count += urgent.size + normal.size
    return count
  }

  /** Runs `job`, perhaps at once. */
  submit(job: QueuedJob, urgent: boolean, laneName = ''): QueuedWork {
    const lane = this.laneOf(laneName)
    const entry: Entry = { lane, ticket: { name: 'queued', job } }
    const line = urgent ? lane.urgent : lane.normal
    line.add(entry)
    this.startNext()
    return {
      cancel: () => {
        const { ticket } = entry
        if (ticket.name === 'running') ticket.abort()
        lane.urgent.delete(entry)
        lane.normal.delete(entry)
        this.end(entry)
      },
      hurry: () => {
        if (lane.normal.delete(entry)) lane.urgent.add(entry)
      },
    }
  }

  /** Forgets all that wait. */
  clear(): void {
    for (const { urgent, normal } of this.lanes.values()) {
      urgent.clear()
      normal.clear()
    }
  }

  private startNext(): void {
    while (this.running < Math.max(1, this.limit())) {
      const entry = this.takeNext('urgent') ?? this.takeNext('normal')
      if (entry === null) return
      if (entry.ticket.name !== 'queued') continue
      this.running++
      entry.lane.running++
      const { job } = entry.ticket
      entry.ticket = { name: 'running', abort: () => {} }
      const abort = job(() => this.end(entry))
      if (entry.ticket.name === 'running') entry.ticket.abort = abort
    }
  }

  private takeNext(line: 'urgent' | 'normal'): Entry | null {
    let best: Lane | null = null
    for (const lane of this.lanes.values()) {
      if (lane[line].size > 0 && (best === null || lane.running < best.running)) best = lane
    }
    if (best === null) return null
    const entry = best[line].values().next().value as Entry
    best[line].delete(entry)
    return entry
  }

  private end(entry: Entry): void {
    const wasRunning = entry.ticket.name === 'running'
    if (entry.ticket.name === 'over') return
    entry.ticket = { name: 'over' }
    if (!wasRunning) return
    this.running--
    entry.lane.running--
    this.startNext()
  }

  private laneOf(name: string): Lane {
    let lane = this.lanes.get(name)
    if (lane === undefined) {
      lane = { urgent: new Set(), normal: new Set(), running: 0 }
      this.lanes.set(name, lane)
    }
    return lane
  }
}
