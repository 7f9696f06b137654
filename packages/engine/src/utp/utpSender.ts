import type { Millis } from '../util/flavored.ts'
import { LedbatWindow } from './ledbat.ts'
import { LossDetector } from './lossDetector.ts'
import { LossPrice } from './lossPrice.ts'
import { MtuSearch } from './mtuSearch.ts'
import { Pacer } from './pacer.ts'
import type { OutPacket, PacketPool } from './packetPool.ts'
import { RttEstimator } from './rttEstimator.ts'
import { hasSackBit } from './selectiveAck.ts'
import { SendQueue } from './sendQueue.ts'
import { MOST_PACKETS_UNDER_WAY, SentPackets } from './sentPackets.ts'
import { seqDistance } from './seqNumber.ts'
import type { UtpCounters } from './utpCounters.ts'
import {
  HEADER_BYTES,
  LEAST_PADDING_BYTES,
  PacketType,
  type UtpHeader,
  writeHeader,
  writePadding,
} from './utpHeader.ts'
import type { UtpSettings } from './utpSettings.ts'

/** What is sent faster than window per round trip, so that pacing is never the limit; slow start doubles in one. */
const STEADY_HASTE = 1.25
const SLOW_START_HASTE = 2
/** A probe needs company: packets around it show that it was the probe's size that was at fault. */
const PACKETS_BEHIND_PROBE = 4
/**
 * Timeouts in a row, four minutes or so, after which somebody who talks and has room, but gets nothing of what we send, is
 * given up: packets of that size do not reach it any more, or it has us keep them for nothing.
 */
const MOST_VAIN_TIMEOUTS = 10

/** What the sender needs of its connection. */
export interface UtpSenderHost {
  readonly settings: Readonly<UtpSettings>
  readonly counters: UtpCounters
  readonly pool: PacketPool
  /** The id the other side knows us by. */
  readonly sendId: number
  /** Stamps the header with the moment, and sends. */
  transmit(packet: OutPacket): void
}

/**
 * The sending half of a connection: puts bytes into packets, keeps these until they are acknowledged, and decides when
 * which packet goes. An ack is believed only as far as packets were sent.
 */
export class UtpSender {
  readonly queue = new SendQueue()
  readonly rtt = new RttEstimator()
  readonly window: LedbatWindow
  readonly mtu: MtuSearch
  /** @internal of `LossDetectorHost` */
  readonly sent: SentPackets
  private readonly losses = new LossDetector(this)
  private readonly price: LossPrice
  private readonly pacer = new Pacer()
  private peerWindow = 0
  private fin: 'none' | 'wanted' | 'sent' = 'none'
  /** When the next ack must have come; infinite when none is waited for. */
  private ackDeadline: Millis = Number.POSITIVE_INFINITY
  /** When a packet may go that was held back to spread the window. */
  private paceAt: Millis = Number.POSITIVE_INFINITY
  /** Timeouts in a row without an ack of anything new; those of them while there was room; without hearing anything at all. */
  private backoff = 0
  private vainTimeouts = 0
  private silence = 0
  private undersizedSeq: number | null = null
  private isProbing = false
  // Of the ack being read.
  private ackedBytes = 0
  private ackRtt: Millis = 0

  constructor(
    private readonly host: UtpSenderHost,
    remote: string,
    firstSeq: number,
  ) {
    this.sent = new SentPackets(firstSeq)
    this.price = new LossPrice(firstSeq)
    this.window = new LedbatWindow(host.settings)
    this.mtu = new MtuSearch(remote, host.settings.utpDynamicSockBuf)
  }

  /** The number of the next packet to be sent. */
  get nextSeq(): number {
    return this.sent.nextSeq
  }

  /** How many packets an ack of `ack` acknowledges; negative: it is an old one; more than `span`: it is a lie. */
  advance(ack: number): number {
    return seqDistance((this.sent.firstSeq - 1) & 0xffff, ack)
  }

  /** Packets not acknowledged, in a row. */
  get span(): number {
    return this.sent.span
  }

  /** Bytes under way. */
  get bytesInFlight(): number {
    return this.sent.bytesInFlight
  }

  /** All that was to be said is acknowledged, our FIN included. */
  get isFinAcked(): boolean {
    return this.fin === 'sent' && this.sent.span === 0
  }

