import { crc32c } from '../crypto/crc32c.ts'
import { isLocalBytes } from './classify.ts'

/** The bits of an address that a node id depends on (BEP 42): the farther down, the fewer. */
const V4_MASK = [0x03, 0x0f, 0x3f, 0xff]
const V6_MASK = [0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff]

const v4Octets = new Uint8Array(4)
const v6Octets = new Uint8Array(8)

/**
 * A node id that the address (4 or 16 bytes) may have (BEP 42): the first 21 bits are fixed by the address and by the
 * lower three bits of the last byte; the rest is random.
 */
export function generateNodeId(address: Uint8Array, random: { bytes(count: number): Uint8Array }): Uint8Array {
  const id = random.bytes(20)
  const prefix = idPrefix(address, id[19])
  id[0] = prefix >>> 24
  id[1] = prefix >>> 16
  id[2] = ((prefix >>> 8) & 0xf8) | (id[2] & 0x07)
  return id
}

/**
 * Whether a node at `address` (4 or 16 bytes, or a compact endpoint, which begins with them) may have the id (BEP 42).
 * Nodes on local networks may have any: the address they know themselves by is another one.
 */
export function verifyNodeId(id: Uint8Array, address: Uint8Array): boolean {
  return matchesAddress(id, address) || isLocalBytes(address, address.length < 16)
}

function matchesAddress(id: Uint8Array, address: Uint8Array): boolean {
  const prefix = idPrefix(address, id[19])
  return id[0] === prefix >>> 24 && id[1] === ((prefix >>> 16) & 0xff) && ((id[2] ^ (prefix >>> 8)) & 0xf8) === 0
}

/** The checksum whose first 21 bits the id begins with. */
function idPrefix(address: Uint8Array, r: number): number {
  const v4 = address.length < 16
  const octets = v4 ? v4Octets : v6Octets
  const mask = v4 ? V4_MASK : V6_MASK
  for (let i = 0; i < octets.length; i++) octets[i] = address[i] & mask[i]
  octets[0] |= (r & 0x07) << 5
  return crc32c(octets)
}
