import type { Endpoint } from '../address/endpoint.ts'
import {
  type LibtorrentError,
  type LibtorrentErrorCode,
  libtorrentError,
  systemError,
} from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { BlockPool } from '../platform/disk.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import { Bitfield } from '../util/bitfield.ts'
import { BLOCK_SIZE_BYTES, type Millis, type SlotIndex } from '../util/flavored.ts'
import { TransferStats } from '../util/transferStats.ts'
import type { ExtensionHandshake } from '../wire/extensionHandshake.ts'
import { encodeHandshake, type Handshake, HandshakeReader } from '../wire/handshake.ts'
import { MessageWriter } from '../wire/messageWriter.ts'
import { encodeReserved } from '../wire/reservedBits.ts'
import type { WireHandler } from '../wire/wireHandler.ts'
import { WireParser } from '../wire/wireParser.ts'
import { PIECE_HEADER_BYTES } from './blockSender.ts'
import { PeerDownload, type PeerDownloadHost } from './peerDownload.ts'
import { PeerExtensions } from './peerExtensions.ts'
import type { PeerHost } from './peerHost.ts'
import { PeerUpload, type PeerUploadHost } from './peerUpload.ts'
import { SuggestedPieces } from './suggestedPieces.ts'

/** Where a connection stands. `ready`: both handshakes are done and messages flow. */
export type PeerState = 'connecting' | 'handshaking' | 'ready' | 'closed'

const RESERVED = encodeReserved({ supportsExtensions: true, supportsFast: true })
/** Each bitfield costs time for each of its bits: a peer that keeps sending some is stopped after about a second of it. */
const MAX_REPLACED_BITS = 20_000_000
/** The peer closed the connection, and nothing is wrong. libuv's name and number for it. */
const END_OF_STREAM = { code: 'EOF', errno: -4095, message: 'the peer closed the connection' }
/** Requests may still be on their way for this long after a choke (libtorrent). */
const CHOKE_GRACE_MS = 2000
/** Messages that may wait for a peer to read them, beside the blocks of `send_buffer_watermark`: bitfields, haves. */
const MAX_UNREAD_MESSAGE_BYTES = 1024 * 1024
/** Bits of pieces a peer claims before we know how many there are: as many as a torrent may have. */
const MAX_PIECES_BEFORE_METADATA = 0x20_0000

/**
 * One connection of one torrent: turns the byte stream into reports to the torrent, and decisions into messages.
 *
 * Receiving is `download` (what we asked for), sending `upload` (what the peer asked for), `extensions` what BEP 10
 * negotiated. Messages are gathered in `writer` and leave with `flush` at the end of the turn; blocks go to the stream
 * at once, between `cork` and `flush`. A connection belongs to its torrent from creation to `onPeerClosed`.
 */
export class PeerConnection implements StreamHandler, WireHandler, PeerDownloadHost, PeerUploadHost {
  state: PeerState
  readonly stats = new TransferStats()
  readonly writer = new MessageWriter()
  readonly download: PeerDownload
  readonly upload: PeerUpload
  readonly extensions: PeerExtensions

  /** Its place in the torrent's peer list; set by the torrent before anything else happens. */
  entry: TorrentPeer<PeerConnection> | null = null
  /** What the peer has. Sized to the torrent once its metadata is known. */
  pieces: Bitfield
  /** How many pieces it has that we want; kept by the torrent. */
  wantedPieces = 0
  isInteresting = false
  isPeerInterested = false
  /** The peer chokes us. */
  isPeerChoking = true
  isOptimisticUnchoke = false
  /** Pieces we may ask for while choked (BEP 6). */
  readonly allowedFast = new Set<number>()
  readonly suggested = new SuggestedPieces()

  /** The peer's id, all zeros until its handshake. */
  peerId: Uint8Array = new Uint8Array(20)
  /** Both handshakes were done, however it ended. */
  wasReady = false
  supportsFast = false
  supportsExtensions = false

