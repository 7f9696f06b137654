import { addressToBytes } from '../address/addressBytes.ts'
import type { ProxyTarget } from './proxyHandshake.ts'
import { decodeSocksAddress, encodeSocksAddress } from './socksAddress.ts'

/** Two reserved bytes and the number of the fragment, before the address. */
const HEAD_BYTES = 3

/** A packet as a SOCKS5 relay wants it (RFC 1928, section 7), in a part of `buffer`; null when there is no room. */
export function wrapPacket(packet: Uint8Array, to: ProxyTarget, buffer: Uint8Array): Uint8Array | null {
  const address = encodeSocksAddress(to)
  const start = HEAD_BYTES + address.length
  if (start + packet.length > buffer.length) return null
  buffer.fill(0, 0, HEAD_BYTES)
  buffer.set(address, HEAD_BYTES)
  buffer.set(packet, start)
  return buffer.subarray(0, start + packet.length)
}

/** A packet as a relay gives it: who sent it, and a view of what. */
export interface UnwrappedPacket {
  readonly from: ProxyTarget
  readonly isName: boolean
  readonly packet: Uint8Array
}

/** What a relay sent; null when it is no packet, empty, or a fragment: those are dropped, as RFC 1928 allows. */
export function unwrapPacket(bytes: Uint8Array): UnwrappedPacket | null {
  if (bytes.length < HEAD_BYTES || bytes[2] !== 0) return null
  const address = decodeSocksAddress(bytes, HEAD_BYTES)
  if (address === null || address.end >= bytes.length) return null
  const { target, end } = address
  return { from: target, isName: addressToBytes(target.host) === null, packet: bytes.subarray(end) }
}
