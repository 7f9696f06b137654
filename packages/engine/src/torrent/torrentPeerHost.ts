import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import {
  InvalidRequestAlert,
  PeerDisconnectedAlert,
  PeerErrorAlert,
  PeerUnsnubbedAlert,
  RequestDroppedAlert,
  UnwantedBlockAlert,
} from '../alerts/peerAlerts.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { BlockSender } from '../peer/blockSender.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { PeerHost } from '../peer/peerHost.ts'
import { closesNewOfSamePeerId } from '../peers/duplicateConnections.ts'
import { PeerSource } from '../peers/peerSource.ts'
import { MAX_FAILCOUNT, type TorrentPeer } from '../peers/torrentPeer.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'
import type { BlockPool } from '../platform/disk.ts'
import type { Random } from '../platform/random.ts'
import type { Settings } from '../settings/settings.ts'
import type { Bitfield } from '../util/bitfield.ts'
import { equalBytes } from '../util/bytes.ts'
import type { Millis, SlotIndex } from '../util/flavored.ts'
import { allowedFastSet } from '../wire/allowedFastSet.ts'
import { decodeDontHave } from '../wire/dontHave.ts'
import { decodeUploadOnly } from '../wire/uploadOnly.ts'
import type { BlockRequester } from './blockRequester.ts'
import type { BlockServer } from './blockServer.ts'
import type { Interest } from './interest.ts'
import { fullBitfield, sendLazyBitfield } from './lazyBitfield.ts'
import type { MetadataExchange } from './metadataExchange.ts'
import type { PeerExchange } from './peerExchange.ts'
import type { PieceReceiver } from './pieceReceiver.ts'
import type { PieceSuggester } from './pieceSuggester.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentCounters } from './torrentCounters.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { TrackerExchange } from './trackerExchange.ts'

/** The parts of a torrent that peers' reports are passed on to, and what is needed to decide which. */
export interface PeerReportsHost {
  readonly session: Pick<
    TorrentHost,
    | 'pool'
    | 'isDiskCongested'
    | 'blockSender'
    | 'peerId'
    | 'listenPort'
    | 'discovery'
    | 'scheduleFlush'
    | 'onExternalAddress'
    | 'onFault'
  >
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly random: Random
  readonly ref: TorrentRef
  readonly layout: PieceLayout | null
  /** 20 bytes. */
  readonly infoHashBytes: Uint8Array
  readonly picker: PiecePicker<TorrentPeer> | null
  readonly swarm: Swarm
  readonly interest: Interest
  readonly requester: BlockRequester
  readonly receiver: PieceReceiver | null
  readonly server: BlockServer
  readonly suggester: PieceSuggester
  readonly metadata: MetadataExchange
  readonly exchange: PeerExchange
  readonly trackerExchange: TrackerExchange
  readonly info: TorrentInfo
  readonly counters: TorrentCounters
  /** Every piece is had. */
  readonly isSeed: boolean
  /** Nothing (more) is wanted. */
  readonly isUploadOnly: boolean
  /** Peers may be told what we have: files are checked. */
  readonly isLoaded: boolean
  havePiece(piece: number): boolean
  now(): Millis
  waitForSlot(peer: PeerConnection): void
  onPeerInterestChanged(peer: PeerConnection): void
}

/** Passes what the connections of one torrent report on to the part it concerns. */
export class TorrentPeerHost implements PeerHost {
  constructor(private readonly torrent: PeerReportsHost) {}

  get settings(): Readonly<Settings> {
    return this.torrent.settings
  }

  get pool(): BlockPool {
    return this.torrent.session.pool
  }

  get isDiskCongested(): boolean {
    return this.torrent.session.isDiskCongested
  }

  get blockSender(): BlockSender {
    return this.torrent.session.blockSender
  }

  get layout(): PieceLayout | null {
    return this.torrent.layout
  }

  get infoHash(): Uint8Array {
    return this.torrent.infoHashBytes
  }

  get peerId(): Uint8Array {
    return this.torrent.session.peerId
  }

  /** Peers of a private torrent are not told of the DHT. */
  get dhtPort(): number {
    return this.torrent.info.priv ? 0 : this.torrent.session.discovery.dhtPort
  }

  now(): Millis {
    return this.torrent.now()
  }

  scheduleFlush(peer: PeerConnection): void {
    this.torrent.session.scheduleFlush(peer)
  }

  // --- coming and going -----------------------------------------------------------------------------------------

  onPeerReady(peer: PeerConnection): void {
    this.torrent.swarm.onReady(peer)
    if (this.closeIfSelfOrDuplicate(peer)) return
    if (peer.entry !== null) this.torrent.swarm.list.setFailcount(peer.entry, 0)
    this.greet(peer)
  }

