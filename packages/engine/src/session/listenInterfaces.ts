import { normalizeAddress } from '../address/addressBytes.ts'
import { isLinkLocal, isLoopback } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import type { NetworkInterface } from '../platform/localNetwork.ts'

/** One entry of `listen_interfaces`. */
export interface ListenInterface {
  /** An address, or the system's name of a device, such as `eth0`. */
  readonly device: string
  readonly port: number
  /** Suffix `s`: for SSL torrents. */
  readonly ssl: boolean
  /** Suffix `l`: for the local network; announced to nobody beyond it. */
  readonly local: boolean
}

/** An address to listen on. */
export interface ListenEndpoint extends Endpoint {
  readonly ssl: boolean
  readonly local: boolean
}

/** More sockets than this are a mistake: each announces for itself. */
const MAX_ENTRIES = 64

/** `[address]:port`, `address:port` or `device:port`, and any letters after it. */
const ENTRY = /^(?:\[([^\]]+)\]|([^:[\]]+)):\s*(\d{1,5})\s*([a-z]*)$/

/**
 * Reads `0.0.0.0:6881,[::]:6881,eth0:4433s`; an entry may stand in quotes. Parts that make no sense are left out, and so
 * are letters that mean nothing, as in libtorrent.
 */
export function parseListenInterfaces(text: string): ListenInterface[] {
  const interfaces: ListenInterface[] = []
  for (const part of text.split(',')) {
    const match = ENTRY.exec(
      part
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .trim(),
    )
    const port = Number(match?.[3])
    if (match === null || port > 0xffff || interfaces.length === MAX_ENTRIES) continue
    const device = (match[1] ?? match[2]).trim()
    // Numbers and dots that are no address are a slip, not a device.
    if (normalizeAddress(device) === null && (match[1] !== undefined || /^[\d.]+$/.test(device))) continue
    interfaces.push({ device, port, ssl: match[4].includes('s'), local: match[4].includes('l') })
  }
  return interfaces
}

/** Whether an entry names a device, whose addresses come and go. */
export function isDevice({ device }: Pick<ListenInterface, 'device'>): boolean {
  return normalizeAddress(device) === null
}

/**
 * Where to listen, now that the machine has these addresses. A device stands for all of its addresses but the link-local
 * ones of IPv6, which nobody can be told: they mean something else on each network. A loopback device is a local one.
 */
export function listenEndpoints(
  interfaces: readonly ListenInterface[],
  present: readonly NetworkInterface[],
): ListenEndpoint[] {
  const endpoints: ListenEndpoint[] = []
  const add = (endpoint: ListenEndpoint) => {
    if (endpoints.length < MAX_ENTRIES && !endpoints.some((each) => sameListenEndpoint(each, endpoint))) {
      endpoints.push(endpoint)
    }
  }
  for (const { device, port, ssl, local } of interfaces) {
    const address = normalizeAddress(device)
    if (address !== null) add({ address, port, ssl, local })
    else for (const on of addressesOf(device, present)) add({ address: on, port, ssl, local: local || isLocalOnly(on) })
  }
  return endpoints
}

/** The addresses of a device that a socket can be bound to. */
export function addressesOf(device: string, present: readonly NetworkInterface[]): string[] {
  return present
    .filter(({ name, address }) => name === device && !(isV6(address) && isLinkLocal(address)))
    .map(({ address }) => address)
}

export function sameListenEndpoint(a: ListenEndpoint, b: ListenEndpoint): boolean {
  return a.address === b.address && a.port === b.port && a.ssl === b.ssl && a.local === b.local
}

function isLocalOnly(address: string): boolean {
  return isLoopback(address) || isLinkLocal(address)
}
