import type { Alert } from '../alerts/alert.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { FileCompletedAlert, FileErrorAlert } from '../alerts/storageAlerts.ts'
import {
  HashFailedAlert,
  MetadataFailedAlert,
  MetadataReceivedAlert,
  PerformanceAlert,
  type PerformanceWarning,
  PieceFinishedAlert,
  StateChangedAlert,
  StatsAlert,
  TorrentCheckedAlert,
  TorrentErrorAlert,
  TorrentFinishedAlert,
  TorrentPausedAlert,
  TorrentResumedAlert,
} from '../alerts/torrentAlerts.ts'
import type { TorrentState } from '../alerts/torrentState.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { FileIndex, Millis, PieceIndex } from '../util/flavored.ts'
import type { TransferStats } from '../util/transferStats.ts'

export interface TorrentNewsHost {
  readonly alerts: AlertSink
  readonly ref: TorrentRef
}

/** Says what happened to a torrent: one method a fact, each an alert if somebody wants to know. */
export class TorrentNews {
  constructor(private readonly host: TorrentNewsHost) {}

  stateChanged(state: TorrentState, prevState: TorrentState): void {
    this.post(StateChangedAlert.category, () => new StateChangedAlert({ handle: this.host.ref, state, prevState }))
  }

  checked(): void {
    this.post(TorrentCheckedAlert.category, () => new TorrentCheckedAlert({ handle: this.host.ref }))
  }

  finished(): void {
    this.post(TorrentFinishedAlert.category, () => new TorrentFinishedAlert({ handle: this.host.ref }))
  }

  paused(): void {
    this.post(TorrentPausedAlert.category, () => new TorrentPausedAlert({ handle: this.host.ref }))
  }

  resumed(): void {
    this.post(TorrentResumedAlert.category, () => new TorrentResumedAlert({ handle: this.host.ref }))
  }

  failed(error: LibtorrentError): void {
    this.post(TorrentErrorAlert.category, () => new TorrentErrorAlert({ handle: this.host.ref, error }))
  }

  fileFailed(error: LibtorrentError): void {
    const file = error.path ?? ''
    this.post(FileErrorAlert.category, () => new FileErrorAlert({ handle: this.host.ref, file, error }))
  }

  metadataReceived(): void {
    this.post(MetadataReceivedAlert.category, () => new MetadataReceivedAlert({ handle: this.host.ref }))
  }

  metadataFailed(error: LibtorrentError): void {
    this.post(MetadataFailedAlert.category, () => new MetadataFailedAlert({ handle: this.host.ref, error }))
  }

  pieceFinished(pieceIndex: PieceIndex): void {
    this.post(PieceFinishedAlert.category, () => new PieceFinishedAlert({ handle: this.host.ref, pieceIndex }))
  }

  hashFailed(pieceIndex: PieceIndex): void {
    this.post(HashFailedAlert.category, () => new HashFailedAlert({ handle: this.host.ref, pieceIndex }))
  }

  /** `files` are looked for only if somebody wants to know. */
  filesCompleted(files: () => readonly FileIndex[]): void {
    const { alerts, ref } = this.host
    if (!alerts.wants(FileCompletedAlert.category)) return
    for (const index of files()) alerts.post(new FileCompletedAlert({ handle: ref, index }))
  }

  performance(warningCode: PerformanceWarning): void {
    this.post(PerformanceAlert.category, () => new PerformanceAlert({ handle: this.host.ref, warningCode }))
  }

  /** Bytes since the last call, before the counters are reset. There is no DHT, and trackers are not counted here. */
  stats(stats: TransferStats, interval: Millis): void {
    this.post(StatsAlert.category, () => {
      const transferred = [
        stats.uploadPayload.counter,
        stats.uploadProtocol.counter,
        stats.uploadIpProtocol.counter,
        0,
        0,
        stats.downloadPayload.counter,
        stats.downloadProtocol.counter,
        stats.downloadIpProtocol.counter,
        0,
        0,
      ]
      return new StatsAlert({ handle: this.host.ref, transferred, interval: Math.round(interval) })
    })
  }

  private post(category: number, build: () => Alert): void {
    if (this.host.alerts.wants(category)) this.host.alerts.post(build())
  }
}
