import type { DhtLookup, DhtRoutingBucket } from '../alerts/dhtReports.ts'
import type { Seconds } from '../util/flavored.ts'
import type { UtpStatus } from '../utp/utpStatus.ts'
import type { SessionCore } from './sessionCore.ts'

/** A snapshot of the session (manual, session_status). Bytes and bytes per second over all torrents and the DHT. */
export interface SessionStatus {
  /** Somebody reached us: our port is open. */
  readonly hasIncomingConnections: boolean
  readonly uploadRate: number
  readonly downloadRate: number
  readonly totalUpload: number
  readonly totalDownload: number
  readonly payloadUploadRate: number
  readonly payloadDownloadRate: number
  readonly totalPayloadUpload: number
  readonly totalPayloadDownload: number
  /** Estimated TCP and IP headers. */
  readonly ipOverheadUploadRate: number
  readonly ipOverheadDownloadRate: number
  readonly totalIpOverheadUpload: number
  readonly totalIpOverheadDownload: number
  readonly totalRedundantBytes: number
  readonly totalFailedBytes: number
  /** Connections, half-open ones included. */
  readonly numPeers: number
  readonly numUnchoked: number
  readonly allowedUploadSlots: number
  /** Connections waiting for quota to send or receive, and how many bytes they wait for; 0 while nothing is limited. */
  readonly upBandwidthQueue: number
  readonly downBandwidthQueue: number
  readonly upBandwidthBytesQueue: number
  readonly downBandwidthBytesQueue: number
  /** Seconds until the next rounds. */
  readonly optimisticUnchokeCounter: Seconds
  readonly unchokeCounter: Seconds
  /** Bytes on their way to the disk. */
  readonly diskWriteQueue: number
  /** Nodes in the DHT's routing tables, and those waiting to replace one that fails; 0 while it does not run. */
  readonly dhtNodes: number
  readonly dhtNodeCache: number
  /** Info-hashes we keep peers for, for others. */
  readonly dhtTorrents: number
  /** Estimated number of nodes in the whole DHT. */
  readonly dhtGlobalNodes: number
  /** Traffic of the DHT since it was started; part of the session's. Without IP and UDP headers. */
  readonly dhtUploadRate: number
  readonly dhtDownloadRate: number
  readonly totalDhtUpload: number
  readonly totalDhtDownload: number
  /** The buckets of its routing tables, farthest first; those of several nodes laid over each other. */
  readonly dhtRoutingTable: readonly DhtRoutingBucket[]
  /** Lookups that are under way. */
  readonly activeRequests: readonly DhtLookup[]
  readonly utpStats: UtpStatus
  /** Peers known over all torrents. */
  readonly peerlistSize: number
}

export function sessionStatus(session: SessionCore): SessionStatus {
  const { stats, unchoker, bandwidth } = session
  const now = session.clock.now()
  let totalFailedBytes = session.torrents.removedFailedBytes
  let totalRedundantBytes = session.torrents.removedRedundantBytes
  let peerlistSize = 0
  for (const torrent of session.torrents.values()) {
    totalFailedBytes += torrent.counters.failedBytes
    totalRedundantBytes += torrent.counters.redundantBytes
    peerlistSize += torrent.swarm.knownPeers
  }
  const dht = session.discovery.dht.dht?.status()
  return {
    hasIncomingConnections: session.hasIncomingConnections,
    uploadRate: stats.uploadRate + (dht?.dhtUploadRate ?? 0),
    downloadRate: stats.downloadRate + (dht?.dhtDownloadRate ?? 0),
    totalUpload: stats.totalUpload + (dht?.totalDhtUpload ?? 0),
    totalDownload: stats.totalDownload + (dht?.totalDhtDownload ?? 0),
    payloadUploadRate: stats.uploadPayloadRate,
    payloadDownloadRate: stats.downloadPayloadRate,
    totalPayloadUpload: stats.totalPayloadUpload,
    totalPayloadDownload: stats.totalPayloadDownload,
    ipOverheadUploadRate: stats.uploadIpProtocol.rate,
    ipOverheadDownloadRate: stats.downloadIpProtocol.rate,
    totalIpOverheadUpload: stats.uploadIpProtocol.total,
    totalIpOverheadDownload: stats.downloadIpProtocol.total,
    totalRedundantBytes,
    totalFailedBytes,
    numPeers: session.numConnections,
    numUnchoked: unchoker.numUploads,
    allowedUploadSlots: unchoker.allowedUploadSlots,
    upBandwidthQueue: bandwidth.upload.queueSize,
    downBandwidthQueue: bandwidth.download.queueSize,
    upBandwidthBytesQueue: bandwidth.upload.queuedBytes,
    downBandwidthBytesQueue: bandwidth.download.queuedBytes,
    optimisticUnchokeCounter: unchoker.optimisticCounter(now),
    unchokeCounter: unchoker.unchokeCounter(now),
    diskWriteQueue: session.disk.queuedWriteBytes,
    peerlistSize,
    utpStats: session.utp.status(),
    dhtNodes: dht?.dhtNodes ?? 0,
    dhtNodeCache: dht?.dhtNodeCache ?? 0,
    dhtTorrents: dht?.dhtTorrents ?? 0,
    dhtGlobalNodes: dht?.dhtGlobalNodes ?? 0,
    dhtUploadRate: dht?.dhtUploadRate ?? 0,
    dhtDownloadRate: dht?.dhtDownloadRate ?? 0,
    totalDhtUpload: dht?.totalDhtUpload ?? 0,
    totalDhtDownload: dht?.totalDhtDownload ?? 0,
    dhtRoutingTable: dht?.dhtRoutingTable ?? [],
    activeRequests: dht?.activeRequests ?? [],
  }
}
