import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { InvalidArgumentError } from 'commander'
import type { Endpoint } from 'libtorrent-ts'
import { CliError, reasonOf } from '../cliError.ts'

/** A host name or address, and a port. */
export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** `host:port`; an IPv6 address is written in brackets. */
export function parseHostAndPort(text: string): HostAndPort {
  const match = /^(?:\[([^\]]+)\]|([^[\]:\s]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3] ?? 0)
  const isBracketed = match?.[1] !== undefined
  if (host === '' || port < 1 || port > 65_535 || (isBracketed && isIP(host) !== 6)) {
    throw new InvalidArgumentError('It is written as host:port, with an IPv6 address in brackets: [::1]:6881.')
  }
  return { host, port }
}

/** As `parseHostAndPort` takes it. */
export function hostAndPortText({ host, port }: HostAndPort): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

/** All addresses of a host, by the system's resolver. `option` is what named it, for the error. */
export async function resolveHost({ host, port }: HostAndPort, option = '--peer '): Promise<Endpoint[]> {
  if (isIP(host) !== 0) return [{ address: host, port }]
  try {
    const found = await lookup(host, { all: true, verbatim: true })
    return found.map(({ address }) => ({ address, port }))
  } catch (cause) {
    throw new CliError(`${option}${host}: ${reasonOf(cause)}. Check the name, or give the address.`, 1, { cause })
  }
}
