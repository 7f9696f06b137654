import net, { isIP } from 'node:net'
import { duringOperation, LibtorrentError, libtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { ProxyRoute } from '../platform/proxyRoute.ts'
import type { Resolver } from '../platform/resolver.ts'
import { makeHandshake } from '../proxy/makeHandshake.ts'
import type { ProxyTarget } from '../proxy/proxyHandshake.ts'
import { noProxyNamed } from '../proxy/proxyStream.ts'
import type { Millis } from '../util/flavored.ts'
import { checkedLookup } from './checkedLookup.ts'

/** Connecting to the proxy and agreeing with it. Whoever opens a tunnel mostly waits less. */
const OPEN_LIMIT_MS: Millis = 60_000

/** How a tunnel begins. */
export interface TunnelOptions {
  /** For the proxy's own name. */
  readonly resolver?: Resolver | undefined
  /** Bind the connection to the proxy to this address. */
  readonly localAddress?: string | undefined
}

/**
 * A connection to `target` through a proxy, as a socket that has nothing of the proxy in it any more. `done` is called
 * once, later, unless the returned function is called before, which ends the attempt.
 */
export function openTunnel(
  route: ProxyRoute,
  target: ProxyTarget,
  options: TunnelOptions,
  done: (result: net.Socket | LibtorrentError) => void,
): () => void {
  const handshake = makeHandshake(route, target)
  const refusal = route.host === '' || route.port === 0 ? noProxyNamed() : null
  if (refusal !== null || handshake instanceof LibtorrentError) {
    const later = setImmediate(() => done(refusal ?? (handshake as LibtorrentError)))
    return () => clearImmediate(later)
  }
  const { localAddress } = options
  const socket = net.connect({
    host: route.host,
    port: route.port,
    noDelay: true,
    localAddress,
    lookup: checkedLookup(options.resolver, () => null, localAddress === undefined ? 0 : isIP(localAddress)),
  })
  const who = `proxy ${route.host}:${route.port}`
  let agreeing = false
  const cleanUp = () => {
    clearTimeout(timer)
    socket.removeAllListeners()
  }
  const abandon = () => {
    cleanUp()
    socket.on('error', () => {})
    socket.destroy()
  }
  const fail = (error: LibtorrentError) => {
    abandon()
    done(error)
  }
  const timer = setTimeout(
    () => fail(libtorrentError('timedOut', { operation: 'proxy', message: `${who}: timed out` })),
    OPEN_LIMIT_MS,
  ).unref()
  socket.on('connect', () => {
    agreeing = true
    socket.write(handshake.start())
  })
  socket.on('data', (chunk: Uint8Array) => {
    const step = handshake.push(chunk)
    if (step.name === 'failed') fail(duringOperation(step.error, step.error.operation, who))
    else if (step.name === 'wait') {
      if (step.send !== null) socket.write(step.send)
    } else {
      cleanUp()
      // It may break before its next owner looks after it.
      socket.on('error', () => {})
      socket.pause()
      if (step.rest.length > 0) socket.unshift(step.rest)
      done(socket)
    }
  })
  const lost = (cause: unknown) => {
    const operation = agreeing && handshake.isAsking ? 'connect' : 'proxy'
    const first = cause instanceof AggregateError ? cause.errors[0] : cause
    fail(duringOperation(systemError(first), operation, who))
  }
  socket.on('error', lost)
  socket.on('close', () => lost(Object.assign(new Error('closed the connection'), { code: 'ECONNRESET', errno: -104 })))
  return abandon
}
