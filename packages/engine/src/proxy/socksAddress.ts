import { addressToBytes, bytesToAddress } from '../address/addressBytes.ts'
import { fromLatin1, latin1, readU16, writeU16 } from '../util/bytes.ts'
import type { ProxyTarget } from './proxyHandshake.ts'

const IPV4 = 1
const DOMAIN = 3
const IPV6 = 4
/** Type, length, the longest name, port. */
export const MAX_SOCKS_ADDRESS_BYTES = 1 + 1 + 255 + 2

/** An address and port as SOCKS5 has them (RFC 1928, section 5). `host` is an address or a name of 1 to 255 characters. */
export function encodeSocksAddress({ host, port }: ProxyTarget): Uint8Array {
  const address = addressToBytes(host)
  const bytes = address ?? fromLatin1(host)
  const isName = address === null
  const encoded = new Uint8Array(1 + (isName ? 1 : 0) + bytes.length + 2)
  encoded[0] = isName ? DOMAIN : bytes.length === 4 ? IPV4 : IPV6
  if (isName) encoded[1] = bytes.length
  encoded.set(bytes, isName ? 2 : 1)
  writeU16(encoded, encoded.length - 2, port)
  return encoded
}

/** How many bytes the address at `at` has, as far as that can be told; null when it is none. */
export function socksAddressLength(bytes: Uint8Array, at: number, end = bytes.length): number | null {
  if (end - at < 1) return 1
  switch (bytes[at]) {
    case IPV4:
      return 1 + 4 + 2
    case IPV6:
      return 1 + 16 + 2
    case DOMAIN:
      return end - at < 2 ? 2 : 1 + 1 + bytes[at + 1] + 2
    default:
      return null
  }
}

/** The address at `at`, and where the bytes go on behind it; null when it is none, or not complete. */
export function decodeSocksAddress(bytes: Uint8Array, at: number): { target: ProxyTarget; end: number } | null {
  const length = socksAddressLength(bytes, at)
  if (length === null || bytes.length - at < length) return null
  const end = at + length
  const isName = bytes[at] === DOMAIN
  if (isName && length === 1 + 1 + 2) return null
  const host = bytes.subarray(at + (isName ? 2 : 1), end - 2)
  const port = readU16(bytes, end - 2)
  return { target: { host: isName ? latin1(host) : bytesToAddress(host), port }, end }
}
