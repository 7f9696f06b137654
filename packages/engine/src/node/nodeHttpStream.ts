import { isIP, type Socket } from 'node:net'
import { normalizeAddress } from '../address/addressBytes.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { requestText } from '../http/requestText.ts'
import type { ResponseHead } from '../http/responseHead.ts'
import { type ResponseHandler, ResponseReader } from '../http/responseReader.ts'
import type { HttpStream, HttpStreamHandler, HttpStreamRequest } from '../platform/httpStream.ts'
import { routeKey } from '../platform/proxyRoute.ts'
import type { Millis } from '../util/flavored.ts'
import { checkedLookup } from './checkedLookup.ts'
import { HttpConnection, type HttpConnectionUser, type HttpTarget } from './httpConnection.ts'
import type { HttpConnections } from './httpConnections.ts'
import { connectionLost, httpFailure } from './httpFailure.ts'
import { isLookedUpByProxy, type ProxiedRequest, proxiedRequest } from './proxiedHttp.ts'

/** Node's timers take no more. */
const MAX_TIMER_MS: Millis = 0x7fff_ffff

/** One exchange. What it tells its handler it tells later, and nothing once it is over. */
export class NodeHttpStream implements HttpStream, HttpConnectionUser, ResponseHandler {
  private over = false
  private connection: HttpConnection | null = null
  private isReused = false
  private hasAnswer = false
  private readonly reader = new ResponseReader(this)
  /** Bytes that were not taken: while there are some, nothing is read. */
  private held: Uint8Array | null = null
  /** The connection ended behind the bytes that are held. */
  private ended = false
  private silence: NodeJS.Timeout | null = null
  private target: HttpTarget | null = null
  /** How the request goes through a proxy; null: there is none. */
  private way: ProxiedRequest | null = null

  constructor(
    private readonly request: HttpStreamRequest,
    private readonly handler: HttpStreamHandler,
    private readonly connections: HttpConnections,
  ) {}

  start(): void {
    queueMicrotask(() => {
      this.begin().catch((cause) => {
        // What is thrown once it is over is not its failure, but its owner's.
        if (this.over) throw cause
        this.fail(httpFailure(cause, this.request.tls))
      })
    })
  }

  resume(): void {
    const { held } = this
    if (held === null || this.over) return
    this.held = null
    this.watch()
    if (!this.read(held, held) || this.over) return
    if (this.ended) this.onClosed(null)
    else this.connection?.resume()
  }

  abort(): void {
    if (this.over) return
    this.end()
    this.way?.abort()
    this.connection?.destroy()
  }

  // --- what the connection tells --------------------------------------------------------------------------------

  onRead(bytes: Uint8Array): boolean {
    this.hasAnswer = true
    this.watch()
    if (this.held === null) return this.read(bytes, null)
    // TLS has read on.
    this.held = Buffer.concat([this.held, bytes])
    return false
  }

  onClosed(cause: unknown): void {
    if (this.over) return
    // A connection that the server closed just as we used it again is no failure of the request.
    if (this.isReused && !this.hasAnswer) return this.connect(false)
    if (cause !== null) return this.fail(httpFailure(cause, this.request.tls))
    this.ended = true
    if (this.held !== null) return
    if (this.reader.end()) this.finish(false)
    else this.fail(connectionLost())
  }

  // --- what the answer is ---------------------------------------------------------------------------------------

  onHead({ status, headers }: ResponseHead): void {
    const direct = this.way === null
    const remote = direct ? (this.connection?.remoteAddress ?? '') : new URL(this.request.url).hostname
    this.handler.onResponse({ status, headers, remoteAddress: normalizeAddress(remote) ?? remote })
  }

  onBody(bytes: Uint8Array): number {
    return this.over ? bytes.length : this.handler.onData(bytes)
  }

  // --------------------------------------------------------------------------------------------------------------

