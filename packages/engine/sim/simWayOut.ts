import type { Endpoint } from '../src/address/endpoint.ts'
import type { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { Millis } from '../src/util/flavored.ts'
import { simError } from './simErrors.ts'
import type { SimProcess } from './simProcess.ts'
import type { SimWeb, WebSite } from './simWeb.ts'

/** Where a request goes that is sent through a proxy. */
export interface WayOut {
  readonly site: WebSite
  /** The address the server sees: the proxy's. */
  readonly from: string
  /** From us to the server and back, the handshakes with both included. */
  readonly roundTrip: Millis
}

/**
 * The way of an HTTP exchange through a proxy, of which only the listening port is looked at: exchanges are not carried
 * byte by byte. `silent`: packets get lost.
 */
export function wayOut(
  process: SimProcess,
  web: SimWeb,
  proxy: Endpoint,
  url: URL,
): WayOut | LibtorrentError | 'silent' {
  const { network, host } = process
  const middle = network.hostAt(proxy.address, host)
  if (middle === null) return network.isBlackHole(proxy.address) ? 'silent' : simError('EHOSTUNREACH', 'connect')
  if (network.isBlocked(host, middle)) return 'silent'
  if (middle.tcpPorts.find(proxy) === null) return simError('ECONNREFUSED', 'connect')
  const site = web.find(url.origin)
  if (site === null) return simError('ECONNREFUSED', 'connect')
  if (network.isBlocked(middle, site.host)) return 'silent'
  const oneWay = network.latency(host, middle) + network.latency(middle, site.host)
  return { site, from: middle.sourceFor(site.host.address) ?? middle.address, roundTrip: 4 * oneWay }
}
