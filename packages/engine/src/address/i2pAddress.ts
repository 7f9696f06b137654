import { fromBase32, toBase32 } from '../util/base32.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * The port of every I2P peer: streams of I2P have none, trackers and peer lists want one. It is told to nobody but I2P
 * trackers, which ignore it and refuse 0.
 */
export const I2P_PORT = 6881

const SUFFIX = '.b32.i2p'
const HASH_BYTES = 32
/** 256 bits in base 32, without padding. */
const HASH_CHARACTERS = 52

/**
 * The address of an I2P peer, as it stands in an `Endpoint`: the base 32 name of its destination (`....b32.i2p`), from the
 * destination's SHA-256.
 * @throws RangeError for any other number of bytes than 32.
 */
export function i2pAddressOf(hash: Uint8Array): string {
  if (hash.length !== HASH_BYTES) throw new RangeError(`the hash of a destination has 32 bytes, not ${hash.length}`)
  return toBase32(hash).slice(0, HASH_CHARACTERS).toLowerCase() + SUFFIX
}

/** `text` as `i2pAddressOf` writes it, whatever its case; null when it is no base 32 name of a destination. */
export function normalizeI2pAddress(text: string): string | null {
  const hash = i2pAddressHash(text)
  return hash === null ? null : i2pAddressOf(hash)
}

/** The hash of the destination that a base 32 name stands for, 32 bytes; null when it is no such name. */
export function i2pAddressHash(text: string): Uint8Array | null {
  if (text.length !== HASH_CHARACTERS + SUFFIX.length || !text.toLowerCase().endsWith(SUFFIX)) return null
  return fromBase32(text.slice(0, HASH_CHARACTERS))
}

/** Where a peer in I2P is that somebody named: a base 32 name in any case, or another name. Null: it is not in I2P. */
export function i2pEndpoint({ address }: Endpoint): Endpoint | null {
  const name = address.toLowerCase()
  return isI2pName(name) ? { address: normalizeI2pAddress(name) ?? name, port: I2P_PORT } : null
}

/** Whether a host name, or the address of an endpoint, is one of I2P, which nobody outside can look up or reach. */
export function isI2pName(host: string): boolean {
  return host.endsWith('.i2p')
}

/** Whether a URL leads into I2P. */
export function isI2pUrl(url: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?[^/:?#@]*\.i2p(?:[/:?#]|$)/i.test(url.trim())
}
