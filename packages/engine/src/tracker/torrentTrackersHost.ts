import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Millis } from '../util/flavored.ts'
import type { AnnounceEntry } from './announceEntry.ts'
import type { TrackerClient } from './trackerClient.ts'
import type { TrackerLogin, TrackerPeer, TrackerRequest } from './trackerRequest.ts'
import type { TrackerSettings } from './trackerSettings.ts'

/** What a torrent tells its trackers; see `TrackerRequest`. */
export interface AnnounceParams
  extends Pick<
    TrackerRequest,
    | 'infoHash'
    | 'peerId'
    | 'uploaded'
    | 'downloaded'
    | 'left'
    | 'corrupt'
    | 'redundant'
    | 'key'
    | 'numWant'
    | 'ipv4'
    | 'ipv6'
    | 'privateTorrent'
    | 'applyIpFilter'
    | 'tls'
  > {
  /** Told instead of the listen socket's own. */
  readonly toldPort?: number
  /** All that is wanted is here, but not all there is: announced as `paused` (BEP 21). */
  readonly partialSeed?: boolean
  /** Manual, set_tracker_login. */
  readonly login?: TrackerLogin
}

/** What `TorrentTrackers` needs from its torrent. */
export interface TorrentTrackersHost {
  readonly clock: Clock
  readonly random: Random
  readonly settings: Readonly<TrackerSettings>
  readonly client: TrackerClient
  readonly alerts: AlertSink
  readonly handle: TorrentRef
  /**
   * The listen sockets, each of which announces; none while nothing is listened on. The same array as long as they are
   * the same.
   */
  readonly announceEndpoints: readonly Endpoint[]
  announceParams(): AnnounceParams
  /** Whether the torrent has anything to do with this tracker now. Default: with all. */
  allowsTracker?(entry: AnnounceEntry): boolean
  /** Calls `onWake` at `when`, or, when it is infinite, never. Replaces the earlier wish. */
  wakeAt(when: Millis): void
  /** A tracker named these peers: addresses, never names. `from` is the address its answer came from. */
  onTrackerPeers(peers: readonly TrackerPeer[], url: string, from: string): void
  /** A tracker at address `source` sees us as `address` (BEP 24). */
  onExternalAddress(address: string, source: string): void
  /** The swarm's size as far as trackers told; -1: none did. */
  onScrape(complete: number, incomplete: number, downloaded: number): void
}
