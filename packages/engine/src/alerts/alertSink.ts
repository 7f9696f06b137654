import type { Sha1Hash } from '../util/digest.ts'
import type { Alert } from './alert.ts'

/** What an alert says of the torrent it concerns. The API's `TorrentHandle` is one. */
export interface TorrentRef {
  readonly infoHash: Sha1Hash
}

/**
 * Where alerts go. Ask `wants` before building one: an alert nobody asked for costs nothing.
 * @example if (sink.wants(AlertCategory.tracker)) sink.post(new TrackerErrorAlert({ handle, ... }))
 */
export interface AlertSink {
  wants(category: number): boolean
  post(alert: Alert): void
}
