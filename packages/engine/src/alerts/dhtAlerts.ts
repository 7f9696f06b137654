import { type Endpoint, endpointText } from '../address/endpoint.ts'
import type { Entry } from '../bencode/entry.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Sha1Hash } from '../util/digest.ts'
import { Alert, AlertCategory } from './alert.ts'
import type { DhtLiveNode, DhtLookup, DhtRoutingBucket } from './dhtReports.ts'
import { TrackerAlert, type TrackerAlertFields } from './trackerAlerts.ts'

/** The DHT named peers of a torrent. `url` is empty. @see manual, dht_reply_alert */
export class DhtReplyAlert extends TrackerAlert {
  static override readonly category = AlertCategory.dht | AlertCategory.tracker
  readonly type = 'dhtReply'
  /** Peers in the answer of one node; 0 when a lookup ended without any. */
  readonly numPeers: number

  constructor(fields: Omit<TrackerAlertFields, 'url'> & { readonly numPeers: number }) {
    super({ ...fields, url: '' })
    this.numPeers = fields.numPeers
  }

  override message(): string {
    return `${super.message()} received DHT reply, peers: ${this.numPeers}`
  }
}

/** A node announced to ours that it has a torrent. @see manual, dht_announce_alert */
export class DhtAnnounceAlert extends Alert {
  static override readonly category = AlertCategory.dht
  readonly type = 'dhtAnnounce'
  /** Address of the peer. */
  readonly ip: string
  /** Port the peer says it listens on. */
  readonly port: number
  readonly infoHash: Sha1Hash

  constructor(fields: { readonly ip: string; readonly port: number; readonly infoHash: Sha1Hash }) {
    super()
    this.ip = fields.ip
    this.port = fields.port
    this.infoHash = fields.infoHash
  }

  override message(): string {
    return `incoming dht announce: ${endpointText({ address: this.ip, port: this.port })} (${this.infoHash.toHex()})`
  }
}

/** A node asked ours for the peers of a torrent. @see manual, dht_get_peers_alert */
export class DhtGetPeersAlert extends Alert {
  static override readonly category = AlertCategory.dht
  readonly type = 'dhtGetPeers'
  readonly infoHash: Sha1Hash

  constructor(fields: { readonly infoHash: Sha1Hash }) {
    super()
    this.infoHash = fields.infoHash
  }

  override message(): string {
    return `incoming dht get_peers: ${this.infoHash.toHex()}`
  }
}

/** Our nodes have found their place in the DHT; later than the start when nobody is known at first. @see libtorrent `dht_bootstrap_alert` (1.0) */
export class DhtBootstrapAlert extends Alert {
  static override readonly category = AlertCategory.dht
  readonly type = 'dhtBootstrap'

  override message(): string {
    return 'DHT bootstrap complete'
  }
}

/** What the DHT was doing when it failed (libtorrent `dht_error_alert::op_t`). */
export const DhtErrorOp = { unknown: 0, hostnameLookup: 1 } as const
export type DhtErrorOp = (typeof DhtErrorOp)[keyof typeof DhtErrorOp]

/** The DHT could not do something, such as looking up the name of a router. @see libtorrent `dht_error_alert` (1.0) */
export class DhtErrorAlert extends Alert {
  static override readonly category = AlertCategory.error | AlertCategory.dht
  readonly type = 'dhtError'
  readonly error: LibtorrentError
  readonly operation: DhtErrorOp

  constructor(fields: { readonly error: LibtorrentError; readonly operation: DhtErrorOp }) {
    super()
    this.error = fields.error
    this.operation = fields.operation
  }

  override message(): string {
    return `DHT error${this.operation === DhtErrorOp.hostnameLookup ? ' [hostname lookup]' : ''}: ${this.error.message}`
  }
}

/** The answer to `dhtGetItem` with a target: an immutable item (BEP 44). @see libtorrent `dht_immutable_item_alert` */
export class DhtImmutableItemAlert extends Alert {
  static override readonly category = AlertCategory.error | AlertCategory.dht
  readonly type = 'dhtImmutableItem'
  readonly target: Sha1Hash
  /** Null when nobody has it. */
  readonly item: Entry | null

  constructor(fields: { readonly target: Sha1Hash; readonly item: Entry | null }) {
    super()
    this.target = fields.target
    this.item = fields.item
  }

  override message(): string {
    return `DHT immutable item ${this.target.toHex()}${this.item === null ? ' not found' : ''}`
  }
}

