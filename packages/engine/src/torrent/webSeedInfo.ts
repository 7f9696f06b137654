import { BLOCK_SIZE_BYTES } from '../util/flavored.ts'
import { BwState, ConnectionType, originOf, PeerFlags, type PeerInfo } from './peerInfo.ts'
import type { Torrent } from './torrent.ts'
import type { WebSeedConnection } from './webSeedConnection.ts'

const NO_REQUEST_TIMEOUT = -1

/** A web seed in use as a peer among others (manual, peer_info). */
export function webSeedInfo(torrent: Torrent, connection: WebSeedConnection): PeerInfo {
  const { seed, stats, entry } = connection
  const { pieces, outstanding } = seed
  const progress = pieces.size === 0 ? 0 : pieces.count / pieces.size
  const rate = stats.downloadPayloadRate
  const queueBytes = outstanding * BLOCK_SIZE_BYTES
  return {
    flags: flagsOf(torrent, connection),
    source: entry.source,
    ip: connection.remote,
    ...originOf(torrent, connection.remote.address),
    localEndpoint: null,
    pid: connection.peerId,
    client: clientText(seed.url, seed.software),
    connectionType: seed.entry.type === 'urlSeed' ? ConnectionType.webSeed : ConnectionType.httpSeed,
    upSpeed: stats.uploadRate,
    downSpeed: stats.downloadRate,
    payloadUpSpeed: stats.uploadPayloadRate,
    payloadDownSpeed: rate,
    downloadRatePeak: connection.downloadRatePeak,
    uploadRatePeak: 0,
    remoteDlRate: 0,
    readState: readStateOf(connection),
    writeState: BwState.idle,
    uploadLimit: -1,
    downloadLimit: -1,
    sendQuota: 0,
    receiveQuota: Math.floor(connection.bandwidth.quota),
    totalDownload: stats.totalPayloadDownload,
    totalUpload: stats.totalPayloadUpload,
    pieces: pieces.clone(),
    numPieces: pieces.count,
    progress,
    progressPpm: Math.floor(progress * 1_000_000),
    lastRequest: 0,
    lastActive: 0,
    requestTimeout: outstanding === 0 ? NO_REQUEST_TIMEOUT : torrent.settings.urlseedTimeout,
    usedSendBuffer: 0,
    numHashfails: entry.hashfails,
    failcount: entry.failcount,
    downloadQueueLength: outstanding,
    targetDlQueueLength: outstanding,
    downloadQueueTime: rate === 0 ? 0 : queueBytes / rate,
    queueBytes,
    uploadQueueLength: 0,
    downloadingPieceIndex: -1,
    downloadingBlockIndex: -1,
    downloadingProgress: 0,
    downloadingTotal: 0,
    pendingDiskBytes: 0,
  }
}

function readStateOf({ bandwidth, seed }: WebSeedConnection): BwState {
  if (bandwidth.isWaiting) return BwState.limit
  return seed.outstanding > 0 ? BwState.network : BwState.idle
}

/** As libtorrent writes it. */
function clientText(url: string, software: string): string {
  const host = URL.canParse(url) ? new URL(url).hostname : url
  return software === '' ? `URL seed @ ${host}` : `URL seed @ ${host} (${software})`
}

function flagsOf(torrent: Torrent, connection: WebSeedConnection): number {
  let flags: number = PeerFlags.localConnection | PeerFlags.choked
  if (torrent.isRequesting && torrent.picker?.hasWantedPiece(connection.seed.pieces)) flags |= PeerFlags.interesting
  if (!connection.isConnected) flags |= PeerFlags.connecting
  if (connection.isSeed) flags |= PeerFlags.seed
  if (connection.entry.onParole) flags |= PeerFlags.onParole
  return flags
}