  readonly createdAt: Millis
  /** When the stream stood: the handshake's time counts from here. */
  connectedAt: Millis
  lastReceived: Millis
  lastSent: Millis
  /** When either side last began or ceased to want something of the other. */
  lastInterest: Millis
  /** When we last let the peer have data, last choked it, and when it last asked for some. */
  lastUnchoked: Millis = 0
  lastChoked: Millis = 0
  lastRequested: Millis = 0
  /** When a block last left for the peer. */
  lastSentBlock: Millis = 0
  /** Payload totals at the last unchoke round, and of the upload when we last unchoked the peer; the choker's. */
  downloadedAtRound = 0
  uploadedAtRound = 0
  uploadedAtUnchoke = 0

  private parser: WireParser
  private handshake: HandshakeReader | null = new HandshakeReader()
  /** Input that waits for a free slot. */
  private backlog: Uint8Array | null = null
  /** Not read from, because it does not read. */
  private isHeldBack = false
  private corked = false
  private flushScheduled = false
  private payloadSeen = 0

  /**
   * @param handshake what the peer said already, on a connection it opened; null on one that we open.
   */
  constructor(
    private readonly host: PeerHost,
    readonly remote: Endpoint,
    readonly isOutgoing: boolean,
    private stream: Stream | null,
  ) {
    this.state = isOutgoing ? 'connecting' : 'handshaking'
    this.createdAt = this.connectedAt = this.lastReceived = this.lastSent = this.lastInterest = host.now()
    this.pieces = new Bitfield(host.layout?.numPieces ?? 0)
    this.download = new PeerDownload(this)
    this.upload = new PeerUpload(this)
    this.extensions = new PeerExtensions()
    this.parser = new WireParser(this)
  }

  // --- what the halves need -------------------------------------------------------------------------------------

  get pool(): BlockPool {
    return this.host.pool
  }

  get isDiskCongested(): boolean {
    return this.host.isDiskCongested
  }

  get layout(): PieceLayout | null {
    return this.host.layout
  }

  get maxQueueLength(): number {
    return this.host.settings.maxAllowedInRequestQueue
  }

  get maxRejects(): number {
    return this.host.settings.maxRejects
  }

  get isJustChoked(): boolean {
    return this.lastChoked !== 0 && this.host.now() - this.lastChoked < CHOKE_GRACE_MS
  }

  wantsBlock(blockId: number): boolean {
    return this.host.wantsBlock(this, blockId)
  }

  onBlock(blockId: number, slot: SlotIndex): void {
    this.host.onPeerBlock(this, blockId, slot)
  }

  onRedundantBytes(length: number): void {
    this.host.onPeerRedundantBytes(this, length)
  }

  onUnsnubbed(): void {
    this.host.onPeerUnsnubbed(this)
  }

  havePiece(piece: number): boolean {
    return this.host.havePiece(piece)
  }

  readBlock(piece: number, begin: number, length: number): void {
    this.host.readBlock(this, piece, begin, length)
  }

  onInvalidRequest(piece: number, begin: number, length: number): void {
    this.host.onPeerInvalidRequest(this, piece, begin, length)
  }

  // --- questions ------------------------------------------------------------------------------------------------

  get isSeed(): boolean {
    return this.pieces.size > 0 && this.pieces.isAllSet
  }

  /** A connection on its way out never wins against another one to the same peer. */
  get hasFailed(): boolean {
    return this.state === 'closed'
  }

  get isReady(): boolean {
    return this.state === 'ready'
  }

  /** What it sent waits for our disk: its silence is not its fault. */
  get isStalled(): boolean {
    return this.backlog !== null
  }

  get isClosed(): boolean {
    return this.state === 'closed'
  }

  get local(): Endpoint | null {
    return this.stream?.local ?? null
  }

  get unsentBytes(): number {
    return this.stream?.unsentBytes ?? 0
  }

  // --- opening --------------------------------------------------------------------------------------------------

  /** An outgoing connection got its stream; `onConnected` or `onClosed` follows. */
  attach(stream: Stream): void {
    this.stream = stream
  }

  onConnected(): void {
    // connecting -> handshaking
    this.state = 'handshaking'
    this.connectedAt = this.lastReceived = this.lastSent = this.host.now()
    this.guard(() => this.sendHandshake())
  }

  /** Should our own code fail over what a peer does, this connection pays for it and nobody else. */
  private guard(work: () => void): void {
    try {
      work()
    } catch (cause) {
      this.fault(cause)
    }
  }

