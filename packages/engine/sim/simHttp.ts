import { isV6 } from '../src/address/endpoint.ts'
import { type LibtorrentError, libtorrentError } from '../src/errors/libtorrentError.ts'
import type { Timer } from '../src/platform/clock.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../src/platform/http.ts'
import type { ProxyRoute } from '../src/platform/proxyRoute.ts'
import { EMPTY_BYTES, utf8 } from '../src/util/bytes.ts'
import type { Millis } from '../src/util/flavored.ts'
import { type SimErrorCode, simError } from './simErrors.ts'
import type { SimHost } from './simHost.ts'
import type { SimProcess, SimResource } from './simProcess.ts'
import type { SimResolver } from './simResolver.ts'
import { wayOut } from './simWayOut.ts'
import type { SimWeb, WebReply } from './simWeb.ts'

const DEFAULT_REDIRECTS = 5

/**
 * HTTP as one program sees it. Exchanges are not carried byte by byte over streams: the time for name resolution, the
 * connection's and the request's round trip, the server's own time and the body at the lines' rates is added up.
 */
export class SimHttp implements HttpClient {
  constructor(
    private readonly process: SimProcess,
    private readonly resolver: SimResolver,
    private readonly web: SimWeb,
  ) {}

  get(request: HttpRequest, done: (result: HttpResponse | LibtorrentError) => void): () => void {
    const exchange = new Exchange(this.process, this.resolver, this.web, request, done)
    exchange.start()
    return () => exchange.kill()
  }
}

class Exchange implements SimResource {
  private over = false
  private redirects = 0
  private url: string
  private deadline: Timer | null = null
  private silence: Timer | null = null
  private step: Timer | null = null
  private stopLookup: (() => void) | null = null

  constructor(
    private readonly process: SimProcess,
    private readonly resolver: SimResolver,
    private readonly web: SimWeb,
    private readonly request: HttpRequest,
    private readonly done: (result: HttpResponse | LibtorrentError) => void,
  ) {
    this.url = request.url
  }

  start(): void {
    const { process, request } = this
    process.adopt('http request', this)
    process.network.log.add(`http ${process.host.name} ${request.url}`)
    this.deadline = process.network.time.after(request.completionTimeout, () => this.timeOut())
    this.waitAgain()
    this.next(0, () => this.visit())
  }

  kill(): void {
    this.over = true
    this.deadline?.cancel()
    this.silence?.cancel()
    this.step?.cancel()
    this.stopLookup?.()
    this.process.release(this)
  }

  describe(): string {
    return this.url
  }

