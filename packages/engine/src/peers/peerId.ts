import type { Random } from '../platform/random.ts'
import { fromLatin1 } from '../util/bytes.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** 20 bytes: the fingerprint, then random characters that survive in URLs and logs. */
export function makePeerId(fingerprint: string, random: Random): Uint8Array {
  const id = new Uint8Array(20)
  const prefix = fromLatin1(fingerprint).subarray(0, 20)
  id.set(prefix)
  for (let i = prefix.length; i < 20; i++) id[i] = ALPHABET.charCodeAt(random.below(ALPHABET.length))
  return id
}