  private closeIfSelfOrDuplicate(peer: PeerConnection): boolean {
    const { swarm, settings } = this.torrent
    const { peerId } = this
    if (equalBytes(peer.peerId, peerId)) {
      if (peer.entry !== null) swarm.list.setFailcount(peer.entry, MAX_FAILCOUNT)
      peer.fail('selfConnection')
      return true
    }
    if (settings.allowMultipleConnectionsPerPid) return false
    for (const other of swarm.connections) {
      if (other === peer || !other.isReady || !equalBytes(other.peerId, peer.peerId)) continue
      // Of two that came the same way the first stays: anyone can claim the id of another.
      const isSameWay = other.isOutgoing === peer.isOutgoing
      if (isSameWay || closesNewOfSamePeerId(peerId, peer.peerId, peer.isOutgoing)) {
        peer.fail('duplicatePeerId')
        return true
      }
      other.fail('duplicatePeerId')
      return false
    }
    return false
  }

  /** Our side of the opening: what we have (BEP 3, 6), then what we speak (BEP 10). */
  private greet(peer: PeerConnection): void {
    const { torrent } = this
    if (torrent.layout !== null) this.sendPieces(peer, torrent.layout)
    else if (peer.supportsFast) peer.writer.haveNone()
    if (peer.supportsExtensions) this.sendExtensionHandshake(peer)
    if (peer.supportsDht && this.dhtPort !== 0) peer.writer.dhtPort(this.dhtPort)
    peer.touch()
  }

  private sendPieces(peer: PeerConnection, layout: PieceLayout): void {
    const { picker, isSeed, isLoaded, settings } = this.torrent
    const { writer } = peer
    if (isSeed && isLoaded && settings.lazyBitfields) {
      sendLazyBitfield(writer, layout.numPieces, this.torrent.random)
    } else if (isSeed && isLoaded) {
      if (peer.supportsFast) writer.haveAll()
      else writer.bitfield(fullBitfield(layout.numPieces))
    } else if (picker !== null && picker.numHave > 0 && isLoaded) {
      writer.bitfield(picker.have.asBytes())
    } else if (peer.supportsFast) {
      writer.haveNone()
    }
    if (peer.supportsFast && isLoaded) this.grantAllowedFast(peer, layout, settings.allowedFastSetSize)
  }

  private grantAllowedFast(peer: PeerConnection, layout: PieceLayout, size: number): void {
    const { torrent } = this
    for (const piece of allowedFastSet(peer.remote.address, torrent.infoHashBytes, layout.numPieces, size)) {
      if (!torrent.havePiece(piece)) continue
      peer.upload.grant(piece)
      peer.writer.allowedFast(piece)
    }
  }

  sendExtensionHandshake(peer: PeerConnection): void {
    const { torrent } = this
    const { settings } = torrent
    peer.sendExtensionHandshake(
      {
        client: settings.handshakeClientVersion || settings.userAgent,
        listenPort: torrent.session.listenPort || undefined,
        yourAddress: peer.remote.address,
        maxRequests: settings.maxAllowedInRequestQueue,
        metadataSize: torrent.metadata.size || undefined,
        // A seed that hides as one that lacks pieces does not say so either.
        isUploadOnly: torrent.isUploadOnly && !settings.lazyBitfields,
        trackersHash: torrent.trackerExchange.hash(),
      },
      this.withheldExtensions(),
    )
  }

  /** What a private torrent has no use for. */
  private withheldExtensions(): readonly string[] {
    const { exchange, metadata, trackerExchange } = this.torrent
    return [
      ...(exchange.isAllowed ? [] : ['ut_pex']),
      ...(metadata.isAllowed ? [] : ['ut_metadata', 'LT_metadata']),
      ...(trackerExchange.isAllowed ? [] : ['lt_tex']),
    ]
  }

  onPeerClosed(peer: PeerConnection, error: LibtorrentError): void {
    const { torrent } = this
    const { picker } = torrent
    if (picker !== null) {
      this.dropRequests(peer, picker)
      picker.decRefcountBits(peer.pieces)
    }
    torrent.metadata.onPeerGone(peer)
    torrent.exchange.onPeerGone(peer)
    torrent.trackerExchange.onPeerGone(peer)
    torrent.swarm.onClosed(peer, error)
    this.postClosed(peer, error)
    if (picker !== null) this.requestFromAll()
  }

  onPeerFault(peer: PeerConnection, cause: unknown): void {
    this.torrent.session.onFault(cause)
    peer.close(systemError(cause))
  }

