import { isI2pName } from '../address/i2pAddress.ts'
import { isFromPeers } from '../extensions/texPolicy.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import { PeerSource, PexFlags } from '../peers/peerSource.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import { BlockState } from '../picker/downloadingPiece.ts'
import { type DiskClaim, restateClaim } from '../resume/restateClaim.ts'
import { emptyResumeState, type ResumeState, type UnfinishedPiece } from '../resume/resumeState.ts'
import { Bitfield } from '../util/bitfield.ts'
import { VERSION } from '../util/version.ts'
import type { Torrent } from './torrent.ts'

/** Peers remembered in resume data at most (libtorrent's number). */
const MAX_SAVED_PEERS = 100

/** Of a torrent (manual, set_priority). */
const TOP_PRIORITY = 255

/** Everything a torrent must remember to go on where it is, but the sizes of its files, unless they are those of old. */
export function resumeStateOf(torrent: Torrent, options: { readonly saveInfoDict: boolean }): ResumeState {
  const { counters, info, params } = torrent
  const now = torrent.now()
  return {
    ...emptyResumeState(torrent.infoHash),
    libtorrentVersion: `libtorrent-ts ${VERSION}`,
    name: torrent.name,
    savePath: torrent.savePath,
    ...diskClaim(torrent),
    filePriorities: torrent.files.given,
    piecePriorities: torrent.files.savedPieces(),
    mappedFiles: torrent.renamedFiles.mapped(),
    trackers: trackerTiers(torrent),
    urlSeeds: torrent.webSeeds.saved('urlSeed'),
    httpSeeds: torrent.webSeeds.saved('httpSeed'),
    ...savedPeers(torrent),
    totalUploaded: torrent.stats.totalPayloadUpload,
    totalDownloaded: torrent.stats.totalPayloadDownload,
    activeTime: counters.activeTime.seconds(now),
    finishedTime: counters.finishedTime.seconds(now),
    seedingTime: counters.seedingTime.seconds(now),
    addedTime: counters.addedTime,
    completedTime: counters.completedTime,
    lastSeenComplete: counters.lastSeenComplete,
    lastDownload: counters.lastDownload,
    lastUpload: counters.lastUpload,
    numComplete: torrent.announcer.complete,
    numIncomplete: torrent.announcer.incomplete,
    maxConnections: torrent.connectionLimit,
    maxUploads: torrent.maxUploads,
    uploadRateLimit: torrent.limits.get('upload') || -1,
    downloadRateLimit: torrent.limits.get('download') || -1,
    priority: torrent.priority,
    paused: torrent.run.wantsPause,
    autoManaged: torrent.isAutoManaged,
    sequentialDownload: torrent.isSequentialDownload,
    applyIpFilter: torrent.peerFilter.applies,
    uploadMode: torrent.uploadMode.isOn && !torrent.uploadMode.isByError,
    disableDht: params.disableDht ?? false,
    disableLsd: params.disableLsd ?? false,
    disablePex: params.disablePex ?? false,
    i2pTorrent: torrent.isI2p,
    mutableTorrent: params.mutableTorrent ?? null,
    mutableItem: torrent.discovery.newestItem,
    info: options.saveInfoDict && torrent.hasMetadata ? info.metadata() : null,
  }
}

