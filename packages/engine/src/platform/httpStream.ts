import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Millis } from '../util/flavored.ts'
import type { ProxyRoute } from './proxyRoute.ts'
import type { Resolver } from './resolver.ts'
import type { TlsContext } from './tls.ts'

export interface HttpStreamRequest {
  /** `http:` or `https:`, without credentials or fragment. */
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Longest silence while connecting, waiting for and receiving the answer; time in which we do not read is no silence. */
  readonly receiveTimeout: Millis
  /** Check certificates of https servers. Default true. */
  readonly validateCertificate?: boolean
  /** Takes the place of the system's authorities, as in `HttpRequest`. */
  readonly tls?: TlsContext | undefined
  /** Looks host names up. Default: the system's way. */
  readonly resolver?: Resolver
  /** Judges every address before it is used, after name resolution, also that of a connection that is used again. */
  readonly checkAddress?: (address: string) => LibtorrentError | null
  /** Bind outgoing connections to this local address. */
  readonly localAddress?: string
  /**
   * Through this proxy, https and SOCKS by a tunnel, http by an HTTP proxy as a plain request. `localAddress`
   * counts for the way to the proxy; `checkAddress` judges the name where it is the proxy that looks it up.
   */
  readonly proxy?: ProxyRoute | undefined
}

/** An answer before its body. Redirects are answers like others: nothing is followed. */
export interface HttpStreamHead {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly remoteAddress: string
}

/** Told of one exchange, later, in this order. After `onEnd` or `onError`, and after `abort`, nothing comes. */
export interface HttpStreamHandler {
  onResponse(head: HttpStreamHead): void
  /**
   * The next bytes of the body, without transfer encoding; a view valid during the call. Gives how many of them were
   * taken: when not all, the rest comes again after `resume`, and until then the server is not read from.
   */
  onData(chunk: Uint8Array): number
  /** The body is complete, as the server counted it. */
  onEnd(): void
  onError(error: LibtorrentError): void
}

export interface HttpStream {
  /** There is room again for what `onData` did not take. */
  resume(): void
  /** Ends the exchange, and the connection with it unless the body is complete. */
  abort(): void
}

/** HTTP(S) exchanges of any length, over connections that are kept for the next one. */
export interface HttpStreamClient {
  /** Asks for `request.url` with GET. */
  open(request: HttpStreamRequest, handler: HttpStreamHandler): HttpStream
  /** Closes the connections that nobody uses; those in use end with their exchange. */
  close(): void
}

/** Makes clients; each keeps connections of its own. */
export interface HttpStreams {
  /** `maxIdle`: connections kept while nobody uses them. */
  newClient(maxIdle: number): HttpStreamClient
}
