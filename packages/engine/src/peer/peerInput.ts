import type { Millis } from '../util/flavored.ts'
import { HandshakeReader } from '../wire/handshake.ts'
import type { WireHandler } from '../wire/wireHandler.ts'
import { WireParser } from '../wire/wireParser.ts'
import type { PeerConnection } from './peerConnection.ts'
import type { PeerHost } from './peerHost.ts'

/** Messages that may wait for a peer to read them, beside the blocks of `send_buffer_watermark`: bitfields, haves. */
const MAX_UNREAD_MESSAGE_BYTES = 1024 * 1024

export type PeerInputHost = Pick<PeerHost, 'settings' | 'now' | 'onPeerInputDone' | 'onPeerStalled'>

/** Takes the bytes a peer sends: first its handshake, then messages, which are held back when we cannot take them. */
export class PeerInput {
  lastReceived: Millis
  /** Null once the handshake is there. */
  private handshake: HandshakeReader | null = new HandshakeReader()
  private parser: WireParser
  /** Input that waits for a free slot. */
  private backlog: Uint8Array | null = null
  /** The peer is not read from, because it does not read. */
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

  /** What the peer sent waits for our disk. */
  get isStalled(): boolean {
    return this.backlog !== null
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
      this.backlog = Buffer.concat([this.backlog, rest])
      return
    }
    const consumed = this.parse(rest)
    if (this.peer.isClosed) return
    if (consumed < rest.length || this.parser.isRefused) {
      this.peer.pauseReading()
      this.stall(new Uint8Array(rest.subarray(consumed)))
    }
    this.holdBack()
    this.host.onPeerInputDone(this.peer)
  }

  /** There are free slots again. */
  resume(): void {
    const waiting = this.backlog
    if (waiting === null || this.peer.isClosed) return
    this.backlog = null
    // It has waited long enough for us: its time begins anew.
    this.lastReceived = this.host.now()
    const consumed = this.parse(waiting)
    if (this.peer.isClosed) return
    if (consumed < waiting.length || this.parser.isRefused) this.stall(waiting.subarray(consumed))
    else if (!this.isHeldBack) this.peer.resumeReading()
    this.host.onPeerInputDone(this.peer)
  }

  /** The peer has taken some of what we sent: it may be read from again. */
  endHoldBack(): void {
    if (!this.isHeldBack || this.peer.unreadBytes > this.maxUnread / 2) return
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

  private stall(rest: Uint8Array): void {
    this.backlog = rest
    this.host.onPeerStalled(this.peer)
  }

  /** A peer that asks and asks and reads no answer is not read from either, until it does. */
  private holdBack(): void {
    if (this.isHeldBack || this.peer.unreadBytes <= this.maxUnread) return
    this.isHeldBack = true
    this.peer.pauseReading()
  }

  private get maxUnread(): number {
    return this.host.settings.sendBufferWatermark + MAX_UNREAD_MESSAGE_BYTES
  }
}
