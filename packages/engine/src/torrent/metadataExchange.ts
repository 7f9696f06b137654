import { MetadataDownload } from '../extensions/metadataDownload.ts'
import { METADATA_SEND_BUFFER_LIMIT, MetadataUpload, metadataPiece } from '../extensions/metadataUpload.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { Random } from '../platform/random.ts'
import type { Millis } from '../util/flavored.ts'
import { decodeUtMetadata, encodeUtMetadata } from '../wire/utMetadataMessage.ts'

export interface MetadataExchangeHost {
  readonly random: Random
  /** Setting `max_metadata_size`, bytes. */
  readonly maxMetadataSize: number
  /** The info section, or null while it is not known. */
  readonly infoSection: Uint8Array | null
  now(): Millis
  /** All pieces are there. Returns whether they are what the info-hash says. */
  onMetadataComplete(metadata: Uint8Array): boolean
}

/** Fetches the info section from peers, or serves it to them (BEP 9). */
export class MetadataExchange {
  private fetching: MetadataDownload<PeerConnection> | null = null
  private readonly serving = new Map<PeerConnection, MetadataUpload>()

  constructor(private readonly host: MetadataExchangeHost) {}

  /** Bytes of the info section we have to offer, 0 for none. */
  get size(): number {
    return this.host.infoSection?.length ?? 0
  }

  /** 0 to 1. */
  get progress(): number {
    if (this.host.infoSection !== null) return 1
    const { fetching } = this
    return fetching === null || fetching.expectedSize === 0 ? 0 : fetching.receivedBytes / fetching.expectedSize
  }

  onPeerExtensions(peer: PeerConnection): void {
    if (this.host.infoSection !== null || peer.extensions.remoteId('ut_metadata') === 0) return
    this.fetching ??= new MetadataDownload(this.host.maxMetadataSize, this.host.random)
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

  /** The metadata is known, from here or elsewhere: nothing is fetched any more. */
  stopFetching(): void {
    this.fetching = null
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
      if (host.onMetadataComplete(complete)) return
      const liar = fetching.onHashFailed(host.now())
      if (liar !== null) liar.fail('invalidMetadataMessage')
    }
    if (!peer.isClosed) this.requestFrom(peer)
  }

  private onRequest(peer: PeerConnection, piece: number): void {
    const { infoSection: metadata } = this.host
    if (metadata === null || metadataPiece(metadata, piece) === null) return this.reject(peer, piece)
    const upload = this.serving.get(peer) ?? new MetadataUpload()
    const verdict = upload.onRequest(piece, peer.unsentBytes + peer.writer.pendingBytes)
    if (verdict === 'send') this.send(peer, piece)
    else if (verdict === 'wait') this.serving.set(peer, upload)
    else this.reject(peer, piece)
  }

  private send(peer: PeerConnection, piece: number): void {
    const { infoSection: metadata } = this.host
    const data = metadata === null ? null : metadataPiece(metadata, piece)
    if (metadata === null || data === null) return this.reject(peer, piece)
    peer.sendExtended('ut_metadata', encodeUtMetadata({ type: 'data', piece, totalSize: metadata.length, data }))
  }

  private reject(peer: PeerConnection, piece: number): void {
    peer.sendExtended('ut_metadata', encodeUtMetadata({ type: 'reject', piece }))
  }
}