  /** Our own code threw while it worked for this connection. */
  fault(cause: unknown): void {
    this.host.onPeerFault(this, cause)
  }

  /** A connection the peer opened: its handshake was read to find the torrent. `rest` is what came after it. */
  accept(handshake: Handshake, rest: Uint8Array): void {
    this.stream?.setHandler(this)
    this.sendHandshake()
    this.becomeReady(handshake)
    if (!this.isClosed && rest.length > 0) this.onData(rest)
  }

  private sendHandshake(): void {
    const { infoHash, peerId } = this.host
    const bytes = encodeHandshake({ infoHash, peerId, reserved: RESERVED })
    this.stats.sentProtocol(bytes.length)
    this.stream?.write(bytes)
  }

  /** handshaking -> ready */
  private becomeReady(handshake: Handshake): void {
    this.handshake = null
    this.state = 'ready'
    this.wasReady = true
    this.peerId = handshake.peerId
    this.supportsExtensions = handshake.supportsExtensions
    this.supportsFast = handshake.supportsFast
    this.parser = new WireParser(this, { supportsFast: this.supportsFast })
    this.host.onPeerReady(this)
  }

  // --- input ----------------------------------------------------------------------------------------------------

  onData(chunk: Uint8Array): void {
    // Should our own code fail over what a stranger sent, this connection pays for it and nobody else.
    try {
      this.receive(chunk)
    } catch (cause) {
      this.host.onPeerFault(this, cause)
    }
  }

  private receive(chunk: Uint8Array): void {
    this.lastReceived = this.host.now()
    let rest = chunk
    if (this.handshake !== null) {
      rest = chunk.subarray(this.readHandshake(this.handshake, chunk))
      if (this.state !== 'ready') return
    }
    if (this.backlog !== null) {
      // The stream was told to pause; what was already under way waits behind the rest.
      this.backlog = Buffer.concat([this.backlog, rest])
      return
    }
    const consumed = this.parser.push(rest)
    this.countReceived(consumed)
    if (this.isClosed) return
    if (consumed < rest.length || this.parser.isRefused) this.stall(rest.subarray(consumed))
    this.holdBack()
    this.host.onPeerInputDone(this)
  }

  /** There are free slots again. */
  resumeInput(): void {
    try {
      this.receiveBacklog()
    } catch (cause) {
      this.host.onPeerFault(this, cause)
    }
  }

  private receiveBacklog(): void {
    const waiting = this.backlog
    if (waiting === null || this.isClosed) return
    this.backlog = null
    // It has waited long enough for us: its time begins anew.
    this.lastReceived = this.host.now()
    const consumed = this.parser.push(waiting)
    this.countReceived(consumed)
    if (this.isClosed) return
    if (consumed < waiting.length || this.parser.isRefused) {
      this.backlog = waiting.subarray(consumed)
      this.host.onPeerStalled(this)
    } else if (!this.isHeldBack) {
      this.stream?.resumeReading()
    }
    this.host.onPeerInputDone(this)
  }

  /** A peer that asks and asks and reads no answer is not read from either, until it does. */
  private holdBack(): void {
    if (this.isHeldBack || this.unsentBytes + this.writer.pendingBytes <= this.maxUnread) return
    this.isHeldBack = true
    this.stream?.pauseReading()
  }

  private endHoldBack(): void {
    if (!this.isHeldBack || this.unsentBytes > this.maxUnread / 2) return
    this.isHeldBack = false
    if (this.backlog === null) this.stream?.resumeReading()
  }

  private get maxUnread(): number {
    return this.host.settings.sendBufferWatermark + MAX_UNREAD_MESSAGE_BYTES
  }

  private stall(rest: Uint8Array): void {
    this.backlog = new Uint8Array(rest)
    this.stream?.pauseReading()
    this.host.onPeerStalled(this)
  }

  private readHandshake(reader: HandshakeReader, chunk: Uint8Array): number {
    const taken = reader.push(chunk)
    this.stats.receivedProtocol(taken)
    if (reader.state === 'invalid') {
      this.fail('invalidInfoHash', 'The peer does not speak BitTorrent')
    } else if (reader.handshake !== null) {
      if (!sameBytes(reader.handshake.infoHash, this.host.infoHash)) this.fail('invalidInfoHash')
      else this.becomeReady(reader.handshake)
    }
    return taken
  }

