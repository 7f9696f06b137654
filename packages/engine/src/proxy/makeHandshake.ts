import { addressToBytes } from '../address/addressBytes.ts'
import { isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { ProxyRoute } from '../platform/proxyRoute.ts'
import { HttpConnectHandshake } from './httpConnectHandshake.ts'
import type { ProxyHandshake, ProxyTarget } from './proxyHandshake.ts'
import { Socks4Handshake } from './socks4Handshake.ts'
import { Socks5Handshake } from './socks5Handshake.ts'
import { networkFailure } from './socksReplies.ts'

/** A name that means the same in every protocol: it can end no line and no text early. */
const HOST_NAME = /^[A-Za-z0-9_.~-]{1,255}$/

/** Whether a proxy can be told this: an address, or what may be a name. */
export function isProxyTarget(host: string): boolean {
  return HOST_NAME.test(host) || addressToBytes(host) !== null
}

/** How to ask the proxy of `route` for a connection to `target`; an error when it cannot be asked for that. */
export function makeHandshake(route: ProxyRoute, target: ProxyTarget): ProxyHandshake | LibtorrentError {
  const { kind, login } = route
  if (!isProxyTarget(target.host)) {
    return libtorrentError('invalidHostname', { operation: 'connect' })
  }
  switch (kind) {
    case 'http':
      return new HttpConnectHandshake(target, login)
    case 'socks5':
      return new Socks5Handshake(target, login)
    case 'socks4':
      if (isV6(target.host)) return networkFailure('EAFNOSUPPORT', 97, 'SOCKS4 knows no IPv6', 'connect')
      return new Socks4Handshake(target, (login?.username ?? '').replaceAll('\0', ''))
  }
}
