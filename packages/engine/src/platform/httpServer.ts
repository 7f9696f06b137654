import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { WebSocketService } from './webSocketServer.ts'

export interface HttpAnswer {
  readonly status: number
  readonly body: Uint8Array
}

/** Answers one GET, at once. `target` is path and query as they came; `address` is the client's. Never throws. */
export type HttpHandler = (target: string, address: string) => HttpAnswer

/** What one server lets strangers take, and whom it believes who they are. */
export interface HttpServerLimits {
  /** Connections at once, beside those that have become WebSockets. */
  readonly maxConnections: number
  /** Of one address (of IPv6: one /64), WebSockets among them; this machine's own may have all. */
  readonly maxConnectionsPerIp: number
  /** Connections from this machine come from a web server, which says in `X-Forwarded-For` from whom it has them. */
  readonly trustsProxy: boolean
}

export interface HttpListener {
  readonly local: Endpoint
  /** Finishes answers on their way, for a moment at most, then closes every connection and calls `done`. */
  close(done: () => void): void
}

/** A small HTTP server: requests without bodies, answers made on the spot; and WebSockets. */
export interface HttpServer {
  /**
   * Listens on `local` (port 0 picks one); IPv6 listeners are IPv6 only. With `webSockets`, which take `loadWebSockets`
   * first, clients may become WebSockets.
   */
  listen(
    local: Endpoint,
    handler: HttpHandler,
    limits: HttpServerLimits,
    done: (result: HttpListener | LibtorrentError) => void,
    webSockets?: WebSocketService,
  ): void
  /** Loads what WebSockets take. An error: it is not installed, and the message says what to do about it. */
  loadWebSockets(done: (error: LibtorrentError | null) => void): void
}
