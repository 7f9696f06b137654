/** Where a peer was heard of; bits, since several may name it. libtorrent's `peer_info::peer_source_flags`. */
export const PeerSource = {
  tracker: 1,
  dht: 2,
  pex: 4,
  lsd: 8,
  resumeData: 16,
  /** It connected to us. */
  incoming: 32,
} as const

/** What a peer exchange message says about a peer (BEP 11). */
export const PexFlags = {
  /** Prefers encrypted connections. */
  encryption: 1,
  /** Has everything, or wants nothing more. */
  seed: 2,
  utp: 4,
  holepunch: 8,
} as const

/** Connect first to what better sources named: tracker, then local discovery, DHT, peer exchange. */
export function sourceRank(source: number): number {
  let rank = 0
  if (source & PeerSource.tracker) rank |= 32
  if (source & PeerSource.lsd) rank |= 16
  if (source & PeerSource.dht) rank |= 8
  if (source & PeerSource.pex) rank |= 4
  return rank
}
