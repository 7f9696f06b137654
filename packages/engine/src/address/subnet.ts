import { addressToBytes, bytesToAddress } from './addressBytes.ts'

/** Whether the two addresses are of one family and agree in their first `prefixLength` bits. False for other text. */
export function sameSubnet(a: string, b: string, prefixLength: number): boolean {
  const first = addressToBytes(a)
  const second = addressToBytes(b)
  if (first === null || second === null || first.length !== second.length) return false
  for (let i = 0, bits = prefixLength; bits > 0 && i < first.length; i++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff00 >> bits) & 0xff
    if ((first[i] & mask) !== (second[i] & mask)) return false
  }
  return true
}

/** The address that reaches every host of an IPv4 network; null for IPv6, which has none, and networks of one or two. */
export function broadcastAddress(address: string, prefixLength: number): string | null {
  const bytes = addressToBytes(address)
  if (bytes === null || bytes.length !== 4 || prefixLength > 30) return null
  for (let bit = prefixLength; bit < 32; bit++) bytes[bit >> 3] |= 0x80 >> (bit & 7)
  return bytesToAddress(bytes)
}
