/** How a tracker is doing: counts since it started, and who is there now. */
export interface TrackerStats {
  readonly torrents: number
  /** Peers of all torrents; one that announces over IPv4 and IPv6 counts twice. */
  readonly peers: number
  readonly seeds: number
  /** Answered announces, of them those over UDP, and answered scrapes (of any number of torrents). */
  readonly announces: number
  readonly udpAnnounces: number
  readonly scrapes: number
  /** UDP connect requests. */
  readonly connects: number
  /** Requests that were answered with why they cannot be served. */
  readonly refused: number
  /** Requests beyond the rate one address is allowed. */
  readonly rateLimited: number
  /** UDP packets without a valid connection id, and what is no tracker's packet: not answered. */
  readonly ignored: number
}

/** The counts, as they are kept. */
export class TrackerCounters {
  announces = 0
  udpAnnounces = 0
  scrapes = 0
  connects = 0
  refused = 0
  rateLimited = 0
  ignored = 0
}
