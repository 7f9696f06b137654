import type { TorrentRef } from '../alerts/alertSink.ts'
import type { TorrentState } from '../alerts/torrentState.ts'
import type { Direction } from '../bandwidth/direction.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { BlockState } from '../picker/downloadingPiece.ts'
import type { Bitfield } from '../util/bitfield.ts'
import type { Sha1Hash } from '../util/digest.ts'
import { BLOCK_SIZE_BYTES, type Seconds, type UnixSeconds } from '../util/flavored.ts'
import type { StorageMode } from './addTorrentParams.ts'
import type { Torrent } from './torrent.ts'

/**
 * A snapshot of a torrent (manual, torrent_status). Bytes and bytes per second; times in seconds.
 * Rates are averages of the last seconds. Totals of a session count from when the torrent was added.
 */
export interface TorrentStatus {
  readonly handle: TorrentRef
  readonly infoHash: Sha1Hash
  readonly name: string
  readonly savePath: string
  /** Null while the metadata is not known. */
  readonly torrentFile: TorrentInfo | null
  readonly state: TorrentState
  /** By somebody or by an error; the session may be paused besides. */
  readonly paused: boolean
  readonly autoManaged: boolean
  readonly sequentialDownload: boolean
  readonly seedMode: boolean
  readonly uploadMode: boolean
  /** The session's IP filter applies to it. */
  readonly ipFilterApplies: boolean
  readonly isSeeding: boolean
  readonly isFinished: boolean
  readonly hasMetadata: boolean
  readonly hasIncoming: boolean
  readonly needSaveResume: boolean
  /** `TorrentHandle.moveStorage` is at work (1.0, moving_storage). */
  readonly movingStorage: boolean
  /** What stopped the torrent, null while all is well. */
  readonly error: LibtorrentError | null
  /** 0 to 1 of what the torrent is doing: checking, fetching metadata, or downloading what is wanted. */
  readonly progress: number
  /** The same in millionths. */
  readonly progressPpm: number

  /** Seconds to the next tracker announce; 0 when none is planned. */
  readonly nextAnnounce: Seconds
  readonly announceInterval: Seconds
  /** URL of the last tracker that worked, empty if none did. */
  readonly currentTracker: string

  /** Payload and protocol, this session. */
  readonly totalDownload: number
  readonly totalUpload: number
  readonly totalPayloadDownload: number
  readonly totalPayloadUpload: number
  /** Received, and thrown away because the piece failed its hash check. */
  readonly totalFailedBytes: number
  /** Received more than once, or not asked for. */
  readonly totalRedundantBytes: number
  /** Payload over all sessions, by way of resume data. */
  readonly allTimeUpload: number
  readonly allTimeDownload: number
  readonly downloadRate: number
  readonly uploadRate: number
  readonly downloadPayloadRate: number
  readonly uploadPayloadRate: number

  /** Connected peers that are done with their handshakes, and those of them that have everything; web seeds included. */
  readonly numPeers: number
  readonly numSeeds: number
  /** As trackers counted them, -1 unknown. */
  readonly numComplete: number
  readonly numIncomplete: number
  /** Known peers, known seeds, and how many could be connected to. */
  readonly listPeers: number
  readonly listSeeds: number
  readonly connectCandidates: number
  /** Connections, half-open ones included, and how many peers are unchoked. */
  readonly numConnections: number
  readonly numUploads: number
  /** -1 no limit. */
  readonly connectionsLimit: number
  readonly uploadsLimit: number
  /** Connections waiting for quota while the torrent has a limit of its own (else they count in the session's status). */
  readonly upBandwidthQueue: number
  readonly downBandwidthQueue: number
  /** Of bandwidth, among torrents: 0 to 255 (`TorrentHandle.setPriority`). */
  readonly priority: number

  /** What is had; null while unknown. */
  readonly pieces: Bitfield | null
  /** In seed mode, what was verified. */
  readonly verifiedPieces: Bitfield | null
  readonly numPieces: number
  /** Bytes had, pieces that are not complete included; of what is wanted; and how much is wanted. */
  readonly totalDone: number
  readonly totalWantedDone: number
  readonly totalWanted: number
  readonly blockSize: number
  /** Copies among the connected peers and us: whole ones, and thousandths of one more; -1 when seeding or unknown. */
  readonly distributedFullCopies: number
  readonly distributedFraction: number
  readonly distributedCopies: number
  readonly storageMode: StorageMode
  /** Runs of pieces had: what a sparse file is fragmented into. */
  readonly sparseRegions: number

