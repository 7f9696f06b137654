/**
 * Who can reach an address: everybody, those of its own network, or the machine itself. In this order: one within a
 * narrower scope can reach those of the wider ones, too, but not the other way around.
 */
export const AddressScope = { global: 0, local: 1, loopback: 2 } as const
export type AddressScope = (typeof AddressScope)[keyof typeof AddressScope]

/** The scope of the address in the first 4 or 16 bytes of `b` (private ranges as in address/classify.ts). */
export function addressScope(b: Uint8Array, length: number): AddressScope {
  if (length === 4) {
    if (b[0] === 127) return AddressScope.loopback
    const isLocal =
      b[0] === 10 ||
      (b[0] === 172 && (b[1] & 0xf0) === 16) ||
      (b[0] === 192 && b[1] === 168) ||
      (b[0] === 169 && b[1] === 254) ||
      (b[0] === 100 && (b[1] & 0xc0) === 64)
    return isLocal ? AddressScope.local : AddressScope.global
  }
  // Unique-local fc00::/7, link-local fe80::/10 and site-local fec0::/10.
  if ((b[0] & 0xfe) === 0xfc || (b[0] === 0xfe && (b[1] & 0x80) === 0x80)) return AddressScope.local
  if (b[15] !== 1) return AddressScope.global
  for (let i = 0; i < 15; i++) if (b[i] !== 0) return AddressScope.global
  return AddressScope.loopback
}

/** Whether a peer could be connected to at such an address at all: not unspecified, multicast or reserved. */
export function isPeerAddress(b: Uint8Array, length: number): boolean {
  if (length === 4) return b[0] !== 0 && b[0] < 224
  if (b[0] === 0xff) return false
  for (let i = 0; i < 16; i++) if (b[i] !== 0) return true
  return false
}
