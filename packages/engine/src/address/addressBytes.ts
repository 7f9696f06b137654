import { readU16 } from '../util/bytes.ts'
import { parseV4Word } from './parseV4Word.ts'

/**
 * The 4 or 16 bytes, in network order, of an address written as text, or null when it is not one.
 * IPv4 is four decimal numbers without leading zeros; IPv6 any form of RFC 4291 without brackets.
 * A zone (`%eth0`) is allowed and ignored.
 */
export function addressToBytes(text: string): Uint8Array | null {
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

/**
 * Canonical text of 4 or 16 bytes: a dotted quad, or IPv6 as RFC 5952 wants it.
 * An IPv4-mapped IPv6 address (`::ffff:0:0/96`) is the IPv4 peer it stands for, and is written as such.
 * @throws RangeError for any other number of bytes.
 */
export function bytesToAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  if (bytes.length !== 16) throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`)
  if (isMappedV4(bytes)) return bytesToAddress(bytes.subarray(12))
  return formatV6(bytes)
}

/** `text` in canonical form, so that equal addresses are equal strings; null when it is not an address. */
export function normalizeAddress(text: string): string | null {
  const bytes = addressToBytes(text)
  return bytes === null ? null : bytesToAddress(bytes)
}

/** Whether the 16 bytes stand for an IPv4 address (RFC 4291 section 2.5.5.2). */
export function isMappedV4(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false
  return true
}

function parseV4(text: string): Uint8Array | null {
  const word = parseV4Word(text)
  return word === -1 ? null : Uint8Array.of(word >>> 24, word >>> 16, word >>> 8, word)
}

function parseV6(text: string): Uint8Array | null {
  const zone = text.indexOf('%')
  const halves = (zone === -1 ? text : text.slice(0, zone)).split('::')
  if (halves.length > 2) return null
  const head = parseGroups(halves[0])
  if (head === null) return null
  if (halves.length === 1) return head.length === 16 ? Uint8Array.from(head) : null
  const tail = parseGroups(halves[1])
  // `::` stands for at least one group.
  if (tail === null || head.length + tail.length > 14) return null
  // Only the last group of the whole address may be a dotted quad.
  if (halves[0].includes('.')) return null
  const bytes = new Uint8Array(16)
  bytes.set(head, 0)
  bytes.set(tail, 16 - tail.length)
  return bytes
}

/** Bytes of groups joined by single colons, the last of which may be a dotted quad. */
function parseGroups(text: string): number[] | null {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]
    if (i === groups.length - 1 && group.includes('.')) {
      const quad = parseV4(group)
      if (quad === null) return null
      bytes.push(...quad)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    }
  }
  return bytes.length <= 16 ? bytes : null
}

/** The text of 16 bytes as RFC 5952 wants it, also where they stand for an IPv4 address: for the ends of ranges. */
export function formatV6(bytes: Uint8Array): string {
  // The longest run of two or more zero groups, the first of equals, becomes `::`.
  let bestStart = 8
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && readU16(bytes, (i + length) * 2) === 0) length++
    if (length > bestLength) {
      bestStart = i
      bestLength = length
    }
    i += length
  }
  const group = (i: number): string => readU16(bytes, i * 2).toString(16)
  const groups = [0, 1, 2, 3, 4, 5, 6, 7]
  if (bestStart === 8) return groups.map(group).join(':')
  const head = groups.slice(0, bestStart).map(group).join(':')
  const tail = groups
    .slice(bestStart + bestLength)
    .map(group)
    .join(':')
  return `${head}::${tail}`
}
