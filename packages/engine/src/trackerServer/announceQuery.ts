import { writeU16 } from '../util/bytes.ts'
import { PEER_ID_SIZE } from './peerTable.ts'
import { SourceAddress } from './sourceAddress.ts'

export const INFO_HASH_SIZE = 20

/** What a peer tells of itself (BEP 3). `paused` (BEP 21) changes nothing for a tracker. */
export type AnnounceEvent = 'none' | 'started' | 'completed' | 'stopped'

/** One announce as it came, over HTTP or UDP. Filled anew for each, so that none is garbage. */
export class AnnounceQuery {
  readonly infoHash = new Uint8Array(INFO_HASH_SIZE)
  readonly peerId = new Uint8Array(PEER_ID_SIZE)
  /** Where the request came from, which is proven. */
  readonly source = new SourceAddress()
  /** The address it says it has (`ip`); length 0: none. */
  readonly claimed = new SourceAddress()
  /** 0 to 65535. */
  port = 0
  /** It has all of the torrent. */
  isSeed = false
  event: AnnounceEvent = 'none'
  /** Unsigned 32 bits. */
  key = 0
  /** Peers it wants; below 0: as many as the tracker likes. */
  numWant = -1

  private readonly endpointBytes = new Uint8Array(18)

  /** The address it counts under. */
  get address(): SourceAddress {
    return this.claimed.length === 0 ? this.source : this.claimed
  }

  /** The compact endpoint of `address` and `port`, valid until the next call. */
  endpoint(): Uint8Array {
    const { bytes, length } = this.address
    for (let i = 0; i < length; i++) this.endpointBytes[i] = bytes[i]
    writeU16(this.endpointBytes, length, this.port)
    return this.endpointBytes
  }
}
