import type { Random } from '../platform/random.ts'

/** Bytes of a node id, an info-hash or the target of an item. */
export const NODE_ID_SIZE = 20

/** Negative, zero or positive as `a` is closer to `target` than `b`, as close, or farther: |x xor target| (BEP 5). */
export function compareDistance(a: Uint8Array, b: Uint8Array, target: Uint8Array): number {
  for (let i = 0; i < NODE_ID_SIZE; i++) {
    if (a[i] !== b[i]) return (a[i] ^ target[i]) - (b[i] ^ target[i])
  }
  return 0
}

/** Number of leading bits two ids have in common, 0 to 160. */
export function commonPrefixBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < NODE_ID_SIZE; i++) {
    const difference = a[i] ^ b[i]
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24
  }
  return NODE_ID_SIZE * 8
}

/** Bit `index` of an id, counted from the most significant one. */
export function bitOf(id: Uint8Array, index: number): number {
  return (id[index >> 3] >> (7 - (index & 7))) & 1
}

/** A random id whose first `bits` bits are those of `id`. */
export function randomIdWithPrefix(id: Uint8Array, bits: number, random: Random): Uint8Array {
  const result = random.bytes(NODE_ID_SIZE)
  const whole = bits >> 3
  result.set(id.subarray(0, whole), 0)
  const rest = bits & 7
  if (rest > 0) {
    const mask = (0xff00 >> rest) & 0xff
    result[whole] = (id[whole] & mask) | (result[whole] & ~mask)
  }
  return result
}