  private postClosed(peer: PeerConnection, error: LibtorrentError): void {
    const { alerts, ref } = this.torrent
    const fields = { handle: ref, endpoint: peer.remote, pid: peer.peerId, error }
    // What a peer did wrong is an error; an end that either side chose, or the network brought, is not.
    const isProtocolError = error.operation === 'bittorrent' && error.category === 'libtorrent'
    if (isProtocolError && alerts.wants(PeerErrorAlert.category)) alerts.post(new PeerErrorAlert(fields))
    if (alerts.wants(PeerDisconnectedAlert.category)) alerts.post(new PeerDisconnectedAlert(fields))
  }

  private dropRequests(peer: PeerConnection, picker: PiecePicker<TorrentPeer>): void {
    if (peer.download.requests.length === 0 || peer.entry === null) return
    for (const id of peer.download.requests.ids()) picker.abortDownload(id, peer.entry)
    peer.download.requests.clear()
  }

  /** Blocks became free: others may have been waiting for some. */
  private requestFromAll(): void {
    for (const other of this.torrent.swarm.connections) this.torrent.requester.requestMore(other)
  }

  // --- what the peer has ----------------------------------------------------------------------------------------

  onPeerBitfield(peer: PeerConnection, before: Bitfield): void {
    const { picker, interest, requester } = this.torrent
    picker?.decRefcountBits(before)
    picker?.incRefcountBits(peer.pieces)
    interest.recount(peer)
    this.noteSeed(peer)
    if (!peer.isClosed) requester.requestMore(peer)
  }

  onPeerHave(peer: PeerConnection, piece: number): void {
    const { picker, interest, requester, layout } = this.torrent
    if (layout === null) return
    picker?.incRefcount(piece)
    interest.peerHas(peer, piece)
    this.torrent.suggester.onPeerHave(peer, piece)
    if (peer.isSeed) this.noteSeed(peer)
    if (!peer.isClosed && peer.download.requests.length === 0) requester.requestMore(peer)
  }

  onPeerDontHave(peer: PeerConnection, piece: number): void {
    const { picker, interest, swarm } = this.torrent
    picker?.decRefcount(piece)
    interest.peerHasNot(peer, piece)
    if (peer.entry !== null) swarm.list.setSeed(peer.entry, false)
  }

  private noteSeed(peer: PeerConnection): void {
    if (peer.entry !== null) this.torrent.swarm.list.setSeed(peer.entry, peer.isSeed)
    this.closeIfRedundant(peer)
  }

  /** Two that want nothing of each other only take up room for others (setting `close_redundant_connections`). */
  closeIfRedundant(peer: PeerConnection): void {
    const { isUploadOnly, settings, layout, isLoaded } = this.torrent
    if (!settings.closeRedundantConnections || layout === null || !isLoaded || !peer.isReady) return
    const peerIsUploadOnly = peer.isSeed || peer.extensions.isUploadOnly
    if (isUploadOnly && peerIsUploadOnly) peer.fail('uploadUploadConnection')
    else if (peer.extensions.isUploadOnly && !peer.isInteresting && peer.pieces.count > 0) {
      peer.fail('uninterestingUploadPeer')
    }
  }

  // --- choking and interest -------------------------------------------------------------------------------------

  onPeerInterest(peer: PeerConnection): void {
    this.torrent.onPeerInterestChanged(peer)
  }

  onPeerChoke(peer: PeerConnection): void {
    const { picker } = this.torrent
    // With the fast extension each request gets its own reject; without, a choke drops them all (BEP 3).
    if (picker !== null && !peer.supportsFast) {
      this.dropRequests(peer, picker)
      this.requestFromAll()
    }
  }

  onPeerUnchoke(peer: PeerConnection): void {
    this.torrent.requester.requestMore(peer)
  }

  onPeerAllowedFast(peer: PeerConnection, _piece: number): void {
    this.torrent.requester.requestMore(peer)
  }

  // --- extensions -----------------------------------------------------------------------------------------------

  onPeerExtensions(peer: PeerConnection): void {
    const { swarm, metadata, requester } = this.torrent
    const { extensions, entry } = peer
    if (extensions.yourAddress !== '')
      this.torrent.session.onExternalAddress(extensions.yourAddress, peer.remote.address)
    if (entry !== null) {
      swarm.list.setUploadOnly(entry, extensions.isUploadOnly)
      if (!peer.isOutgoing && extensions.listenPort !== 0) {
        if (!swarm.list.updatePeerPort(entry, extensions.listenPort, PeerSource.incoming)) return
      }
    }
    metadata.onPeerExtensions(peer)
    this.torrent.exchange.onPeerExtensions(peer)
    this.torrent.trackerExchange.onPeerExtensions(peer)
    this.closeIfRedundant(peer)
    if (!peer.isClosed) requester.requestMore(peer)
  }

