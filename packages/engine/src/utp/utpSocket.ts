import { isLocal } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { Millis } from '../util/flavored.ts'
import { AckDebt } from './ackDebt.ts'
import { DelayMeter } from './delayMeter.ts'
import type { OutPacket, PacketPool } from './packetPool.ts'
import type { UtpCounters } from './utpCounters.ts'
import { utpError } from './utpError.ts'
import { PacketType, type UtpHeader } from './utpHeader.ts'
import { UtpOutput } from './utpOutput.ts'
import { UtpReceiver } from './utpReceiver.ts'
import { UtpSender } from './utpSender.ts'
import type { UtpSettings } from './utpSettings.ts'

/** Unsent bytes beyond which `write` returns false: as for TCP. */
export const HIGH_WATER_BYTES = 1024 * 1024
/** How long a connection whose owner is gone may take to say so to the other side. */
const LINGER_MS: Millis = 10_000
/** How far an ack may lie behind the latest one: packets overtake each other. */
const OLDEST_ACK = 1024
/**
 * Routers forget a UDP mapping that nothing leaves by, many after 30 seconds: a connection that had nothing to send for so
 * long says that it is there (libutp).
 */
const KEEP_ALIVE_MS: Millis = 29_000

/** What a connection needs of the multiplexer. */
export interface UtpSocketHost {
  readonly local: Endpoint
  readonly settings: Readonly<UtpSettings>
  readonly counters: UtpCounters
  readonly pool: PacketPool
  now(): Millis
  send(packet: Uint8Array, to: Endpoint): void
  /** Asks for `flush` at the end of this turn. */
  touch(socket: UtpSocket): void
  /** The connection is no more; `flush` is called once again if it was touched. */
  gone(socket: UtpSocket): void
}

/** Which connection of a remote endpoint it is. */
export interface UtpIds {
  /** In the packets we get. */
  readonly receiveId: number
  /** In the packets we send. */
  readonly sendId: number
}

/** `isEnding`: the owner has said all already. */
interface SynSent {
  readonly name: 'synSent'
  readonly attempts: number
  readonly sentAt: Millis
  readonly deadline: Millis
  readonly isEnding: boolean
}

type State =
  /** We asked, nobody answered yet. */
  | SynSent
  | { readonly name: 'connected' }
  /** The owner has said all; it is told when the other side has it. */
  | { readonly name: 'ending' }
  /** The owner is gone; the other side is told so. */
  | { readonly name: 'lingering'; readonly until: Millis }
  /** All is said; what the other side repeats is acknowledged. */
  | { readonly name: 'timeWait'; readonly until: Millis }
  | { readonly name: 'closed' }

/**
 * One uTP connection (BEP 29).
 *
 * `UtpReceiver` and `UtpSender` are its two directions. Packets that come in change these at once; what has to go out
 * leaves in `flush`, at the end of the turn, so that many packets that came together are answered by one.
 *
 * As a `Stream`: bytes given to `write` are put into packets when the window has room, and are copied then. `onSent` is
 * called when the last of them was, as TCP does when the system has taken them; `unsentBytes` are those that wait.
 * `end` sends what waits, and `onClosed` comes when the other side has all of it; `destroy` drops what waits, and tells
 * the other side behind what is in packets. When the other side ends, what it has not been sent yet is dropped.
 */
export class UtpSocket implements Stream {
  readonly socketType = SocketType.utp
  readonly sendId: number
  readonly receiveId: number
  /** Of the heap that wakes it: position, and the time it is sorted by. */
  wakePosition = -1
  wakeKey: Millis = 0
  /** Waits for `flush`. */
  isTouched = false
  /** The next socket with the same key in the table of connections. */
  nextOfKey: UtpSocket | null = null

  private state: State
  private handler: StreamHandler | null = null
  private readonly sender: UtpSender
  private readonly output: UtpOutput
  /** @internal of `UtpOutputHost` */
  receiver: UtpReceiver | null = null
  /** @internal of `UtpOutputHost` */
  readonly delays: DelayMeter
  /** @internal of `UtpOutputHost` */
  readonly ack = new AckDebt()
  /** Of the latest packet, as its sender numbered them by its clock; null: none has come. */
  private latestTimestamp: number | null = null
  private corks = 0
  private isPaused = false
  private wantsDrain = false
  /** There may be a router between, which has to be reminded of us. */
  private readonly isFar: boolean

