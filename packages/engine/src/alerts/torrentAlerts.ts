import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis, PieceIndex } from '../util/flavored.ts'
import { Alert, AlertCategory } from './alert.ts'
import type { TorrentRef } from './alertSink.ts'
import type { TorrentState } from './torrentState.ts'

/** What every alert about one torrent is built from. */
export interface TorrentAlertFields {
  readonly handle: TorrentRef
}

/** Base of all alerts about one torrent. */
export abstract class TorrentAlert extends Alert {
  /** The torrent it concerns. It may be gone by the time the alert is read; its info-hash stays readable. */
  readonly handle: TorrentRef

  constructor(fields: TorrentAlertFields) {
    super()
    this.handle = fields.handle
  }

  /** The first six hexadecimal digits of the info-hash; the alerts add what happened. */
  override message(): string {
    return this.handle.infoHash.toHex().slice(0, 6)
  }
}

/** A torrent was added to the session. @see libtorrent `torrent_added_alert` (1.0) */
export class TorrentAddedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'torrentAdded'

  override message(): string {
    return `${super.message()} added`
  }
}

/** A torrent left the session; its `handle` is no longer valid. @see libtorrent `torrent_removed_alert` (1.0) */
export class TorrentRemovedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'torrentRemoved'
  /** Says which torrent it was. */
  readonly infoHash: Sha1Hash

  constructor(fields: TorrentAlertFields & { readonly infoHash: Sha1Hash }) {
    super(fields)
    this.infoHash = fields.infoHash
  }

  override message(): string {
    return `${super.message()} removed`
  }
}

/**
 * Answer to an asynchronous add: the torrent is in the session, or `error` says why it is not; then `handle` is
 * not valid. @see libtorrent `add_torrent_alert` (1.0)
 */
export class AddTorrentAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'addTorrent'
  /** What was asked for, as given to the session. */
  readonly params: object
  /** Null when the torrent was added. */
  readonly error: LibtorrentError | null

  constructor(
    fields: TorrentAlertFields & {
      readonly params: object
      readonly error: LibtorrentError | null
    },
  ) {
    super(fields)
    this.params = fields.params
    this.error = fields.error
  }

  override message(): string {
    if (this.error === null) return `added torrent: ${super.message()}`
    return `failed to add torrent ${super.message()}: [${this.error.category}] ${this.error.message}`
  }
}

/**
 * There is a newer version of a mutable torrent (BEP 46; `AddTorrentParams.mutableTorrent`). The torrent stays what it is:
 * add the new one to get it. @see libtorrent `torrent_update_alert` (1.0), which tells of torrents added by URL
 */
export class TorrentUpdateAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'torrentUpdate'
  /** Of the torrent that is here. */
  readonly oldIh: Sha1Hash
  /** Of the newest version. */
  readonly newIh: Sha1Hash

  constructor(fields: TorrentAlertFields & { readonly oldIh: Sha1Hash; readonly newIh: Sha1Hash }) {
    super(fields)
    this.oldIh = fields.oldIh
    this.newIh = fields.newIh
  }

  override message(): string {
    return `${super.message()}: there is a newer version, ${this.newIh}, of ${this.oldIh}`
  }
}

/**
 * All wanted pieces are complete: the torrent went from downloading to finished or seeding.
 * @see manual, torrent_finished_alert
 */
export class TorrentFinishedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'torrentFinished'

  override message(): string {
    return `${super.message()} torrent finished downloading`
  }
}

/**
 * A pause was carried out: all disk work is done and the files are closed. Safe to touch the files now.
 * @see manual, torrent_paused_alert
 */
export class TorrentPausedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'torrentPaused'

  override message(): string {
    return `${super.message()} paused`
  }
}

/** A paused torrent is active again. @see manual, torrent_resumed_alert */
export class TorrentResumedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'torrentResumed'

  override message(): string {
    return `${super.message()} resumed`
  }
}

/** What is on disk is known: checking, or accepting the resume data, is over. @see libtorrent `torrent_checked_alert` (1.0) */
export class TorrentCheckedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'torrentChecked'

  override message(): string {
    return `${super.message()} checked`
  }
}

/** A torrent changed its state. @see manual, state_changed_alert */
export class StateChangedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'stateChanged'
  /** The state it is in now. */
  readonly state: TorrentState
  /** The state it left. */
  readonly prevState: TorrentState

  constructor(fields: TorrentAlertFields & { readonly state: TorrentState; readonly prevState: TorrentState }) {
    super(fields)
    this.state = fields.state
    this.prevState = fields.prevState
  }

  override message(): string {
    return `${super.message()}: state changed to: ${this.state}`
  }
}

/** A torrent was stopped by an error. It stays so until `clearError`. @see libtorrent `torrent_error_alert` (1.0) */
export class TorrentErrorAlert extends TorrentAlert {
  static override readonly category = AlertCategory.error | AlertCategory.status
  readonly type = 'torrentError'
  readonly error: LibtorrentError

  constructor(fields: TorrentAlertFields & { readonly error: LibtorrentError }) {
    super(fields)
    this.error = fields.error
  }

  override message(): string {
    const at = this.error.path === undefined ? '' : ` ${this.error.path}`
    return `${super.message()} ERROR: (${this.error.value} ${this.error.message})${at}`
  }
}

/**
 * The info dictionary was received but is wrong: its hash is not the info-hash, or it could not be parsed.
 * It is asked for again. @see manual, metadata_failed_alert
 */
