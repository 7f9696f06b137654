import type { Endpoint } from '../address/endpoint.ts'
import { type LibtorrentError, libtorrentError, systemError } from '../errors/libtorrentError.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { DataChannel, DataChannelHandler } from '../platform/webRtc.ts'
import type { ReceiveBudget } from './receiveBudget.ts'

/** Largest message sent: what every implementation takes (RFC 8831, section 6.6). */
const MAX_MESSAGE_BYTES = 16 * 1024
/** The channel is kept this full: a quarter of a second at 1 MB/s, beyond what a round trip takes. */
const CHANNEL_BUFFER_BYTES = 256 * 1024
/** `write` gives false when more than this waits for the channel. */
const HIGH_WATER_BYTES = 256 * 1024

interface QueuedWrite {
  readonly bytes: Uint8Array
  taken: number
  readonly onSent: (() => void) | undefined
}

/**
 * A data channel as a stream of bytes. Where its messages begin and end means nothing: what is written in one turn is cut
 * and joined to messages of up to 16 KiB.
 */
export class DataChannelStream implements Stream, DataChannelHandler {
  readonly socketType = SocketType.rtc
  private state: 'open' | 'ending' | 'closed' = 'open'
  private handler: StreamHandler | null = null

  private readonly queue: QueuedWrite[] = []
  private queuedBytes = 0
  private flushScheduled = false
  private wantsDrain = false
  private readonly message: Uint8Array

  /** What arrived while nobody read. */
  private held: Uint8Array[] = []
  private heldBytes = 0
  private paused = false
  private deliveryScheduled = false

  constructor(
    private readonly channel: DataChannel,
    private readonly budget: ReceiveBudget,
  ) {
    this.message = new Uint8Array(Math.max(1, Math.min(MAX_MESSAGE_BYTES, channel.maxMessageSize)))
    channel.setHandler(this)
  }

  get remote(): Endpoint {
    return this.channel.remote
  }

  get local(): Endpoint | null {
    return this.channel.local
  }

  get unsentBytes(): number {
    return this.state === 'closed' ? 0 : this.queuedBytes + this.channel.bufferedAmount
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler
    this.scheduleDelivery()
  }

  // --- sending --------------------------------------------------------------------------------------------------

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    if (this.state !== 'open') {
      if (onSent !== undefined) this.channel.soon(onSent)
      return false
    }
    this.queue.push({ bytes, taken: 0, onSent })
    this.queuedBytes += bytes.length
    this.scheduleFlush()
    if (this.queuedBytes <= HIGH_WATER_BYTES) return true
    this.wantsDrain = true
    return false
  }

  /** Everything of one turn is gathered anyway. */
  cork(): void {}

  uncork(): void {}

  onBufferLow(): void {
    this.flush()
  }

  private scheduleFlush(): void {
    if (this.flushScheduled) return
    this.flushScheduled = true
    this.channel.soon(() => {
      this.flushScheduled = false
      this.flush()
    })
  }

  private flush(): void {
    if (this.state === 'closed') return
    const sent: (() => void)[] = []
    let isBroken = false
    // Only a channel that is full is sure to say when it is not.
    while (this.queue.length > 0 && this.channel.bufferedAmount < CHANNEL_BUFFER_BYTES && !isBroken) {
      const message = this.nextMessage(sent)
      isBroken = message.length > 0 && !this.channel.send(message)
    }
    for (const onSent of sent) onSent()
    if (isBroken) return this.fail(systemError({ code: 'EPIPE', message: 'the data channel is broken' }))
    this.afterFlush()
  }

  private afterFlush(): void {
    if (this.state === 'closed' || this.queue.length > 0) return
    if (this.state === 'ending') return this.release(() => this.channel.end())
    if (!this.wantsDrain) return
    this.wantsDrain = false
    this.handler?.onDrain()
  }

  /** The next bytes of the queue, a message full if there are so many. Of those it takes whole, `onSent` goes to `sent`. */
  private nextMessage(sent: (() => void)[]): Uint8Array {
    const { message, queue } = this
    let length = 0
    let taken = 0
    while (length < message.length && taken < queue.length) {
      const write = queue[taken]
      const part = write.bytes.subarray(write.taken, write.taken + message.length - length)
      message.set(part, length)
      length += part.length
      write.taken += part.length
      if (write.taken < write.bytes.length) break
      if (write.onSent !== undefined) sent.push(write.onSent)
      taken++
    }
    queue.splice(0, taken)
    this.queuedBytes -= length
    return message.subarray(0, length)
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  onMessage(message: Uint8Array): void {
    if (this.state === 'closed' || message.length === 0) return
    if (this.handler !== null && !this.paused && this.held.length === 0) return this.handler.onData(message)
    if (!this.budget.take(message.length, this.heldBytes)) {
      return this.fail(libtorrentError('packetTooLarge', { operation: 'socketRead' }))
    }
    this.held.push(message)
    this.heldBytes += message.length
  }

  pauseReading(): void {
    this.paused = true
  }

  resumeReading(): void {
    this.paused = false
    this.scheduleDelivery()
  }

  private scheduleDelivery(): void {
    if (this.deliveryScheduled || this.held.length === 0) return
    this.deliveryScheduled = true
    this.channel.soon(() => {
      this.deliveryScheduled = false
      this.deliver()
    })
  }

  private deliver(): void {
    const messages = this.held
    let next = 0
    while (next < messages.length && !this.paused && this.handler !== null) {
      const message = messages[next++]
      this.heldBytes -= message.length
      this.budget.giveBack(message.length)
      this.handler.onData(message)
      // Closed by its handler: what was held is dropped.
      if (this.held !== messages) return
    }
    messages.splice(0, next)
  }

  // --- the end --------------------------------------------------------------------------------------------------

  onClosed(error: LibtorrentError | null): void {
    if (this.state === 'closed') return
    const { handler } = this
    this.release()
    handler?.onClosed(error)
  }

  end(): void {
    if (this.state !== 'open') return
    this.state = 'ending'
    this.scheduleFlush()
  }

  destroy(): void {
    if (this.state !== 'closed') this.release()
  }

  private fail(error: LibtorrentError): void {
    this.onClosed(error)
  }

  /** any -> closed */
  private release(close = () => this.channel.close()): void {
    this.state = 'closed'
    this.handler = null
    this.budget.giveBack(this.heldBytes)
    this.held = []
    this.heldBytes = 0
    for (const { onSent } of this.queue.splice(0)) if (onSent !== undefined) this.channel.soon(onSent)
    this.queuedBytes = 0
    close()
  }
}
