import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'

export interface HttpAnswer {
  readonly status: number
  readonly body: Uint8Array
}

/** Answers one GET, at once. `target` is path and query as they came; `address` is the client's. Never throws. */
export type HttpHandler = (target: string, address: string) => HttpAnswer

/** What one server lets strangers take. */
export interface HttpServerLimits {
  /** Connections at once. */
  readonly maxConnections: number
  /** Of one address; this machine's own may have all. */
  readonly maxConnectionsPerIp: number
}

export interface HttpListener {
  readonly local: Endpoint
  /** Finishes answers on their way, for a moment at most, then closes every connection and calls `done`. */
  close(done: () => void): void
}

/** A small HTTP server: requests without bodies, answers made on the spot. */
export interface HttpServer {
  /** Listens on `local` (port 0 picks one); IPv6 listeners are IPv6 only. */
  listen(
    local: Endpoint,
    handler: HttpHandler,
    limits: HttpServerLimits,
    done: (result: HttpListener | LibtorrentError) => void,
  ): void
}
