import { type Endpoint, endpointText } from '../src/address/endpoint.ts'
import type { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { Timer } from '../src/platform/clock.ts'
import type { Stream, StreamHandler } from '../src/platform/tcp.ts'
import type { Millis } from '../src/util/flavored.ts'
import { simError } from './simErrors.ts'
import type { SimHost } from './simHost.ts'
import type { LinkFlow, LinkPacket } from './simLink.ts'
import type { Channel, Severable, SimNetwork } from './simNetwork.ts'
import type { SimProcess, SimResource } from './simProcess.ts'

/** Unsent bytes beyond which `write` returns false. */
export const HIGH_WATER_BYTES = 64 * 1024

/** Most bytes that travel as one event. Real segments are smaller; the arithmetic is the same. */
const MAX_SEGMENT_BYTES = 16 * 1024
/** What a real segment carries: the unit of the congestion window. */
const MSS_BYTES = 1460
/** RFC 6928. */
const INITIAL_WINDOW_BYTES = 10 * MSS_BYTES
/** Linux gives a connection up after about this long without an answer (tcp_retries2). */
const GIVE_UP_AFTER: Millis = 924_000

interface QueuedWrite {
  /** The caller's own bytes, which must not change before `onSent`. */
  readonly bytes: Uint8Array
  /** What they were when they were given. */
  readonly copy: Uint8Array
  taken: number
  readonly onSent: (() => void) | undefined
}

/**
 * One end of a simulated TCP connection.
 *
 * Bytes go from the program's queue into the system's send buffer (that is "sent" for the program), over the line when
 * the receiver's window and the congestion window allow, into the receiver's buffer, and to its handler in chunks of
 * any size. Nothing is ever lost; a blocked path stalls the stream until it is healed or given up.
 */
export class SimStream implements Stream, LinkFlow, Channel, Severable, SimResource {
  readonly socketType = 'tcp'
  lastArrival: Millis = 0
  local: Endpoint | null = null
  remoteHost: SimHost | null = null
  private state: 'connecting' | 'open' | 'closed' = 'connecting'
  private peer: SimStream | null = null
  private handler: StreamHandler | null = null

  private readonly queue: QueuedWrite[] = []
  private unsent = 0
  private corked = 0
  private wantsDrain = false
  private flushScheduled = false
  private ending = false

  /** The system's send buffer: bytes not yet on the line. */
  private readonly kernel: Uint8Array[] = []
  private kernelBytes = 0
  private appended = 0
  private sent = 0
  private acked = 0
  private finQueued = false
  private finSent = false
  private windowEdge: number
  private congestionWindow = INITIAL_WINDOW_BYTES
  private slowStartLimit = Number.POSITIVE_INFINITY
  private recoverAt = 0
  private stalledAt: Millis | null = null
  private retryDelay: Millis = 1000
  private retry: Timer | null = null

  private readonly received: Uint8Array[] = []
  private receivedBytes = 0
  private consumed = 0
  private advertisedAck = 0
  private advertisedEdge: number
  private sawCongestion = false
  private finReceived = false
  private paused = false
  private deliveryScheduled = false

  private readonly network: SimNetwork

  constructor(
    private readonly process: SimProcess,
    readonly remote: Endpoint,
    private readonly receiveBuffer: number,
    private readonly sendBuffer: number,
  ) {
    this.network = process.network
    this.windowEdge = MAX_SEGMENT_BYTES * 4
    this.advertisedEdge = receiveBuffer
    process.adopt('stream', this)
  }

  get host(): SimHost {
    return this.process.host
  }

  get isOpen(): boolean {
    return this.state === 'open'
  }

  get isConnecting(): boolean {
    return this.state === 'connecting'
  }

  /** Closed without anything left to send: killed, or reset. */
  get isGone(): boolean {
    return this.state === 'closed' && !this.finQueued
  }

  get hasHandler(): boolean {
    return this.handler !== null
  }

  get unsentBytes(): number {
    return this.unsent
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler
  }

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    if (this.state === 'closed' || this.ending) {
      if (onSent !== undefined) this.process.soon(onSent)
      return false
    }
    this.queue.push({ bytes, copy: new Uint8Array(bytes), taken: 0, onSent })
    this.unsent += bytes.length
    this.scheduleFlush()
    if (this.unsent <= HIGH_WATER_BYTES) return true
    this.wantsDrain = true
    return false
  }

  cork(): void {
    this.corked++
  }

  uncork(): void {
    if (this.corked > 0) this.corked--
    this.scheduleFlush()
  }

  pauseReading(): void {
    this.paused = true
  }

  resumeReading(): void {
    this.paused = false
    this.scheduleDelivery()
  }

  end(): void {
    if (this.state === 'closed') return
    this.ending = true
    this.scheduleFlush()
  }

  destroy(): void {
    if (this.state === 'closed') return
    const wasOpen = this.state === 'open'
    this.close('destroy')
    if (!wasOpen) return
    if (this.receivedBytes > 0) {
      // As Linux does: closing with unread bytes is a reset.
      this.dropKernel()
      this.sendReset()
    } else {
      this.finQueued = true
      this.line().ready(this)
    }
  }

  /** The program was killed. */
  kill(): void {
    if (this.state === 'open') this.sendReset()
    this.dropKernel()
    this.queue.length = 0
    this.close('killed')
  }

  describe(): string {
    return `${this.local === null ? this.host.name : endpointText(this.local)} to ${endpointText(this.remote)}, ${this.state}`
  }

  // The way up: two ends become a connection.

  /** connecting -> open. On the side that connected. */
  established(): void {
    if (this.state !== 'connecting') return
    this.state = 'open'
    this.network.connectionOpened(this)
    this.network.log.add(`connected ${this.describe()}`)
    this.handler?.onConnected()
    this.scheduleFlush()
  }

  /** connecting -> open. On the side that accepted; `client` is the other end. */
  acceptedFrom(client: SimStream): void {
    this.peer = client
    client.peer = this
    this.remoteHost = client.host
    this.state = 'open'
    this.windowEdge = client.receiveBuffer
    client.windowEdge = this.receiveBuffer
    client.line().ready(client)
  }

  /** connecting -> closed. */
  connectFailed(error: LibtorrentError): void {
    if (this.state === 'connecting') this.fail(error)
  }

  // The sending side.

  takePacket(): LinkPacket | null {
    const to = this.remoteHost
    const sendsFin = this.kernelBytes === 0 && this.finQueued && !this.finSent
    if (to === null || (this.kernelBytes === 0 && !sendsFin)) return null
    if (this.network.isBlocked(this.host, to)) {
      this.stall()
      return null
    }
    this.stalledAt = null
    this.retryDelay = 1000
    if (sendsFin) {
      this.finSent = true
      return { size: 0, depart: () => this.carry(to, 0, (peer) => peer.onFin()) }
    }
    const allowed = Math.min(this.windowEdge, this.acked + this.congestionWindow) - this.sent
    const size = Math.min(this.kernelBytes, allowed, MAX_SEGMENT_BYTES)
    const inFlight = this.sent - this.acked
    // No dribble of tiny segments while an acknowledgement is under way that will open the window.
    if (size <= 0 || (size < this.kernelBytes && size < MSS_BYTES && inFlight > 0)) return null
    const bytes = takeBytes(this.kernel, size)
    this.kernelBytes -= size
    this.sent += size
    return { size, depart: () => this.carry(to, size, (peer, congested) => peer.onSegment(bytes, congested)) }
  }

  private carry(to: SimHost, size: number, arrive: (peer: SimStream, congested: boolean) => void): void {
    this.network.carryInOrder(this.host, to, size, this, (congested) => {
      // The other side never took the connection up, or closed its listener in between.
      if (this.peer === null) this.onReset()
      else arrive(this.peer, congested)
    })
  }

  private line() {
    return this.remoteHost === this.host ? this.host.loopback : this.host.uplink
  }

  private scheduleFlush(): void {
    if (this.flushScheduled) return
    this.flushScheduled = true
    this.process.soon(() => {
      this.flushScheduled = false
      this.flush()
    })
  }

  /** Moves what fits from the program's queue into the system's buffer. Runs from the event loop only. */
  private flush(): void {
    if (this.state !== 'open' || this.corked > 0) return
    while (this.queue.length > 0) {
      const write = this.queue[0]
      const room = this.sendBuffer - (this.appended - this.acked)
      const size = Math.min(room, write.copy.length - write.taken)
      if (size <= 0 && write.copy.length > 0) break
      this.moveToKernel(write, size)
      if (write.taken < write.copy.length) break
      this.queue.shift()
      write.onSent?.()
      if (!this.isOpen) return
    }
    if (this.queue.length === 0) this.flushed()
    this.line().ready(this)
  }

  private moveToKernel(write: QueuedWrite, size: number): void {
    const end = write.taken + size
    const part = write.copy.subarray(write.taken, end)
    if (Buffer.compare(part, write.bytes.subarray(write.taken, end)) !== 0) {
      throw new Error(`bytes given to write() on ${this.describe()} were changed before onSent was called`)
    }
    write.taken = end
    this.kernel.push(part)
    this.kernelBytes += size
    this.appended += size
    this.unsent -= size
  }

  private flushed(): void {
    if (this.ending) this.finQueued = true
    if (!this.wantsDrain) return
    this.wantsDrain = false
    this.handler?.onDrain()
  }

  private onAck(acked: number, edge: number, congested: boolean): void {
    const progress = acked - this.acked
    this.acked = Math.max(this.acked, acked)
    this.windowEdge = Math.max(this.windowEdge, edge)
    if (congested && acked > this.recoverAt) {
      this.slowStartLimit = Math.max(this.congestionWindow / 2, 2 * MSS_BYTES)
      this.congestionWindow = this.slowStartLimit
      this.recoverAt = this.sent
    } else if (progress > 0) {
      this.congestionWindow +=
        this.congestionWindow < this.slowStartLimit ? progress : (MSS_BYTES * progress) / this.congestionWindow
    }
    this.flush()
    this.line().ready(this)
  }

  /** The path is blocked: try again later and later, as retransmission does, and give up in the end. */
  private stall(): void {
    if (this.retry !== null) return
    const now = this.network.time.now()
    this.stalledAt ??= now
    if (now - this.stalledAt >= GIVE_UP_AFTER) {
      this.dropKernel()
      this.fail(simError('ETIMEDOUT', 'socketWrite'))
      return
    }
    const delay = this.retryDelay
    this.retryDelay = Math.min(delay * 2, 60_000)
    this.retry = this.network.time.after(delay, () => {
      this.retry = null
      this.line().ready(this)
    })
  }

  private dropKernel(): void {
    this.kernel.length = 0
    this.kernelBytes = 0
    this.finQueued = false
  }

  // The receiving side.

  private onSegment(bytes: Uint8Array, congested: boolean): void {
    if (this.state === 'closed') return this.sendReset()
    this.received.push(bytes)
    this.receivedBytes += bytes.length
    this.sawCongestion ||= congested
    if (this.paused) this.advertise()
    else this.scheduleDelivery()
  }

  private onFin(): void {
    this.finReceived = true
    this.scheduleDelivery()
  }

  private onReset(): void {
    this.dropKernel()
    this.fail(simError('ECONNRESET', 'socketRead'))
  }

  private scheduleDelivery(): void {
    if (this.deliveryScheduled || this.state === 'closed') return
    this.deliveryScheduled = true
    this.process.soon(() => {
      this.deliveryScheduled = false
      this.deliver()
    })
  }

  private deliver(): void {
    if (this.state !== 'open' || this.paused || this.handler === null) return
    if (this.receivedBytes === 0) {
      if (this.finReceived) this.reachedEnd()
      return
    }
    const size = this.network.chunkSize(this.receivedBytes, this.consumed)
    const { handler } = this
    const chunk = takeBytes(this.received, size)
    this.receivedBytes -= size
    this.consumed += size
    this.network.log.add(`data ${size} at ${this.describe()}`)
    this.network.lend(size, (view) => {
      view.set(chunk)
      handler.onData(view)
    })
    if (!this.isOpen) return
    if (this.paused || this.receivedBytes === 0) this.advertise()
    if (this.receivedBytes > 0 || this.finReceived) this.scheduleDelivery()
  }

  /** open -> closed. The other side has ended in order; as on Node, what we have still queued is dropped. */
  private reachedEnd(): void {
    this.finQueued = true
    this.close('end')
    this.handler?.onClosed(null)
    this.line().ready(this)
  }

  /** Tells the sender what arrived and how much more there is room for. */
  private advertise(): void {
    const { peer, remoteHost } = this
    const acked = this.consumed + this.receivedBytes
    const edge = this.consumed + this.receiveBuffer
    if (peer === null || remoteHost === null) return
    if (acked === this.advertisedAck && edge === this.advertisedEdge) return
    this.advertisedAck = acked
    this.advertisedEdge = edge
    const congested = this.sawCongestion
    this.sawCongestion = false
    // Not lost on a blocked path: data is held back there already, and only data is given up on.
    this.network.time.after(this.network.latency(this.host, remoteHost), () => peer.onAck(acked, edge, congested))
  }

  // The way down.

  sever(): void {
    const { peer } = this
    this.network.time.after(0, () => this.onReset())
    if (peer !== null) this.network.time.after(0, () => peer.onReset())
  }

  private sendReset(): void {
    const { peer, remoteHost } = this
    if (peer !== null && remoteHost !== null) this.network.control(this.host, remoteHost, () => peer.onReset())
  }

  private fail(error: LibtorrentError): void {
    if (this.state === 'closed') return
    this.close(error.code)
    this.handler?.onClosed(error)
  }

  /** any -> closed. What the system has taken still goes out. */
  private close(why: string): void {
    this.network.log.add(`closed ${this.describe()}: ${why}`)
    this.state = 'closed'
    this.network.connectionClosed(this)
    this.process.release(this)
    for (const { onSent } of this.queue) if (onSent !== undefined) this.process.soon(onSent)
    this.queue.length = 0
    this.unsent = 0
  }
}

/** Takes exactly `size` bytes from the front of `parts`, which hold at least that many. */
function takeBytes(parts: Uint8Array[], size: number): Uint8Array {
  const first = parts[0]
  if (first.length === size) return parts.shift() as Uint8Array
  if (first.length > size) {
    parts[0] = first.subarray(size)
    return first.subarray(0, size)
  }
  const out = new Uint8Array(size)
  let at = 0
  while (at < size) {
    const part = parts[0]
    const take = Math.min(part.length, size - at)
    out.set(part.subarray(0, take), at)
    at += take
    if (take === part.length) parts.shift()
    else parts[0] = part.subarray(take)
  }
  return out
}
