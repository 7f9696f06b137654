import type { EncPolicy } from '../settings/settingEnums.ts'
import type { Millis, Seconds } from '../util/flavored.ts'

/** The settings the tracker code reads, under the names of the settings table. Read anew each time: they may change. */
export interface TrackerSettings {
  /** Longest whole announce or scrape, name lookup included; 0: no limit. */
  readonly trackerCompletionTimeout: Seconds
  /** Longest silence of an HTTP tracker; of a UDP tracker that has more addresses to try. 0: no limit. */
  readonly trackerReceiveTimeout: Seconds
  /** Longest announce of `stopped`; 0 or less: none is sent. */
  readonly stopTrackerTimeout: Seconds
  /** Largest HTTP answer in bytes, after decompression. */
  readonly trackerMaximumResponseLength: number
  /** Growth of the delay between failing announces, per cent; see `retryDelay`. */
  readonly trackerBackoff: number
  /** Smallest interval a tracker can ask for. */
  readonly minAnnounceInterval: Seconds
  /** The same for WebSocket trackers. */
  readonly minWebsocketAnnounceInterval: Seconds
  /** Announce to all trackers of a tier instead of to the first that works. */
  readonly announceToAllTrackers: boolean
  /** Announce to one tracker of each tier instead of to the first tier that works. */
  readonly announceToAllTiers: boolean
  /** Of trackers with the same host name, try the UDP one first. */
  readonly preferUdpTrackers: boolean
  /** Life of a UDP tracker's connection id. */
  readonly udpTrackerTokenExpiry: Seconds
  /** Sent to HTTP trackers. */
  readonly userAgent: string
  /** Address told to trackers as ours; empty: the tracker takes the one it sees. */
  readonly announceIp: string
  /** Port told to trackers as ours; 0, the default: that of the listen socket. */
  readonly announcePort?: number
  readonly validateHttpsTrackers: boolean
  /** Refuse tracker URLs that could be aimed at services of our own machine or network. */
  readonly ssrfMitigation: boolean
  /** Accept international host names, which can look like others. */
  readonly allowIdna: boolean
  /** The IP filter holds for trackers, too. */
  readonly applyIpFilterToTrackers: boolean
  /** HTTP announces and scrapes under way at once, over all torrents. */
  readonly maxConcurrentHttpAnnounces: number
  /** Tell HTTP trackers that we accept encrypted connections, if we do. */
  readonly announceCryptoSupport: boolean
  readonly inEncPolicy: EncPolicy
  /** Tell trackers how many redundant bytes were received. */
  readonly reportRedundantBytes: boolean
  /** Tell trackers nothing that identifies this client or its addresses; default false. */
  readonly anonymousMode?: boolean
}

/** Stands for "no limit" where a timer needs a number: a day. */
const NO_LIMIT_MS: Millis = 24 * 3600 * 1000

/** A time-out setting in milliseconds. */
export function timeoutOf(seconds: Seconds): Millis {
  return seconds > 0 ? Math.min(seconds * 1000, NO_LIMIT_MS) : NO_LIMIT_MS
}
