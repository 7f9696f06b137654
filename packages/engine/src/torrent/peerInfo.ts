import type { Endpoint } from '../address/endpoint.ts'
import { identifyClient } from '../metainfo/identifyClient.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import { isSslSocket, isUtpSocket } from '../platform/socketType.ts'
import type { Bitfield } from '../util/bitfield.ts'
import { BLOCK_SIZE_BYTES, type Seconds } from '../util/flavored.ts'
import type { Torrent } from './torrent.ts'

/** Bits of `PeerInfo.flags` (manual, peer_info). */
export const PeerFlags = {
  /** We want something of it. */
  interesting: 0x1,
  /** We choke it. */
  choked: 0x2,
  /** It wants something of us. */
  remoteInterested: 0x4,
  /** It chokes us. */
  remoteChoked: 0x8,
  supportsExtensions: 0x10,
  /** We opened the connection. */
  localConnection: 0x20,
  handshake: 0x40,
  connecting: 0x80,
  queued: 0x100,
  onParole: 0x200,
  seed: 0x400,
  optimisticUnchoke: 0x800,
  snubbed: 0x1000,
  uploadOnly: 0x2000,
  endgameMode: 0x4000,
  /** It could only be reached because another peer arranged it (BEP 55). */
  holepunched: 0x8000,
  /** The connection goes through I2P: `ip` is the base 32 name of its destination. */
  i2pSocket: 0x10000,
  /** The connection goes over uTP. */
  utpSocket: 0x20000,
  /** All of it is encrypted. */
  rc4Encrypted: 0x100000,
  /** Its handshake was encrypted. */
  plaintextEncrypted: 0x200000,
  /** TLS: a peer of an SSL torrent (1.0). */
  sslSocket: 0x40000,
} as const

/** What one direction of a connection waits for (manual, peer_info; the numbers are those of 1.0). */
export const BwState = {
  /** For nothing: there is nothing to send, or we read what comes. */
  idle: 0,
  /** For quota: a limit holds it back. */
  limit: 1,
  /** For the network. */
  network: 2,
  /** For the disk to catch up. */
  disk: 4,
} as const
export type BwState = (typeof BwState)[keyof typeof BwState]

/** Kind of a connection (manual, peer_info). */
export const ConnectionType = { standardBittorrent: 0, webSeed: 1, httpSeed: 2 } as const

/** A snapshot of one connection (manual, peer_info). Bytes, bytes per second, seconds. */
export interface PeerInfo {
  /** `PeerFlags` bits. */
  readonly flags: number
  /** `PeerSource` bits: who named it. */
  readonly source: number
  readonly ip: Endpoint
  /**
   * Two letters, ISO 3166. Empty unless the torrent resolves countries (`TorrentHandle.resolveCountries`) and a database
   * was loaded (`Session.loadCountryDb`); `--` when that does not know the address, `!!` when it has no sensible code.
   */
  readonly country: string
  /** Number and name of its network (autonomous system), by `Session.loadAsnumDb`; 0 and empty while unknown. */
  readonly inetAs: number
  readonly inetAsName: string
  /** Our end; null while connecting. */
  readonly localEndpoint: Endpoint | null
  /** 20 bytes, zeros until its handshake. */
  readonly pid: Uint8Array
  /** Name and version of its software. A stranger's text: escape it where it is shown. */
  readonly client: string
  readonly connectionType: number
  readonly upSpeed: number
  readonly downSpeed: number
  readonly payloadUpSpeed: number
  readonly payloadDownSpeed: number
  /** The highest payload rates of this connection. */
  readonly downloadRatePeak: number
  readonly uploadRatePeak: number
  /** At which it seems to download, from whomever, by the pieces it says it has got. */
  readonly remoteDlRate: number
  /** What receiving and sending wait for: `BwState`. */
  readonly readState: BwState
  readonly writeState: BwState
  /** Limits of its own (`TorrentHandle.setPeerUploadLimit`), bytes a second; -1 for none. */
  readonly uploadLimit: number
  readonly downloadLimit: number
  /** Bytes it may send and receive before it has to ask the limits for more; 0 while there are none. */
  readonly sendQuota: number
  readonly receiveQuota: number
  readonly totalDownload: number
  readonly totalUpload: number
  /** What it has. */
  readonly pieces: Bitfield
  readonly numPieces: number
  readonly progress: number
  readonly progressPpm: number
  /** Since something was last asked of it, and since anything was sent or received. */
  readonly lastRequest: Seconds
  readonly lastActive: Seconds
  /** Until the oldest request times out; -1 when there is none. */
  readonly requestTimeout: Seconds
  /** Bytes waiting to be sent. */
  readonly usedSendBuffer: number
  readonly numHashfails: number
  readonly failcount: number
  /** Requests we have outstanding, how many there should be, and how long they will take at the present rate. */
  readonly downloadQueueLength: number
  readonly targetDlQueueLength: number
  readonly downloadQueueTime: Seconds
  readonly queueBytes: number
  /** Requests of the peer we have not answered. */
  readonly uploadQueueLength: number
  /** The block that is arriving, -1 for none; how many of its bytes have arrived, and how many there are. */
  readonly downloadingPieceIndex: number
  readonly downloadingBlockIndex: number
  readonly downloadingProgress: number
  readonly downloadingTotal: number
  /** Bytes asked of the disk for it. */
  readonly pendingDiskBytes: number
}

