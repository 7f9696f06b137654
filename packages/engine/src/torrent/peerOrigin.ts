/** In which country and network an address is, as far as databases say. */
export interface PeerOrigin {
  /** ISO 3166 code; empty without a database, `--` unknown, `!!` when the database has no sensible code. */
  country(address: string): string
  network(address: string): PeerNetwork
}

/** An autonomous system. */
export interface PeerNetwork {
  /** 0 unknown. */
  readonly inetAs: number
  /** Empty unknown. A stranger's text, in a way: escape it where it is shown. */
  readonly inetAsName: string
}
