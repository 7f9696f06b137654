import { isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { ProxyRoute } from '../platform/proxyRoute.ts'
import type { Resolver } from '../platform/resolver.ts'
import { basicCredentials } from '../proxy/httpConnectHandshake.ts'
import { checkedLookup } from './checkedLookup.ts'
import { type HttpsTrust, httpsOptions } from './httpsOptions.ts'
import { openTunnel } from './proxyTunnel.ts'

/** Makes the connection of a request; Node's `createConnection`. */
export type Connect = (options: unknown, created: (error: Error | null, socket: Duplex) => void) => undefined

/** Where and how a request is sent, as far as a proxy makes it different. */
export interface ProxiedRequest {
  readonly hostname: string
  readonly port: string | number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Null: the connection is made to `hostname`, which is the proxy. */
  readonly connect: Connect | null
  /** Gives up the connection that is being made. */
  readonly abort: () => void
}

export interface ProxiedHttpOptions extends HttpsTrust {
  /** For the proxy's name, and for the server's if it is us who look it up. */
  readonly resolver: Resolver | undefined
  readonly localAddress: string | undefined
  /** Judges the server's address, if it is us who find it. */
  readonly check: (address: string) => LibtorrentError | null
}

/** How `url` is asked for through `route`: http by an HTTP proxy as a plain request to it, all else by a tunnel. */
export function proxiedRequest(
  route: ProxyRoute,
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: ProxiedHttpOptions,
): ProxiedRequest {
  const host = bareHost(url)
  const path = url.pathname + url.search
  const isNamed = route.host !== '' && route.port !== 0
  if (isNamed && route.kind === 'http' && url.protocol === 'http:') {
    const login = route.login === null ? null : { 'proxy-authorization': basicCredentials(route.login) }
    return {
      hostname: route.host,
      port: route.port,
      path: `http://${url.host}${path}`,
      headers: { ...headers, host: url.host, ...login },
      connect: null,
      abort: () => {},
    }
  }
  const attempts = new Set<() => void>()
  const connect: Connect = (_options, created) => {
    const abort = connectThroughProxy(route, url, options, (result) => {
      attempts.delete(abort)
      if (result instanceof LibtorrentError) created(result, undefined as unknown as Duplex)
      else created(null, result)
    })
    attempts.add(abort)
    return undefined
  }
  const abort = () => {
    for (const each of attempts) each()
    attempts.clear()
  }
  return { hostname: host, port: url.port, path, headers, connect, abort }
}

/** Whether the proxy is told the name of the server, and nobody else. */
export function isLookedUpByProxy(route: ProxyRoute, url: URL): boolean {
  return route.resolvesNames || (route.kind === 'http' && url.protocol === 'http:')
}

/** A connection to the server of `url`, with TLS on it for https. The returned function gives it up. */
export function connectThroughProxy(
  route: ProxyRoute,
  url: URL,
  options: ProxiedHttpOptions,
  done: (result: Duplex | LibtorrentError) => void,
): () => void {
  const host = bareHost(url)
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  let abort = () => {}
  let over = false
  const finish = (result: Duplex | LibtorrentError) => {
    if (!over) done(result)
    else if (!(result instanceof LibtorrentError)) result.destroy()
    over = true
  }
  const tunnel = (to: string) => {
    if (over) return
    abort = openTunnel(route, { host: to, port }, options, (socket) => {
      if (socket instanceof LibtorrentError || url.protocol === 'http:') return finish(socket)
      secure(socket, host, options, finish)
    })
  }
  if (isIP(host) !== 0 || route.resolvesNames) tunnel(host)
  else {
    const lookup = checkedLookup(options.resolver, options.check, route.kind === 'socks4' ? 4 : 0)
    lookup(host, {}, (error, address) => {
      if (error !== null) finish(error as LibtorrentError)
      else tunnel(route.kind === 'http' && route.tellsName ? host : String(address))
    })
  }
  return () => {
    over = true
    abort()
  }
}

function secure(
  socket: Socket,
  host: string,
  trust: HttpsTrust,
  finish: (result: Duplex | LibtorrentError) => void,
): void {
  import('node:tls').then(
    (tls) => {
      const servername = isIP(host) === 0 ? host : ''
      finish(tls.connect({ socket, servername, host, ...httpsOptions(trust), ALPNProtocols: ['http/1.1'] }))
    },
    () => socket.destroy(),
  )
}

function bareHost(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
}
