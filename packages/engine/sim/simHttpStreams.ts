import { type LibtorrentError, libtorrentError } from '../src/errors/libtorrentError.ts'
import type { Timer } from '../src/platform/clock.ts'
import type {
  HttpStream,
  HttpStreamClient,
  HttpStreamHandler,
  HttpStreamRequest,
  HttpStreams,
} from '../src/platform/httpStream.ts'
import type { ProxyRoute } from '../src/platform/proxyRoute.ts'
import type { Resolver } from '../src/platform/resolver.ts'
import { EMPTY_BYTES, utf8 } from '../src/util/bytes.ts'
import type { Millis } from '../src/util/flavored.ts'
import { type SimErrorCode, simError } from './simErrors.ts'
import type { SimHost } from './simHost.ts'
import type { SimProcess, SimResource } from './simProcess.ts'
import type { SimResolver } from './simResolver.ts'
import { wayOut } from './simWayOut.ts'
import type { SimWeb, WebReply } from './simWeb.ts'

const CHUNK_BYTES = 16 * 1024

/**
 * HTTP streams as one program sees them: the answers of the world's web servers, whose bodies arrive in chunks at the rate
 * of the slower line. A server that is stopped or replaced breaks what it was sending.
 */
export class SimHttpStreams implements HttpStreams {
  constructor(
    private readonly process: SimProcess,
    private readonly resolver: SimResolver,
    private readonly web: SimWeb,
  ) {}

  newClient(): HttpStreamClient {
    return {
      open: (request, handler) => {
        const stream = new SimHttpStream(this.process, this.resolver, this.web, request, handler)
        stream.start()
        return stream
      },
      // Connections between exchanges are not modelled.
      close() {},
    }
  }
}

class SimHttpStream implements HttpStream, SimResource {
  private over = false
  private step: Timer | null = null
  private silence: Timer | null = null
  private stopLookup: (() => void) | null = null
  /** What was not taken, and where the body goes on. */
  private held: { readonly chunk: Uint8Array; readonly next: () => void } | null = null

  constructor(
    private readonly process: SimProcess,
    private readonly resolver: SimResolver,
    private readonly web: SimWeb,
    private readonly request: HttpStreamRequest,
    private readonly handler: HttpStreamHandler,
  ) {}

  start(): void {
    const { process, request } = this
    process.adopt('http request', this)
    process.network.log.add(`http ${process.host.name} ${request.url} ${request.headers.range ?? ''}`)
    this.listen()
    this.next(0, () => this.look())
  }

  resume(): void {
    const { held } = this
    if (held === null || this.over) return
    this.held = null
    this.listen()
    this.deliver(held.chunk, held.next)
  }

  abort(): void {
    this.kill()
  }

  kill(): void {
    this.over = true
    this.step?.cancel()
    this.silence?.cancel()
    this.stopLookup?.()
    this.process.release(this)
  }

  describe(): string {
    return this.request.url
  }

  private look(): void {
    const url = new URL(this.request.url)
    const resolver = this.request.resolver ?? this.resolver
    const { proxy } = this.request
    if (proxy !== undefined) return this.lookThrough(proxy, url, resolver)
    this.stopLookup = resolver.resolve(url.hostname.replace(/^\[|\]$/g, ''), (result) => {
      this.stopLookup = null
      if (this.over) return
      if ('code' in result) this.fail(result)
      else this.connect(url, result[0])
    })
  }

  private lookThrough(proxy: ProxyRoute, url: URL, resolver: Resolver): void {
    this.stopLookup = resolver.resolve(proxy.host, (result) => {
      this.stopLookup = null
      if (this.over) return
      if ('code' in result) return this.fail(result)
      const out = wayOut(this.process, this.web, { address: result[0], port: proxy.port }, url)
      if (out === 'silent') return
      if ('code' in out) return this.next(this.process.host.latency, () => this.fail(out))
      this.next(out.roundTrip, () => {
        const reply = out.site.respond({
          url: this.request.url,
          path: url.pathname,
          query: url.search.slice(1),
          headers: this.request.headers,
          body: null,
          from: out.from,
        })
        this.answer(reply, out.site.host, url.hostname, out.roundTrip / 2)
      })
    })
  }

  private connect(url: URL, address: string): void {
    const { network, host } = this.process
    const refusal = this.request.checkAddress?.(address) ?? null
    if (refusal !== null) return this.fail(refusal)
    const from = this.request.localAddress ?? host.sourceFor(address)
    if (from === null) return this.break('ENETUNREACH')
    const server = network.hostAt(address, host)
    if (server === null) {
      if (!network.isBlackHole(address)) this.next(host.latency, () => this.break('EHOSTUNREACH'))
      return
    }
    if (network.isBlocked(host, server)) return
    const oneWay = network.latency(host, server)
    this.next(3 * oneWay, () => {
      const site = this.web.find(url.origin)
      if (site === null || site.host !== server) return this.break('ECONNREFUSED')
      const reply = site.respond({
        url: this.request.url,
        path: url.pathname,
        query: url.search.slice(1),
        headers: this.request.headers,
        body: null,
        from,
      })
      this.answer(reply, server, address, oneWay)
    })
  }

  private answer(reply: WebReply, server: SimHost, address: string, wayBack: Millis): void {
    if (reply === 'refuse') return this.break('ECONNREFUSED')
    if (reply === 'reset') return this.next(wayBack, () => this.break('ECONNRESET'))
    if (reply === 'timeout') return
    const { network, host } = this.process
    const body = typeof reply.body === 'string' ? utf8(reply.body) : (reply.body ?? EMPTY_BYTES)
    const { origin } = new URL(this.request.url)
    const site = this.web.find(origin)
    const rates = [server.uplink.bytesPerSecond, host.downlink.bytesPerSecond].filter((rate) => rate > 0)
    const rate = rates.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...rates)
    const send = (at: number): void => {
      if (at >= body.length) return this.finish()
      const chunk = body.subarray(at, at + CHUNK_BYTES)
      this.next((chunk.length * 1000) / rate, () => {
        if (network.isBlocked(server, host)) return
        if (this.web.find(origin) !== site) return this.break('ECONNRESET')
        this.deliver(chunk, () => send(at + chunk.length))
      })
    }
    this.next((reply.delay ?? 0) + wayBack, () => {
      if (network.isBlocked(server, host)) return
      this.listen()
      this.handler.onResponse({ status: reply.status ?? 200, headers: reply.headers ?? {}, remoteAddress: address })
      if (!this.over) send(0)
    })
  }

  private deliver(chunk: Uint8Array, next: () => void): void {
    this.listen()
    // A view that is not to be kept.
    const lent = Uint8Array.from(chunk)
    const taken = this.handler.onData(lent)
    lent.fill(0xee)
    if (this.over) return
    if (taken === chunk.length) return next()
    this.silence?.cancel()
    this.held = { chunk: chunk.subarray(taken), next }
  }

  /** The server has been heard of: its silence counts from now. */
  private listen(): void {
    this.silence?.cancel()
    this.silence = this.process.network.time.after(this.request.receiveTimeout, () =>
      this.fail(libtorrentError('timedOut')),
    )
  }

  private next(delay: Millis, act: () => void): void {
    this.step = this.process.network.time.after(delay, act)
  }

  private finish(): void {
    this.kill()
    this.handler.onEnd()
  }

  private break(code: SimErrorCode): void {
    this.fail(simError(code, 'connect'))
  }

  private fail(error: LibtorrentError): void {
    if (this.over) return
    this.kill()
    this.process.network.log.add(`http ${this.request.url} ${error.code}`)
    this.handler.onError(error)
  }
}