  private visit(): void {
    if (!URL.canParse(this.url)) return this.finish(libtorrentError('urlParseError'))
    const url = new URL(this.url)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      return this.finish(libtorrentError('unsupportedUrlProtocol'))
    }
    const resolver = this.request.resolver ?? this.resolver
    const { proxy } = this.request
    if (proxy !== undefined) return this.visitThrough(proxy, url)
    this.stopLookup = resolver.resolve(url.hostname, (result) => {
      this.stopLookup = null
      if ('code' in result) return this.finish(result)
      this.connect(url, result)
    })
  }

  /** The way to a proxy as to a server; what lies behind is the proxy's: see `SimWayOut`. */
  private visitThrough(proxy: ProxyRoute, url: URL): void {
    const { process } = this
    const resolver = this.request.resolver ?? this.resolver
    this.stopLookup = resolver.resolve(proxy.host, (result) => {
      this.stopLookup = null
      if ('code' in result) return this.finish(result)
      const out = wayOut(process, this.web, { address: result[0], port: proxy.port }, url)
      if (out === 'silent') return
      if ('code' in out) return this.next(process.host.latency, () => this.finish(out))
      this.next(out.roundTrip, () => {
        const reply = out.site.respond({
          url: this.url,
          path: url.pathname,
          query: this.url.includes('?') ? this.url.slice(this.url.indexOf('?') + 1).split('#')[0] : '',
          headers: lowerCaseNames(this.request.headers),
          body: this.request.body ?? null,
          from: out.from,
        })
        this.answer(reply, out.site.host, url.hostname, out.roundTrip / 2)
      })
    })
  }

  private connect(url: URL, addresses: readonly string[]): void {
    const { network, host } = this.process
    const { family } = this.request
    const usable = family === undefined ? addresses : addresses.filter((each) => isV6(each) === (family === 6))
    if (usable.length === 0) return this.fail('EAFNOSUPPORT')
    let refusal: LibtorrentError | null = null
    const address = usable.find((each) => {
      const error = this.request.checkAddress?.(each, this.url) ?? null
      refusal ??= error
      return error === null
    })
    if (address === undefined) return this.finish(refusal ?? simError('ENOTFOUND', 'hostnameLookup'))
    const bind = this.request.localAddress
    if (bind !== undefined && !host.canBind(bind)) return this.fail('EADDRNOTAVAIL')
    const from = bind ?? host.sourceFor(address)
    if (from === null) return this.fail('ENETUNREACH')
    const target = network.hostAt(address, host)
    if (target === null) {
      if (!network.isBlackHole(address)) this.next(host.latency, () => this.fail('EHOSTUNREACH'))
      return
    }
    if (network.isBlocked(host, target)) return
    const roundTrip = network.latency(host, target) + network.latency(target, host)
    this.next(roundTrip, () => {
      const site = this.web.find(url.origin)
      if (site === null || site.host !== target) return this.fail('ECONNREFUSED')
      this.next(roundTrip / 2, () => {
        const reply = site.respond({
          url: this.url,
          path: url.pathname,
          query: this.url.includes('?') ? this.url.slice(this.url.indexOf('?') + 1).split('#')[0] : '',
          headers: lowerCaseNames(this.request.headers),
          body: this.request.body ?? null,
          from,
        })
        this.answer(reply, target, address, roundTrip / 2)
      })
    })
  }

  private answer(reply: WebReply, server: SimHost, address: string, wayBack: Millis): void {
    const { network, host } = this.process
    if (reply === 'refuse') return this.fail('ECONNREFUSED')
    if (reply === 'reset') return this.next(wayBack, () => this.fail('ECONNRESET'))
    if (reply === 'timeout') return
    const body = typeof reply.body === 'string' ? utf8(reply.body) : (reply.body ?? EMPTY_BYTES)
    const rates = [server.uplink.bytesPerSecond, host.downlink.bytesPerSecond].filter((rate) => rate > 0)
    const transfer = rates.length === 0 ? 0 : (body.length * 1000) / Math.min(...rates)
    this.next((reply.delay ?? 0) + wayBack, () => {
      if (network.isBlocked(server, host)) return
      const status = reply.status ?? 200
      const headers = lowerCaseNames(reply.headers)
      if (status >= 300 && status < 400 && this.redirects < (this.request.maxRedirects ?? DEFAULT_REDIRECTS)) {
        return this.redirect(headers.location)
      }
      if (body.length > this.request.maxBodyBytes) return this.finish(libtorrentError('packetTooLarge'))
      // From here on bytes keep coming: only the completion timeout counts.
      this.silence?.cancel()
      this.next(transfer, () =>
        this.finish({ status, headers, body: new Uint8Array(body), remoteAddress: address, finalUrl: this.url }),
      )
    })
  }

  private redirect(location: string | undefined): void {
    this.redirects++
    if (location === undefined) return this.finish(libtorrentError('httpMissingLocation'))
    const to = URL.canParse(location, this.url) ? new URL(location, this.url).href : ''
    const loosensSecurity = this.url.startsWith('https:') && to.startsWith('http:')
    if (to === '' || loosensSecurity) return this.finish(libtorrentError('invalidRedirection'))
    this.url = to
    this.waitAgain()
    this.visit()
  }

  /** The other side has been heard of: its silence counts from now. */
  private waitAgain(): void {
    this.silence?.cancel()
    this.silence = this.process.network.time.after(this.request.receiveTimeout, () => this.timeOut())
  }

  private timeOut(): void {
    this.finish(libtorrentError('timedOut'))
  }

  private fail(code: SimErrorCode): void {
    this.finish(simError(code, 'connect'))
  }

  private next(delay: Millis, act: () => void): void {
    this.step = this.process.network.time.after(delay, act)
  }

  private finish(result: HttpResponse | LibtorrentError): void {
    if (this.over) return
    this.kill()
    this.process.network.log.add(`http ${this.url} ${'code' in result ? result.code : result.status}`)
    this.done(result)
  }
}

function lowerCaseNames(headers: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
}
