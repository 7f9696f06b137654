import type { Endpoint } from '../address/endpoint.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Seconds } from '../util/flavored.ts'

/** A running lookup, for reports (libtorrent `dht_lookup`). */
export interface DhtLookup {
  readonly type: string
  readonly target: Uint8Array
  readonly outstandingRequests: number
  readonly timeouts: number
  readonly responses: number
  readonly branchFactor: number
  /** Nodes that may still be asked. */
  readonly nodesLeft: number
  /** Seconds since the last question; -1: none was asked yet. */
  readonly lastSent: number
  /** Questions not answered within the short timeout. */
  readonly firstTimeout: number
}

/** A bucket of a routing table (1.0, dht_routing_bucket). The first holds the nodes farthest from us. */
export interface DhtRoutingBucket {
  readonly numNodes: number
  /** Nodes that wait to replace one that fails. */
  readonly numReplacements: number
  /** Seconds since one of its nodes answered or was asked; -1: none was. */
  readonly lastActive: Seconds
}

/** A node in the table of one of ours. */
export interface DhtLiveNode {
  readonly id: Sha1Hash
  readonly endpoint: Endpoint
}
