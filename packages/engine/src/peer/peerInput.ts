import type { Millis } from '../util/flavored.ts'
import { HandshakeReader } from '../wire/handshake.ts'
import type { WireHandler } from '../wire/wireHandler.ts'
import { WireParser } from '../wire/wireParser.ts'
import type { PeerConnection } from './peerConnection.ts'
import type { PeerHost } from './peerHost.ts'

/** Messages that may wait for a peer to read them, beside the blocks of `send_buffer_watermark`: bitfields, haves. */
const MAX_UNREAD_MESSAGE_BYTES = 1024 * 1024

export type PeerInputHost = Pick<PeerHost, 'settings' | 'now' | 'onPeerInputDone' | 'onPeerStalled'>

/** What bytes that were not taken wait for: a slot for a block, or that the limits let them pass. */
type Backlog = { readonly bytes: Uint8Array; readonly waitsFor: 'disk' | 'quota'; readonly since: Millis }

/**
 * Takes the bytes a peer sends: first its handshake, then messages, which are held back when we cannot take them or the
 * limits do not let them pass. What is held back is the rest of one chunk: the stream is paused meanwhile.
 */
export class PeerInput {
  lastReceived: Millis
  /** Null once the handshake is there. */
  private handshake: HandshakeReader | null = new HandshakeReader()
  private parser: WireParser
  private backlog: Backlog | null = null
  /** The peer is not read from, because it does not read, or asks for too much. */
  private isHeldBack = false
  private payloadSeen = 0

  constructor(
    private readonly peer: PeerConnection,
    private readonly host: PeerInputHost,
    private readonly handler: WireHandler,
  ) {
    this.lastReceived = host.now()
    this.parser = new WireParser(handler)
  }

  /** What the peer sent waits. */
  get isStalled(): boolean {
    return this.backlog !== null
  }

  /** It waits for our disk. */
  get isWaitingForDisk(): boolean {
    return this.backlog?.waitsFor === 'disk'
  }

  /** handshake -> messages */
  beginMessages(supportsFast: boolean): void {
    this.handshake = null
    this.parser = new WireParser(this.handler, { supportsFast })
  }

  receive(chunk: Uint8Array): void {
    this.lastReceived = this.host.now()
    let rest = chunk
    if (this.handshake !== null) {
      rest = chunk.subarray(this.readHandshake(this.handshake, chunk))
      if (this.handshake !== null || this.peer.isClosed) return
    }
    if (this.backlog !== null) {
      // The stream was told to pause; what was already under way waits behind the rest.
      this.backlog = { ...this.backlog, bytes: Buffer.concat([this.backlog.bytes, rest]) }
      return
    }
    this.take(rest, true)
  }

  /** There are free slots again. */
  resume(): void {
    if (this.backlog?.waitsFor === 'disk') this.goOn(this.backlog)
  }

  /** The limits let more pass. */
  onQuota(): void {
    if (this.backlog?.waitsFor === 'quota') this.goOn(this.backlog)
  }

  private goOn({ bytes, since }: Backlog): void {
    if (this.peer.isClosed) return
    this.backlog = null
    // It has waited long enough for us: its time begins anew.
    this.lastReceived = this.host.now()
    this.peer.download.notListened(since, this.lastReceived)
    this.take(bytes, false)
  }

  /** `isChunk`: the bytes are the stream's, which goes on reading; else they were held back, and it has paused. */
  private take(bytes: Uint8Array, isChunk: boolean): void {
    const { download } = this.peer.bandwidth
    const allowed = download.take(bytes.length)
    const passing = allowed === bytes.length ? bytes : bytes.subarray(0, allowed)
    const consumed = this.parse(passing)
    if (this.peer.isClosed) return
    if (consumed < passing.length || this.parser.isRefused) {
      download.giveBack(passing.length - consumed)
      this.hold(bytes, consumed, 'disk', isChunk)
    } else if (allowed < bytes.length) {
      this.hold(bytes, consumed, 'quota', isChunk)
    } else if (!isChunk && !this.isHeldBack) {
      this.peer.resumeReading()
    }
    if (isChunk) this.holdBack()
    this.host.onPeerInputDone(this.peer)
  }

  /** The peer has taken some of what we sent: it may be read from again. */
  endHoldBack(): void {
    if (!this.isHeldBack || this.peer.upload.isFlooding || this.peer.unreadBytes > this.maxUnread / 2) return
    this.isHeldBack = false
    if (this.backlog === null) this.peer.resumeReading()
  }

  /** Nothing more is handed over. */
  stop(): void {
    this.parser.stop()
    this.backlog = null
  }

  private readHandshake(reader: HandshakeReader, chunk: Uint8Array): number {
    const taken = reader.push(chunk)
    this.peer.stats.receivedProtocol(taken)
    this.peer.bandwidth.download.charge(taken)
    if (reader.state === 'invalid') this.peer.fail('invalidInfoHash', 'The peer does not speak BitTorrent')
    else if (reader.handshake !== null) this.peer.onHandshake(reader.handshake)
    return taken
  }

  private parse(bytes: Uint8Array): number {
    const { parser } = this
    const { stats } = this.peer
    const consumed = parser.push(bytes)
    const payload = parser.payloadBytes - this.payloadSeen
    this.payloadSeen += payload
    stats.receivedPayload(payload)
    stats.receivedProtocol(Math.max(0, consumed - payload))
    return consumed
  }

  private hold(bytes: Uint8Array, from: number, waitsFor: Backlog['waitsFor'], isChunk: boolean): void {
    if (isChunk) this.peer.pauseReading()
    const rest = isChunk ? new Uint8Array(bytes.subarray(from)) : bytes.subarray(from)
    this.backlog = { bytes: rest, waitsFor, since: this.host.now() }
    if (waitsFor === 'disk') this.host.onPeerStalled(this.peer)
  }

  /** A peer that asks and asks is not read from for a while; nor is one that reads no answer, until it does. */
  private holdBack(): void {
    if (this.isHeldBack || (this.peer.unreadBytes <= this.maxUnread && !this.peer.upload.isFlooding)) return
    this.isHeldBack = true
    this.peer.pauseReading()
  }

  private get maxUnread(): number {
    return this.host.settings.sendBufferWatermark + MAX_UNREAD_MESSAGE_BYTES
  }
}
