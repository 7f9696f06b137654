import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { MetadataDownload } from '../extensions/metadataDownload.ts'
import { METADATA_SEND_BUFFER_LIMIT, MetadataUpload, metadataPiece } from '../extensions/metadataUpload.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
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

/** Fetches the info section from peers, or serves it to them (BEP 9). */
export class MetadataExchange {
  private fetching: MetadataDownload<PeerConnection> | null = null
  private readonly serving = new Map<PeerConnection, MetadataUpload>()

  constructor(private readonly host: MetadataExchangeHost) {}

  /** The info section, or null while it is not known. */
  private get infoSection(): Uint8Array | null {
    return this.host.hasMetadata ? this.host.info.metadata() : null
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
    if (this.host.hasMetadata || peer.extensions.remoteId('ut_metadata') === 0) return
    this.fetching ??= new MetadataDownload(this.host.settings.maxMetadataSize, this.host.session.random)
    this.fetching.addPeer(peer, peer.extensions.metadataSize)
    this.requestFrom(peer)
  }

  onPeerGone(peer: PeerConnection): void {
    this.serving.delete(peer)
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

  /** Once a second: ask again what was not answered, send what had to wait. */
  tick(peers: Iterable<PeerConnection>): void {
    if (this.fetching !== null) for (const peer of peers) this.requestFrom(peer)
    for (const [peer, upload] of this.serving) {
      for (let piece = upload.next(peer.unsentBytes); piece !== null; piece = upload.next(peer.unsentBytes)) {
        this.send(peer, piece)
        if (peer.writer.pendingBytes > METADATA_SEND_BUFFER_LIMIT) break
      }
      if (upload.waitingRequests === 0) this.serving.delete(peer)
    }
  }

  /** Takes the whole info section, from peers or a user. Null, or what is wrong with it. */
  take(bytes: Uint8Array): LibtorrentError | null {
    const { host } = this
    if (host.hasMetadata) return null
    const error = host.info.parseInfoSection(bytes)
    if (error === null) {
      this.fetching = null
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
      peer.sendExtended('ut_metadata', encodeUtMetadata({ type: 'request', piece }))
    }
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
    const verdict = upload.onRequest(piece, peer.unsentBytes + peer.writer.pendingBytes)
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
}
