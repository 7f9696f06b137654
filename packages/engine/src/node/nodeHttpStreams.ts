import type { Agent as HttpAgent, IncomingMessage, RequestOptions } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { isIP } from 'node:net'
import { normalizeAddress } from '../address/addressBytes.ts'
import { LibtorrentError, libtorrentError, systemError } from '../errors/libtorrentError.ts'
import type {
  HttpStream,
  HttpStreamClient,
  HttpStreamHandler,
  HttpStreamRequest,
  HttpStreams,
} from '../platform/httpStream.ts'
import type { Millis } from '../util/flavored.ts'
import { checkedLookup } from './checkedLookup.ts'
import { isLookedUpByProxy, type ProxiedRequest, proxiedRequest } from './proxiedHttp.ts'
import { ProxyAgents, type WithConnect } from './proxyAgents.ts'

/** All header lines of an answer together. */
const MAX_HEADER_BYTES = 16 * 1024
/** Before the next of several addresses is tried beside the first. */
const ADDRESS_ATTEMPT_MS: Millis = 1000
/** A connection nobody uses is kept so long; servers mostly close them sooner. */
const IDLE_MS: Millis = 30_000
/** Node's timers take no more. */
const MAX_TIMER_MS: Millis = 0x7fff_ffff

/** Streams by Node's own HTTP client, which is loaded with the first request. */
export class NodeHttpStreams implements HttpStreams {
  newClient(maxConnections: number): HttpStreamClient {
    return new NodeHttpStreamClient(maxConnections)
  }
}

class NodeHttpStreamClient implements HttpStreamClient {
  private http: HttpAgent | null = null
  private https: HttpsAgent | null = null
  private isClosed = false
  private readonly proxied: ProxyAgents

  constructor(private readonly maxConnections: number) {
    this.proxied = new ProxyAgents({ maxSockets: maxConnections, timeout: IDLE_MS })
  }

  open(request: HttpStreamRequest, handler: HttpStreamHandler): HttpStream {
    const { proxy } = request
    const stream = new NodeHttpStream(request, handler, (protocol) =>
      proxy === undefined ? this.agent(protocol) : this.proxied.agentFor(protocol, proxy),
    )
    stream.start()
    return stream
  }

  close(): void {
    this.isClosed = true
    this.proxied.close()
    // Sockets in use belong to requests, which their owners abort.
    for (const agent of [this.http, this.https]) {
      for (const sockets of Object.values(agent?.freeSockets ?? {}))
        for (const socket of sockets ?? []) socket.destroy()
    }
  }

  private async agent(protocol: string): Promise<{ module: typeof import('node:http'); agent: HttpAgent | false }> {
    const options = {
      keepAlive: true,
      maxSockets: this.maxConnections,
      maxFreeSockets: this.maxConnections,
      timeout: IDLE_MS,
    }
    if (protocol === 'https:') {
      const module = await import('node:https')
      this.https ??= new module.Agent(options)
      return { module: module as unknown as typeof import('node:http'), agent: this.isClosed ? false : this.https }
    }
    const module = await import('node:http')
    this.http ??= new module.Agent(options)
    return { module, agent: this.isClosed ? false : this.http }
  }
}

/** One exchange. What it tells its handler it tells later, and nothing once it is over. */
class NodeHttpStream implements HttpStream {
  private over = false
  private hop: ReturnType<typeof import('node:http').get> | null = null
  private response: IncomingMessage | null = null
  /** Bytes that were not taken. */
  private held: Uint8Array | null = null
  /** The body ended behind the bytes that are held. */
  private ended = false
  private silence: NodeJS.Timeout | null = null
  private retried = false
  /** How the request goes through a proxy. */
  private way: ProxiedRequest | null = null

  constructor(
    private readonly request: HttpStreamRequest,
    private readonly handler: HttpStreamHandler,
    private readonly agentFor: (
      protocol: string,
    ) => Promise<{ module: typeof import('node:http'); agent: HttpAgent | false }>,
  ) {}

  start(): void {
    this.send().catch((cause) => {
      // What is thrown once it is over is not its failure, but its owner's.
      if (this.over) throw cause
      this.fail(cause)
    })
  }

  resume(): void {
    const { held } = this
    if (held === null || this.over) return
    this.held = null
    this.deliver(held)
    if (this.held !== null || this.over) return
    if (this.ended) return this.finish()
    this.watch()
    this.response?.resume()
  }

  abort(): void {
    if (this.over) return
    this.end()
    this.hop?.destroy()
    this.hop = null
    this.way?.abort()
  }

