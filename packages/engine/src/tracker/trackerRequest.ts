import type { Endpoint } from '../address/endpoint.ts'
import type { TrackerEvent } from '../alerts/trackerAlerts.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { TlsContext } from '../platform/tls.ts'
import type { Seconds } from '../util/flavored.ts'

/** User name and password for HTTP Basic authentication (manual, set_tracker_login). */
export interface TrackerLogin {
  readonly username: string
  readonly password: string
}

/** What an announce and a scrape have in common. */
export interface TrackerQuery {
  /** The announce URL, as in the torrent. */
  readonly url: string
  /** 20 bytes. */
  readonly infoHash: Uint8Array
  /** Used for HTTP trackers whose URL brings no credentials of its own. */
  readonly login?: TrackerLogin
  /** A private torrent's tracker is told the real user agent also in anonymous mode. */
  readonly privateTorrent?: boolean
  /** The IP filter applies to the torrent (with setting `apply_ip_filter_to_trackers`, to its trackers). Default true. */
  readonly applyIpFilter?: boolean
  /** Of an SSL torrent: whom its https trackers must be vouched for by, and what they are shown. */
  readonly tls?: TlsContext | undefined
  /** Asked for by a person: goes before all that wait. */
  readonly highPriority?: boolean
}

/** One announce (BEP 3). Sizes are in bytes and count from the `started` announce. */
export interface TrackerRequest extends TrackerQuery {
  readonly event: TrackerEvent
  /**
   * The listen socket it is made for: it goes out from that address, to addresses of its family only. Default: the
   * client chooses.
   */
  readonly localEndpoint?: Endpoint
  /** 20 bytes. */
  readonly peerId: Uint8Array
  /** The port peers can reach us on. */
  readonly port: number
  readonly uploaded: number
  readonly downloaded: number
  readonly left: number
  /** Received and thrown away because a piece failed its hash check. */
  readonly corrupt: number
  /** Received more than once. */
  readonly redundant: number
  /** Unsigned 32 bits, the same for all announces of a torrent: proves who we are when our address changes. */
  readonly key: number
  /** Peers wanted at most. */
  readonly numWant: number
  /** What the tracker asked us to send back; one character per byte. Empty: nothing. */
  readonly trackerId: string
  /** Our other addresses (BEP 7); not sent in anonymous mode. */
  readonly ipv4?: readonly string[]
  readonly ipv6?: readonly string[]
  /** Told to a tracker in I2P instead of an address: ours, in full. Left out: the tracker is none. */
  readonly i2pDestination?: string
}

/** Peers beyond are ignored: as many as a torrent's peer list holds by default (setting `max_peerlist_size`). */
export const MAX_PEERS_PER_REPLY = 3000

/** A peer as a tracker names it. */
export interface TrackerPeer {
  /** Canonical address; in `namedPeers` a host name. */
  readonly address: string
  readonly port: number
  /** 20 bytes, from trackers that answer in the long form. */
  readonly peerId?: Uint8Array
}

/** Counts of a swarm; -1 is unknown. */
export interface SwarmCounts {
  /** Seeds. */
  readonly complete: number
  /** Downloaders. */
  readonly incomplete: number
  /** Downloads finished so far. */
  readonly downloaded: number
  /** Of `incomplete`, those that download: not partial seeds (BEP 21). */
  readonly downloaders: number
}

/** A tracker's answer to an announce. Intervals are as the tracker gave them: see `clampIntervals`. */
export interface AnnounceReply extends SwarmCounts {
  readonly kind: 'reply'
  readonly interval: Seconds
  readonly minInterval: Seconds
  /** To be sent back from now on, one character per byte; empty: none. */
  readonly trackerId: string
  /** For people; empty: none. */
  readonly warning: string
  readonly peers: readonly TrackerPeer[]
  /** Peers given by name, which is to be resolved. */
  readonly namedPeers: readonly TrackerPeer[]
  /** Our address as the tracker sees it (BEP 24); empty: not told. */
  readonly externalAddress: string
  /** The address the answer came from. */
  readonly trackerAddress: string
}

/** A tracker's answer to a scrape. */
export interface ScrapeReply extends SwarmCounts {
  readonly kind: 'scrape'
}

/** An announce or scrape that failed. */
export interface TrackerFailure {
  readonly kind: 'failure'
  readonly error: LibtorrentError
  /** The tracker's own words, empty if none. */
  readonly message: string
  /** Not to be asked again before this time; 0: it did not say. */
  readonly retryIn: Seconds
  /** Never to be asked again: HTTP status 410, or BEP 31's "never". */
  readonly permanent: boolean
}

/** A failure with nothing but its error. */
export function trackerFailure(error: LibtorrentError, message = '', retryIn: Seconds = 0): TrackerFailure {
  return { kind: 'failure', error, message, retryIn, permanent: error.category === 'http' && error.value === 410 }
}
