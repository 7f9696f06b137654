import type { BandwidthChannel } from '../bandwidth/bandwidthChannel.ts'
import type { Direction } from '../bandwidth/direction.ts'
import type { BandwidthManagers, RateLimits } from '../bandwidth/rateLimits.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { BlockSender } from '../peer/blockSender.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { PeerHost } from '../peer/peerHost.ts'
import { PeerSource } from '../peers/peerSource.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'
import type { BlockPool } from '../platform/disk.ts'
import type { Settings } from '../settings/settings.ts'
import type { Bitfield } from '../util/bitfield.ts'
import type { Millis, SlotIndex } from '../util/flavored.ts'
import { decodeDontHave } from '../wire/dontHave.ts'
import { decodeUploadOnly } from '../wire/uploadOnly.ts'
import type { BlockRequester } from './blockRequester.ts'
import type { BlockServer } from './blockServer.ts'
import type { Holepunch } from './holepunch.ts'
import type { Interest } from './interest.ts'
import type { MetadataExchange } from './metadataExchange.ts'
import type { PeerExchange } from './peerExchange.ts'
import type { PeerGreeting } from './peerGreeting.ts'
import type { PeerNews } from './peerNews.ts'
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
    | 'bandwidth'
    | 'blockSender'
    | 'discovery'
    | 'scheduleFlush'
    | 'onExternalAddress'
    | 'onFault'
  >
  readonly settings: Readonly<Settings>
  readonly layout: PieceLayout | null
  /** 20 bytes. */
  readonly peerId: Uint8Array
  /** 20 bytes. */
  readonly infoHashBytes: Uint8Array
  readonly picker: PiecePicker<TorrentPeer> | null
  readonly greeting: PeerGreeting
  readonly peerNews: PeerNews
  readonly swarm: Swarm
  readonly interest: Interest
  readonly requester: BlockRequester
  readonly receiver: PieceReceiver | null
  readonly server: BlockServer
  readonly suggester: PieceSuggester
  readonly metadata: MetadataExchange
  readonly exchange: PeerExchange
  readonly holepunch: Holepunch
  readonly trackerExchange: TrackerExchange
  readonly info: TorrentInfo
  readonly keepsToI2p: boolean
  readonly counters: TorrentCounters
  readonly limits: RateLimits
  readonly bandwidthPriority: number
  /** Nothing (more) is wanted. */
  readonly isUploadOnly: boolean
  /** Files are checked. */
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

  get bandwidth(): BandwidthManagers {
    return this.torrent.session.bandwidth
  }

  get bandwidthPriority(): number {
    return this.torrent.bandwidthPriority
  }

  collectChannels(peer: PeerConnection, direction: Direction, into: BandwidthChannel[]): void {
    const { session, limits } = this.torrent
    session.bandwidth.collectChannels(peer, limits, direction, into)
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
    return this.torrent.peerId
  }

  /** Peers of a private torrent are not told of the DHT. */
  get dhtPort(): number {
    return this.torrent.info.priv || this.torrent.keepsToI2p ? 0 : this.torrent.session.discovery.dhtPort
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
    this.torrent.greeting.onReady(peer)
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
    torrent.peerNews.closed(peer, error)
    if (picker !== null) this.requestFromAll()
  }

  onPeerFault(peer: PeerConnection, cause: unknown): void {
    this.torrent.session.onFault(cause)
    peer.close(systemError(cause))
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
    if (entry !== null && !peer.isRtc && !peer.isI2p && extensions.remoteId('ut_holepunch') !== 0)
      entry.supportsHolepunch = true
    if (extensions.yourAddress !== '' && !peer.isI2p)
      this.torrent.session.onExternalAddress(extensions.yourAddress, peer.remote.address)
    if (entry !== null) {
      swarm.list.setUploadOnly(entry, extensions.isUploadOnly)
      if (!peer.isOutgoing && !peer.isRtc && !peer.isI2p && extensions.listenPort !== 0) {
        if (!swarm.list.updatePeerPort(entry, extensions.listenPort, PeerSource.incoming)) return
      }
    }
    metadata.onPeerExtensions(peer)
    this.torrent.exchange.onPeerExtensions(peer)
    this.torrent.trackerExchange.onPeerExtensions(peer)
    this.closeIfRedundant(peer)
    if (!peer.isClosed) requester.requestMore(peer)
  }

  onPeerUploadQuota(peer: PeerConnection): void {
    this.torrent.metadata.onUploadQuota(peer)
  }

  onPeerDhtPort(peer: PeerConnection, port: number): void {
    // A peer of a private torrent is no source of nodes: its address came from a tracker that may want it kept.
    if (peer.isI2p) return
    if (!this.torrent.info.priv) this.torrent.session.discovery.addDhtNode(peer.remote.address, port)
  }

  onPeerExtended(peer: PeerConnection, name: string, payload: Uint8Array): void {
    if (name === 'ut_metadata') this.torrent.metadata.onMessage(peer, payload)
    else if (name === 'LT_metadata') this.torrent.metadata.onLtMessage(peer, payload)
    else if (name === 'ut_pex' || name === 'i2p_pex') this.torrent.exchange.onMessage(peer, name, payload)
    else if (name === 'ut_holepunch') this.torrent.holepunch.onMessage(peer, payload)
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
    const { picker, receiver, peerNews } = this.torrent
    if (picker !== null && receiver !== null && !picker.isDownloaded(blockId)) return true
    if (picker !== null) peerNews.unwantedBlock(peer, blockId)
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
    this.torrent.peerNews.unsnubbed(peer)
  }

  onPeerReject(peer: PeerConnection, blockId: number): void {
    const { picker, peerNews } = this.torrent
    if (picker === null || peer.entry === null) return
    picker.abortDownload(blockId, peer.entry)
    // Asking the same peer again at once would only be refused again.
    peer.download.isHeld = true
    peerNews.requestDropped(peer, blockId)
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
    this.torrent.peerNews.invalidRequest(peer, { piece, start, length })
  }
}