  /** All that was to be said is acknowledged, and there may be more to say. */
  get isIdle(): boolean {
    return this.sent.span === 0 && this.queue.length === 0
  }

  /** When `timedOut` or `send` is to be called at the latest. */
  get wakeAt(): Millis {
    return Math.min(this.ackDeadline, this.paceAt)
  }

  /** Nothing more will be written: a FIN follows what is queued. */
  finish(): void {
    if (this.fin === 'none') this.fin = 'wanted'
  }

  /** Forgets all packets. */
  release(): void {
    this.sent.clear((packet) => this.host.pool.give(packet))
    this.ackDeadline = Number.POSITIVE_INFINITY
    this.paceAt = Number.POSITIVE_INFINITY
  }

  /** The other side lives. */
  heard(): void {
    this.silence = 0
  }

  /** Bytes the other side is ready to take. True when these are more than before. */
  setPeerWindow(bytes: number): boolean {
    const grew = bytes > this.peerWindow
    const wasClosed = this.isClosed
    this.peerWindow = bytes
    if (wasClosed && !this.isClosed && this.backoff > 0) this.reopened()
    return grew
  }

  /**
   * Reads an ack whose `advance` is 0 to `span`.
   * @param delay queueing delay of our packets, if the packet told one
   * @param isBare it carries nothing else, so that a second one alike means something
   */
  acked(header: UtpHeader, packet: Uint8Array, delay: Millis | null, isBare: boolean, now: Millis): void {
    const { sent, rtt, losses } = this
    if (sent.span === 0) return
    const inFlight = sent.bytesInFlight
    const advance = this.advance(header.ack)
    this.ackedBytes = 0
    this.ackRtt = Number.POSITIVE_INFINITY
    losses.beginAck()
    for (let offset = 0; offset < advance; offset++) this.arrived(offset, now)
    if (header.sackBytes > 0) this.readSack(packet, header.sackAt, header.sackBytes, advance, now)
    else if (losses.plainAck(advance > 0, isBare)) this.lose(0, now)
    sent.skipAcknowledged()
    losses.endAck(this.backoff > 0)
    this.price.follow(sent.firstSeq)
    if (advance > 0) this.progress(now)
    if (this.ackedBytes === 0) return
    const packetBytes = this.mtu.packetBytes
    // No packet waits longer in queues than it is on its way.
    const longest = this.ackRtt === Number.POSITIVE_INFINITY && rtt.isKnown ? rtt.smoothed : this.ackRtt
    const clamped = delay === null ? null : Math.min(delay, longest)
    this.window.acked({ bytes: this.ackedBytes, inFlight, delay: clamped, packetBytes, now, rtt: rtt.smoothed })
  }

  /** Sends what may be sent now. Returns how many packets went. */
  send(now: Millis): number {
    const { sent } = this
    this.paceAt = Number.POSITIVE_INFINITY
    if (sent.lostCount === 0 && this.queue.length === 0 && this.fin !== 'wanted') return 0
    const haste = this.window.isSlowStart ? SLOW_START_HASTE : STEADY_HASTE
    this.pacer.begin(now, this.window.bytes, this.rtt.smoothed, haste, this.mtu.packetBytes)
    const before = this.host.counters.packetsOut
    if (this.resend(now) && this.sendNew(now)) this.sendFin(now)
    return this.host.counters.packetsOut - before
  }

  /**
   * To be called when `wakeAt` is over: if an ack should have come by now, everything under way is taken for lost. False
   * when the connection is to be given up.
   */
  timedOut(now: Millis, mostTimeouts: number): boolean {
    this.paceAt = Number.POSITIVE_INFINITY
    if (now < this.ackDeadline) return true
    const { sent } = this
    if (sent.span === 0 && this.queue.length === 0) {
      this.ackDeadline = Number.POSITIVE_INFINITY
      return true
    }
    this.host.counters.timeout++
    this.backoff++
    // A window may be closed for as long as it likes.
    this.vainTimeouts = sent.span === 0 || this.isClosed ? 0 : this.vainTimeouts + 1
    if (++this.silence > mostTimeouts || this.vainTimeouts > MOST_VAIN_TIMEOUTS) return false
    if (sent.span === 0) {
      // The window was closed, and the packet that opened it may have been lost: one packet asks (RFC 9293, 3.8.6.1).
      this.sendData(Math.min(this.queue.length, this.payloadBytes), 0, now)
    } else {
      const wasOnlyProbe = sent.span === 1 && (sent.at(0)?.padding ?? 0) > 0
      for (let offset = 0; offset < sent.span; offset++) {
        const packet = sent.at(offset)
        if (packet !== null) this.markLost(packet)
      }
      // What a closed window refuses tells nothing of the way there.
      if (!wasOnlyProbe && !this.isClosed) this.window.timedOut(this.payloadBytes)
      this.price.timedOut(sent.nextSeq)
      this.losses.timedOut()
    }
    this.waitForAck(now)
    return true
  }