  readonly activeTime: Seconds
  readonly finishedTime: Seconds
  readonly seedingTime: Seconds
  readonly addedTime: UnixSeconds
  readonly completedTime: UnixSeconds
  readonly lastSeenComplete: UnixSeconds
  /** Seconds since the last scrape, -1 for never. */
  readonly lastScrape: Seconds
  readonly timeSinceUpload: Seconds
  readonly timeSinceDownload: Seconds
}

/** Bits that choose costly fields of a status (1.0, status_flags_t). */
export const StatusFlags = {
  queryDistributedCopies: 1,
  queryAccurateDownloadCounters: 2,
  queryLastSeenComplete: 4,
  queryPieces: 8,
  queryVerifiedPieces: 16,
  queryTorrentFile: 32,
  queryName: 64,
  querySavePath: 128,
  all: 0xff,
} as const

export function torrentStatus(torrent: Torrent, flags: number = StatusFlags.all): TorrentStatus {
  const { stats, counters, info, pieces, swarm, trackers, layout } = torrent
  const now = torrent.now()
  const unixTime = torrent.session.clock.unixTime()
  const peers = countPeers(torrent)
  const wants = (flag: number) => (flags & flag) !== 0
  const partial = wants(StatusFlags.queryAccurateDownloadCounters) ? partialBytes(torrent) : { done: 0, wanted: 0 }
  const totalWanted = pieces?.wantedBytes() ?? 0
  const totalWantedDone = torrent.isLoaded ? (pieces?.wantedHaveBytes() ?? 0) + partial.wanted : 0
  const totalDone = torrent.isLoaded ? (pieces?.haveBytes() ?? 0) + partial.done : 0
  const progress = progressOf(torrent, totalWantedDone, totalWanted)
  const copies = wants(StatusFlags.queryDistributedCopies) ? (torrent.picker?.distributedCopies() ?? null) : null
  return {
    handle: torrent.ref,
    infoHash: torrent.infoHash,
    name: wants(StatusFlags.queryName) ? torrent.name : '',
    savePath: wants(StatusFlags.querySavePath) ? torrent.savePath : '',
    torrentFile: wants(StatusFlags.queryTorrentFile) && torrent.hasMetadata ? info : null,
    state: torrent.state,
    paused: torrent.run.isTorrentPaused,
    autoManaged: torrent.isAutoManaged,
    sequentialDownload: torrent.isSequentialDownload,
    seedMode: torrent.seedMode.verified !== null,
    uploadMode: torrent.uploadMode.isOn,
    ipFilterApplies: torrent.peerFilter.applies,
    isSeeding: torrent.isSeed,
    isFinished: torrent.isFinished,
    hasMetadata: torrent.hasMetadata,
    hasIncoming: torrent.hasIncoming,
    needSaveResume: torrent.needsSaveResume,
    movingStorage: torrent.movesUnderWay > 0,
    error: torrent.error,
    progress,
    progressPpm: Math.floor(progress * 1_000_000),
    nextAnnounce: trackers.nextAnnounceIn(),
    announceInterval: trackers.announceInterval,
    currentTracker: trackers.currentTracker,
    totalDownload: stats.totalDownload - counters.earlierDownload,
    totalUpload: stats.totalUpload - counters.earlierUpload,
    totalPayloadDownload: stats.totalPayloadDownload - counters.earlierDownload,
    totalPayloadUpload: stats.totalPayloadUpload - counters.earlierUpload,
    totalFailedBytes: counters.failedBytes,
    totalRedundantBytes: counters.redundantBytes,
    allTimeUpload: stats.totalPayloadUpload,
    allTimeDownload: stats.totalPayloadDownload,
    downloadRate: stats.downloadRate,
    uploadRate: stats.uploadRate,
    downloadPayloadRate: stats.downloadPayloadRate,
    uploadPayloadRate: stats.uploadPayloadRate,
    numPeers: peers.ready,
    numSeeds: peers.seeds,
    numComplete: torrent.announcer.complete,
    numIncomplete: torrent.announcer.incomplete,
    listPeers: swarm.knownPeers,
    listSeeds: swarm.knownSeeds,
    connectCandidates: swarm.connectCandidates,
    numConnections: swarm.connections.size + torrent.webSeeds.numReady,
    numUploads: peers.unchoked,
    connectionsLimit: torrent.connectionLimit,
    uploadsLimit: torrent.maxUploads,
    upBandwidthQueue: bandwidthQueue(torrent, 'upload'),
    downBandwidthQueue: bandwidthQueue(torrent, 'download'),
    priority: torrent.priority,
    pieces: wants(StatusFlags.queryPieces) && torrent.isLoaded ? (pieces?.have() ?? null) : null,
    verifiedPieces: wants(StatusFlags.queryVerifiedPieces) ? (torrent.seedMode.verified?.clone() ?? null) : null,
    numPieces: torrent.isLoaded ? (pieces?.numHave ?? 0) : 0,
    totalDone,
    totalWantedDone,
    totalWanted,
    blockSize: layout === null ? 0 : BLOCK_SIZE_BYTES,
    distributedFullCopies: copies?.fullCopies ?? -1,
    distributedFraction: copies?.fraction ?? -1,
    distributedCopies: copies?.copies ?? -1,
    storageMode: torrent.params.storageMode ?? 'sparse',
    sparseRegions: wants(StatusFlags.queryPieces) ? sparseRegions(torrent) : 0,
    activeTime: counters.activeTime.seconds(now),
    finishedTime: counters.finishedTime.seconds(now),
    seedingTime: counters.seedingTime.seconds(now),
    addedTime: counters.addedTime,
    completedTime: counters.completedTime,
    lastSeenComplete: counters.lastSeenComplete,
    lastScrape: torrent.announcer.lastScrape === 0 ? -1 : Math.floor((now - torrent.announcer.lastScrape) / 1000),
    timeSinceUpload: counters.lastUpload === 0 ? -1 : unixTime - counters.lastUpload,
    timeSinceDownload: counters.lastDownload === 0 ? -1 : unixTime - counters.lastDownload,
  }
}

