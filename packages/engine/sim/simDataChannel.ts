import { type Endpoint, endpointText } from '../src/address/endpoint.ts'
import type { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { DataChannel, DataChannelHandler } from '../src/platform/webRtc.ts'
import type { Millis } from '../src/util/flavored.ts'
import { simError } from './simErrors.ts'
import type { SimHost } from './simHost.ts'
import type { LinkFlow, LinkPacket } from './simLink.ts'
import type { Channel, Severable } from './simNetwork.ts'
import type { SimProcess, SimResource } from './simProcess.ts'

const BUFFER_LOW_BYTES = 64 * 1024
const MAX_MESSAGE_BYTES = 256 * 1024
/** A path that is blocked is tried again so often, and given up after so long, as WebRTC does. */
const RETRY_MS: Millis = 1000
const GIVE_UP_AFTER: Millis = 30_000

/** One end of a simulated data channel: nothing is lost, and all comes in order, as fast as both lines allow. */
export class SimDataChannel implements DataChannel, LinkFlow, Channel, Severable, SimResource {
  readonly maxMessageSize = MAX_MESSAGE_BYTES
  lastArrival: Millis = 0
  bufferedAmount = 0
  private other: SimDataChannel | null = null
  private handler: DataChannelHandler | null = null
  private readonly queue: Uint8Array[] = []
  private readonly early: Uint8Array[] = []
  private isClosed = false
  private isEnding = false
  private stalledFor: Millis = 0
  private isStalled = false

  constructor(
    private readonly process: SimProcess,
    readonly local: Endpoint,
    readonly remote: Endpoint,
  ) {}

  /** Makes two ends one channel. */
  static join(a: SimDataChannel, b: SimDataChannel): void {
    for (const [end, other] of [
      [a, b],
      [b, a],
    ]) {
      end.other = other
      end.process.adopt('data channel', end)
      end.process.network.connectionOpened(end)
    }
  }

  get host(): SimHost {
    return this.process.host
  }

  get remoteHost(): SimHost | null {
    return this.other?.host ?? null
  }

  setHandler(handler: DataChannelHandler): void {
    this.handler = handler
    if (this.isClosed) return this.process.soon(() => handler.onClosed(null))
    this.process.soon(() => {
      for (const message of this.early.splice(0)) this.handler?.onMessage(message)
    })
  }

  send(message: Uint8Array): boolean {
    if (this.isClosed || this.isEnding) return false
    this.queue.push(message.slice())
    this.bufferedAmount += message.length
    this.line().ready(this)
    return true
  }

  soon(callback: () => void): void {
    this.process.soon(callback)
  }

  end(): void {
    this.isEnding = true
    this.handler = null
    if (this.queue.length === 0) this.leave()
  }

  close(): void {
    if (this.isClosed) return
    this.handler = null
    this.queue.length = 0
    this.leave()
  }

  kill(): void {
    this.close()
  }

  sever(): void {
    for (const end of [this, this.other]) end?.process.network.time.after(0, () => end.lost())
  }

  describe(): string {
    return `${endpointText(this.local)} to ${endpointText(this.remote)}`
  }

  takePacket(): LinkPacket | null {
    const { network } = this.process
    const { other } = this
    const message = this.queue[0]
    if (message === undefined || other === null) return null
    if (network.isBlocked(this.host, other.host)) {
      this.stall()
      return null
    }
    this.stalledFor = 0
    this.queue.shift()
    return {
      size: message.length,
      depart: () => {
        this.sent(message.length)
        network.carryInOrder(this.host, other.host, message.length, this, () => other.hear(message))
        if (this.isEnding && this.queue.length === 0) this.leave()
      },
    }
  }

  private line() {
    return this.other?.host === this.host ? this.host.loopback : this.host.uplink
  }

  private sent(size: number): void {
    const before = this.bufferedAmount
    this.bufferedAmount -= size
    if (before > BUFFER_LOW_BYTES && this.bufferedAmount <= BUFFER_LOW_BYTES) this.handler?.onBufferLow()
  }

  private hear(message: Uint8Array): void {
    if (this.isClosed || this.isEnding) return
    if (this.handler === null || this.early.length > 0) this.early.push(message)
    else this.handler.onMessage(message)
  }

  private stall(): void {
    if (this.isStalled) return
    this.isStalled = true
    this.process.network.time.after(RETRY_MS, () => {
      this.isStalled = false
      this.stalledFor += RETRY_MS
      if (this.stalledFor >= GIVE_UP_AFTER) this.lost()
      else this.line().ready(this)
    })
  }

  private lost(): void {
    this.finish(simError('ECONNRESET', 'socketRead'))
  }

  private finish(error: LibtorrentError | null): void {
    if (this.isClosed) return
    const { handler } = this
    this.release()
    handler?.onClosed(error)
  }

  /** Closes this end; the other one learns it behind all that was sent. */
  private leave(): void {
    if (this.isClosed) return
    this.release()
    const { other } = this
    if (other === null) return
    this.process.network.carryInOrder(this.host, other.host, 0, this, () => other.finish(null))
  }

  private release(): void {
    this.isClosed = true
    this.process.release(this)
    this.process.network.connectionClosed(this)
  }
}
