import type { TrackerSpec } from './announceEntry.ts'
import { parseTrackerUrl } from './trackerLocation.ts'

/** More than any host has: HTTP, HTTPS and UDP at a few ports. */
export const MAX_TRACKERS_PER_HOST = 10

/**
 * The trackers without those that come after the tenth of one host: a torrent with hundreds of URLs of one server is made
 * to keep that server busy, not to find peers.
 */
export function limitTrackersPerHost(specs: readonly TrackerSpec[]): TrackerSpec[] {
  const counts = new Map<string, number>()
  const urls = new Set<string>()
  return specs.filter(({ url }) => {
    if (urls.has(url)) return true
    urls.add(url)
    const location = parseTrackerUrl(url)
    if (!('host' in location)) return true
    const count = (counts.get(location.host) ?? 0) + 1
    counts.set(location.host, count)
    return count <= MAX_TRACKERS_PER_HOST
  })
}