  private countReceived(consumed: number): void {
    const payload = this.parser.payloadBytes - this.payloadSeen
    this.payloadSeen += payload
    this.stats.receivedPayload(payload)
    this.stats.receivedProtocol(Math.max(0, consumed - payload))
  }

  onDrain(): void {
    this.guard(() => this.pumpUploads())
  }

  onClosed(error: LibtorrentError | null): void {
    this.guard(() => this.finish(error ?? systemError(END_OF_STREAM, { operation: 'socketRead' })))
  }

  // --- messages -------------------------------------------------------------------------------------------------

  onKeepAlive(): void {}

  onChoke(): void {
    if (this.isPeerChoking) return
    this.isPeerChoking = true
    this.host.onPeerChoke(this)
  }

  onUnchoke(): void {
    this.isPeerChoking = false
    this.host.onPeerUnchoke(this)
  }

  onInterested(): void {
    this.setPeerInterest(true)
  }

  onNotInterested(): void {
    this.setPeerInterest(false)
  }

  private setPeerInterest(interested: boolean): void {
    if (this.isPeerInterested === interested) return
    this.lastInterest = this.host.now()
    this.isPeerInterested = interested
    this.host.onPeerInterest(this)
  }

  onHave(piece: number): void {
    if (!this.pieceExists(piece)) return this.fail('invalidHave')
    if (this.pieces.get(piece)) return
    this.pieces.set(piece)
    this.host.onPeerHave(this, piece)
  }

  onBitfield(bytes: Uint8Array): void {
    // BEP 3 and 6 want it first, and one only. As libtorrent we take the last word.
    const { layout } = this.host
    if (layout === null) this.bitfieldBytes = bytes.length
    const size = layout?.numPieces ?? bytes.length * 8
    if (size > MAX_PIECES_BEFORE_METADATA) return this.fail('invalidBitfieldSize')
    const field = Bitfield.fromWire(bytes, size)
    if (field === null) return this.fail('invalidBitfieldSize')
    this.claimsAll = false
    this.replacePieces(field, 'invalidBitfieldSize')
  }

  onHaveAll(): void {
    this.claimsAll = true
    this.bitfieldBytes = 0
    this.replacePieces(new Bitfield(this.host.layout?.numPieces ?? 0, true), 'invalidHaveAll')
  }

  onHaveNone(): void {
    this.claimsAll = false
    this.bitfieldBytes = 0
    this.replacePieces(new Bitfield(this.host.layout?.numPieces ?? 0), 'invalidHaveNone')
  }

  /** The peer said have-all before we knew how many pieces that is. */
  private claimsAll = false
  /** Bits of all bitfields that were replaced. */
  private replacedBits = 0
  /** Length of a bitfield that came before we knew how long it has to be, otherwise 0. */
  private bitfieldBytes = 0

  /** `code`: of the message that is one too many. */
  private replacePieces(field: Bitfield, code: LibtorrentErrorCode): void {
    this.replacedBits += this.pieces.size
    if (this.replacedBits > MAX_REPLACED_BITS) return this.fail(code)
    const before = this.pieces
    this.pieces = field
    this.host.onPeerBitfield(this, before)
  }

  /** The torrent's metadata became known: what the peer claimed so far is judged by it. */
  metadataKnown(layout: PieceLayout): void {
    const { pieces, bitfieldBytes } = this
    const claimed = pieces.count
    pieces.resize(layout.numPieces)
    const isWrongSize = bitfieldBytes !== 0 && bitfieldBytes !== (layout.numPieces + 7) >> 3
    // Anything beyond the last piece is about another torrent.
    if (isWrongSize || pieces.count !== claimed) this.fail('invalidBitfieldSize')
    else if (this.claimsAll) pieces.setAll()
  }

  onDontHave(piece: number): void {
    if (!this.pieces.get(piece)) return
    this.pieces.clear(piece)
    this.host.onPeerDontHave(this, piece)
  }