/** An answer to `dhtGetItem` with a public key: a mutable item (BEP 44). @see libtorrent `dht_mutable_item_alert` */
export class DhtMutableItemAlert extends Alert {
  static override readonly category = AlertCategory.error | AlertCategory.dht
  readonly type = 'dhtMutableItem'
  /** Public key of who may change it, 32 bytes. */
  readonly key: Uint8Array
  /** 64 bytes; null when nobody has the item. */
  readonly signature: Uint8Array | null
  /** Sequence number: grows with each change. */
  readonly seq: number
  readonly salt: Uint8Array
  /** Null when nobody has it. */
  readonly item: Entry | null
  /** All nodes have answered: no newer one is to come. */
  readonly authoritative: boolean

  constructor(fields: {
    readonly key: Uint8Array
    readonly signature: Uint8Array | null
    readonly seq: number
    readonly salt: Uint8Array
    readonly item: Entry | null
    readonly authoritative: boolean
  }) {
    super()
    this.key = fields.key
    this.signature = fields.signature
    this.seq = fields.seq
    this.salt = fields.salt
    this.item = fields.item
    this.authoritative = fields.authoritative
  }

  override message(): string {
    return `DHT mutable item${this.item === null ? ' not found' : `, seq: ${this.seq}`}`
  }
}

/** A `dhtPutItem` is over. @see libtorrent `dht_put_alert` (1.0) */
export class DhtPutAlert extends Alert {
  static override readonly category = AlertCategory.dht
  readonly type = 'dhtPut'
  /** Of an immutable item; null for a mutable one. */
  readonly target: Sha1Hash | null
  /** Of a mutable item; null for an immutable one, and so are the next three. */
  readonly publicKey: Uint8Array | null
  readonly signature: Uint8Array | null
  readonly salt: Uint8Array | null
  readonly seq: number | null
  /** Nodes that took it. */
  readonly numSuccess: number

  constructor(fields: {
    readonly target: Sha1Hash | null
    readonly publicKey?: Uint8Array
    readonly signature?: Uint8Array
    readonly salt?: Uint8Array
    readonly seq?: number
    readonly numSuccess: number
  }) {
    super()
    this.target = fields.target
    this.publicKey = fields.publicKey ?? null
    this.signature = fields.signature ?? null
    this.salt = fields.salt ?? null
    this.seq = fields.seq ?? null
    this.numSuccess = fields.numSuccess
  }

  override message(): string {
    const what = this.target === null ? `mutable item, seq: ${this.seq ?? '?'}` : this.target.toHex()
    return `DHT put complete (${what}), taken by ${this.numSuccess} nodes`
  }
}

/** The nodes in the routing table of one of ours, asked for by `dhtLiveNodes`. @see libtorrent `dht_live_nodes_alert` (1.1) */
export class DhtLiveNodesAlert extends Alert {
  static override readonly category = AlertCategory.dht
  readonly type = 'dhtLiveNodes'
  /** Id of our node. */
  readonly nodeId: Sha1Hash
  /** Empty also when we have no such node. */
  readonly nodes: readonly DhtLiveNode[]

  constructor(fields: { readonly nodeId: Sha1Hash; readonly nodes: readonly DhtLiveNode[] }) {
    super()
    this.nodeId = fields.nodeId
    this.nodes = fields.nodes
  }

  get numNodes(): number {
    return this.nodes.length
  }

  override message(): string {
    return `DHT live nodes for id: ${this.nodeId.toHex()}, nodes ${this.nodes.length}`
  }
}

/** One of our nodes, asked for by `postDhtStats`. @see libtorrent `dht_stats_alert` (1.1) */
export class DhtStatsAlert extends Alert {
  static override readonly category = AlertCategory.dht
  readonly type = 'dhtStats'
  /** Lookups it has under way. */
  readonly activeRequests: readonly DhtLookup[]
  /** Its buckets, farthest first. */
  readonly routingTable: readonly DhtRoutingBucket[]
  /** Its id. */
  readonly nid: Sha1Hash
  /** Where it listens. */
  readonly localEndpoint: Endpoint

  constructor(fields: {
    readonly activeRequests: readonly DhtLookup[]
    readonly routingTable: readonly DhtRoutingBucket[]
    readonly nid: Sha1Hash
    readonly localEndpoint: Endpoint
  }) {
    super()
    this.activeRequests = fields.activeRequests
    this.routingTable = fields.routingTable
    this.nid = fields.nid
    this.localEndpoint = fields.localEndpoint
  }

  override message(): string {
    const nodes = this.routingTable.reduce((sum, { numNodes }) => sum + numNodes, 0)
    const lookups = this.activeRequests.length
    return `DHT stats of ${endpointText(this.localEndpoint)} (${this.nid.toHex()}): ${nodes} nodes, ${lookups} lookups`
  }
}
