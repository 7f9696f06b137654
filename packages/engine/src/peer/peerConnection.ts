import type { Endpoint } from '../address/endpoint.ts'
import { isI2pName } from '../address/i2pAddress.ts'
import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamEncryption, StreamHandler } from '../platform/tcp.ts'
import type { Bitfield } from '../util/bitfield.ts'
import { BLOCK_SIZE_BYTES, type Millis, type SlotIndex } from '../util/flavored.ts'
import { TransferStats } from '../util/transferStats.ts'
import type { ExtensionHandshake } from '../wire/extensionHandshake.ts'
import { encodeHandshake, type Handshake } from '../wire/handshake.ts'
import { MessageWriter } from '../wire/messageWriter.ts'
import { encodeReserved } from '../wire/reservedBits.ts'
import { PIECE_HEADER_BYTES } from './blockSender.ts'
import { ClaimedPieces } from './claimedPieces.ts'
import { endOfStream } from './endOfStream.ts'
import { PeerBandwidth } from './peerBandwidth.ts'
import { PeerDownload } from './peerDownload.ts'
import { PeerExtensions } from './peerExtensions.ts'
import type { PeerHost } from './peerHost.ts'
import { PeerInput } from './peerInput.ts'
import { PeerMessages } from './peerMessages.ts'
import { PeerUpload } from './peerUpload.ts'
import { RemoteRate } from './remoteRate.ts'
import { SuggestedPieces } from './suggestedPieces.ts'

/** Where a connection stands. `ready`: both handshakes are done and messages flow. */
export type PeerState = 'connecting' | 'handshaking' | 'ready' | 'closed'

const RESERVED = encodeReserved({ supportsExtensions: true, supportsFast: true })
const RESERVED_WITH_DHT = encodeReserved({ supportsExtensions: true, supportsFast: true, supportsDht: true })
/** Requests may still be on their way for this long after a choke (libtorrent). */
const CHOKE_GRACE_MS = 2000

/**
 * One connection of one torrent: turns the byte stream into reports to the torrent, and decisions into messages.
 *
 * `input` makes messages of the bytes, `PeerMessages` knows what they mean. `download` is what we asked for, `upload`
 * what the peer asked for, `claimed` what it has, `extensions` what BEP 10 negotiated. Messages to the peer are gathered
 * in `writer` and leave with `flush` at the end of the turn; blocks go to the stream at once, between `cork` and
 * `flush`. A connection belongs to its torrent from creation to `onPeerClosed`.
 */
export class PeerConnection implements StreamHandler {
  state: PeerState
  readonly stats = new TransferStats()
  readonly writer = new MessageWriter()
  readonly download: PeerDownload
  readonly upload: PeerUpload
  readonly extensions = new PeerExtensions()
  readonly bandwidth: PeerBandwidth
  readonly claimed: ClaimedPieces
  private readonly input: PeerInput

  /** Its place in the torrent's peer list; set by the torrent before anything else happens. */
  entry: TorrentPeer<PeerConnection> | null = null
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
  /** The stream stood, however it ended. */
  wasConnected = false
  /** Made at a moment that another peer arranged (BEP 55). */
  isHolepunched = false
  /** We opened it, or tried to, encrypted. */
  isEncryptedAttempt = false
  /** Both handshakes were done, however it ended. */
  wasReady = false
  supportsFast = false
  /** It has a DHT node, and wants to know the port of ours (BEP 5). */
  supportsDht = false
  supportsExtensions = false

  readonly createdAt: Millis
  /** When the stream stood: the handshake's time counts from here. */
  connectedAt: Millis
  lastSent: Millis
  /** When either side last began or ceased to want something of the other. */
  lastInterest: Millis
  /** When we last let the peer have data, last choked it, and when it last asked for some. */
  lastUnchoked: Millis = 0
  lastChoked: Millis = 0
  lastRequested: Millis = 0
  /** When a block last left for the peer. */
  lastSentBlock: Millis = 0
  /** The highest payload rates, bytes a second. */
  downloadRatePeak = 0
  uploadRatePeak = 0
  readonly remoteRate = new RemoteRate()
  /** Payload totals at the last unchoke round, and of the upload when we last unchoked the peer; the choker's. */
  downloadedAtRound = 0
  uploadedAtRound = 0
  uploadedAtUnchoke = 0

  /** Of what is written and not flushed: bytes the upload limits have let pass already. */
  private paidBytes = 0
  private corked = false
  private flushScheduled = false

  /** `stream`: null on a connection that we open, until `attach`. */
  constructor(
    private readonly host: PeerHost,
    readonly remote: Endpoint,
    readonly isOutgoing: boolean,
    private stream: Stream | null,
  ) {
    this.state = isOutgoing ? 'connecting' : 'handshaking'
    this.createdAt = this.connectedAt = this.lastSent = this.lastInterest = host.now()
    this.claimed = new ClaimedPieces(host)
    this.bandwidth = new PeerBandwidth(this, host)
    this.download = new PeerDownload(this, host)
    this.upload = new PeerUpload(this, host)
    this.input = new PeerInput(this, host, new PeerMessages(this, host))
  }

  // --- questions ------------------------------------------------------------------------------------------------

  /** What the peer has. Sized to the torrent once its metadata is known. */
  get pieces(): Bitfield {
    return this.claimed.bits
  }

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

  /** What it sent waits for our disk, or for our limits: its silence is not its fault. */
  get isStalled(): boolean {
    return this.input.isStalled
  }

  /** What it sent waits for our disk. */
  get isWaitingForDisk(): boolean {
    return this.input.isWaitingForDisk
  }

  get isClosed(): boolean {
    return this.state === 'closed'
  }