  private get payloadBytes(): number {
    return this.mtu.packetBytes - HEADER_BYTES
  }

  /** There is no room for what has to arrive first. */
  private get isClosed(): boolean {
    return (this.sent.at(0)?.payload ?? 0) > this.peerWindow
  }

  /** Packets that asked a closed window were refused: the first goes at once, and not when the next timeout is over. */
  private reopened(): void {
    const first = this.sent.at(0)
    if (first !== null) this.markLost(first)
    this.backoff = 0
    this.ackDeadline = Number.POSITIVE_INFINITY
  }

  private waitForAck(now: Millis): void {
    this.ackDeadline = now + this.rtt.timeout(this.host.settings.utpMinTimeout, this.backoff)
  }

  private progress(now: Millis): void {
    this.backoff = 0
    this.vainTimeouts = 0
    if (this.sent.span > 0) this.waitForAck(now)
    else this.ackDeadline = Number.POSITIVE_INFINITY
  }

  /** The packet at that offset has arrived. */
  private arrived(offset: number, now: Millis): void {
    const { rtt } = this
    const packet = this.sent.remove(offset)
    if (packet === null) return
    this.ackedBytes += packet.payload
    this.losses.arrived(packet, now)
    // Of a packet that was sent twice nobody knows which one arrived (Karn).
    if (packet.transmissions === 1) {
      const round = Math.max(0, now - packet.sentAt)
      rtt.sample(round)
      if (round < this.ackRtt) this.ackRtt = round
    }
    if (packet.padding > 0) {
      this.isProbing = false
      this.mtu.gotThrough(packet.size)
      this.window.fit(this.payloadBytes)
    }
    this.host.pool.give(packet)
  }

  /** Reads the bits of a selective ack; bit 0 is two packets behind the acknowledged one. Bits beyond what was sent are lies. */
  private readSack(packet: Uint8Array, at: number, bytes: number, advance: number, now: Millis): void {
    const { sent } = this
    const first = advance + 1
    const bits = Math.min(bytes * 8, sent.span - first)
    for (let bit = 0; bit < bits; bit++) {
      if (packet[at + (bit >> 3)] === 0) bit |= 7
      else if (hasSackBit(packet, at, bit)) this.arrived(first + bit, now)
    }
    const end = this.losses.lostBefore(packet, at, bits, first, !this.maySendMore)
    for (let offset = advance; offset < end; offset++) this.lose(offset, now)
  }

  /** The packet at that offset seems lost, since later ones arrived. */
  private lose(offset: number, now: Millis): void {
    const packet = this.sent.at(offset)
    if (packet === null || !this.losses.isLost(packet)) return
    const { counters, settings } = this.host
    counters.packetLoss++
    counters.fastRetransmit++
    const isProbe = packet.padding > 0
    this.markLost(packet)
    // A probe's loss means its size.
    if (isProbe || !this.price.isDue(packet.seq, now)) return
    this.price.pay(this.sent.nextSeq, now, settings.utpCwndReduceTimer)
    this.window.lost(this.payloadBytes, now)
  }

  private markLost(packet: OutPacket): void {
    this.sent.markLost(packet)
    if (packet.padding === 0) return
    this.isProbing = false
    this.mtu.gotLost(packet.size)
    packet.buffer.copyWithin(HEADER_BYTES, HEADER_BYTES + packet.padding, packet.size)
    packet.buffer[1] = 0
    packet.size -= packet.padding
    packet.padding = 0
  }

