import type { Endpoint } from '../address/endpoint.ts'
import type { Timer } from '../platform/clock.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { Millis } from '../util/flavored.ts'
import { ConnectionTable } from './connectionTable.ts'
import { HalfOpenTable } from './halfOpen.ts'
import { PacketPool } from './packetPool.ts'
import { ResetLimit } from './resetLimit.ts'
import { UtpCounters } from './utpCounters.ts'
import { utpError } from './utpError.ts'
import { HEADER_BYTES, looksLikeUtp, PacketType, readHeader, stampHeader, UtpHeader, writeHeader } from './utpHeader.ts'
import type { UtpHost } from './utpHost.ts'
import { RECEIVE_CAPACITY_BYTES } from './utpReceiver.ts'
import type { UtpSettings } from './utpSettings.ts'
import { UtpSocket, type UtpSocketHost } from './utpSocket.ts'
import { WakeHeap } from './wakeHeap.ts'

const TRIES_FOR_AN_ID = 100

/**
 * uTP (BEP 29) on one UDP socket, which others may use as well: all connections over it, and who connects to us.
 *
 * A packet that comes in is given to its connection at once; what it causes to be sent leaves at the end of the turn
 * (`timers.after(0)`), together with what others caused. There is one timer for all connections. Whoever sends a SYN is
 * answered and forgotten but for a small record, until its next packet proves that it gets our packets.
 *
 * Connections may outlive their streams for some seconds, to tell the other side.
 */
export class UtpSockets implements UtpSocketHost {
  readonly counters = new UtpCounters()
  /** @internal */
  readonly pool = new PacketPool()
  private readonly table = new ConnectionTable()
  private readonly halfOpen: HalfOpenTable
  private readonly wakes = new WakeHeap<UtpSocket>()
  private readonly resets = new ResetLimit()
  private readonly header = new UtpHeader()
  private readonly answer = new Uint8Array(HEADER_BYTES)
  private touched: UtpSocket[] = []
  private turn: Timer | null = null
  private alarm: Timer | null = null
  private alarmAt: Millis = Number.POSITIVE_INFINITY
  private latest: UtpSocket | null = null
  private phase: 'open' | 'closing' | 'closed' = 'open'

  constructor(private readonly host: UtpHost) {
    this.halfOpen = new HalfOpenTable(host.random)
  }

  /** Connections, those counted that still take leave. */
  get size(): number {
    return this.table.size
  }

  /** Senders of a SYN of whom nothing more is known. */
  get halfOpenCount(): number {
    return this.halfOpen.size
  }

  /** Where each connection stands; `utpStatus` counts them. */
  stateNames(): UtpSocket['stateName'][] {
    return this.table.all().map(({ stateName }) => stateName)
  }

  get local(): Endpoint {
    return this.host.local
  }

  get settings(): Readonly<UtpSettings> {
    return this.host.settings
  }

  /** Starts connecting to `remote`, an address. Failure is reported by `handler.onClosed`, as for TCP. */
  connect(remote: Endpoint, handler: StreamHandler): Stream {
    const receiveId = this.phase === 'open' ? this.freeId(remote) : null
    // A stream that is closed before it was open needs an id, too.
    const ids = { receiveId: receiveId ?? 0, sendId: ((receiveId ?? 0) + 1) & 0xffff }
    const socket = UtpSocket.connecting(this, remote, ids, this.host.random.below(0x10000), handler)
    if (receiveId === null) {
      const error = utpError(this.phase === 'open' ? 'EADDRNOTAVAIL' : 'ECONNABORTED', 'connect')
      this.host.timers.after(0, () => socket.abort(error))
    } else {
      this.table.add(socket)
      this.wakeLater(socket)
    }
    return socket
  }