export class MetadataFailedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.error
  readonly type = 'metadataFailed'
  readonly error: LibtorrentError

  constructor(fields: TorrentAlertFields & { readonly error: LibtorrentError }) {
    super(fields)
    this.error = fields.error
  }

  override message(): string {
    return `${super.message()} invalid metadata received: ${this.error.message}`
  }
}

/**
 * The info dictionary arrived from peers; the torrent can start. Only for torrents added without one.
 * @see manual, metadata_received_alert
 */
export class MetadataReceivedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'metadataReceived'

  override message(): string {
    return `${super.message()} metadata successfully received`
  }
}

/**
 * An SSL torrent was added, or turned out to be one: without a certificate, given by `TorrentHandle.setSslCertificate`, it
 * connects to nobody. @see libtorrent `torrent_need_cert_alert` (1.0)
 */
export class TorrentNeedCertAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'torrentNeedCert'

  override message(): string {
    return `${super.message()} needs an SSL certificate`
  }
}

/** A downloaded piece does not match its hash and will be downloaded again. @see manual, hash_failed_alert */
export class HashFailedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.status
  readonly type = 'hashFailed'
  readonly pieceIndex: PieceIndex

  constructor(fields: TorrentAlertFields & { readonly pieceIndex: PieceIndex }) {
    super(fields)
    this.pieceIndex = fields.pieceIndex
  }

  override message(): string {
    return `${super.message()} hash for piece ${this.pieceIndex} failed`
  }
}

/** A piece was downloaded and matches its hash. @see libtorrent `piece_finished_alert` (1.0) */
export class PieceFinishedAlert extends TorrentAlert {
  static override readonly category = AlertCategory.progress
  readonly type = 'pieceFinished'
  readonly pieceIndex: PieceIndex

  constructor(fields: TorrentAlertFields & { readonly pieceIndex: PieceIndex }) {
    super(fields)
    this.pieceIndex = fields.pieceIndex
  }

  override message(): string {
    return `${super.message()} piece: ${this.pieceIndex} finished downloading`
  }
}

/** Which limit costs speed (manual, `performance_alert::performance_warning_t`). The values are the names. */
export const PerformanceWarning = {
  /** Bytes waiting for the disk are over `maxQueuedDiskBytes`; peers are not read from until it is below. */
  outstandingDiskBufferLimitReached: 'outstandingDiskBufferLimitReached',
  /** A fast peer would deserve more requests than `maxOutRequestQueue` allows. */
  outstandingRequestLimitReached: 'outstandingRequestLimitReached',
  /** Acknowledging what is downloaded uses up the upload limit. */
  uploadLimitTooLow: 'uploadLimitTooLow',
  /** Acknowledgements of what is uploaded use up the download limit. */
  downloadLimitTooLow: 'downloadLimitTooLow',
  /** The send buffer ran empty while the disk was still reading: raise `sendBufferWatermark`. */
  sendBufferWatermarkTooLow: 'sendBufferWatermarkTooLow',
} as const
export type PerformanceWarning = (typeof PerformanceWarning)[keyof typeof PerformanceWarning]

const performanceWarningText: Readonly<Record<PerformanceWarning, string>> = {
  outstandingDiskBufferLimitReached: 'max outstanding disk writes reached',
  outstandingRequestLimitReached: 'max outstanding piece requests reached',
  uploadLimitTooLow: 'upload limit too low (download rate will suffer)',
  downloadLimitTooLow: 'download limit too low (upload rate will suffer)',
  sendBufferWatermarkTooLow: 'send buffer watermark too low (upload rate will suffer)',
}

/** A limit was reached that may cost upload or download speed. @see manual, performance_alert */
export class PerformanceAlert extends TorrentAlert {
  static override readonly category = AlertCategory.performanceWarning
  readonly type = 'performance'
  readonly warningCode: PerformanceWarning

  constructor(fields: TorrentAlertFields & { readonly warningCode: PerformanceWarning }) {
    super(fields)
    this.warningCode = fields.warningCode
  }

  override message(): string {
    return `${super.message()}: performance warning: ${performanceWarningText[this.warningCode]}`
  }
}

/** Index of each counter in `StatsAlert.transferred` (manual, `stats_alert::stats_channel`). */
export const StatsChannel = {
  uploadPayload: 0,
  uploadProtocol: 1,
  uploadIpProtocol: 2,
  uploadDhtProtocol: 3,
  uploadTrackerProtocol: 4,
  downloadPayload: 5,
  downloadProtocol: 6,
  downloadIpProtocol: 7,
  downloadDhtProtocol: 8,
  downloadTrackerProtocol: 9,
  /** How many there are. */
  numChannels: 10,
} as const
export type StatsChannel = (typeof StatsChannel)[keyof typeof StatsChannel]

/** Bytes an active torrent transferred since its last such alert, about once a second. @see manual, stats_alert */
export class StatsAlert extends TorrentAlert {
  static override readonly category = AlertCategory.stats
  readonly type = 'stats'
  /** Bytes per channel, in the order of `StatsChannel`; raw, not smoothed. */
  readonly transferred: readonly number[]
  /** How long they were collected, whole milliseconds: just over 1000, more on a busy machine. */
  readonly interval: Millis

  constructor(fields: TorrentAlertFields & { readonly transferred: readonly number[]; readonly interval: Millis }) {
    super(fields)
    this.transferred = fields.transferred
    this.interval = fields.interval
  }

  override message(): string {
    return `${super.message()}: [${this.interval}] ${this.transferred.join(' ')}`
  }
}
