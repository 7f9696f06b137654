import { normalizeAddress } from '../address/addressBytes.ts'
import { isGlobal } from '../address/classify.ts'
import { TrackerSource } from '../metainfo/trackerUrl.ts'
import type { AnnounceEntry } from '../tracker/announceEntry.ts'
import { hasAnnounceParameters, isWebSocketScheme, parseTrackerUrl } from '../tracker/trackerLocation.ts'

/** Ends of names that are looked up on one's own network only. */
const OWN_NETWORK = /\.(local|localhost|internal|lan|home|intranet|home\.arpa)\.?$/
/** What a resolver may take for an IPv4 address in other than the usual notation. */
const ODD_ADDRESS = /(^|\.)(0x[0-9a-f]*|\d+)\.?$/

/** Whether `entry` became known only by what a peer said. */
export function isFromPeers(entry: Pick<AnnounceEntry, 'source'>): boolean {
  return entry.source === TrackerSource.tex
}

/**
 * Whether peers are told of `entry`: it was in the .torrent file or has answered (BEP 28, "verified"), everybody can reach
 * it, and its URL gives nobody's password away.
 */
export function isTold(entry: Pick<AnnounceEntry, 'url' | 'source' | 'verified'>): boolean {
  return (entry.verified || (entry.source & TrackerSource.torrent) !== 0) && isShareable(entry.url, false)
}

/**
 * Whether a tracker with this URL may be told of, or taken from a peer: HTTP, HTTPS or UDP, without credentials or
 * parameters of an announce; and out in the internet, unless `isPeerLocal`: the peer is on our network as well.
 */
export function isShareable(url: string, isPeerLocal: boolean): boolean {
  const location = parseTrackerUrl(url)
  if (!('host' in location)) return false
  // A WebSocket tracker is connected to all the time, and introduces whom it likes: that is not for peers to bring about.
  if (isWebSocketScheme(location.scheme)) return false
  if (location.login !== null || hasAnnounceParameters(location)) return false
  return isPeerLocal || isPublicHost(location.host)
}

function isPublicHost(host: string): boolean {
  const address = normalizeAddress(host)
  if (address !== null) return isGlobal(address)
  return host.includes('.') && !OWN_NETWORK.test(host) && !ODD_ADDRESS.test(host)
}
