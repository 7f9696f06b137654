import type { Endpoint } from '../address/endpoint.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'

/** Who sends blocks: a connection to a peer, or a web seed. */
export interface BlockSource {
  /** What the picker knows it by, and what remembers how its pieces turned out. */
  readonly entry: TorrentPeer | null
  readonly remote: Endpoint
  /** 20 bytes, zeros while there is none. */
  readonly peerId: Uint8Array
}
