import { readU16, writeU16 } from '../util/bytes.ts'
import { addressToBytes, bytesToAddress } from './addressBytes.ts'
import type { Endpoint } from './endpoint.ts'

/** Bytes of a compact IPv4 endpoint: address, port, both in network order (BEP 23). */
export const COMPACT_V4_SIZE = 6
/** Bytes of a compact IPv6 endpoint (BEP 7). */
export const COMPACT_V6_SIZE = 18

/**
 * The 6 or 18 bytes of `endpoint`.
 * @throws RangeError when its address is not one.
 */
export function encodeCompactEndpoint(endpoint: Endpoint): Uint8Array {
  const address = addressToBytes(endpoint.address)
  if (address === null) throw new RangeError(`not an address: "${endpoint.address.slice(0, 80)}"`)
  const bytes = new Uint8Array(address.length + 2)
  bytes.set(address, 0)
  writeU16(bytes, address.length, endpoint.port)
  return bytes
}

/** The endpoint in 6 or 18 bytes, or null for any other number of them. */
export function decodeCompactEndpoint(bytes: Uint8Array): Endpoint | null {
  if (bytes.length !== COMPACT_V4_SIZE && bytes.length !== COMPACT_V6_SIZE) return null
  const addressSize = bytes.length - 2
  return { address: bytesToAddress(bytes.subarray(0, addressSize)), port: readU16(bytes, addressSize) }
}

/**
 * The endpoints of a compact peer list: `size` bytes each. At most `limit` are read; the rest is left alone.
 * Null when the length is not a multiple of `size`.
 */
export function decodeCompactEndpoints(
  bytes: Uint8Array,
  size: typeof COMPACT_V4_SIZE | typeof COMPACT_V6_SIZE,
  limit = Number.POSITIVE_INFINITY,
): Endpoint[] | null {
  if (bytes.length % size !== 0) return null
  const endpoints: Endpoint[] = []
  for (let at = 0; at < bytes.length && endpoints.length < limit; at += size) {
    const addressAt = bytes.subarray(at, at + size - 2)
    endpoints.push({ address: bytesToAddress(addressAt), port: readU16(bytes, at + size - 2) })
  }
  return endpoints
}