  onPeerDhtPort(peer: PeerConnection, port: number): void {
    // A peer of a private torrent is no source of nodes: its address came from a tracker that may want it kept.
    if (!this.torrent.info.priv) this.torrent.session.discovery.addDhtNode(peer.remote.address, port)
  }

  onPeerExtended(peer: PeerConnection, name: string, payload: Uint8Array): void {
    if (name === 'ut_metadata') this.torrent.metadata.onMessage(peer, payload)
    else if (name === 'LT_metadata') this.torrent.metadata.onLtMessage(peer, payload)
    else if (name === 'ut_pex') this.torrent.exchange.onMessage(peer, payload)
    else if (name === 'lt_tex') this.torrent.trackerExchange.onMessage(peer, payload)
    else if (name === 'lt_donthave') this.onDontHave(peer, payload)
    else if (name === 'upload_only') this.onUploadOnly(peer, payload)
  }

  private onDontHave(peer: PeerConnection, payload: Uint8Array): void {
    const piece = decodeDontHave(payload)
    if (piece === null || (this.layout !== null && piece >= this.layout.numPieces)) peer.fail('invalidDontHave')
    else peer.onDontHave(piece)
  }

  private onUploadOnly(peer: PeerConnection, payload: Uint8Array): void {
    const uploadOnly = decodeUploadOnly(payload)
    if (uploadOnly === null) return
    peer.extensions.isUploadOnly = uploadOnly
    if (peer.entry !== null) this.torrent.swarm.list.setUploadOnly(peer.entry, uploadOnly)
    this.closeIfRedundant(peer)
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  wantsBlock(peer: PeerConnection, blockId: number): boolean {
    const { picker, receiver, alerts, ref } = this.torrent
    if (picker !== null && receiver !== null && !picker.isDownloaded(blockId)) return true
    if (picker !== null && alerts.wants(UnwantedBlockAlert.category)) {
      const fields = { handle: ref, endpoint: peer.remote, pid: peer.peerId }
      alerts.post(
        new UnwantedBlockAlert({
          ...fields,
          pieceIndex: picker.pieceOf(blockId),
          blockIndex: picker.blockOf(blockId),
        }),
      )
    }
    return false
  }

  onPeerBlock(peer: PeerConnection, blockId: number, slot: SlotIndex): void {
    const { receiver } = this.torrent
    if (receiver === null) this.pool.release(slot)
    else receiver.onBlock(peer, blockId, slot)
  }

  onPeerRedundantBytes(_peer: PeerConnection, length: number): void {
    this.torrent.counters.redundantBytes += length
  }

  onPeerUnsnubbed(peer: PeerConnection): void {
    const { alerts, ref } = this.torrent
    if (!alerts.wants(PeerUnsnubbedAlert.category)) return
    alerts.post(new PeerUnsnubbedAlert({ handle: ref, endpoint: peer.remote, pid: peer.peerId }))
  }

  onPeerReject(peer: PeerConnection, blockId: number): void {
    const { picker, alerts, ref } = this.torrent
    if (picker === null || peer.entry === null) return
    picker.abortDownload(blockId, peer.entry)
    // Asking the same peer again at once would only be refused again.
    peer.download.isHeld = true
    if (!alerts.wants(RequestDroppedAlert.category)) return
    alerts.post(
      new RequestDroppedAlert({
        handle: ref,
        endpoint: peer.remote,
        pid: peer.peerId,
        pieceIndex: picker.pieceOf(blockId),
        blockIndex: picker.blockOf(blockId),
      }),
    )
  }

  onPeerInputDone(peer: PeerConnection): void {
    this.torrent.requester.requestMore(peer)
  }

  onPeerStalled(peer: PeerConnection): void {
    this.torrent.waitForSlot(peer)
  }

  // --- sending --------------------------------------------------------------------------------------------------

  havePiece(piece: number): boolean {
    return this.torrent.havePiece(piece)
  }

  readBlock(peer: PeerConnection, piece: number, begin: number, length: number): void {
    this.torrent.server.read(peer, piece, begin, length)
  }

  onPeerInvalidRequest(peer: PeerConnection, piece: number, start: number, length: number): void {
    const { alerts, ref } = this.torrent
    if (!alerts.wants(InvalidRequestAlert.category)) return
    const request = { piece, start, length }
    alerts.post(new InvalidRequestAlert({ handle: ref, endpoint: peer.remote, pid: peer.peerId, request }))
  }
}
