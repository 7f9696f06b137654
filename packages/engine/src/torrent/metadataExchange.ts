import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { LtMetadataRequest } from '../extensions/ltMetadataRequest.ts'
import { MetadataDownload } from '../extensions/metadataDownload.ts'
import { METADATA_SEND_BUFFER_LIMIT, MetadataUpload, metadataPiece } from '../extensions/metadataUpload.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import {
  bytesOfUnits,
  decodeLtMetadata,
  encodeLtMetadata,
  type LtMetadataMessage,
  MAX_LT_METADATA_MESSAGE_SIZE,
} from '../wire/ltMetadataMessage.ts'
import { decodeUtMetadata, encodeUtMetadata } from '../wire/utMetadataMessage.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { TorrentNews } from './torrentNews.ts'

export interface MetadataExchangeHost {
  readonly session: Pick<TorrentHost, 'random'>
  readonly settings: Readonly<Settings>
  readonly info: TorrentInfo
  readonly hasMetadata: boolean
  readonly news: TorrentNews
  now(): Millis
  /** `info` is complete now. */
  onMetadata(): void
  fail(error: LibtorrentError): void
}

type LtRequest = Extract<LtMetadataMessage, { type: 'request' }>

/** Of a message with a header. */
const MAX_LT_DATA = MAX_LT_METADATA_MESSAGE_SIZE - 9

/**
 * Fetches the info section from peers, or serves it to them: by `ut_metadata` (BEP 9), and with peers that do not speak
 * that, by `LT_metadata`, which came before it (manual 0.15.5). The metadata of a private torrent is not given away.
 */
export class MetadataExchange {
  private fetching: MetadataDownload<PeerConnection> | null = null
  private servingMade: Map<PeerConnection, MetadataUpload> | null = null
  /** What peers were last asked by `LT_metadata`. */
  private ltRequestsMade: Map<PeerConnection, LtMetadataRequest> | null = null
  /** What they asked for that has to wait, one request each: they ask one at a time. */
  private ltServingMade: Map<PeerConnection, LtRequest> | null = null

  constructor(private readonly host: MetadataExchangeHost) {}

  private get ltServing(): Map<PeerConnection, LtRequest> {
    this.ltServingMade ??= new Map()
    return this.ltServingMade
  }

  private get ltRequests(): Map<PeerConnection, LtMetadataRequest> {
    this.ltRequestsMade ??= new Map()
    return this.ltRequestsMade
  }

  private get serving(): Map<PeerConnection, MetadataUpload> {
    this.servingMade ??= new Map()
    return this.servingMade
  }

  /** Whether this torrent takes part; said in the extension handshake. */
  get isAllowed(): boolean {
    return !this.host.hasMetadata || !this.host.info.priv
  }

  /** The info section to be given to peers; null: it is not known, or not for them. */
  private get infoSection(): Uint8Array | null {
    return this.host.hasMetadata && this.isAllowed ? this.host.info.metadata() : null
  }

  /** Bytes of the info section we have to offer, 0 for none. */
  get size(): number {
    return this.infoSection?.length ?? 0
  }

  /** 0 to 1. */
  get progress(): number {
    if (this.host.hasMetadata) return 1
    const { fetching } = this
    return fetching === null || fetching.expectedSize === 0 ? 0 : fetching.receivedBytes / fetching.expectedSize
  }

  onPeerExtensions(peer: PeerConnection): void {
    const { extensions } = peer
    if (this.host.hasMetadata) return
    if (!speaksUt(peer) && extensions.remoteId('LT_metadata') === 0) return
    this.fetching ??= new MetadataDownload(this.host.settings.maxMetadataSize, this.host.session.random)
    const key = peer.remote.address
    this.fetching.addPeer(peer, extensions.metadataSize, speaksUt(peer) ? { key } : { key, maxOutstanding: 1 })
    this.requestFrom(peer)
  }

