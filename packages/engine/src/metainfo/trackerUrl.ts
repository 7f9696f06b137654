/** Where a tracker became known, a bit mask: libtorrent's `announce_entry::tracker_source`. */
export const TrackerSource = {
  torrent: 1,
  client: 2,
  magnetLink: 4,
  /** Tracker exchange (BEP 28). */
  tex: 8,
} as const

/** A tracker of a torrent: the lasting part of libtorrent's `announce_entry`. */
export interface TrackerUrl {
  readonly url: string
  /** Priority, 0 to 255; lower tiers are tried first (BEP 12). */
  readonly tier: number
  /** `TrackerSource` bits. */
  readonly source: number
}

/** Highest tier; libtorrent keeps tiers in a byte. */
export const MAX_TIER = 255

/** How a web seed is spoken to: BEP 19 (`urlSeed`, a plain web server) or BEP 17 (`httpSeed`, a script). */
export type WebSeedType = 'urlSeed' | 'httpSeed'

/** A web seed: libtorrent's `web_seed_entry`. */
export interface WebSeedEntry {
  readonly url: string
  readonly type: WebSeedType
  /** `user:password` for HTTP authentication. */
  readonly auth?: string
  /** Headers sent with each request. */
  readonly extraHeaders?: readonly (readonly [name: string, value: string])[]
}

/** A DHT node of a torrent: a host name or address, and a port. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}