  /** A packet came in. False when it is not uTP, but another's. */
  incoming(packet: Uint8Array, from: Endpoint): boolean {
    if (!looksLikeUtp(packet)) return false
    if (this.phase !== 'open') return true
    const { header, counters } = this
    counters.packetsIn++
    if (!readHeader(packet, header)) {
      counters.invalidPacketsIn++
      return true
    }
    const now = this.host.clock.now()
    // A SYN bears the id its sender wants to be answered with.
    const receiveId = header.type === PacketType.syn ? (header.connectionId + 1) & 0xffff : header.connectionId
    const socket = this.find(receiveId, from)
    if (socket !== null) this.give(socket, packet, now)
    else this.incomingFromStranger(packet, receiveId, from, now)
    return true
  }

  /**
   * The UDP socket is about to be closed: every connection ends, the other sides are told once, and owners of streams
   * with `ECONNABORTED`. Nothing is sent afterwards.
   */
  close(): void {
    if (this.phase !== 'open') return
    this.endTurn()
    this.phase = 'closing'
    for (const socket of this.table.all()) {
      this.guard(socket, () => socket.abort(utpError('ECONNABORTED', 'socketRead')))
    }
    for (const socket of this.touched.splice(0)) this.guard(socket, () => socket.flush(this.now()))
    this.turn?.cancel()
    this.alarm?.cancel()
    this.halfOpen.clear()
    this.phase = 'closed'
  }

  /** @internal */
  now(): Millis {
    return this.host.clock.now()
  }

  /** @internal */
  send(packet: Uint8Array, to: Endpoint): void {
    if (this.phase !== 'closed') this.host.send(packet, to)
  }

  /** @internal */
  touch(socket: UtpSocket): void {
    if (socket.isTouched) return
    socket.isTouched = true
    this.touched.push(socket)
    if (this.turn !== null || this.phase !== 'open') return
    this.turn = this.host.timers.after(0, () => {
      this.turn = null
      this.endTurn()
    })
  }

  /** @internal */
  gone(socket: UtpSocket): void {
    if (this.latest === socket) this.latest = null
    this.table.remove(socket)
    this.wakes.remove(socket)
  }

  private find(receiveId: number, from: Endpoint): UtpSocket | null {
    const { latest } = this
    if (
      latest !== null &&
      latest.receiveId === receiveId &&
      latest.remote.port === from.port &&
      latest.remote.address === from.address
    ) {
      return latest
    }
    const socket = this.table.find(receiveId, from)
    if (socket !== null) this.latest = socket
    return socket
  }

  private give(socket: UtpSocket, packet: Uint8Array, now: Millis): void {
    try {
      socket.incoming(this.header, packet, now)
    } catch (cause) {
      this.fault(socket, cause)
    }
  }

  private incomingFromStranger(packet: Uint8Array, receiveId: number, from: Endpoint, now: Millis): void {
    const { header, counters, halfOpen } = this
    if (header.type === PacketType.syn) return this.incomingSyn(receiveId, from, now)
    if (header.type === PacketType.reset) return this.incomingReset(packet, from, now)
    const first = halfOpen.take(from, receiveId, (header.ack + 1) & 0xffff, now)
    if (first !== null) {
      // Many may have asked while there was room.
      if (!this.hasRoomFor(receiveId, from)) return
      const ids = { receiveId, sendId: (receiveId - 1) & 0xffff }
      const remote = { address: from.address, port: from.port }
      const socket = UtpSocket.accepted(this, remote, ids, first.synSeq, first.firstSeq)
      this.table.add(socket)
      this.latest = socket
      this.guard(socket, () => this.host.onUtpAccept(socket))
      this.give(socket, packet, now)
      return
    }
    counters.invalidPacketsIn++
    // A wrong guess at a connection that is about to be is no reason to end it.
    if (!halfOpen.has(from, receiveId)) this.reset(from, now)
  }

