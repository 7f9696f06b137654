import { IpFilter } from '../filter/ipFilter.ts'
import type { IpFilterList } from '../filter/ipFilterList.ts'
import { readIpFilterList } from '../filter/readIpFilterList.ts'
import { gunzipIfNeeded, readDataFile, unreadableData } from '../node/readDataFile.ts'

/** The largest file read, and the most that gzip data may unpack to: ten times the largest lists there are. */
const MAX_LIST_BYTES = 256 * 1024 * 1024

/** A filter made of a list, and what was found in the list. */
export interface LoadedIpFilter extends IpFilterList {
  /** The filter that was given, or a new one. */
  readonly filter: IpFilter
}

/**
 * Reads a list of addresses to block: eMule's `.dat` (levels below 127 are blocked), PeerGuardian's `.p2p` and `.p2b`,
 * and lines of networks (`10.0.0.0/8`), ranges or single addresses, IPv4 and IPv6, with comments (`#`, `;`, `//`). Plain
 * or gzip. The format is found out from the content. Lines that cannot be understood are left out and counted.
 *
 * Give a `filter` to add the ranges to one that has rules; default a new one.
 * Rejects with a `LibtorrentError` whose message says why: the file cannot be read, nothing in it is understood, or it is
 * larger than 256 MiB or 5,000,000 ranges. The filter is then as it was.
 *
 * @example
 * const { filter, numRanges } = await loadIpFilter('ipfilter.dat.gz')
 * session.setIpFilter(filter)
 */
export async function loadIpFilter(
  source: string | Uint8Array,
  filter: IpFilter = new IpFilter(),
): Promise<LoadedIpFilter> {
  const bytes = await gunzipIfNeeded(await readDataFile(source, MAX_LIST_BYTES), MAX_LIST_BYTES, source)
  const list = readIpFilterList(bytes, filter)
  if (list.kind === 'unusable') throw unreadableData(list.reason, source)
  return { ...list, filter }
}
