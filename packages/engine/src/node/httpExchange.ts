import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { isIP } from 'node:net'
import { normalizeAddress } from '../address/addressBytes.ts'
import { LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { HttpRequest, HttpResponse } from '../platform/http.ts'
import type { ProxyRoute } from '../platform/proxyRoute.ts'
import type { TlsContext } from '../platform/tls.ts'
import type { Millis } from '../util/flavored.ts'
import { checkedLookup, noAddressOfFamily } from './checkedLookup.ts'
import { decodeBody } from './httpBody.ts'
import { connectionLost, httpFailure, proxyFailure } from './httpFailure.ts'
import { type HttpsTrust, httpsOptions } from './httpsOptions.ts'
import { type Connect, isLookedUpByProxy, type ProxiedRequest, proxiedRequest } from './proxiedHttp.ts'

const DEFAULT_REDIRECTS = 5
/** All header lines of an answer together. */
const MAX_HEADER_BYTES = 16 * 1024
/** Before the next of several addresses is tried beside the first. */
const ADDRESS_ATTEMPT_MS: Millis = 1000
/** Node's timers take no more. */
const MAX_TIMER_MS: Millis = 0x7fff_ffff

/** Should Node ever connect by itself where there is to be a tunnel, it leads nowhere. */
const NOT_TO_BE_CONNECTED = '0.0.0.1'

const REDIRECT_STATUS = new Set([301, 302, 303, 307, 308])

/**
 * One GET or POST, redirects included. Ends when the answer is complete, at the first error, at a limit of size or time, or
 * when it is cancelled: whichever comes first closes the connection, and nothing happens afterwards.
 */
export class HttpExchange {
  private over = false
  private hop: ClientRequest | null = null
  private redirectsLeft: number
  private headers: Record<string, string>
  private completionTimer: NodeJS.Timeout | null = null
  private silenceTimer: NodeJS.Timeout | null = null
  /** How the present hop goes through the proxy. */
  private way: ProxiedRequest | null = null

  constructor(
    private readonly request: HttpRequest,
    private readonly done: (result: HttpResponse | LibtorrentError) => void,
  ) {
    this.redirectsLeft = request.maxRedirects ?? DEFAULT_REDIRECTS
    this.headers = { 'accept-encoding': 'gzip, deflate', ...lowerCaseKeys(request.headers ?? {}) }
  }

  start(): void {
    this.completionTimer = this.timer(this.request.completionTimeout)
    this.silenceTimer = this.timer(this.request.receiveTimeout)
    queueMicrotask(() => this.follow(this.request.url))
  }

  cancel(): void {
    this.over = true
    clearTimeout(this.completionTimer ?? undefined)
    clearTimeout(this.silenceTimer ?? undefined)
    this.hop?.destroy()
    this.hop = null
    this.way?.abort()
  }

  private follow(url: string): void {
    this.visit(url).catch((cause) => {
      // What is thrown once the exchange is over is not its failure, but its owner's.
      if (this.over) throw cause
      this.fail(cause)
    })
  }

  /** Asks for `text`, the request's own URL or where it was redirected to. */
  private async visit(text: string): Promise<void> {
    const url = httpUrl(text)
    if (url instanceof LibtorrentError) return this.fail(url)
    this.takeCredentials(url)
    const client = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
    if (this.over) return

    const { checkAddress, localAddress, body, proxy } = this.request
    const hopText = url.href
    const check = (address: string) => checkAddress?.(normalizeAddress(address) ?? address, hopText) ?? null
    const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
    const bound = localAddress === undefined ? 0 : isIP(localAddress)
    const family = proxy === undefined ? (this.request.family ?? bound) : 0
    if (isIP(host) !== 0) {
      if (family !== 0 && isIP(host) !== family) return this.fail(noAddressOfFamily())
      // A literal address is connected to without a lookup.
      const refused = check(host)
      if (refused !== null) return this.fail(refused)
    }
    if (proxy !== undefined && isIP(host) === 0 && isLookedUpByProxy(proxy, url)) {
      const refused = check(host)
      if (refused !== null) return this.fail(refused)
    }
    const through = proxy === undefined ? null : this.through(proxy, url, check)
    this.way = through
    const isTunnel = through?.connect != null
    const options: RequestOptions & { autoSelectFamilyAttemptTimeout: number } = {
      method: body === undefined ? 'GET' : 'POST',
      hostname: isTunnel ? NOT_TO_BE_CONNECTED : (through?.hostname ?? host),
      port: through?.port ?? url.port,
      path: through?.path ?? url.pathname + url.search,
      headers: isTunnel ? { host: url.host, ...this.headers } : (through?.headers ?? this.headers),
      agent: false,
      ...(through?.connect ? tunnelled(through.connect) : null),
      localAddress,
      // The only name looked up on the way to a proxy is its own.
      lookup: checkedLookup(
        this.request.resolver,
        through === null ? check : () => null,
        through === null ? family : bound,
      ),
      maxHeaderSize: MAX_HEADER_BYTES,
      ...httpsOptions(this.trust),
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    }
    const hop = client.request(options)
    this.hop = hop
    hop.end(body)
    hop.on('response', (response) => this.onResponse(hop, response, url))
    // Tunnels say themselves what they failed of.
    let unreached = isTunnel ? undefined : proxy
    hop.on('socket', (socket) => {
      socket.once('connect', () => {
        unreached = undefined
      })
    })
    hop.on('error', (cause) => this.failHop(hop, unreached === undefined ? cause : proxyFailure(cause, unreached)))
    hop.on('close', () => this.failHop(hop, connectionLost()))
  }

  private through(proxy: ProxyRoute, url: URL, check: (address: string) => LibtorrentError | null): ProxiedRequest {
    const { resolver, localAddress } = this.request
    return proxiedRequest(proxy, url, this.headers, { resolver, localAddress, ...this.trust, check })
  }

  private get trust(): HttpsTrust {
    const { validateCertificate = true, tls } = this.request
    return { validateCertificate, tls }
  }

  private onResponse(hop: ClientRequest, response: IncomingMessage, url: URL): void {
    if (hop !== this.hop) return
    this.silenceTimer?.refresh()
    const status = response.statusCode ?? 0
    if (REDIRECT_STATUS.has(status) && this.redirectsLeft > 0) return this.redirect(hop, response, url)

    if (Number(response.headers['content-length']) > this.request.maxBodyBytes) return this.fail(tooLarge())
    // Of a proxy the address says nothing about the server.
    const remoteAddress = this.request.proxy === undefined ? (response.socket.remoteAddress ?? '') : url.hostname
    const chunks: Uint8Array[] = []
    let size = 0
    response.on('data', (chunk: Uint8Array) => {
      if (hop !== this.hop) return
      this.silenceTimer?.refresh()
      size += chunk.length
      if (size > this.request.maxBodyBytes) return this.fail(tooLarge())
      chunks.push(chunk)
    })
    response.on('error', (cause) => this.failHop(hop, cause))
    response.on('end', () => {
      if (hop !== this.hop) return
      if (!response.complete) return this.fail(connectionLost())
      // The connection has done its work; its end is no failure any more.
      this.hop = null
      hop.destroy()
      const headers = plainHeaders(response)
      decodeBody(Buffer.concat(chunks), headers['content-encoding'], this.request.maxBodyBytes, (body) => {
        if (body instanceof LibtorrentError) return this.fail(body)
        this.finish({
          status,
          headers,
          body,
          remoteAddress: normalizeAddress(remoteAddress) ?? remoteAddress,
          finalUrl: url.href,
        })
      })
    })
  }

  private redirect(hop: ClientRequest, response: IncomingMessage, from: URL): void {
    const { location } = response.headers
    if (location === undefined) return this.fail(libtorrentError('httpMissingLocation', { operation: 'socketRead' }))
    const to = URL.canParse(location, from.href) ? new URL(location, from.href) : null
    // What was asked for in confidence is not repeated in the open.
    if (to === null || (from.protocol === 'https:' && to.protocol === 'http:')) {
      return this.fail(libtorrentError('invalidRedirection', { operation: 'socketRead' }))
    }
    to.username = ''
    to.password = ''
    if (to.origin !== from.origin) {
      const { authorization: _authorization, cookie: _cookie, ...others } = this.headers
      this.headers = others
    }
    this.redirectsLeft--
    this.hop = null
    hop.destroy()
    this.follow(to.href)
  }

  /** Credentials in a URL become a header, unless there is one. */
  private takeCredentials(url: URL): void {
    if (url.username !== '' && this.headers.authorization === undefined) {
      const credentials = `${decodeText(url.username)}:${decodeText(url.password)}`
      this.headers = { ...this.headers, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
    }
    url.username = ''
    url.password = ''
    url.hash = ''
  }

  /** `hop` has failed, which matters only while it is the present one. */
  private failHop(hop: ClientRequest, cause: unknown): void {
    if (hop === this.hop) this.fail(cause)
  }

  private fail(cause: unknown): void {
    this.finish(errorOf(cause, this.request.tls))
  }

  private finish(result: HttpResponse | LibtorrentError): void {
    if (this.over) return
    this.cancel()
    this.done(result)
  }

  private timer(delay: Millis): NodeJS.Timeout {
    const expire = () => this.fail(libtorrentError('timedOut', { operation: 'socketRead' }))
    return setTimeout(expire, Math.min(delay, MAX_TIMER_MS)).unref()
  }
}

/** Node asks `createConnection` only where there is no agent, not even `false`. */
function tunnelled(connect: Connect): Pick<RequestOptions, 'agent' | 'createConnection'> {
  return { agent: undefined, createConnection: connect as RequestOptions['createConnection'] }
}

function httpUrl(text: string): URL | LibtorrentError {
  if (!URL.canParse(text)) return libtorrentError('urlParseError', { operation: 'connect' })
  const url = new URL(text)
  if (url.protocol === 'http:' || url.protocol === 'https:') return url
  return libtorrentError('unsupportedUrlProtocol', { operation: 'connect' })
}

function errorOf(cause: unknown, tls: TlsContext | undefined): LibtorrentError {
  if (cause instanceof LibtorrentError) return cause
  const code = String((cause as Partial<NodeJS.ErrnoException>)?.code ?? '')
  if (code === 'HPE_HEADER_OVERFLOW') return tooLarge()
  if (code.startsWith('HPE_')) return libtorrentError('httpParseError', { operation: 'socketRead', cause })
  return httpFailure(cause, tls)
}

function tooLarge(): LibtorrentError {
  return libtorrentError('packetTooLarge', { operation: 'socketRead' })
}

function lowerCaseKeys(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function plainHeaders(response: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