  /** We choked the peer a moment ago: it cannot know yet. */
  get isJustChoked(): boolean {
    return this.lastChoked !== 0 && this.host.now() - this.lastChoked < CHOKE_GRACE_MS
  }

  get socketType(): SocketType {
    return this.stream?.socketType ?? SocketType.tcp
  }

  /** What of it is encrypted by MSE. */
  get encryption(): StreamEncryption {
    return this.stream?.encryption ?? 'none'
  }

  /** It goes over WebRTC: at its address nobody listens. */
  get isRtc(): boolean {
    return this.socketType === SocketType.rtc
  }

  /** It is in I2P: it has no address on the internet, and is to learn nothing of ours. */
  get isI2p(): boolean {
    return isI2pName(this.remote.address)
  }

  /** On a private network, or on this machine. */
  get isLocal(): boolean {
    return this.bandwidth.isLocal
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

  /** The stream it was made with stands already, and the other side waits for our handshake as we do for its. */
  begin(): void {
    this.stream?.setHandler(this)
    this.onConnected()
  }

  onConnected(): void {
    // connecting -> handshaking
    this.state = 'handshaking'
    this.wasConnected = true
    this.connectedAt = this.input.lastReceived = this.lastSent = this.host.now()
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
    const { infoHash, peerId, dhtPort } = this.host
    const bytes = encodeHandshake({ infoHash, peerId, reserved: dhtPort === 0 ? RESERVED : RESERVED_WITH_DHT })
    this.stats.sentProtocol(bytes.length)
    this.bandwidth.upload.charge(bytes.length)
    this.stream?.write(bytes)
  }

  /** handshaking -> ready */
  private becomeReady(handshake: Handshake): void {
    this.state = 'ready'
    this.wasReady = true
    this.peerId = handshake.peerId
    this.supportsExtensions = handshake.supportsExtensions
    this.supportsFast = handshake.supportsFast
    this.supportsDht = handshake.supportsDht
    this.input.beginMessages(this.supportsFast)
    this.host.onPeerReady(this)
  }

  // --- input ----------------------------------------------------------------------------------------------------

  get lastReceived(): Millis {
    return this.input.lastReceived
  }

  onData(chunk: Uint8Array): void {
    try {
      this.input.receive(chunk)
    } catch (cause) {
      this.fault(cause)
    }
  }

  /** There are free slots again. */
  resumeInput(): void {
    this.guard(() => this.input.resume())
  }

  /** The limits let more pass. */
  onDownloadQuota(): void {
    this.guard(() => this.input.onQuota())
  }

  onUploadQuota(): void {
    this.guard(() => {
      this.host.onPeerUploadQuota(this)
      this.pumpUploads()
    })
  }

  /** The peer's handshake is complete. */
  onHandshake(handshake: Handshake): void {
    if (!sameBytes(handshake.infoHash, this.host.infoHash)) this.fail('invalidInfoHash')
    else this.becomeReady(handshake)
  }

  /** Bytes of ours the peer has not taken yet. */
  get unreadBytes(): number {
    return this.unsentBytes + this.writer.pendingBytes
  }

  pauseReading(): void {
    this.stream?.pauseReading()
  }

  resumeReading(): void {
    this.stream?.resumeReading()
  }

  onDrain(): void {
    this.guard(() => this.pumpUploads())
  }

  onClosed(error: LibtorrentError | null): void {
    this.guard(() => this.finish(error ?? endOfStream()))
  }

  // --- what the peer has ----------------------------------------------------------------------------------------

  /** The torrent's metadata became known: what the peer claimed so far is judged by it. */
  metadataKnown(layout: PieceLayout): void {
    if (!this.claimed.metadataKnown(layout)) this.fail('invalidBitfieldSize')
  }

  /** It has lost a piece (BEP 54). */
  onDontHave(piece: number): void {
    if (!this.pieces.get(piece)) return
    this.pieces.clear(piece)
    this.host.onPeerDontHave(this, piece)
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
      // Messages do not wait: they are small, and others wait for what they say. Blocks make up for them.
      this.bandwidth.upload.charge(Math.max(0, bytes.length - this.paidBytes))
      this.paidBytes = 0
      stream.write(bytes, () => writer.recycle(bytes))
    }
    if (bytes !== null || this.corked) this.lastSent = this.host.now()
    if (this.corked) {
      this.corked = false
      stream.uncork()
    }
  }

  /**
   * For messages that are as long as blocks, and wait for the upload limits like them: takes quota for `bytes` that are
   * then written at once. False: not now; `host.onPeerUploadQuota` follows.
   */
  takeMessageQuota(bytes: number): boolean {
    if (this.bandwidth.upload.take(bytes, bytes) < bytes) return false
    this.paidBytes += bytes
    return true
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

  /** @param without names of extensions that are not offered. */
  sendExtensionHandshake(handshake: ExtensionHandshake, without: readonly string[] = []): void {
    this.writer.extended(0, this.extensions.encodeHandshake(handshake, without))
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
    this.input.endHoldBack()
    if (this.upload.requests.length === 0 || this.isClosed) return
    this.upload.pump(this.unsentBytes, this.stats.uploadRate)
  }

  /** A block asked of the disk is there. Takes `slot`. */
  sendBlock(piece: number, begin: number, length: number, slot: SlotIndex): void {
    this.upload.readingBytes -= length
    if (this.isClosed || this.stream === null) {
      this.host.pool.release(slot)
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
    this.bandwidth.upload.giveBack(length + PIECE_HEADER_BYTES)
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
    this.input.stop()
    this.download.abandonArriving()
    this.bandwidth.end()
    this.host.onPeerClosed(this, error)
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 20; i++) if (a[i] !== b[i]) return false
  return true
}