  onRequest(piece: number, begin: number, length: number): void {
    this.lastRequested = this.host.now()
    const error = this.upload.onRequest(piece, begin, length)
    if (error !== null) return this.fail(error)
    this.pumpUploads()
    this.touch()
  }

  onCancel(piece: number, begin: number, length: number): void {
    this.upload.onCancel(piece, begin, length)
    this.touch()
  }

  onPieceBegin(piece: number, begin: number, length: number): boolean {
    const verdict = this.download.begin(piece, begin, length)
    if (verdict === 'later') return false
    if (verdict !== 'taken') {
      this.fail(verdict)
      return false
    }
    return true
  }

  onPieceBytes(chunk: Uint8Array, from: number, to: number, offset: number): void {
    this.download.bytes(chunk, from, to, offset)
  }

  onPieceEnd(): void {
    this.download.end(this.lastReceived)
  }

  onDhtPort(_port: number): void {}

  onSuggest(piece: number): void {
    const { maxSuggestPieces } = this.host.settings
    if (!this.pieceExists(piece)) return this.fail('invalidSuggest')
    if (!this.host.havePiece(piece)) this.suggested.add(piece, maxSuggestPieces)
  }

  onReject(piece: number, begin: number, length: number): void {
    const { layout } = this.host
    if (layout === null || !layout.isBlock(piece, begin, length)) return
    // A reject also takes back the leave to ask while choked.
    if (this.isPeerChoking) this.allowedFast.delete(piece)
    else this.suggested.remove(piece)
    const blockId = layout.blockId(piece, begin / BLOCK_SIZE_BYTES)
    if (this.download.requests.remove(blockId)) this.host.onPeerReject(this, blockId)
  }

  onAllowedFast(piece: number): void {
    if (!this.pieceExists(piece)) return this.fail('invalidAllowFast')
    if (this.allowedFast.size >= MAX_ALLOWED_FAST || this.allowedFast.has(piece)) return
    this.allowedFast.add(piece)
    this.host.onPeerAllowedFast(this, piece)
  }

  onExtended(id: number, payload: Uint8Array): void {
    if (!this.supportsExtensions) return this.fail('invalidExtended')
    if (id === 0) {
      this.extensions.onHandshake(payload)
      this.host.onPeerExtensions(this)
      return
    }
    const name = PeerExtensions.nameOf(id)
    if (name === null) return this.fail('invalidExtended')
    this.host.onPeerExtended(this, name, payload)
  }

  onInvalid(code: LibtorrentErrorCode): void {
    this.fail(code)
  }

  private pieceExists(piece: number): boolean {
    const { layout } = this.host
    if (layout !== null) return piece < layout.numPieces
    if (piece >= MAX_PIECES_BEFORE_METADATA) return false
    // By doubling, so that a long row of haves does not copy all bits for each.
    if (piece >= this.pieces.size) this.pieces.resize(Math.max(piece + 1, this.pieces.size * 2))
    return true
  }

  // --- output ---------------------------------------------------------------------------------------------------

  /** Sees to it that what was written to `writer` leaves at the end of this turn. */
  touch(): void {
    if (this.flushScheduled || this.isClosed) return
    this.flushScheduled = true
    this.host.scheduleFlush(this)
  }

  flush(): void {
    this.flushScheduled = false
    const { stream, writer } = this
    if (stream === null || this.isClosed) return
    const bytes = writer.take()
    if (bytes !== null) {
      this.stats.sentProtocol(bytes.length)
      stream.write(bytes, () => writer.recycle(bytes))
    }
    if (bytes !== null || this.corked) this.lastSent = this.host.now()
    if (this.corked) {
      this.corked = false
      stream.uncork()
    }
  }

  setInteresting(interesting: boolean): void {
    if (this.isInteresting === interesting) return
    this.isInteresting = interesting
    this.lastInterest = this.host.now()
    if (interesting) this.writer.interested()
    else this.writer.notInterested()
    this.touch()
  }

  chokePeer(): void {
    if (this.upload.isChoked) return
    this.isOptimisticUnchoke = false
    this.lastChoked = this.host.now()
    this.upload.choke()
    this.touch()
  }