  onPeerGone(peer: PeerConnection): void {
    this.serving.delete(peer)
    this.ltServing.delete(peer)
    this.ltRequests.delete(peer)
    this.fetching?.removePeer(peer)
  }

  onMessage(peer: PeerConnection, payload: Uint8Array): void {
    const message = decodeUtMetadata(payload)
    if (message === 'invalid') return peer.fail('invalidMetadataMessage')
    if (message === 'unknown') return
    if (message.type === 'request') this.onRequest(peer, message.piece)
    else if (message.type === 'reject') this.fetching?.onReject(peer, message.piece, this.host.now())
    else this.onPiece(peer, message.piece, message.totalSize, message.data)
  }

  onLtMessage(peer: PeerConnection, payload: Uint8Array): void {
    const message = decodeLtMetadata(payload, this.host.settings.maxMetadataSize)
    if (typeof message === 'string') return peer.fail(message)
    if (message.type === 'request') this.onLtRequest(peer, message)
    else this.onLtAnswer(peer, message)
  }

  /** Once a second: ask again what was not answered, send what had to wait. */
  tick(peers: Iterable<PeerConnection>): void {
    if (this.fetching !== null) for (const peer of peers) this.requestFrom(peer)
    for (const [peer, upload] of this.serving) this.serve(peer, upload)
    for (const [peer, request] of this.ltServing) this.serveLt(peer, request)
  }

  /** The upload limits let more pass to `peer`. */
  onUploadQuota(peer: PeerConnection): void {
    const upload = this.servingMade?.get(peer)
    if (upload !== undefined) this.serve(peer, upload)
    const request = this.ltServingMade?.get(peer)
    if (request !== undefined) this.serveLt(peer, request)
  }

  private serve(peer: PeerConnection, upload: MetadataUpload): void {
    const mayPass = (piece: number) => this.mayPass(peer, piece)
    for (;;) {
      const piece = upload.next(peer.unreadBytes, mayPass)
      if (piece === null) break
      this.send(peer, piece)
    }
    if (upload.waitingRequests === 0) this.serving.delete(peer)
  }

  private serveLt(peer: PeerConnection, request: LtRequest): void {
    if (!this.mayPassLt(peer, request)) return
    this.ltServing.delete(peer)
    this.sendLt(peer, request)
  }

  /** The upload limits let `piece` leave now: it is to be sent. Where there is none, its refusal may always leave. */
  private mayPass(peer: PeerConnection, piece: number): boolean {
    const metadata = this.infoSection
    const data = metadata === null ? null : metadataPiece(metadata, piece)
    return data === null || peer.takeMessageQuota(data.length)
  }

  private mayPassLt(peer: PeerConnection, request: LtRequest): boolean {
    if (peer.unreadBytes >= METADATA_SEND_BUFFER_LIMIT) return false
    const metadata = this.infoSection
    const length = metadata === null ? 0 : bytesOfUnits(request, metadata.length).length
    return length > MAX_LT_DATA || peer.takeMessageQuota(length)
  }

  /** Takes the whole info section, from peers or a user. Null, or what is wrong with it. */
  take(bytes: Uint8Array): LibtorrentError | null {
    const { host } = this
    if (host.hasMetadata) return null
    const error = host.info.parseInfoSection(bytes)
    if (error === null) {
      this.fetching = null
      this.ltRequests.clear()
      host.news.metadataReceived()
      host.onMetadata()
      return null
    }
    host.news.metadataFailed(error)
    // The bytes are what the hash says, and still no torrent: no other peer can have better ones.
    if (!error.is('mismatchingInfoHash')) host.fail(error)
    return error
  }

  private requestFrom(peer: PeerConnection): void {
    const { fetching } = this
    if (fetching === null || !peer.isReady) return
    const now = this.host.now()
    for (let piece = fetching.nextRequest(peer, now); piece !== null; piece = fetching.nextRequest(peer, now)) {
      if (speaksUt(peer)) peer.sendExtended('ut_metadata', encodeUtMetadata({ type: 'request', piece }))
      else this.requestLt(peer, new LtMetadataRequest(piece, fetching.expectedSize))
    }
  }