export function peerInfo(torrent: Torrent, peer: PeerConnection): PeerInfo {
  const { stats, download, upload, bandwidth } = peer
  const now = torrent.now()
  const outstanding = download.requests.length
  const arriving = arrivingBlock(torrent, peer)
  const progress = peer.pieces.size === 0 ? 0 : peer.pieces.count / peer.pieces.size
  const rate = stats.downloadPayloadRate
  const queueBytes = outstanding * BLOCK_SIZE_BYTES
  return {
    flags: flagsOf(peer),
    source: peer.entry?.source ?? 0,
    ip: peer.remote,
    ...originOf(torrent, peer.remote.address),
    localEndpoint: peer.local,
    pid: peer.peerId,
    client: peer.extensions.client || identifyClient(peer.peerId),
    connectionType: ConnectionType.standardBittorrent,
    upSpeed: stats.uploadRate,
    downSpeed: stats.downloadRate,
    payloadUpSpeed: stats.uploadPayloadRate,
    payloadDownSpeed: stats.downloadPayloadRate,
    downloadRatePeak: peer.downloadRatePeak,
    uploadRatePeak: peer.uploadRatePeak,
    remoteDlRate: peer.remoteRate.bytesPerSecond(now),
    readState: readStateOf(peer),
    writeState: writeStateOf(peer),
    uploadLimit: bandwidth.limit('upload') || -1,
    downloadLimit: bandwidth.limit('download') || -1,
    sendQuota: Math.floor(bandwidth.upload.quota),
    receiveQuota: Math.floor(bandwidth.download.quota),
    totalDownload: stats.totalPayloadDownload,
    totalUpload: stats.totalPayloadUpload,
    pieces: peer.pieces.clone(),
    numPieces: peer.pieces.count,
    progress,
    progressPpm: Math.floor(progress * 1_000_000),
    lastRequest: secondsSince(now, download.lastAsked),
    lastActive: secondsSince(now, Math.max(peer.lastReceived, peer.lastSent)),
    requestTimeout:
      outstanding === 0 ? -1 : Math.max(0, torrent.settings.requestTimeout - secondsSince(now, download.lastProgress)),
    usedSendBuffer: peer.unsentBytes + peer.writer.pendingBytes,
    numHashfails: peer.entry?.hashfails ?? 0,
    failcount: peer.entry?.failcount ?? 0,
    downloadQueueLength: outstanding,
    targetDlQueueLength: download.targetQueueLength,
    downloadQueueTime: rate === 0 ? 0 : queueBytes / rate,
    queueBytes,
    uploadQueueLength: upload.requests.length,
    ...arriving,
    pendingDiskBytes: upload.readingBytes,
  }
}

function readStateOf(peer: PeerConnection): BwState {
  if (peer.bandwidth.download.isWaiting) return BwState.limit
  if (peer.isWaitingForDisk) return BwState.disk
  return peer.isClosed ? BwState.idle : BwState.network
}

function writeStateOf({ bandwidth, upload, unsentBytes }: PeerConnection): BwState {
  if (bandwidth.upload.isWaiting) return BwState.limit
  if (unsentBytes > 0) return BwState.network
  return upload.readingBytes > 0 ? BwState.disk : BwState.idle
}

/** Where a peer is, for its `PeerInfo`. */
export function originOf(torrent: Torrent, address: string): Pick<PeerInfo, 'country' | 'inetAs' | 'inetAsName'> {
  const { origins } = torrent.session
  return {
    country: torrent.resolvesCountries ? origins.country(address) : '',
    ...origins.network(address),
  }
}

function arrivingBlock(
  { layout }: Torrent,
  { download }: PeerConnection,
): Pick<PeerInfo, 'downloadingPieceIndex' | 'downloadingBlockIndex' | 'downloadingProgress' | 'downloadingTotal'> {
  const blockId = download.arrivingBlock
  if (blockId === -1 || layout === null) {
    return { downloadingPieceIndex: -1, downloadingBlockIndex: -1, downloadingProgress: 0, downloadingTotal: 0 }
  }
  const [piece, block] = [layout.pieceOf(blockId), layout.blockOf(blockId)]
  return {
    downloadingPieceIndex: piece,
    downloadingBlockIndex: block,
    downloadingProgress: download.arrivingBytes,
    downloadingTotal: layout.blockSize(piece, block),
  }
}

function secondsSince(now: number, then: number): Seconds {
  return then === 0 ? 0 : Math.floor((now - then) / 1000)
}

function flagsOf(peer: PeerConnection): number {
  let flags = 0
  if (peer.isInteresting) flags |= PeerFlags.interesting
  if (peer.upload.isChoked) flags |= PeerFlags.choked
  if (peer.isPeerInterested) flags |= PeerFlags.remoteInterested
  if (peer.isPeerChoking) flags |= PeerFlags.remoteChoked
  if (peer.supportsExtensions) flags |= PeerFlags.supportsExtensions
  if (peer.isOutgoing) flags |= PeerFlags.localConnection
  if (peer.state === 'handshaking') flags |= PeerFlags.handshake
  if (peer.state === 'connecting') flags |= PeerFlags.connecting
  if (peer.entry?.onParole) flags |= PeerFlags.onParole
  if (peer.isSeed) flags |= PeerFlags.seed
  if (peer.isOptimisticUnchoke) flags |= PeerFlags.optimisticUnchoke
  if (peer.download.isSnubbed) flags |= PeerFlags.snubbed
  if (peer.extensions.isUploadOnly) flags |= PeerFlags.uploadOnly
  if (peer.isHolepunched) flags |= PeerFlags.holepunched
  if (isUtpSocket(peer.socketType)) flags |= PeerFlags.utpSocket
  if (peer.isI2p) flags |= PeerFlags.i2pSocket
  if (peer.encryption === 'rc4') flags |= PeerFlags.rc4Encrypted
  if (peer.encryption === 'plaintext') flags |= PeerFlags.plaintextEncrypted
  if (isSslSocket(peer.socketType)) flags |= PeerFlags.sslSocket
  return flags
}
