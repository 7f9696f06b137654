import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'

/** What a stream tells its one owner. Calls come from the event loop, never from inside a call to the stream. */
export interface StreamHandler {
  /** The connection stands; only for streams we opened. `local`/`remote` are final from here on. */
  onConnected(): void
  /** Bytes arrived. `chunk` is a view valid only during the call: copy what must stay. */
  onData(chunk: Uint8Array): void
  /** All bytes given to `write` have left for the kernel. Called only after `write` returned false. */
  onDrain(): void
  /**
   * The stream is gone; nothing else is called afterwards. `error` is null when the other side closed in order.
   * Not called after our own `destroy()`.
   */
  onClosed(error: LibtorrentError | null): void
}

/** A two-way byte stream: TCP here, uTP, MSE or TLS later behind the same interface. */
export interface Stream {
  readonly remote: Endpoint
  /** Null until connected. */
  readonly local: Endpoint | null
  /** Bytes accepted by `write` that have not left for the kernel. */
  readonly unsentBytes: number
  setHandler(handler: StreamHandler): void
  /**
   * Queues bytes, which must stay unchanged until `onSent` is called.
   * Returns false when the queue is beyond the high-water mark: wait for `onDrain`.
   * `onSent` is called exactly once, also when the stream dies first.
   */
  write(bytes: Uint8Array, onSent?: () => void): boolean
  /** Between `cork` and `uncork` writes are gathered into as few system calls as possible. */
  cork(): void
  uncork(): void
  /** No `onData` until `resumeReading`: the kernel's buffer fills and the sender is slowed down. */
  pauseReading(): void
  resumeReading(): void
  /** Sends what is queued, then closes. */
  end(): void
  /** Closes at once, dropping what is queued. */
  destroy(): void
}

export interface TcpConnectOptions {
  /** Bind the outgoing socket to this address. */
  readonly localAddress?: string
  readonly localPort?: number
  /** Sizes for the kernel's buffers, 0 for the system's own. */
  readonly receiveBufferSize?: number
  readonly sendBufferSize?: number
}

export interface TcpListener {
  readonly local: Endpoint
  close(): void
}

export interface Tcp {
  /** Starts connecting to `remote` (an address, not a name). Failure is reported by `handler.onClosed`. */
  connect(remote: Endpoint, options: TcpConnectOptions, handler: StreamHandler): Stream
  /**
   * Listens on `local` (port 0 picks one). IPv6 listeners are IPv6 only.
   * `onAccept` must call `setHandler` on the stream before it returns.
   */
  listen(
    local: Endpoint,
    onAccept: (stream: Stream) => void,
    done: (result: TcpListener | LibtorrentError) => void,
  ): void
}
