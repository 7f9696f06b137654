import type { Endpoint } from '../address/endpoint.ts'
import type { DhtNode } from './dhtNode.ts'
import type { DhtStorage, DhtStorageCounters } from './dhtStorage.ts'
import type { DhtLookup } from './traversal.ts'

/** What `session.status()` tells of the DHT, under libtorrent's names (manual, `session_status`), and more beside. */
export interface DhtStatus {
  /** Nodes in the tables. */
  readonly dhtNodes: number
  /** Nodes that wait to replace one that fails. */
  readonly dhtNodeCache: number
  /** Info-hashes we keep peers for. */
  readonly dhtTorrents: number
  /** Estimated number of nodes of the whole network. */
  readonly dhtGlobalNodes: number
  /** Running lookups. */
  readonly activeRequests: readonly DhtLookup[]
  readonly storage: DhtStorageCounters
  /** Each node on its own. */
  readonly nodes: readonly DhtNodeStatus[]
}

/** One node (libtorrent `dht_status`, `dht_routing_bucket`). */
export interface DhtNodeStatus {
  readonly ourId: Uint8Array
  readonly localEndpoint: Endpoint
  readonly externalAddress: string | null
  /** Requests that wait for an answer. */
  readonly requests: number
  readonly table: readonly { readonly numNodes: number; readonly numReplacements: number }[]
}

export function dhtStatus(nodes: readonly DhtNode[], storage: DhtStorage): DhtStatus {
  let dhtNodes = 0
  let dhtNodeCache = 0
  let dhtGlobalNodes = 0
  for (const { table } of nodes) {
    const counts = table.counts()
    dhtNodes += counts.nodes
    dhtNodeCache += counts.replacements
    dhtGlobalNodes += table.globalNodes
  }
  const stored = storage.counters()
  return {
    dhtNodes,
    dhtNodeCache,
    dhtTorrents: stored.torrents,
    dhtGlobalNodes,
    activeRequests: nodes.flatMap((node) => node.lookupStatus()),
    storage: stored,
    nodes: nodes.map((node) => ({
      ourId: node.ownId,
      localEndpoint: node.local,
      externalAddress: node.externalAddress,
      requests: node.requests.size,
      table: node.table.bucketSizes,
    })),
  }
}
