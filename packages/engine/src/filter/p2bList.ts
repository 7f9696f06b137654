import { readU32 } from '../util/bytes.ts'
import { IpFilter } from './ipFilter.ts'
import type { ListCounts } from './ipFilterList.ts'

const MAGIC = [0xff, 0xff, 0xff, 0xff, 0x50, 0x32, 0x42]
const HEADER_SIZE = MAGIC.length + 1
const RANGE_SIZE = 8
/** In version 3 each range begins with the index of its name. */
const INDEXED_RANGE_SIZE = 12

/** Whether the bytes begin as a PeerGuardian `.p2b` file does. */
export function isP2b(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte)
}

/** The version of a `.p2b` file, of which there are 1, 2 and 3. */
export function p2bVersion(bytes: Uint8Array): number {
  return bytes[HEADER_SIZE - 1] ?? 0
}

/**
 * Reads a PeerGuardian `.p2b` file into `filter`. Versions 1 and 2 are names, each ended by a zero byte and followed by a
 * range; version 3 is a count of names, the names, a count of ranges, and the ranges. Names mean nothing to us. A file
 * that ends in the middle gives what is in it, and counts as a bad line.
 */
export function readP2bList(bytes: Uint8Array, filter: IpFilter, counts: ListCounts): void {
  if (p2bVersion(bytes) === 3) readIndexed(bytes, filter, counts)
  else readNamed(bytes, filter, counts)
}

function readNamed(bytes: Uint8Array, filter: IpFilter, counts: ListCounts): void {
  let number = 0
  for (let at = HEADER_SIZE; at < bytes.length && !counts.isFull; at += RANGE_SIZE) {
    number++
    const end = bytes.indexOf(0, at)
    if (end === -1 || end + 1 + RANGE_SIZE > bytes.length) return endsTooEarly(number, counts)
    at = end + 1
    addRange(bytes, at, number, filter, counts)
  }
}

function readIndexed(bytes: Uint8Array, filter: IpFilter, counts: ListCounts): void {
  // The counts are not believed: what is read is what is there.
  let at = HEADER_SIZE + 4
  if (at > bytes.length) return endsTooEarly(1, counts)
  for (let names = readU32(bytes, HEADER_SIZE); names > 0; names--) {
    const end = bytes.indexOf(0, at)
    if (end === -1) return endsTooEarly(1, counts)
    at = end + 1
  }
  if (at + 4 > bytes.length) return endsTooEarly(1, counts)
  const numRanges = readU32(bytes, at)
  at += 4
  for (let number = 1; number <= numRanges && !counts.isFull; number++) {
    if (at + INDEXED_RANGE_SIZE > bytes.length) return endsTooEarly(number, counts)
    addRange(bytes, at + 4, number, filter, counts)
    at += INDEXED_RANGE_SIZE
  }
}

function addRange(bytes: Uint8Array, at: number, number: number, filter: IpFilter, counts: ListCounts): void {
  const first = readU32(bytes, at)
  const last = readU32(bytes, at + 4)
  if (first > last) return counts.bad(number, () => 'a range whose first address is above its last')
  counts.numRanges++
  filter.addV4Rule(first, last, IpFilter.blocked)
}

function endsTooEarly(number: number, counts: ListCounts): void {
  counts.bad(number, () => 'the file ends in the middle')
}
