import { InvalidArgumentError } from 'commander'
import type { Settings } from 'libtorrent-ts'
import { CliError, USAGE_EXIT_CODE } from '../cliError.ts'
import { type HostAndPort, parseHostAndPort } from './hostAndPort.ts'

/** Where routers have their SAM bridge. */
const SAM_PORT = 7656
/** Peers in I2P have no ports; the engine gives them all the same one. */
const I2P_PEER_PORT = 6881
const I2P_PEER = /^([a-z0-9-]+(?:\.[a-z0-9-]+)*\.i2p)(?::\d{1,5})?$/i

/** How peers and trackers in I2P are reached; options as commander gives them. */
export interface I2pOptions {
  /** The SAM bridge of a router. */
  readonly i2p?: HostAndPort
  readonly i2pMixed?: boolean
}

/** @throws CliError for --i2p-mixed without a router */
export function i2pSettings({ i2p, i2pMixed }: I2pOptions): Partial<Settings> {
  if (i2p === undefined) {
    if (!i2pMixed) return {}
    throw new CliError('--i2p-mixed takes an I2P router: name its SAM bridge with --i2p.', USAGE_EXIT_CODE)
  }
  return { i2pHostname: i2p.host, i2pPort: i2p.port, ...(i2pMixed && { allowI2pMixed: true }) }
}

/** `host` or `host:port`; an IPv6 address is written in brackets. */
export function parseSamBridge(text: string): HostAndPort {
  const hasPort = /:\d+$/.test(text) && !text.endsWith(']')
  try {
    return parseHostAndPort(hasPort ? text : `${text}:${SAM_PORT}`)
  } catch {
    throw new InvalidArgumentError(
      'It is the SAM bridge of an I2P router, written as 127.0.0.1 or 127.0.0.1:7656, an IPv6 address in brackets.',
    )
  }
}

/** `host:port`; peers in I2P are named without a port, such as `...b32.i2p`. */
export function parsePeer(text: string): HostAndPort {
  const name = I2P_PEER.exec(text)?.[1]
  return name === undefined ? parseHostAndPort(text) : { host: name.toLowerCase(), port: I2P_PEER_PORT }
}

export function isI2pHost(host: string): boolean {
  return host.toLowerCase().endsWith('.i2p')
}
