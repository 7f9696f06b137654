import { type Endpoint, endpointText } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { AlertCategory } from './alert.ts'
import { TorrentAlert, type TorrentAlertFields } from './torrentAlerts.ts'

/** What every alert about one tracker of a torrent is built from. */
export interface TrackerAlertFields extends TorrentAlertFields {
  readonly url: string
  readonly localEndpoint?: Endpoint | null
}

/** Base of all alerts about one tracker of a torrent. */
export abstract class TrackerAlert extends TorrentAlert {
  /** The tracker's URL, as in the torrent's tracker list. */
  readonly url: string
  /** The listen socket the announce was made for; null with scrapes, which are made once. @see libtorrent 1.2 */
  readonly localEndpoint: Endpoint | null

  constructor(fields: TrackerAlertFields) {
    super(fields)
    this.url = fields.url
    this.localEndpoint = fields.localEndpoint ?? null
  }

  override message(): string {
    const from = this.localEndpoint === null ? '' : `[${endpointText(this.localEndpoint)}]`
    return `${super.message()} (${this.url})${from}`
  }
}

/**
 * What an announce tells the tracker (BEP 3, "event"; manual, tracker_announce_alert). The values are the names.
 * `paused` is BEP 21's.
 */
export const TrackerEvent = {
  none: 'none',
  completed: 'completed',
  started: 'started',
  stopped: 'stopped',
  paused: 'paused',
} as const
export type TrackerEvent = (typeof TrackerEvent)[keyof typeof TrackerEvent]

/** An announce was sent, or at least attempted. @see manual, tracker_announce_alert */
export class TrackerAnnounceAlert extends TrackerAlert {
  static override readonly category = AlertCategory.tracker
  readonly type = 'trackerAnnounce'
  readonly event: TrackerEvent

  constructor(fields: TrackerAlertFields & { readonly event: TrackerEvent }) {
    super(fields)
    this.event = fields.event
  }

  override message(): string {
    return `${super.message()} sending announce (${this.event})`
  }
}

/** Why something is not done because it would not be anonymous (libtorrent 1.0, `anonymous_mode_alert::kind_t`). */
export const AnonymousModeKind = {
  /** The tracker cannot be reached through the proxy, and nothing may go past it; `str` is its URL. */
  trackerNotAnonymous: 'trackerNotAnonymous',
} as const
export type AnonymousModeKind = (typeof AnonymousModeKind)[keyof typeof AnonymousModeKind]

/**
 * Something was not done, since the proxy does not carry it and it may not go past the proxy.
 * @see libtorrent `anonymous_mode_alert` (1.0)
 */
export class AnonymousModeAlert extends TorrentAlert {
  static override readonly category = AlertCategory.error
  readonly type = 'anonymousMode'
  readonly kind: AnonymousModeKind
  /** What it is about. */
  readonly str: string

  constructor(fields: TorrentAlertFields & { readonly kind: AnonymousModeKind; readonly str: string }) {
    super(fields)
    this.kind = fields.kind
    this.str = fields.str
  }

  override message(): string {
    return `${super.message()}: tracker is not anonymous, set a proxy that carries it: ${this.str}`
  }
}

/** An announce failed: time-out, lost connection, invalid or refusing answer. @see manual, tracker_error_alert */
export class TrackerErrorAlert extends TrackerAlert {
  static override readonly category = AlertCategory.tracker | AlertCategory.error
  readonly type = 'trackerError'
  /** How often in a row this tracker has failed, from 1. */
  readonly timesInRow: number
  readonly error: LibtorrentError
  /** What the tracker itself said, empty if nothing. */
  readonly msg: string

  constructor(
    fields: TrackerAlertFields & {
      readonly timesInRow: number
      readonly error: LibtorrentError
      readonly msg?: string
    },
  ) {
    super(fields)
    this.timesInRow = fields.timesInRow
    this.error = fields.error
    this.msg = fields.msg ?? ''
  }

  /** The HTTP status the tracker answered with; 0 when the failure was another, such as a time-out. */
  get statusCode(): number {
    return this.error.category === 'http' ? this.error.value : 0
  }

  override message(): string {
    const said = this.msg === '' ? '' : ` "${this.msg}"`
    return `${super.message()} ${this.error.message}${said} (${this.timesInRow})`
  }
}

/** An announce succeeded. @see manual, tracker_reply_alert */
export class TrackerReplyAlert extends TrackerAlert {
  static override readonly category = AlertCategory.tracker
  readonly type = 'trackerReply'
  /** Peers in the answer; some may be known already. */
  readonly numPeers: number

  constructor(fields: TrackerAlertFields & { readonly numPeers: number }) {
    super(fields)
    this.numPeers = fields.numPeers
  }

  override message(): string {
    return `${super.message()} received peers: ${this.numPeers}`
  }
}

/** The tracker answered, and had something to tell its user. @see manual, tracker_warning_alert */
export class TrackerWarningAlert extends TrackerAlert {
  static override readonly category = AlertCategory.tracker | AlertCategory.error
  readonly type = 'trackerWarning'
  /** The tracker's own words. */
  readonly msg: string

  constructor(fields: TrackerAlertFields & { readonly msg: string }) {
    super(fields)
    this.msg = fields.msg
  }

  override message(): string {
    return `${super.message()} warning: ${this.msg}`
  }
}

/** The tracker gave a tracker id, to be sent back with later announces. @see libtorrent `trackerid_alert` (1.0) */
export class TrackeridAlert extends TrackerAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'trackerid'
  readonly trackerid: string

  constructor(fields: TrackerAlertFields & { readonly trackerid: string }) {
    super(fields)
    this.trackerid = fields.trackerid
  }

  override message(): string {
    return `${super.message()} trackerid received: ${this.trackerid}`
  }
}

/** A scrape succeeded. @see manual, scrape_reply_alert */
export class ScrapeReplyAlert extends TrackerAlert {
  static override readonly category = AlertCategory.tracker
  readonly type = 'scrapeReply'
  /** Downloaders in the swarm; -1 when the tracker did not say. */
  readonly incomplete: number
  /** Seeds in the swarm; -1 when the tracker did not say. */
  readonly complete: number

  constructor(fields: TrackerAlertFields & { readonly incomplete: number; readonly complete: number }) {
    super(fields)
    this.incomplete = fields.incomplete
    this.complete = fields.complete
  }

  override message(): string {
    return `${super.message()} scrape reply: ${this.incomplete} ${this.complete}`
  }
}

/** A scrape failed. @see manual, scrape_failed_alert */
export class ScrapeFailedAlert extends TrackerAlert {
  static override readonly category = AlertCategory.tracker | AlertCategory.error
  readonly type = 'scrapeFailed'
  readonly error: LibtorrentError
  /** The error for people: the tracker's own words if it had any. */
  readonly msg: string

  constructor(fields: TrackerAlertFields & { readonly error: LibtorrentError; readonly msg?: string }) {
    super(fields)
    this.error = fields.error
    this.msg = fields.msg ?? fields.error.message
  }

  override message(): string {
    return `${super.message()} scrape failed: ${this.msg}`
  }
}
