import type { Endpoint } from '../address/endpoint.ts'
import type { DhtLookup, DhtRoutingBucket } from '../alerts/dhtReports.ts'
import { Sha1Hash } from '../util/digest.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import type { DhtCounters } from './dhtCounters.ts'
import type { DhtNode } from './dhtNode.ts'
import type { DhtStorage, DhtStorageCounters } from './dhtStorage.ts'

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
  /** Bytes a second, and since it was started, without IP and UDP headers. */
  readonly dhtUploadRate: number
  readonly dhtDownloadRate: number
  readonly totalDhtUpload: number
  readonly totalDhtDownload: number
  /** The tables of all nodes, laid over each other. */
  readonly dhtRoutingTable: readonly DhtRoutingBucket[]
  /** Running lookups. */
  readonly activeRequests: readonly DhtLookup[]
  readonly storage: DhtStorageCounters
  /** Each node on its own. */
  readonly nodes: readonly DhtNodeStatus[]
}

/** One node (libtorrent `dht_status`). */
export interface DhtNodeStatus {
  readonly ourId: Sha1Hash
  readonly localEndpoint: Endpoint
  readonly externalAddress: string | null
  /** Requests that wait for an answer. */
  readonly requests: number
  readonly activeRequests: readonly DhtLookup[]
  readonly table: readonly DhtRoutingBucket[]
}

export function dhtStatus(
  nodes: readonly DhtNode[],
  storage: DhtStorage,
  counters: DhtCounters,
  now: Millis,
): DhtStatus {
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
  const status = nodes.map((node) => nodeStatus(node))
  return {
    dhtNodes,
    dhtNodeCache,
    dhtTorrents: stored.torrents,
    dhtGlobalNodes,
    dhtUploadRate: counters.uploadRate(now),
    dhtDownloadRate: counters.downloadRate(now),
    totalDhtUpload: counters.bytesOut,
    totalDhtDownload: counters.bytesIn,
    dhtRoutingTable: overlaid(status.map(({ table }) => table)),
    activeRequests: status.flatMap(({ activeRequests }) => activeRequests),
    storage: stored,
    nodes: status,
  }
}

function nodeStatus(node: DhtNode): DhtNodeStatus {
  return {
    ourId: new Sha1Hash(node.ownId),
    localEndpoint: node.local,
    externalAddress: node.externalAddress,
    requests: node.requests.size,
    activeRequests: node.lookupStatus(),
    table: node.table.bucketStatus,
  }
}

function overlaid(tables: readonly (readonly DhtRoutingBucket[])[]): DhtRoutingBucket[] {
  const sum: DhtRoutingBucket[] = []
  for (const table of tables) {
    for (const [i, bucket] of table.entries()) {
      const other = sum[i]
      sum[i] =
        other === undefined
          ? bucket
          : {
              numNodes: other.numNodes + bucket.numNodes,
              numReplacements: other.numReplacements + bucket.numReplacements,
              lastActive: sooner(other.lastActive, bucket.lastActive),
            }
    }
  }
  return sum
}

function sooner(a: Seconds, b: Seconds): Seconds {
  return a < 0 ? b : b < 0 ? a : Math.min(a, b)
}
