import type { DataChannel as NativeChannel } from 'node-datachannel'
import type { Endpoint } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { DataChannel, DataChannelHandler } from '../platform/webRtc.ts'
import type { Millis } from '../util/flavored.ts'

const BUFFER_LOW_BYTES = 64 * 1024
/** What was sent has this long to arrive when the channel is closed in order. */
const LINGER_MS: Millis = 2000

/** A data channel of libdatachannel that is open. */
export class NodeDataChannel implements DataChannel {
  private handler: DataChannelHandler | null = null
  private isClosed = false

  constructor(
    private readonly native: NativeChannel,
    readonly local: Endpoint | null,
    readonly remote: Endpoint,
    private readonly closeConnection: () => void,
  ) {
    native.setBufferedAmountLowThreshold(BUFFER_LOW_BYTES)
    native.onBufferedAmountLow(() => this.handler?.onBufferLow())
    native.onClosed(() => this.finish(null))
    native.onError((message) => this.finish(reset(message)))
  }

  get maxMessageSize(): number {
    return this.native.maxMessageSize()
  }

  get bufferedAmount(): number {
    return this.isClosed ? 0 : this.native.bufferedAmount()
  }

  setHandler(handler: DataChannelHandler): void {
    this.handler = handler
    // The library keeps what has arrived until somebody listens.
    this.native.onMessage((message) => {
      if (typeof message === 'string') this.finish(reset('a text message among bytes'))
      else this.handler?.onMessage(bytesOf(message))
    })
    if (this.isClosed) setImmediate(() => handler.onClosed(null))
  }

  send(message: Uint8Array): boolean {
    try {
      // False says that it waits in the buffer; what is wrong is thrown.
      this.native.sendMessageBinary(message)
      return true
    } catch {
      return false
    }
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  end(): void {
    if (this.isClosed) return
    this.handler = null
    this.isClosed = true
    // A channel is closed behind what was sent on it; the connection it is in would take all that along.
    this.closeChannel()
    setTimeout(this.closeConnection, LINGER_MS).unref()
  }

  close(): void {
    this.handler = null
    this.release()
  }

  /** The connection it is in is over. */
  onConnectionEnded(failed: boolean): void {
    this.finish(failed ? reset('the connection is lost') : null)
  }

  private finish(error: LibtorrentError | null): void {
    const { handler } = this
    this.close()
    handler?.onClosed(error)
  }

  private release(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.closeChannel()
    this.closeConnection()
  }

  private closeChannel(): void {
    try {
      this.native.close()
    } catch {
      // It is closed already.
    }
  }
}

/** A plain array, so that slice() copies. */
function bytesOf(message: Uint8Array | ArrayBuffer): Uint8Array {
  if (message instanceof ArrayBuffer) return new Uint8Array(message)
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
}

function reset(message: string): LibtorrentError {
  return systemError({ code: 'ECONNRESET', errno: 104, message }, { operation: 'socketRead' })
}
