import { IpFilter } from './ipFilter.ts'
import { type IpFilterList, ListCounts, MAX_LIST_RANGES, type UnusableList } from './ipFilterList.ts'
import { isP2b, p2bVersion, readP2bList } from './p2bList.ts'
import { readTextList } from './textList.ts'

const FORMATS =
  'eMule (.dat), PeerGuardian (.p2p, .p2b), lines with networks (10.0.0.0/8), addresses or ranges; plain or gzip'

/**
 * Reads a list of addresses to block into `filter`: eMule's `.dat`, PeerGuardian's `.p2p` and `.p2b` (versions 1 to 3),
 * and lines of networks, ranges and single addresses. The format is found out from what is there, not from a name.
 * Never throws, whatever the bytes. Unusable lists - nothing in them is understood, or there is too much - leave the
 * filter as it was.
 */
export function readIpFilterList(bytes: Uint8Array, filter: IpFilter): IpFilterList | UnusableList {
  const counts = new ListCounts()
  const binary = isP2b(bytes)
  if (binary && !(p2bVersion(bytes) >= 1 && p2bVersion(bytes) <= 3)) {
    return unusable(`it is a .p2b file of version ${p2bVersion(bytes)}, and only 1, 2 and 3 are known`)
  }
  if (isZip(bytes)) return unusable('it is a ZIP archive: unpack it, and give the list in it')
  const found = new IpFilter()
  if (binary) readP2bList(bytes, found, counts)
  else readTextList(bytes, found, counts)
  if (counts.isFull) return unusable(`it has more than ${MAX_LIST_RANGES.toLocaleString('en')} ranges`)
  if (counts.numRanges + counts.numAllowed === 0 && counts.numBadLines > 0) {
    return unusable(`it is no list of addresses. What can be read: ${FORMATS}`)
  }
  filter.addFilter(found)
  return counts.result()
}

function unusable(reason: string): UnusableList {
  return { kind: 'unusable', reason }
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4
}
