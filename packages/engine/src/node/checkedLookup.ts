import { type LookupAddress, lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { LibtorrentError } from '../errors/libtorrentError.ts'

/**
 * A name lookup for sockets that gives only addresses that `check` lets pass, and of the family of `localAddress` if
 * there is one. As the socket connects to what this very lookup returned, a name whose addresses change between a check
 * and the connection (DNS rebinding) gains nothing.
 */
export function checkedLookup(
  check: (address: string) => LibtorrentError | null,
  localAddress: string | undefined,
): LookupFunction {
  const family = localAddress === undefined ? 0 : isIP(localAddress)
  return (hostname, options, callback) => {
    lookup(hostname, { all: true, family, order: 'verbatim' }, (error, found) => {
      const allowed = error === null ? filter(found, check) : error
      if (allowed instanceof Error) callback(allowed, '', 0)
      else if (options.all === true) callback(null, allowed)
      else callback(null, allowed[0].address, allowed[0].family)
    })
  }
}

/** The addresses that pass, at least one, or why the first of them does not. */
function filter(
  found: readonly LookupAddress[],
  check: (address: string) => LibtorrentError | null,
): LookupAddress[] | LibtorrentError {
  let refusal: LibtorrentError | null = null
  const allowed = found.filter(({ address }) => {
    const refused = check(address)
    refusal ??= refused
    return refused === null
  })
  if (allowed.length > 0) return allowed
  return (
    refusal ??
    new LibtorrentError({ code: 'ENOTFOUND', value: 0, category: 'system' }, 'the name has no address', {
      operation: 'hostnameLookup',
    })
  )
}
