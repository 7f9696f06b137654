import { addressToBytes, isMappedV4 } from './addressBytes.ts'

/**
 * What kind of address a text is. Everything here is false for text that is not an address,
 * and an IPv4-mapped IPv6 address counts as the IPv4 address it stands for.
 */

/** 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  const b = unmappedBytes(address)
  if (b === null) return false
  return b.length === 4 ? b[0] === 127 : isZero(b, 15) && b[15] === 1
}

/** A name that every resolver takes for its own machine (RFC 6761). */
export function isLocalhostName(name: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(name)
}

/** 0.0.0.0 or ::, which mean "any" to a listen socket and nothing to a peer. */
export function isUnspecified(address: string): boolean {
  const b = unmappedBytes(address)
  return b !== null && isZero(b, b.length)
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(address: string): boolean {
  const b = unmappedBytes(address)
  if (b === null) return false
  return b.length === 4 ? isMulticastV4(b) : b[0] === 0xff
}

/** 169.254.0.0/16 or fe80::/10: reachable only with the name of the interface. */
export function isLinkLocal(address: string): boolean {
  const b = unmappedBytes(address)
  if (b === null) return false
  return b.length === 4 ? b[0] === 169 && b[1] === 254 : b[0] === 0xfe && (b[1] & 0xc0) === 0x80
}

/**
 * On this machine or a private network: loopback, link-local, 10/8, 172.16/12, 192.168/16, 100.64/10 (carrier NAT),
 * IPv6 unique-local and site-local, and multicast that stays on the link or the site. As libtorrent's `is_local`.
 */
export function isLocal(address: string): boolean {
  const b = unmappedBytes(address)
  return b !== null && isLocalBytes(b, b.length === 4)
}

/** The same for bytes that begin with an address of 4 (`v4`) or 16 bytes, such as a compact endpoint. */
export function isLocalBytes(b: Uint8Array, v4: boolean): boolean {
  if (v4) {
    return (
      b[0] === 10 ||
      b[0] === 127 ||
      (b[0] === 172 && (b[1] & 0xf0) === 16) ||
      (b[0] === 192 && b[1] === 168) ||
      (b[0] === 169 && b[1] === 254) ||
      (b[0] === 100 && (b[1] & 0xc0) === 64)
    )
  }
  const isLocalUnicast = (b[0] & 0xfe) === 0xfc || (b[0] === 0xfe && (b[1] & 0x80) === 0x80)
  const multicastScope = b[0] === 0xff ? b[1] & 0x0f : 0
  return isLocalUnicast || multicastScope === 2 || multicastScope === 5 || (isZero(b, 15) && b[15] === 1)
}

/** A unicast address of the public internet: 2000::/3, or IPv4 that is neither local, multicast nor unspecified. */
export function isGlobal(address: string): boolean {
  const b = unmappedBytes(address)
  if (b === null) return false
  if (b.length === 16) return (b[0] & 0xe0) === 0x20
  return !isZero(b, 4) && !isMulticastV4(b) && !isLocalBytes(b, true)
}

/** IPv6 text that stands for an IPv4 address, `::ffff:1.2.3.4`. Canonical text never does. */
export function isV4Mapped(address: string): boolean {
  const b = address.includes(':') ? addressToBytes(address) : null
  return b !== null && isMappedV4(b)
}

function unmappedBytes(address: string): Uint8Array | null {
  const bytes = addressToBytes(address)
  return bytes !== null && isMappedV4(bytes) ? bytes.subarray(12) : bytes
}

function isMulticastV4(b: Uint8Array): boolean {
  return b[0] >= 224 && b[0] < 240
}

function isZero(bytes: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[i] !== 0) return false
  return true
}
