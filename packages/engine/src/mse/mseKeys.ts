import { Rc4 } from '../crypto/rc4.ts'
import { sha1 } from '../crypto/sha1.ts'
import { concatBytes, fromLatin1 } from '../util/bytes.ts'

/** The first bytes of the key stream are thrown away (MSE). */
const DISCARDED_BYTES = 1024

const hashOf = (label: string, ...parts: readonly Uint8Array[]) => sha1(concatBytes(fromLatin1(label), ...parts)).bytes

/** What the one who connects sends behind its padding, so that its end is found. */
export function syncHash(secret: Uint8Array): Uint8Array {
  return hashOf('req1', secret)
}

/** What stands for a torrent in the handshake. `infoHash`: 20 bytes, of a v2 torrent the truncated hash. */
export function streamKeyHash(infoHash: Uint8Array): Uint8Array {
  return hashOf('req2', infoHash)
}

/** Hides a `streamKeyHash`, or shows it again. */
export function maskedStreamKey(hash: Uint8Array, secret: Uint8Array): Uint8Array {
  const mask = hashOf('req3', secret)
  return mask.map((byte, i) => byte ^ hash[i])
}

/** The cipher of one direction: `keyA` is that of the one who connected, `keyB` the other's. */
export function streamCipher(key: 'keyA' | 'keyB', secret: Uint8Array, infoHash: Uint8Array): Rc4 {
  return new Rc4(hashOf(key, secret, infoHash), DISCARDED_BYTES)
}
