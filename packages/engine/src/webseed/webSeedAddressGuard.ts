import { normalizeAddress } from '../address/addressBytes.ts'
import { isGlobal, isLocal, isLocalhostName, isLoopback, isUnspecified } from '../address/classify.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { TEXT_PROTOCOL_PORTS } from '../tracker/trackerAddressGuard.ts'

export interface WebSeedAddressRules {
  /** Setting `ssrf_mitigation`. */
  readonly ssrfMitigation: boolean
  /** The session's own judgement, such as the IP filter's. */
  checkAddress(address: string): LibtorrentError | null
}

/**
 * Judges the addresses one request to a web seed is about to connect to, redirects included, so that a torrent cannot aim
 * our requests at services behind our firewall: a server on a private network or this machine is not sent a query string,
 * one on the internet cannot redirect to such a server, and mail servers and the like are not spoken to at all. Make one
 * for each request; it remembers where the request has been. Of a server that a proxy looks up it is the name that is
 * judged. `cameFromPublic`: it begins where a redirect of a server on the internet led before.
 */
export function webSeedAddressGuard(
  rules: WebSeedAddressRules,
  cameFromPublic = false,
): (address: string, url: string) => LibtorrentError | null {
  const publicHops = new Set<string>(cameFromPublic ? [''] : [])
  return (address, url) => {
    const isName = normalizeAddress(address) === null
    if (rules.ssrfMitigation) {
      const hop = new URL(url)
      if (TEXT_PROTOCOL_PORTS.has(Number(hop.port))) return libtorrentError('portBlocked', { operation: 'connect' })
      const isPrivate = isName
        ? isLocalhostName(address)
        : isLocal(address) || isLoopback(address) || isUnspecified(address)
      if (isPrivate && hop.search !== '') return libtorrentError('ssrfMitigation', { operation: 'connect' })
      if (isName ? !isPrivate : isGlobal(address)) publicHops.add(url)
      // A name that has both kinds of addresses is no redirect.
      else if (publicHops.size > (publicHops.has(url) ? 1 : 0)) {
        return libtorrentError('ssrfMitigation', { operation: 'connect' })
      }
    }
    return isName ? null : rules.checkAddress(address)
  }
}
