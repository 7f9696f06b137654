import type { Millis } from '../src/util/flavored.ts'
import type { SimHost } from './simHost.ts'

/** A request to a simulated web server. */
export interface WebRequest {
  /** As it was asked for, with scheme and host. */
  readonly url: string
  /** Path without the query. */
  readonly path: string
  /** What follows `?`, as sent; empty without one. */
  readonly query: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Of a POST; null for a GET. */
  readonly body: Uint8Array | null
  /** Address the request comes from. */
  readonly from: string
}

/** What a simulated web server answers. */
export interface WebResponse {
  /** Default 200. A 3xx with a `location` header is followed by the client. */
  readonly status?: number
  /** Names in lower case. Default none. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is; text as UTF-8. Default empty. */
  readonly body?: Uint8Array | string
  /** Time the server thinks before it answers, ms. Default 0. */
  readonly delay?: Millis
}

/** `timeout`: no answer, ever. `reset`: the server breaks the connection. `refuse`: nobody listens. */
export type WebReply = WebResponse | 'timeout' | 'reset' | 'refuse'

/** A web server: what it answers to each request. */
export type WebHandler = (request: WebRequest) => WebReply

export interface WebSite {
  readonly host: SimHost
  readonly respond: WebHandler
}

/** The web servers of the world: functions, by the origin of their URLs. */
export class SimWeb {
  private readonly sites = new Map<string, WebSite>()

  /**
   * Answers requests for URLs with this origin, such as `http://tracker.example:6969`, that reach `host`.
   * A later call for the same origin replaces the first.
   */
  serve(origin: string, host: SimHost, respond: WebHandler): void {
    this.sites.set(new URL(origin).origin, { host, respond })
  }

  stop(origin: string): void {
    this.sites.delete(new URL(origin).origin)
  }

  find(origin: string): WebSite | null {
    return this.sites.get(origin) ?? null
  }
}
