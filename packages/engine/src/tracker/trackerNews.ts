import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import {
  AnonymousModeAlert,
  ScrapeFailedAlert,
  ScrapeReplyAlert,
  type TrackerAlertFields,
  TrackerAnnounceAlert,
  TrackerErrorAlert,
  type TrackerEvent,
  TrackeridAlert,
  TrackerReplyAlert,
  TrackerWarningAlert,
} from '../alerts/trackerAlerts.ts'
import { isNotCarried } from '../proxy/notCarried.ts'
import type { AnnounceEndpoint } from './announceEndpoint.ts'
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

  announced(entry: AnnounceEntry, from: AnnounceEndpoint, event: TrackerEvent): void {
    if (this.wants(TrackerAnnounceAlert))
      this.host.alerts.post(new TrackerAnnounceAlert({ ...this.about(entry, from), event }))
  }

  replied(entry: AnnounceEntry, from: AnnounceEndpoint, reply: AnnounceReply): void {
    const { alerts } = this.host
    if (reply.warning !== '' && this.wants(TrackerWarningAlert)) {
      alerts.post(new TrackerWarningAlert({ ...this.about(entry, from), msg: reply.warning }))
    }
    if (this.wants(TrackerReplyAlert)) {
      const numPeers = reply.peers.length + reply.namedPeers.length
      alerts.post(new TrackerReplyAlert({ ...this.about(entry, from), numPeers }))
    }
  }

  gaveId(entry: AnnounceEntry, from: AnnounceEndpoint): void {
    if (!this.wants(TrackeridAlert)) return
    this.host.alerts.post(new TrackeridAlert({ ...this.about(entry, from), trackerid: entry.trackerid }))
  }

  failed(entry: AnnounceEntry, from: AnnounceEndpoint, { error, message }: TrackerFailure): void {
    if (isNotCarried(error) && this.wants(AnonymousModeAlert)) {
      const { handle, url: str } = this.about(entry, from)
      this.host.alerts.post(new AnonymousModeAlert({ handle, kind: 'trackerNotAnonymous', str }))
    }
    if (!this.wants(TrackerErrorAlert)) return
    const timesInRow = Math.max(1, from.fails)
    this.host.alerts.post(new TrackerErrorAlert({ ...this.about(entry, from), timesInRow, error, msg: message }))
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

  private about(entry: AnnounceEntry, from: AnnounceEndpoint | null = null): TrackerAlertFields {
    const localEndpoint = from?.localEndpoint ?? null
    return { handle: this.host.handle, url: withoutCredentials(entry.url), localEndpoint }
  }
}
