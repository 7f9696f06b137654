import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Platform } from '../platform/platform.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { LsdSettings } from './lsdSettings.ts'

/** What the session gives local discovery, and hears of it: later, but for log lines, never from inside a call to it. */
export interface LocalDiscoveryHost {
  readonly platform: Pick<Platform, 'clock' | 'timers' | 'random' | 'localNetwork'>
  readonly settings: Readonly<LsdSettings>
  /** The port we accept peers at, those of SSL torrents or others, on the interface with this address; 0: none. */
  listenPort(address: string, ssl: boolean): number
  /** A peer of the local network said that it has this torrent, which may be none of ours, or a private one. */
  onLocalPeer(infoHash: Sha1Hash, peer: Endpoint): void
  /** Nothing can be sent or received on the interface with this address; for `lsd_error_alert`. */
  onLocalDiscoveryError(address: string, error: LibtorrentError): void
}
