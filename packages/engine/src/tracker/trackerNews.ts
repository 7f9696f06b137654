import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import {
  ScrapeFailedAlert,
  ScrapeReplyAlert,
  TrackerAnnounceAlert,
  TrackerErrorAlert,
  type TrackerEvent,
  TrackeridAlert,
  TrackerReplyAlert,
  TrackerWarningAlert,
} from '../alerts/trackerAlerts.ts'
import type { AnnounceEntry } from './announceEntry.ts'
import { withoutCredentials } from './trackerLocation.ts'
import type { AnnounceReply, ScrapeReply, TrackerFailure } from './trackerRequest.ts'

/** Where the alerts about one torrent's trackers go. */
export interface TrackerNewsHost {
  readonly alerts: AlertSink
  readonly handle: TorrentRef
}

/** Posts the alerts about the trackers of one torrent, if anybody wants them; never with a URL's credentials. */
export class TrackerNews {
  constructor(private readonly host: TrackerNewsHost) {}

  announced(entry: AnnounceEntry, event: TrackerEvent): void {
    if (this.wants(TrackerAnnounceAlert))
      this.host.alerts.post(new TrackerAnnounceAlert({ ...this.about(entry), event }))
  }

  replied(entry: AnnounceEntry, reply: AnnounceReply): void {
    const { alerts } = this.host
    if (reply.warning !== '' && this.wants(TrackerWarningAlert)) {
      alerts.post(new TrackerWarningAlert({ ...this.about(entry), msg: reply.warning }))
    }
    if (this.wants(TrackerReplyAlert)) {
      const numPeers = reply.peers.length + reply.namedPeers.length
      alerts.post(new TrackerReplyAlert({ ...this.about(entry), numPeers }))
    }
  }

  gaveId(entry: AnnounceEntry): void {
    if (!this.wants(TrackeridAlert)) return
    this.host.alerts.post(new TrackeridAlert({ ...this.about(entry), trackerid: entry.trackerid }))
  }

  failed(entry: AnnounceEntry, { error, message }: TrackerFailure): void {
    if (!this.wants(TrackerErrorAlert)) return
    const timesInRow = Math.max(1, entry.fails)
    this.host.alerts.post(new TrackerErrorAlert({ ...this.about(entry), timesInRow, error, msg: message }))
  }

  scraped(entry: AnnounceEntry, { complete, incomplete }: ScrapeReply): void {
    if (!this.wants(ScrapeReplyAlert)) return
    this.host.alerts.post(new ScrapeReplyAlert({ ...this.about(entry), complete, incomplete }))
  }

  scrapeFailed(entry: AnnounceEntry, { error, message }: TrackerFailure): void {
    if (!this.wants(ScrapeFailedAlert)) return
    const msg = message === '' ? undefined : message
    this.host.alerts.post(new ScrapeFailedAlert({ ...this.about(entry), error, msg }))
  }

  private wants(kind: { readonly category: number }): boolean {
    return this.host.alerts.wants(kind.category)
  }

  private about(entry: AnnounceEntry): { readonly handle: TorrentRef; readonly url: string } {
    return { handle: this.host.handle, url: withoutCredentials(entry.url) }
  }
}