  private async begin(): Promise<void> {
    const url = new URL(this.request.url)
    const { localAddress, resolver, validateCertificate = true, tls, proxy } = this.request
    const isSecure = url.protocol === 'https:'
    const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
    const family = localAddress === undefined ? 0 : isIP(localAddress)
    const check = (address: string) => this.check(address)
    const target = {
      tlsModule: isSecure ? await import('node:tls') : null,
      host,
      port: Number(url.port) || (isSecure ? 443 : 80),
      validateCertificate,
      tls,
      localAddress,
      lookup: checkedLookup(resolver, check, family),
      via: '',
    }
    if (this.over) return
    if (proxy === undefined) this.target = target
    else {
      const { headers } = this.request
      this.way = proxiedRequest(proxy, url, headers, { resolver, localAddress, validateCertificate, tls, check })
      // The only name looked up on the way to a proxy is its own.
      const lookup = checkedLookup(resolver, () => null, family)
      const { hostname, port, connect } = this.way
      const first = connect === null ? { host: hostname, port: Number(port) } : null
      this.target = { ...target, ...first, lookup, via: routeKey(proxy) }
    }
    // A literal address is connected to without a lookup, and a name that the proxy looks up never has one here.
    const isJudged = isIP(host) !== 0 || (proxy !== undefined && isLookedUpByProxy(proxy, url))
    const refused = isJudged ? this.check(host) : null
    if (refused !== null) this.fail(refused)
    else this.connect(true)
  }

  private check(address: string): LibtorrentError | null {
    return this.request.checkAddress?.(normalizeAddress(address) ?? address) ?? null
  }

  private connect(mayReuse: boolean): void {
    const { target, request, way } = this
    const path = way?.connect === null ? way.path : undefined
    const text = requestText(new URL(request.url), way?.headers ?? request.headers, path)
    if (target === null || text === null) return this.fail(libtorrentError('urlParseError', { operation: 'connect' }))
    const used = mayReuse ? this.connections.take(target) : null
    this.isReused = used !== null
    // A connection that is used again was allowed to somebody else. Of a proxy the address says nothing.
    const refused = used === null || way !== null ? null : this.check(used.remoteAddress)
    if (refused !== null) {
      used?.destroy()
      return this.fail(refused)
    }
    this.watch()
    if (used !== null) this.ask(used, text)
    else if (way?.connect == null) this.ask(HttpConnection.to(target), text)
    else {
      way.connect({}, (error, socket) => {
        if (this.over) socket?.destroy()
        else if (error !== null) this.fail(httpFailure(error, this.request.tls))
        else this.ask(HttpConnection.over(socket as Socket), text)
      })
    }
  }

  private ask(connection: HttpConnection, text: string): void {
    this.connection = connection
    this.watch()
    connection.send(text, this)
  }

  /** Whether all bytes were taken and more may come; the rest is kept, as it is when it is of `own`. */
  private read(bytes: Uint8Array, own: Uint8Array | null): boolean {
    const { reader } = this
    const done = reader.read(bytes)
    if (this.over) return true
    if (reader.state === 'malformed') this.fail(libtorrentError('httpParseError', { operation: 'socketRead' }))
    else if (reader.state === 'complete') this.finish(done < bytes.length)
    else if (done < bytes.length) {
      this.held = own === null ? bytes.slice(done) : own.subarray(done)
      return false
    }
    return true
  }

  /** Something happened: silence begins now. */
  private watch(): void {
    if (this.silence !== null) return void this.silence.refresh()
    const expire = () => {
      // While we do not read it is our silence.
      if (this.held !== null) this.watch()
      else this.fail(libtorrentError('timedOut', { operation: 'socketRead' }))
    }
    this.silence = setTimeout(expire, Math.min(this.request.receiveTimeout, MAX_TIMER_MS)).unref()
  }

  /** The answer is complete; what is `surplus` belongs to no answer, so that the connection cannot be trusted. */
  private finish(surplus: boolean): void {
    const { connection, target, reader } = this
    this.end()
    if (connection !== null && target !== null) {
      if (reader.head?.keepsConnection && !surplus && !this.ended) this.connections.giveBack(target, connection)
      else connection.destroy()
    }
    this.handler.onEnd()
  }

  private fail(error: LibtorrentError): void {
    if (this.over) return
    this.abort()
    this.handler.onError(error)
  }

  private end(): void {
    this.over = true
    this.held = null
    clearTimeout(this.silence ?? undefined)
  }
}