function countPeers(torrent: Torrent): { ready: number; seeds: number; unchoked: number } {
  let ready = 0
  let seeds = 0
  let unchoked = 0
  for (const peer of torrent.swarm.connections) {
    if (!peer.isReady) continue
    ready++
    if (peer.isSeed) seeds++
    if (!peer.upload.isChoked) unchoked++
  }
  for (const seed of torrent.webSeeds.connections()) {
    if (!seed.isConnected) continue
    ready++
    if (seed.isSeed) seeds++
  }
  return { ready, seeds, unchoked }
}

function bandwidthQueue({ limits, swarm, webSeeds }: Torrent, direction: Direction): number {
  if (limits.get(direction) === 0) return 0
  let waiting = 0
  for (const { bandwidth } of swarm.connections) if (bandwidth[direction].isWaiting) waiting++
  if (direction === 'upload') return waiting
  for (const { bandwidth } of webSeeds.connections()) if (bandwidth.isWaiting) waiting++
  return waiting
}

function progressOf(torrent: Torrent, wantedDone: number, wanted: number): number {
  if (torrent.state === 'downloadingMetadata') return torrent.metadata.progress
  if (torrent.state === 'checkingFiles' || torrent.state === 'queuedForChecking') return torrent.loader?.progress ?? 0
  if (torrent.state === 'checkingResumeData') return 0
  return wanted === 0 ? 1 : Math.min(1, wantedDone / wanted)
}

/** Bytes of blocks that are on disk or on their way there, of pieces that are not complete. */
function partialBytes(torrent: Torrent): { done: number; wanted: number } {
  const { picker, layout } = torrent
  let done = 0
  let wanted = 0
  if (picker === null || layout === null) return { done, wanted }
  picker.forEachInProgress((running) => {
    let bytes = 0
    for (let block = 0; block < running.numBlocks; block++) {
      if (running.states[block] >= BlockState.writing) bytes += layout.blockSize(running.piece, block)
    }
    done += bytes
    if (picker.piecePriority(running.piece) > 0) wanted += bytes
  })
  return { done, wanted }
}

function sparseRegions(torrent: Torrent): number {
  const { pieces } = torrent
  if (pieces === null || !torrent.isLoaded) return 0
  if (pieces.isSeed) return 1
  let regions = 0
  let before = -2
  pieces.have().forEachSet((piece) => {
    if (piece !== before + 1) regions++
    before = piece
  })
  return regions
}
