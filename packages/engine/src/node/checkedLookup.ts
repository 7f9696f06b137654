import type { LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Resolver } from '../platform/resolver.ts'
import { NodeResolver } from './nodeResolver.ts'

const SYSTEM_RESOLVER = new NodeResolver()

/**
 * A name lookup for sockets that gives only addresses that `check` lets pass, and of `family` (0: of both). As the
 * socket connects to what this very lookup returned, a name whose addresses change between a check and the connection
 * (DNS rebinding) gains nothing. Without a `resolver` names are looked up the system's way.
 */
export function checkedLookup(
  resolver: Resolver = SYSTEM_RESOLVER,
  check: (address: string) => LibtorrentError | null,
  family: number,
): LookupFunction {
  return (hostname, options, callback) => {
    resolver.resolve(hostname, (result) => {
      const allowed = result instanceof LibtorrentError ? result : filter(result, family, check)
      if (allowed instanceof LibtorrentError) callback(allowed, '', 0)
      else if (options.all === true) callback(null, allowed)
      else callback(null, allowed[0].address, allowed[0].family)
    })
  }
}

/** The addresses of a family (0: of both) that pass, at least one, or why the first of them does not. */
function filter(
  found: readonly string[],
  wanted: number,
  check: (address: string) => LibtorrentError | null,
): LookupAddress[] | LibtorrentError {
  let refusal: LibtorrentError | null = null
  const allowed: LookupAddress[] = []
  for (const address of found) {
    const family = isIP(address)
    if (wanted !== 0 && family !== wanted) continue
    const refused = check(address)
    if (refused === null) allowed.push({ address, family })
    else refusal ??= refused
  }
  if (allowed.length > 0) return allowed
  return refusal ?? noAddressOfFamily()
}

/** The server has addresses, but none that may be connected to. */
export function noAddressOfFamily(): LibtorrentError {
  return new LibtorrentError(
    { code: 'EAFNOSUPPORT', value: 97, category: 'system' },
    'no address of the right family',
    {
      operation: 'connect',
    },
  )
}