  /** Sends lost packets again. False when some must wait. */
  private resend(now: Millis): boolean {
    const { sent } = this
    for (let packet = sent.firstLost(); packet !== null; packet = sent.firstLost()) {
      // The first missing one holds up everything, and goes whatever the window.
      const mayGo = packet.seq === sent.firstSeq || sent.bytesInFlight + packet.payload <= this.room
      if (!mayGo || !this.mayGoNow()) return false
      sent.markResent(packet)
      this.host.counters.packetResend++
      this.transmit(packet, now)
    }
    return true
  }

  /** Puts queued bytes into packets. False when some must wait. */
  private sendNew(now: Millis): boolean {
    const { sent, queue } = this
    while (queue.length > 0) {
      if (sent.span >= MOST_PACKETS_UNDER_WAY) return false
      const full = this.payloadBytes
      let payload = Math.min(queue.length, full)
      const room = this.room - sent.bytesInFlight
      if (payload > room) {
        // With nothing under way what little fits goes, or nothing ever would.
        if (sent.bytesInFlight > 0 || room <= 0) {
          if (sent.span === 0 && this.ackDeadline === Number.POSITIVE_INFINITY) this.waitForAck(now)
          return false
        }
        payload = room
      }
      if (payload < full && this.fin === 'none' && this.isUndersizedUnderWay) return false
      if (!this.mayGoNow()) return false
      if (payload < full) this.undersizedSeq = sent.nextSeq
      this.sendData(payload, this.probeBytes(full), now)
    }
    return true
  }

  /** Bytes that may be under way. */
  private get room(): number {
    return Math.min(this.window.bytes, this.peerWindow)
  }

  /** Another packet could follow those under way. */
  private get maySendMore(): boolean {
    return this.queue.length > 0 && this.sent.bytesInFlight + this.payloadBytes <= this.room
  }

  /** Nagle's rule, as libtorrent has it: one packet that is not full may be under way. */
  private get isUndersizedUnderWay(): boolean {
    if (this.undersizedSeq === null) return false
    const offset = seqDistance(this.sent.firstSeq, this.undersizedSeq)
    if (offset >= 0 && offset < this.sent.span) return true
    this.undersizedSeq = null
    return false
  }

  private mayGoNow(): boolean {
    if (this.pacer.allows) return true
    this.paceAt = this.pacer.nextAt
    return false
  }

  /** The size that the next packet is to have to find out whether it gets through; 0: it is none of these. */
  private probeBytes(full: number): number {
    if (this.isProbing || this.queue.length < full * (PACKETS_BEHIND_PROBE + 1)) return 0
    if (this.room < full * (PACKETS_BEHIND_PROBE + 1)) return 0
    return this.mtu.nextProbe
  }

  private sendData(wanted: number, probe: number, now: Millis): void {
    const { host, sent, queue } = this
    // Of a packet larger than they expect, some receivers cut off the end without noticing: there may be no data in it.
    const payload = this.mtu.isLarge(probe) ? 0 : wanted
    const padding = probe === 0 ? 0 : Math.max(0, probe - HEADER_BYTES - payload)
    const packet = host.pool.take(Math.max(probe, this.mtu.packetBytes))
    writeHeader(packet.buffer, PacketType.data, host.sendId, sent.nextSeq)
    if (padding >= LEAST_PADDING_BYTES) {
      writePadding(packet.buffer, padding)
      packet.padding = padding
      this.isProbing = true
    }
    queue.take(packet.buffer, HEADER_BYTES + packet.padding, payload)
    packet.payload = payload
    packet.size = HEADER_BYTES + packet.padding + payload
    sent.add(packet)
    host.counters.payloadPacketsOut++
    this.transmit(packet, now)
  }

  /** The last packet, behind all that was queued. */
  private sendFin(now: Millis): void {
    const { host, sent } = this
    if (this.fin !== 'wanted') return
    this.fin = 'sent'
    const packet = host.pool.take(HEADER_BYTES)
    writeHeader(packet.buffer, PacketType.fin, host.sendId, sent.nextSeq)
    packet.payload = 0
    packet.size = HEADER_BYTES
    sent.add(packet)
    this.transmit(packet, now)
  }

  private transmit(packet: OutPacket, now: Millis): void {
    packet.sentAt = now
    packet.transmissions++
    this.pacer.spend(packet.size)
    if (this.ackDeadline === Number.POSITIVE_INFINITY) this.waitForAck(now)
    this.host.transmit(packet)
  }
}
