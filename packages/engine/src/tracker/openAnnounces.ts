import type { TrackerEvent } from '../alerts/trackerAlerts.ts'
import type { AnnounceEndpoint } from './announceEndpoint.ts'
import type { AnnounceEntry } from './announceEntry.ts'
import type { PendingAnnounce } from './trackerClient.ts'

/** The announces of one torrent that are under way or wait for their turn: one for each endpoint that is `updating`. */
export class OpenAnnounces {
  private readonly open = new Map<
    AnnounceEndpoint,
    { readonly event: TrackerEvent; readonly pending: PendingAnnounce }
  >()

  get size(): number {
    return this.open.size
  }

  begun(endpoint: AnnounceEndpoint, event: TrackerEvent, pending: PendingAnnounce): void {
    this.open.set(endpoint, { event, pending })
  }

  ended(endpoint: AnnounceEndpoint): void {
    this.open.delete(endpoint)
    endpoint.updating = false
  }

  /** What `endpoint` is telling; null: nothing. */
  eventOf(endpoint: AnnounceEndpoint): TrackerEvent | null {
    return this.open.get(endpoint)?.event ?? null
  }

  /** Whether any endpoint of `entry` is telling `event`. */
  isTelling(entry: AnnounceEntry, event: TrackerEvent): boolean {
    return entry.endpoints.some((endpoint) => this.eventOf(endpoint) === event)
  }

  /** If it waits for its turn, a person asks for it now. */
  hurry(endpoint: AnnounceEndpoint): void {
    this.open.get(endpoint)?.pending.hurry()
  }

  cancel(endpoint: AnnounceEndpoint): void {
    this.open.get(endpoint)?.pending.cancel()
    this.ended(endpoint)
  }

  /** Cancels those that tell what `which` says; returns their endpoints. */
  cancelAll(which: (event: TrackerEvent) => boolean): AnnounceEndpoint[] {
    const cancelled = [...this.open].filter(([, { event }]) => which(event)).map(([endpoint]) => endpoint)
    for (const endpoint of cancelled) this.cancel(endpoint)
    return cancelled
  }
}