  private constructor(
    private readonly host: UtpSocketHost,
    readonly remote: Endpoint,
    ids: UtpIds,
    firstSeq: number,
    /** @internal of `UtpOutputHost` */
    readonly synSeq: number,
    state: State,
  ) {
    this.sendId = ids.sendId
    this.receiveId = ids.receiveId
    this.state = state
    this.delays = new DelayMeter(this)
    this.sender = new UtpSender(this, remote.address, firstSeq)
    this.isFar = !isLocal(remote.address)
    this.output = new UtpOutput(this, host)
  }

  /** Starts connecting; the SYN leaves at once. */
  static connecting(
    host: UtpSocketHost,
    remote: Endpoint,
    ids: UtpIds,
    synSeq: number,
    handler: StreamHandler,
  ): UtpSocket {
    const now = host.now()
    const deadline = now + host.settings.utpConnectTimeout
    const state: State = { name: 'synSent', attempts: 1, sentAt: now, deadline, isEnding: false }
    const socket = new UtpSocket(host, remote, ids, (synSeq + 1) & 0xffff, synSeq, state)
    socket.handler = handler
    socket.output.syn()
    return socket
  }

  /**
   * The other side connected, and has proven that it is where it says. `synSeq` is of its SYN, `firstSeq` of our first
   * packet, which our answer has named.
   */
  static accepted(host: UtpSocketHost, remote: Endpoint, ids: UtpIds, synSeq: number, firstSeq: number): UtpSocket {
    const socket = new UtpSocket(host, remote, ids, firstSeq, synSeq, { name: 'connected' })
    socket.receiver = new UtpReceiver(socket, (synSeq + 1) & 0xffff)
    return socket
  }

  get local(): Endpoint | null {
    return this.state.name === 'synSent' ? null : this.host.local
  }

  get unsentBytes(): number {
    return this.sender.queue.length
  }

  get settings(): Readonly<UtpSettings> {
    return this.host.settings
  }

  get counters(): UtpCounters {
    return this.host.counters
  }

  get pool(): PacketPool {
    return this.host.pool
  }

  /** @internal of `UtpOutputHost` */
  get nextSeq(): number {
    return this.sender.nextSeq
  }

  get stateName(): State['name'] {
    return this.state.name
  }