  unchokePeer(): void {
    if (!this.upload.isChoked) return
    this.lastUnchoked = this.host.now()
    this.uploadedAtUnchoke = this.stats.totalPayloadUpload
    this.upload.unchoke()
    this.touch()
  }

  request(blockId: number): void {
    const layout = this.host.layout as PieceLayout
    const piece = layout.pieceOf(blockId)
    const block = layout.blockOf(blockId)
    this.download.asked(blockId, this.host.now())
    this.writer.request(piece, block * BLOCK_SIZE_BYTES, layout.blockSize(piece, block))
    this.touch()
  }

  /** Tells the peer that a requested block is no longer needed; its answer may still come. */
  cancel(blockId: number): void {
    if (!this.download.requests.has(blockId)) return
    const layout = this.host.layout as PieceLayout
    const piece = layout.pieceOf(blockId)
    const block = layout.blockOf(blockId)
    // Without the fast extension a cancelled request is never answered for sure.
    if (!this.supportsFast) this.download.requests.remove(blockId)
    this.writer.cancel(piece, block * BLOCK_SIZE_BYTES, layout.blockSize(piece, block))
    this.touch()
  }

  sendExtensionHandshake(handshake: ExtensionHandshake): void {
    this.writer.extended(0, this.extensions.encodeHandshake(handshake))
    this.touch()
  }

  /** Sends a message of extension `name`, if the peer speaks it. */
  sendExtended(name: string, payload: Uint8Array): boolean {
    const id = this.extensions.remoteId(name)
    if (id === 0) return false
    this.writer.extended(id, payload)
    this.touch()
    return true
  }

  pumpUploads(): void {
    this.endHoldBack()
    if (this.upload.requests.length === 0 || this.isClosed) return
    this.upload.pump(this.unsentBytes, this.sendBudget())
  }

  /**
   * Bytes to hold ready for sending: half a second's worth at the current rate (`send_buffer_watermark_factor`),
   * between the low and the high water mark.
   */
  private sendBudget(): number {
    const { sendBufferWatermark, sendBufferLowWatermark, sendBufferWatermarkFactor } = this.host.settings
    const byRate = (this.stats.uploadRate * sendBufferWatermarkFactor) / 100
    return Math.min(sendBufferWatermark, Math.max(sendBufferLowWatermark, byRate))
  }

  /** A block asked of the disk is there. Takes `slot`. */
  sendBlock(piece: number, begin: number, length: number, slot: SlotIndex): void {
    this.upload.readingBytes -= length
    if (this.isClosed || this.stream === null) {
      this.pool.release(slot)
      return
    }
    if (!this.corked) {
      this.corked = true
      this.stream.cork()
      this.touch()
    }
    this.stats.sentPayload(length)
    this.stats.sentProtocol(PIECE_HEADER_BYTES)
    this.host.blockSender.send(this.stream, this, piece, begin, length, slot)
  }

  /** The block could not be read. False: that is the torrent's business. */
  readFailed(piece: number, begin: number, length: number): boolean {
    this.upload.readingBytes -= length
    if (this.isClosed) return false
    this.upload.reject(piece, begin, length)
    this.touch()
    return false
  }

  onBlockSent(): void {
    if (this.isClosed) return
    this.lastSentBlock = this.host.now()
    try {
      this.pumpUploads()
    } catch (cause) {
      this.fault(cause)
    }
  }

  // --- closing --------------------------------------------------------------------------------------------------

  fail(code: LibtorrentErrorCode, message?: string): void {
    this.close(libtorrentError(code, { operation: 'bittorrent', message }))
  }

  disconnect(code: LibtorrentErrorCode): void {
    this.fail(code)
  }

  close(error: LibtorrentError): void {
    if (this.isClosed) return
    this.stream?.destroy()
    this.finish(error)
  }

  /** any -> closed */
  private finish(error: LibtorrentError): void {
    if (this.isClosed) return
    this.state = 'closed'
    this.parser.stop()
    this.backlog = null
    this.download.abandonArriving()
    this.host.onPeerClosed(this, error)
  }
}

/** Grants beyond this are ignored: BEP 6 speaks of ten. */
const MAX_ALLOWED_FAST = 100

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 20; i++) if (a[i] !== b[i]) return false
  return true
}
