import type { Seconds } from '../util/flavored.ts'

/** What local discovery can be told, under the names of the settings table. Read anew each time: they may change. */
export interface LsdSettings {
  /** Time between two announces of a torrent; at least a minute. */
  readonly localServiceAnnounceInterval: Seconds
  /** Send announces to the broadcast address of IPv4 networks too, for networks without multicast. */
  readonly broadcastLsd: boolean
}

/** The manual's defaults; libtorrent 1.0 turned `broadcast_lsd` on, and 2.1 has it no more. */
export const DEFAULT_LSD_SETTINGS: LsdSettings = { localServiceAnnounceInterval: 300, broadcastLsd: false }
