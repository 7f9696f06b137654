import { normalizeAddress } from '../address/addressBytes.ts'
import { isGlobal, isLinkLocal, isLocalhostName, isLoopback, isUnspecified } from '../address/classify.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { isIdna } from './isIdna.ts'
import { blockedByIdnaError, ssrfMitigationError } from './trackerErrors.ts'

/** Ports whose services take lines of text and may act on those of an HTTP request. */
export const TEXT_PROTOCOL_PORTS = new Set([21, 22, 23, 25, 110, 119, 143, 465, 587, 993, 995, 6379, 6667, 11211])

export interface TrackerAddressRules {
  /** Setting `ssrf_mitigation`. */
  readonly ssrfMitigation: boolean
  /** Setting `allow_idna`. Default true: it was asked for the tracker's own name already. */
  readonly allowIdna?: boolean
  /** How a path must begin for the tracker to be on this machine. */
  readonly allowedPaths: readonly string[]
  /** The session's own judgement, such as the IP filter's. */
  readonly checkAddress: (address: string) => LibtorrentError | null
}

/**
 * Judges the addresses one HTTP announce or scrape is about to connect to, redirects included, so that a torrent cannot
 * aim our requests at services behind our firewall: the machine itself (also by a link-local address) is only spoken to
 * in the form of an announce, a public tracker cannot redirect to a private address, and mail servers and the like are
 * not spoken to at all. Make one for each request; it remembers where the request has been. Of a server that a proxy
 * looks up it is the name that is judged: our proxy's own machine is no more anybody's business than ours.
 */
export function trackerAddressGuard(
  rules: TrackerAddressRules,
): (address: string, url: string) => LibtorrentError | null {
  const publicHops = new Set<string>()
  return (address, url) => {
    if (rules.allowIdna === false && isIdna(new URL(url).hostname)) return blockedByIdnaError()
    if (rules.ssrfMitigation) {
      const hop = new URL(url)
      if (TEXT_PROTOCOL_PORTS.has(Number(hop.port))) return libtorrentError('portBlocked', { operation: 'tracker' })
      const isName = normalizeAddress(address) === null
      const ownMachine = isName
        ? isLocalhostName(address)
        : isLoopback(address) || isUnspecified(address) || isLinkLocal(address)
      if (ownMachine && !rules.allowedPaths.some((path) => hop.pathname.startsWith(path))) return ssrfMitigationError()
      if (isName ? !ownMachine : isGlobal(address)) publicHops.add(url)
      else if (publicHops.size > (publicHops.has(url) ? 1 : 0)) return ssrfMitigationError()
    }
    return rules.checkAddress(address)
  }
}