  private requestLt(peer: PeerConnection, request: LtMetadataRequest): void {
    this.ltRequests.set(peer, request)
    peer.sendExtended('LT_metadata', encodeLtMetadata({ type: 'request', ...request.units }))
  }

  /** An answer that fits nothing we asked is ignored: it may be late. A peer that gives no other is one that is silent. */
  private onLtAnswer(peer: PeerConnection, message: Exclude<LtMetadataMessage, LtRequest>): void {
    const { fetching } = this
    const request = this.ltRequests.get(peer)
    if (fetching === null || request === undefined) return
    const { piece } = request
    if (message.type === 'dontHave') return fetching.onReject(peer, piece, this.host.now())
    const answer = request.judge(message)
    if (answer.type === 'wrong') return
    this.ltRequests.delete(peer)
    if (answer.type === 'piece') return this.onPiece(peer, piece, message.totalSize, answer.data)
    fetching.onSize(peer, piece, message.totalSize, this.host.now())
    this.requestFrom(peer)
  }

  private onPiece(peer: PeerConnection, piece: number, totalSize: number, data: Uint8Array): void {
    const { fetching, host } = this
    if (fetching === null) return
    const complete = fetching.onData(peer, piece, totalSize, data, host.now())
    if (complete !== null) {
      if (this.take(complete)?.is('mismatchingInfoHash') !== true) return
      const liar = fetching.onHashFailed(host.now())
      if (liar !== null) liar.fail('invalidMetadataMessage')
    }
    if (!peer.isClosed) this.requestFrom(peer)
  }

  private onRequest(peer: PeerConnection, piece: number): void {
    const metadata = this.infoSection
    if (metadata === null || metadataPiece(metadata, piece) === null) return this.reject(peer, piece)
    const upload = this.serving.get(peer) ?? new MetadataUpload()
    const verdict = upload.onRequest(piece, peer.unreadBytes, (asked) => this.mayPass(peer, asked))
    if (verdict === 'send') this.send(peer, piece)
    else if (verdict === 'wait') this.serving.set(peer, upload)
    else this.reject(peer, piece)
  }

  private send(peer: PeerConnection, piece: number): void {
    const metadata = this.infoSection
    const data = metadata === null ? null : metadataPiece(metadata, piece)
    if (metadata === null || data === null) return this.reject(peer, piece)
    peer.sendExtended('ut_metadata', encodeUtMetadata({ type: 'data', piece, totalSize: metadata.length, data }))
  }

  private reject(peer: PeerConnection, piece: number): void {
    peer.sendExtended('ut_metadata', encodeUtMetadata({ type: 'reject', piece }))
  }

  private onLtRequest(peer: PeerConnection, request: LtRequest): void {
    if (this.ltServing.has(peer)) this.dontHaveLt(peer)
    else if (this.mayPassLt(peer, request)) this.sendLt(peer, request)
    else this.ltServing.set(peer, request)
  }

  private sendLt(peer: PeerConnection, request: LtRequest): void {
    const metadata = this.infoSection
    if (metadata === null) return this.dontHaveLt(peer)
    const { offset, length } = bytesOfUnits(request, metadata.length)
    // Nobody reads a longer message; the original closes the connection over it.
    if (length > MAX_LT_DATA) return this.dontHaveLt(peer)
    const data = metadata.subarray(offset, offset + length)
    peer.sendExtended('LT_metadata', encodeLtMetadata({ type: 'data', totalSize: metadata.length, offset, data }))
  }

  private dontHaveLt(peer: PeerConnection): void {
    peer.sendExtended('LT_metadata', encodeLtMetadata({ type: 'dontHave' }))
  }
}

function speaksUt(peer: PeerConnection): boolean {
  return peer.extensions.remoteId('ut_metadata') !== 0
}
