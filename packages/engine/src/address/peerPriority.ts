import { crc32c } from '../crypto/crc32c.ts'
import { compareBytes, concatBytes, writeU16 } from '../util/bytes.ts'
import { addressToBytes } from './addressBytes.ts'
import type { Endpoint } from './endpoint.ts'

/** What is left of the bytes in which two addresses of different networks differ. */
const MASK = 0x55

/**
 * The canonical priority of the connection between two endpoints, one of which is ours (BEP 40).
 * Both sides compute the same number, higher is better, and nobody can choose it freely.
 * 0, below all else, when the two are not of one address family.
 */
export function peerPriority(a: Endpoint, b: Endpoint): number {
  const first = addressToBytes(a.address)
  const second = addressToBytes(b.address)
  if (first === null || second === null || first.length !== second.length) return 0
  const order = compareBytes(first, second)
  if (order === 0) return portPriority(a.port, b.port)
  if (first.length === 4) maskV4(first, second)
  else maskV6(first, second)
  return crc32c(order < 0 ? concatBytes(first, second) : concatBytes(second, first))
}

function portPriority(a: number, b: number): number {
  const ports = new Uint8Array(4)
  writeU16(ports, 0, Math.min(a, b))
  writeU16(ports, 2, Math.max(a, b))
  return crc32c(ports)
}

/** Another /16: mask ff.ff.55.55. Another /24 of the same /16: ff.ff.ff.55. The same /24: none. */
function maskV4(a: Uint8Array, b: Uint8Array): void {
  const shared = commonPrefix(a, b)
  const firstMasked = shared < 2 ? 2 : shared < 3 ? 3 : 4
  maskFrom(a, b, firstMasked)
}

/** The first six bytes always count; the mask begins after the first byte that differs. */
function maskV6(a: Uint8Array, b: Uint8Array): void {
  maskFrom(a, b, Math.max(6, commonPrefix(a, b) + 2))
}

function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

function maskFrom(a: Uint8Array, b: Uint8Array, from: number): void {
  for (let i = from; i < a.length; i++) {
    a[i] &= MASK
    b[i] &= MASK
  }
}