/** Takes over what resume data says, but for what is on disk: that is judged when the files are looked at. */
export function applyResumeState(torrent: Torrent, state: ResumeState): void {
  const { counters, params } = torrent
  if (params.useResumeSavePath && state.savePath !== '') torrent.savePath = state.savePath
  if (!params.overrideResumeData) {
    torrent.isAutoManaged = state.autoManaged ?? torrent.isAutoManaged
    if (state.paused !== null) torrent.run.restore(state.paused && !torrent.isAutoManaged)
  }
  torrent.isSequentialDownload = params.sequentialDownload ?? state.sequentialDownload ?? false
  torrent.peerFilter.restore(params.applyIpFilter ?? state.applyIpFilter ?? true)
  torrent.uploadMode.restore(params.uploadMode ?? state.uploadMode ?? false)
  torrent.maxUploads = params.maxUploads ?? state.maxUploads
  torrent.connectionLimit = params.maxConnections ?? state.maxConnections
  torrent.limits.set('upload', params.uploadLimit ?? state.uploadRateLimit)
  torrent.limits.set('download', params.downloadLimit ?? state.downloadRateLimit)
  torrent.priority = Math.max(0, Math.min(TOP_PRIORITY, state.priority))
  torrent.stats.addStat(state.totalDownloaded, state.totalUploaded)
  counters.earlierDownload = state.totalDownloaded
  counters.earlierUpload = state.totalUploaded
  counters.activeTime.setSeconds(state.activeTime)
  counters.finishedTime.setSeconds(state.finishedTime)
  counters.seedingTime.setSeconds(state.seedingTime)
  if (state.addedTime > 0) counters.addedTime = state.addedTime
  counters.completedTime = state.completedTime
  counters.lastSeenComplete = state.lastSeenComplete
  counters.lastDownload = state.lastDownload
  counters.lastUpload = state.lastUpload
  if (state.mutableItem !== null) torrent.discovery.restoreItem(state.mutableItem)
  torrent.announcer.complete = state.numComplete
  torrent.announcer.incomplete = state.numIncomplete
  torrent.files.restore(state.filePriorities, state.piecePriorities)
  torrent.renamedFiles.restore(state.mappedFiles ?? [], params.useResumeSavePath === true)
  for (const { address, port, supportsEncryption } of state.peers) {
    torrent.swarm.addPeer({ address, port }, PeerSource.resumeData, supportsEncryption ? PexFlags.encryption : 0)
  }
  for (const peer of state.bannedPeers) {
    const entry = torrent.swarm.list.addPeer(peer, PeerSource.resumeData)
    if (entry !== null) torrent.swarm.list.ban(entry)
  }
}

/**
 * What is on disk, as far as it is known. What earlier resume data said is said again while it was not compared with
 * the files; during a check it is the pieces checked so far, and the next session goes on from there (libtorrent).
 */
function diskClaim(torrent: Torrent): DiskClaim {
  const { layout, pieces, claim, seedMode } = torrent
  const unknown: DiskClaim = {
    allocation: torrent.params.storageMode ?? 'sparse',
    blocksPerPiece: layout?.blocksPerPiece ?? null,
    have: new Bitfield(0),
    verified: null,
    slots: null,
    unfinished: [],
    fileSizes: null,
    seedMode: seedMode.verified !== null,
  }
  if (claim !== null) return restateClaim(claim, layout?.numPieces ?? null) ?? unknown
  if (pieces === null || !torrent.isLoaded) return { ...unknown, have: torrent.loader?.known ?? unknown.have }
  return {
    ...unknown,
    have: pieces.have(),
    verified: seedMode.verified?.clone() ?? null,
    unfinished: unfinishedPieces(torrent),
  }
}

/** Only blocks that are on disk: what is being written when we die is not there. */
function unfinishedPieces(torrent: Torrent): UnfinishedPiece[] {
  const unfinished: UnfinishedPiece[] = []
  torrent.picker?.forEachInProgress((running) => {
    if (running.finished === 0) return
    const blocks = new Bitfield(running.numBlocks)
    for (let block = 0; block < running.numBlocks; block++) {
      if (running.states[block] === BlockState.finished) blocks.set(block)
    }
    unfinished.push({ piece: running.piece, blocks })
  })
  return unfinished
}

/** Those that peers have named are not trusted enough to be remembered (libtorrent). */
function trackerTiers(torrent: Torrent): readonly (readonly string[])[] {
  const tiers: string[][] = []
  for (const entry of torrent.trackers.entries()) {
    if (isFromPeers(entry)) continue
    const { tier, url } = entry
    tiers[tier] ??= []
    tiers[tier].push(url)
  }
  return tiers.filter((tier) => tier !== undefined)
}

function savedPeers(torrent: Torrent): Pick<ResumeState, 'peers' | 'bannedPeers'> {
  const peers: ResumeState['peers'][number][] = []
  const bannedPeers: ResumeState['peers'][number][] = []
  for (const entry of torrent.swarm.entries()) {
    // We have another address there next time, and so have they.
    if (isI2pName(entry.address)) continue
    if (entry.banned) bannedPeers.push(entry.endpoint)
    else if (entry.connectable && entry.failcount === 0 && peers.length < MAX_SAVED_PEERS) {
      peers.push(supportsEncryption(entry) ? { ...entry.endpoint, supportsEncryption: true } : entry.endpoint)
    }
  }
  return { peers, bannedPeers }
}

/** While a connection is tried the entry says how the next one would be made. */
function supportsEncryption({ supportsEncryption, connection }: TorrentPeer<PeerConnection>): boolean {
  return connection === null || connection.isReady ? supportsEncryption : connection.isEncryptedAttempt
}
