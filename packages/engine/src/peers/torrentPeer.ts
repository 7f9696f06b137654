import { isLocal } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import type { Millis } from '../util/flavored.ts'

/** Failed attempts are counted up to here. */
export const MAX_FAILCOUNT = 31

/**
 * One entry of a torrent's peer list: what is remembered of a peer whether it is connected or not.
 * libtorrent's `torrent_peer`. `Connection` is whatever the owner attaches.
 * Fields that decide whether to connect are changed through `PeerList` only.
 */
export class TorrentPeer<Connection = unknown> {
  /** Canonical text. */
  readonly address: string
  /** The port it listens on, or while that is unknown (`connectable` false) the one it connected from. */
  port: number
  /** `PeerSource` bits. */
  source: number
  /** False for a peer that connected to us and has not said where it listens. */
  connectable: boolean
  /** On this machine or network. */
  readonly isLocal: boolean

  /** The live connection, or null. */
  connection: Connection | null = null
  /** Failed attempts to connect, 0 to 31. */
  failcount = 0
  /** When it was last connected or tried, 0 for never. */
  lastConnected: Millis = 0
  /** When it last became an optimistic unchoke, 0 for never. */
  lastOptimisticallyUnchoked: Millis = 0
  optimisticallyUnchoked = false
  /** Times it was allowed to reconnect at once. */
  fastReconnects = 0

  /** It answered with our own peer id: never connected to again, unless somebody asks for it. */
  isOurselves = false
  /** Never connected to again, nor let in. */
  banned = false
  /** From -7 to 8: up by one for a good piece it had a part in, down by two for a bad one. */
  trustPoints = 0
  /** Bad pieces it had a part in, up to 255. */
  hashfails = 0
  /** Suspected: gets whole pieces only, so that the next bad one is proof. */
  onParole = false

  /** It told us that it has everything. */
  seed = false
  /** It told us that it wants nothing more (BEP 21). */
  uploadOnly = false
  /** Someone else said so. */
  maybeUploadOnly = false

  /** Hints for how to connect, from peer exchange or earlier connections. */
  supportsEncryption = false
  /** The next attempt follows a failed one at once, the other way; it gets no such attempt itself. */
  isSecondTry = false
  supportsUtp = true
  confirmedSupportsUtp = false
  supportsHolepunch = false

  /** Payload of all earlier connections, in KiB; the owner hands it to the stats of the next one. */
  prevAmountUpload = 0
  prevAmountDownload = 0

  /** BEP 40 priority towards our external address; 0 until computed. Owned by `PeerList`. */
  priority = 0
  /** Place in the list, -1 when it is not in it. Owned by `PeerList`. */
  listIndex = -1
  /** Another entry with the same address. Owned by `PeerList`. */
  nextSameAddress: TorrentPeer<Connection> | null = null

  constructor(
    endpoint: Endpoint,
    connectable: boolean,
    source: number,
    /** It is known by WebRTC only: what is at its address for TCP is somebody else. */
    readonly isRtc = false,
  ) {
    this.address = endpoint.address
    this.port = endpoint.port
    this.connectable = connectable
    this.source = source
    this.isLocal = isLocal(endpoint.address)
  }

  get endpoint(): Endpoint {
    return { address: this.address, port: this.port }
  }
}
