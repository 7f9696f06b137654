import type { LibtorrentError } from '../errors/libtorrentError.ts'

/** Where a proxy is to connect to: a host name, or an address as canonical text. */
export interface ProxyTarget {
  readonly host: string
  readonly port: number
}

/** What became of the bytes of a proxy. */
export type HandshakeStep =
  /** More have to come; `send` is what the proxy is to be told now, null nothing. */
  | { readonly name: 'wait'; readonly send: Uint8Array | null }
  /**
   * The tunnel stands. `rest`, a view of the bytes that came last, is the first of what came through it. `bound` is the
   * address the proxy names as its own, null if it names none.
   */
  | { readonly name: 'done'; readonly rest: Uint8Array; readonly bound: ProxyTarget | null }
  | { readonly name: 'failed'; readonly error: LibtorrentError }

/**
 * The client's side of agreeing with a proxy on a connection. Knows bytes only: who uses it sends what it says, gives it
 * what comes, and keeps the time. What it keeps is bounded whatever the proxy sends.
 */
export interface ProxyHandshake {
  /** The first bytes to send. To be called once, before anything else. */
  start(): Uint8Array
  /** Takes what the proxy sent. Not to be called after `done` or `failed`. */
  push(bytes: Uint8Array): HandshakeStep
  /**
   * The proxy was told where to connect to and has not answered: when it closes now, that is about the target rather than
   * about the proxy.
   */
  readonly isAsking: boolean
}
