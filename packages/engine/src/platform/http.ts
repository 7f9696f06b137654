import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Millis } from '../util/flavored.ts'
import type { ProxyRoute } from './proxyRoute.ts'
import type { Resolver } from './resolver.ts'
import type { TlsContext } from './tls.ts'

/** One HTTP(S) GET. Times are milliseconds. */
export interface HttpRequest {
  /** `http:` or `https:`; a name and password in it become an `Authorization` header. */
  readonly url: string
  /** Headers to send beside those every request has. Default none. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sent by POST, after each redirect too. Default: a GET without a body. */
  readonly body?: Uint8Array
  /** The whole exchange, redirects included, must be over within this time. */
  readonly completionTimeout: Millis
  /** Longest silence while waiting for or receiving the answer. */
  readonly receiveTimeout: Millis
  /** Largest body accepted, bytes after decompression. Beyond it the exchange is aborted with `packetTooLarge`. */
  readonly maxBodyBytes: number
  /** Redirects followed at most. Default 5. */
  readonly maxRedirects?: number
  /** Check certificates of https servers. Default true. */
  readonly validateCertificate?: boolean
  /**
   * Https servers must have a certificate for their name that is signed by the one root certificate of this context, in
   * place of the system's, and are shown its identity. `validateCertificate` does not count then.
   */
  readonly tls?: TlsContext | undefined
  /**
   * Judges every address about to be connected to, on each hop and after name resolution, so that neither a redirect
   * nor a name that changes its answer reaches where it must not. An error refuses the connection. Default: all pass.
   */
  readonly checkAddress?: (address: string, url: string) => LibtorrentError | null
  /** Looks host names up. Default: the client's own way. */
  readonly resolver?: Resolver
  /** Bind outgoing connections to this local address. */
  readonly localAddress?: string | undefined
  /**
   * Through this proxy, https and SOCKS by a tunnel, http by an HTTP proxy as a plain request. `family` does not count
   * then, `localAddress` for the way to the proxy; `checkAddress` judges the name where it is the proxy that looks it up.
   */
  readonly proxy?: ProxyRoute | undefined
  /** Connect to addresses of this family only. A server that has none fails with `EAFNOSUPPORT`. Default: both. */
  readonly family?: 4 | 6 | undefined
}

/** What a server answered. */
export interface HttpResponse {
  /** 100 to 599. Any status is an answer, not an error. */
  readonly status: number
  /** Names in lower case; of one that came several times the values, with `, ` between them. */
  readonly headers: Readonly<Record<string, string>>
  /** Decompressed body. */
  readonly body: Uint8Array
  /** The address the answer came from. */
  readonly remoteAddress: string
  /** The URL after redirects. */
  readonly finalUrl: string
}

/** Small HTTP(S) exchanges: tracker announces and scrapes, .torrent files by URL, a router's control. */
export interface HttpClient {
  /** `done` is called once, later. Any status is a response, not an error. Returns a function that cancels silently. */
  get(request: HttpRequest, done: (result: HttpResponse | LibtorrentError) => void): () => void
}
