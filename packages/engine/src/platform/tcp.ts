import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { SocketType } from './socketType.ts'

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

/** What of a stream is encrypted by MSE: nothing (or it is not agreed yet), its handshake, or everything. */
export type StreamEncryption = 'none' | 'plaintext' | 'rc4'

/** A two-way byte stream: TCP here, uTP, MSE or TLS later behind the same interface. */
export interface Stream {
  /** What it goes over. */
  readonly socketType: SocketType
  /** Left out by streams that know nothing of it: `none`. */
  readonly encryption?: StreamEncryption
  /** The other end. */
  readonly remote: Endpoint
  /** Our end; null until connected. */
  readonly local: Endpoint | null
  /** Bytes accepted by `write` that have not left for the kernel. */
  readonly unsentBytes: number
  /** Who is told from now on; replaces the one before. */
  setHandler(handler: StreamHandler): void
  /**
   * Queues bytes, which must stay unchanged until `onSent` is called.
   * Returns false when the queue is beyond the high-water mark: wait for `onDrain`.
   * `onSent` is called exactly once, also when the stream dies first.
   */
  write(bytes: Uint8Array, onSent?: () => void): boolean
  /** Between `cork` and `uncork` writes are gathered into as few system calls as possible. */
  cork(): void
  /** Ends `cork`: what was gathered is sent. */
  uncork(): void
  /** No `onData` until `resumeReading`: the kernel's buffer fills and the sender is slowed down. */
  pauseReading(): void
  /** Ends `pauseReading`. */
  resumeReading(): void
  /** Sends what is queued, then closes. */
  end(): void
  /** Closes at once, dropping what is queued. */
  destroy(): void
}

/** How an outgoing connection is made. */
export interface TcpConnectOptions {
  /** Bind the outgoing socket to this address. Default: the system chooses. */
  readonly localAddress?: string
  /** Bind the outgoing socket to this port. Default 0: any. */
  readonly localPort?: number
}

/** An open listen socket. */
export interface TcpListener {
  /** What it is bound to, with the port that was picked. */
  readonly local: Endpoint
  /** Takes no more connections; those that stand are not touched. */
  close(): void
}

/** TCP: connections out, and sockets to listen on. */
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