  setHandler(handler: StreamHandler): void {
    if (this.hasOwner) this.handler = handler
  }

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    const { queue } = this.sender
    if (!this.canWrite) {
      queue.refuse(onSent)
      this.host.touch(this)
      return false
    }
    queue.push(bytes, onSent)
    if (this.corks === 0) this.host.touch(this)
    if (queue.length < HIGH_WATER_BYTES) return true
    this.wantsDrain = true
    return false
  }

  cork(): void {
    this.corks++
  }

  uncork(): void {
    if (this.corks > 0 && --this.corks === 0) this.host.touch(this)
  }

  pauseReading(): void {
    this.isPaused = true
    this.receiver?.pause()
  }

  resumeReading(): void {
    this.isPaused = false
    this.receiver?.resume()
    this.host.touch(this)
  }

  end(): void {
    if (this.state.name === 'synSent') this.state = { ...this.state, isEnding: true }
    else if (this.state.name === 'connected') this.state = { name: 'ending' }
    else return
    this.sender.finish()
    this.host.touch(this)
  }

  destroy(): void {
    if (!this.hasOwner) return
    this.handler = null
    this.sender.queue.clear()
    if (this.state.name === 'synSent') this.becomeClosed()
    else this.linger()
    this.host.touch(this)
  }

  /** A packet of this connection. SYN packets only come to those that were accepted. */
  incoming(header: UtpHeader, packet: Uint8Array, now: Millis): void {
    const { counters } = this.host
    if (header.type === PacketType.syn) return this.synAgain(header)
    if (this.state.name === 'synSent') return this.answered(this.state, header, now)
    const { receiver, sender } = this
    if (receiver === null || this.state.name === 'closed') return
    const advance = sender.advance(header.ack)
    if (header.type === PacketType.reset) return this.resetBy(advance)
    // An ack of what was never sent, or of long ago: not from who we talk to, or not true.
    if (advance > sender.span || advance < -OLDEST_ACK) {
      counters.redundantPacketsIn++
      return
    }
    sender.heard()
    const delay = this.delays.sample(header, now)
    const isBare = header.type === PacketType.state
    if (advance >= 0) {
      const opened = this.readWindow(header, advance)
      sender.acked(header, packet, delay, isBare && !opened, now)
    }
    if (!isBare) this.readPayload(receiver, header, packet, now)
    if (advance > 0 || this.isNewer(header)) this.latestTimestamp = header.timestamp
    this.checkEnd(now)
    this.host.touch(this)
  }

  /** Carries out what the turn has brought: sends, acknowledges, tells the owner what has left. */
  flush(now: Millis): void {
    const { sender, receiver } = this
    if (receiver !== null && this.state.name !== 'closed') {
      receiver.handPending()
      this.checkEnd(now)
      const isOwed = this.ack.isDue(now) || this.output.mustTellWindow(receiver)
      const isWhole = this.corks === 0 || this.state.name !== 'connected'
      const sent = isWhole || sender.queue.length >= HIGH_WATER_BYTES ? sender.send(now) : 0
      // Every packet acknowledges, but data carries no selective ack.
      if (isOwed && (sent === 0 || receiver.held.span > 0)) this.output.state(receiver)
      this.checkEnd(now)
    }
    sender.queue.callSent()
    if (!this.wantsDrain || sender.queue.length > 0) return
    this.wantsDrain = false
    if (this.state.name === 'connected') this.handler?.onDrain()
  }

  /** When `wake` is to be called. */
  get wakeAt(): Millis {
    const { state } = this
    switch (state.name) {
      case 'synSent':
        return state.deadline
      case 'closed':
        return Number.POSITIVE_INFINITY
      case 'lingering':
      case 'timeWait':
        return Math.min(state.until, this.sender.wakeAt, this.ack.at)
      default:
        return Math.min(this.sender.wakeAt, this.ack.at, this.keepAliveAt)
    }
  }

  private get keepAliveAt(): Millis {
    // Who waits for something sends it again by itself.
    const isIdle = this.isFar && this.state.name === 'connected' && this.sender.isIdle
    return isIdle ? this.output.lastSentAt + KEEP_ALIVE_MS : Number.POSITIVE_INFINITY
  }

  /** Does what time has brought. `flush` follows. */
  wake(now: Millis): void {
    const { state, host, sender } = this
    if (state.name === 'closed') return
    if (state.name === 'synSent') return this.synTimedOut(state, now)
    if ((state.name === 'lingering' || state.name === 'timeWait') && now >= state.until) return this.becomeClosed()
    const isFarewell = state.name === 'lingering'
    if (!sender.timedOut(now, isFarewell ? host.settings.utpFinResends : host.settings.utpNumResends)) {
      this.fail(utpError('ETIMEDOUT', 'socketRead'))
    }
    if (now < this.keepAliveAt) return
    if (this.ack.isOwed) this.ack.owe()
    else this.output.keepAlive()
  }

  /** Ends the connection at once: with a reset, if the other side does not know already that it ends. */
  abort(error: LibtorrentError): void {
    if (this.state.name === 'connected' || this.state.name === 'ending') this.output.reset()
    this.fail(error)
  }

  /** @internal of `UtpReceiverHost` */
  deliver(bytes: Uint8Array): void {
    this.handler?.onData(bytes)
  }

  /** @internal of `UtpSenderHost` */
  transmit(packet: OutPacket): void {
    this.output.send(packet.buffer, packet.bytes)
  }

  private get canWrite(): boolean {
    return this.state.name === 'connected' || (this.state.name === 'synSent' && !this.state.isEnding)
  }

  private get hasOwner(): boolean {
    const { name } = this.state
    return name === 'synSent' || name === 'connected' || name === 'ending'
  }

  /** The answer to our SYN, if it is one. */
  private answered(state: SynSent, header: UtpHeader, now: Millis): void {
    const { counters } = this.host
    if (header.ack !== this.synSeq) {
      counters.redundantPacketsIn++
      return
    }
    if (header.type === PacketType.reset) return this.fail(utpError('ECONNREFUSED', 'connect'))
    if (header.type !== PacketType.state) {
      // Data that overtook the answer; it will be sent again.
      counters.redundantPacketsIn++
      return
    }
    if (state.attempts === 1) this.sender.rtt.sample(now - state.sentAt)
    this.state = { name: state.isEnding ? 'ending' : 'connected' }
    // What the answer names is the packet to come.
    this.receiver = new UtpReceiver(this, header.seq)
    if (this.isPaused) this.receiver.pause()
    this.delays.sample(header, now)
    this.latestTimestamp = header.timestamp
    this.sender.setPeerWindow(header.window)
    // The other side takes us for real only when it hears of us again.
    this.ack.owe()
    this.host.touch(this)
    this.handler?.onConnected()
  }

  private synAgain(header: UtpHeader): void {
    if (header.seq === this.synSeq && this.state.name === 'connected') {
      this.ack.owe()
      this.host.touch(this)
    } else this.host.counters.redundantPacketsIn++
  }

  private synTimedOut(state: SynSent, now: Millis): void {
    if (now < state.deadline) return
    const { utpSynResends, utpConnectTimeout } = this.host.settings
    this.host.counters.timeout++
    if (state.attempts >= utpSynResends) return this.fail(utpError('ETIMEDOUT', 'connect'))
    const deadline = now + utpConnectTimeout * 2 ** state.attempts
    this.state = { ...state, attempts: state.attempts + 1, sentAt: now, deadline }
    this.output.syn()
  }

  /** Takes the window of a packet, unless a later one told another. True when it grew. */
  private readWindow(header: UtpHeader, advance: number): boolean {
    if (advance === 0 && !this.isNewer(header)) return false
    return this.sender.setPeerWindow(header.window)
  }

  private isNewer(header: UtpHeader): boolean {
    return this.latestTimestamp === null || ((header.timestamp - this.latestTimestamp) | 0) >= 0
  }

  private readPayload(receiver: UtpReceiver, header: UtpHeader, packet: Uint8Array, now: Millis): void {
    const { counters, settings } = this.host
    let reception = 'refused'
    if (header.type === PacketType.fin) reception = receiver.fin(header.seq)
    else {
      counters.payloadPacketsIn++
      reception = receiver.data(header.seq, packet.subarray(header.payloadAt))
    }
    if (reception !== 'taken') counters.redundantPacketsIn++
    const isInOrder = reception === 'taken' && header.type === PacketType.data && receiver.held.span === 0
    this.ack.oweWithin(isInOrder ? settings.utpDelayedAck : 0, now)
  }

  private resetBy(advance: number): void {
    // It answers a packet of ours: one with data, or an ack, which bears the number of the next.
    if (advance > this.sender.span + 1 || advance < -OLDEST_ACK) {
      this.host.counters.redundantPacketsIn++
      return
    }
    this.fail(utpError('ECONNRESET', 'socketRead'))
  }

  /** Sees whether one side or the other is through. */
  private checkEnd(now: Millis): void {
    if (this.state.name === 'connected' && this.receiver?.isFinished) {
      const { handler } = this
      this.handler = null
      this.sender.queue.clear()
      this.linger()
      handler?.onClosed(null)
    }
    if (!this.sender.isFinAcked) return
    if (this.state.name === 'ending') {
      const { handler } = this
      this.handler = null
      this.wait(now)
      handler?.onClosed(null)
    } else if (this.state.name === 'lingering') this.wait(now)
  }

  /** connected, ending -> lingering. Nobody listens any more; a FIN goes behind what is in packets. */
  private linger(): void {
    this.state = { name: 'lingering', until: this.host.now() + LINGER_MS }
    this.receiver?.discard()
    this.sender.finish()
  }

  /** ending, lingering -> timeWait. */
  private wait(now: Millis): void {
    this.receiver?.discard()
    this.state = { name: 'timeWait', until: now + this.sender.rtt.timeout(this.host.settings.utpMinTimeout, 0) }
  }

  /** Any -> closed; the owner, if there still is one, is told why. */
  private fail(error: LibtorrentError): void {
    const { handler } = this
    // Nothing is missing to who has said all and heard all.
    const isComplete = this.state.name === 'ending' && (this.receiver?.hasFin ?? false)
    this.becomeClosed()
    handler?.onClosed(isComplete ? null : error)
  }

  private becomeClosed(): void {
    if (this.state.name === 'closed') return
    this.state = { name: 'closed' }
    this.handler = null
    this.sender.queue.clear()
    this.sender.release()
    this.receiver?.discard()
    this.host.gone(this)
    if (this.sender.queue.hasSent) this.host.touch(this)
  }
}
