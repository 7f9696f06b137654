/** How a tracker is doing: counts since it started, and who is there now. */
export interface TrackerStats {
  readonly torrents: number
  /** Peers of all torrents; one that announces over IPv4 and IPv6 counts twice. */
  readonly peers: number
  readonly seeds: number
  /** Clients by WebSocket, and the peers they are, of all torrents: not counted above. */
  readonly webClients: number
  readonly webPeers: number
  readonly webSeeds: number
  /** Answered announces, of them those over UDP, and answered scrapes (of any number of torrents). */
  readonly announces: number
  readonly udpAnnounces: number
  /** Announces by WebSocket, of those above. */
  readonly webAnnounces: number
  /** Offers of WebRTC peers that were passed on, and answers to them. */
  readonly offers: number
  readonly answers: number
  readonly scrapes: number
  /** UDP connect requests. */
  readonly connects: number
  /** Requests that were answered with why they cannot be served. */
  readonly refused: number
  /** Requests beyond the rate one address is allowed. */
  readonly rateLimited: number
  /** UDP packets without a valid connection id, and what is no tracker's packet or message: not answered. */
  readonly ignored: number
}

/** The counts, as they are kept. */
export class TrackerCounters {
  announces = 0
  udpAnnounces = 0
  webAnnounces = 0
  offers = 0
  answers = 0
  scrapes = 0
  connects = 0
  refused = 0
  rateLimited = 0
  ignored = 0
}