  private async send(): Promise<void> {
    const url = new URL(this.request.url)
    const { module, agent } = await this.agentFor(url.protocol)
    if (this.over) return
    const { localAddress, checkAddress, proxy, resolver } = this.request
    const validateCertificate = this.request.validateCertificate !== false
    const check = (address: string) => checkAddress?.(normalizeAddress(address) ?? address) ?? null
    const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
    // A literal address is connected to without a lookup.
    const isJudged = isIP(host) !== 0 || (proxy !== undefined && isLookedUpByProxy(proxy, url))
    const refused = isJudged ? check(host) : null
    if (refused !== null) return this.fail(refused)
    const through =
      proxy === undefined
        ? null
        : proxiedRequest(proxy, url, this.request.headers, { resolver, localAddress, validateCertificate, check })
    this.way = through
    const options: RequestOptions &
      WithConnect & { rejectUnauthorized: boolean; autoSelectFamilyAttemptTimeout: number } = {
      protocol: url.protocol,
      hostname: through?.hostname ?? host,
      port: through?.port ?? url.port,
      path: through?.path ?? url.pathname + url.search,
      headers: through?.headers ?? this.request.headers,
      connectThrough: through?.connect ?? null,
      agent,
      localAddress,
      // The only name looked up on the way to a proxy is its own.
      lookup: checkedLookup(
        resolver,
        through === null ? check : () => null,
        localAddress === undefined ? 0 : isIP(localAddress),
      ),
      maxHeaderSize: MAX_HEADER_BYTES,
      rejectUnauthorized: validateCertificate,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    }
    const hop = module.get(options)
    this.hop = hop
    this.watch()
    hop.on('socket', (socket) => {
      // A connection that is used again was allowed to somebody else.
      const known = hop.reusedSocket && through === null ? check(socket.remoteAddress ?? '') : null
      if (known !== null && hop === this.hop) this.fail(known)
    })
    hop.on('response', (response) => this.onResponse(hop, response))
    hop.on('error', (cause) => this.onHopFailed(hop, cause))
    hop.on('close', () => this.onHopFailed(hop, connectionLost()))
  }

  private onResponse(hop: unknown, response: IncomingMessage): void {
    if (hop !== this.hop || this.over) return void response.destroy()
    this.response = response
    this.watch()
    // Of a proxy the address says nothing about the server.
    const remote = this.way === null ? (response.socket.remoteAddress ?? '') : new URL(this.request.url).hostname
    response.on('data', (chunk: Uint8Array) => this.onChunk(chunk))
    response.on('end', () => {
      if (this.over) return
      if (!response.complete) return this.fail(connectionLost())
      this.ended = true
      if (this.held === null) this.finish()
    })
    response.on('error', (cause) => this.fail(cause))
    this.handler.onResponse({
      status: response.statusCode ?? 0,
      headers: plainHeaders(response),
      remoteAddress: normalizeAddress(remote) ?? remote,
    })
  }

  private onChunk(chunk: Uint8Array): void {
    if (this.over) return
    this.watch()
    if (this.held === null) this.deliver(chunk)
    // Node may have read on for a moment.
    else this.held = Buffer.concat([this.held, chunk])
  }

  private deliver(chunk: Uint8Array): void {
    const taken = this.handler.onData(chunk)
    if (this.over || taken >= chunk.length) return
    this.held = chunk.subarray(taken)
    this.response?.pause()
  }

  /** A connection that the server closed just as we used it again is no failure of the request. */
  private onHopFailed(hop: ReturnType<typeof import('node:http').get>, cause: unknown): void {
    if (hop !== this.hop || this.over || this.ended) return
    if (hop.reusedSocket && this.response === null && !this.retried && isReset(cause)) {
      this.retried = true
      this.hop = null
      return this.start()
    }
    this.fail(cause)
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

  private finish(): void {
    this.end()
    this.handler.onEnd()
  }

  private fail(cause: unknown): void {
    if (this.over) return
    this.abort()
    this.handler.onError(errorOf(cause))
  }

  private end(): void {
    this.over = true
    this.held = null
    clearTimeout(this.silence ?? undefined)
  }
}

function isReset(cause: unknown): boolean {
  const { code } = (cause ?? {}) as Partial<NodeJS.ErrnoException>
  return code === 'ECONNRESET' || code === 'EPIPE'
}

function errorOf(cause: unknown): LibtorrentError {
  // Of several addresses that all failed the first tells what is wrong.
  const first = cause instanceof AggregateError ? cause.errors[0] : cause
  const code = String((first as Partial<NodeJS.ErrnoException>)?.code ?? '')
  if (code.startsWith('HPE_')) return libtorrentError('httpParseError', { operation: 'socketRead', cause: first })
  return systemError(first, { operation: code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'hostnameLookup' : 'connect' })
}

function connectionLost(): LibtorrentError {
  return new LibtorrentError({ code: 'ECONNRESET', value: 104, category: 'system' }, 'connection closed early', {
    operation: 'socketRead',
  })
}

function plainHeaders(response: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}