  private incomingSyn(receiveId: number, from: Endpoint, now: Millis): void {
    const { header, settings, answer } = this
    if (!settings.enableIncomingUtp || !this.hasRoomFor(receiveId, from)) return
    const { firstSeq } = this.halfOpen.add(from, receiveId, header.seq, now)
    const timestamp = (now * 1000) >>> 0
    writeHeader(answer, PacketType.state, header.connectionId, firstSeq)
    stampHeader(answer, timestamp, (timestamp - header.timestamp) >>> 0, RECEIVE_CAPACITY_BYTES, header.seq)
    this.answerStranger(from)
  }

  /** Whether one more may connect; counts those that may not. */
  private hasRoomFor(receiveId: number, from: Endpoint): boolean {
    const { settings, counters, table } = this
    if (table.size < settings.connectionsLimit * 2 && !table.isCrowded(receiveId, from.port)) return true
    counters.refusedSyns++
    return false
  }

  /** Who forgot a connection answers with the id of the packets it gets, which is the one we send with. */
  private incomingReset(packet: Uint8Array, from: Endpoint, now: Millis): void {
    const sendId = this.header.connectionId
    for (const receiveId of [(sendId + 1) & 0xffff, (sendId - 1) & 0xffff]) {
      const socket = this.table.find(receiveId, from)
      if (socket?.sendId === sendId) return this.give(socket, packet, now)
    }
    this.counters.invalidPacketsIn++
  }

  /** Tells a sender that we know of no such connection. Never larger than what it answers, and never to a reset. */
  private reset(from: Endpoint, now: Millis): void {
    const { header, answer, counters } = this
    if (!this.resets.take(now)) return
    counters.resetsOut++
    const timestamp = (now * 1000) >>> 0
    writeHeader(answer, PacketType.reset, header.connectionId, this.host.random.below(0x10000))
    stampHeader(answer, timestamp, (timestamp - header.timestamp) >>> 0, 0, header.seq)
    this.answerStranger(from)
  }

  private answerStranger(to: Endpoint): void {
    this.counters.packetsOut++
    this.host.send(this.answer, to)
  }

  private freeId(remote: Endpoint): number | null {
    for (let i = 0; i < TRIES_FOR_AN_ID; i++) {
      const id = this.host.random.below(0x10000)
      if (this.table.find(id, remote) === null && !this.halfOpen.has(remote, id)) return id
    }
    return null
  }

  private endTurn(): void {
    const { touched } = this
    this.touched = []
    for (const socket of touched) {
      socket.isTouched = false
      this.flush(socket)
    }
  }

  private flush(socket: UtpSocket): void {
    try {
      socket.flush(this.host.clock.now())
    } catch (cause) {
      this.fault(socket, cause)
    }
    this.wakeLater(socket)
  }

  private wakeLater(socket: UtpSocket): void {
    this.wakes.update(socket)
    const { nextAt } = this.wakes
    if (nextAt >= this.alarmAt || this.phase !== 'open') return
    this.alarm?.cancel()
    this.alarmAt = nextAt
    this.alarm = this.host.timers.after(Math.max(0, nextAt - this.host.clock.now()), () => this.ring())
  }

  private ring(): void {
    this.alarm = null
    this.alarmAt = Number.POSITIVE_INFINITY
    const now = this.host.clock.now()
    for (let socket = this.wakes.takeDue(now); socket !== null; socket = this.wakes.takeDue(now)) {
      const due = socket
      this.guard(due, () => due.wake(now))
      this.touch(due)
    }
    const { nextAt } = this.wakes
    if (nextAt === Number.POSITIVE_INFINITY) return
    this.alarmAt = nextAt
    this.alarm = this.host.timers.after(Math.max(0, nextAt - now), () => this.ring())
  }

  private guard(socket: UtpSocket, action: () => void): void {
    try {
      action()
    } catch (cause) {
      this.fault(socket, cause)
    }
  }

  private fault(socket: UtpSocket, cause: unknown): void {
    socket.destroy()
    this.host.onFault(cause)
  }
}
