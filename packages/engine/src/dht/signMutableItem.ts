import { ed25519Sign } from '../crypto/ed25519.ts'
import { MAX_ITEM_BYTES, MAX_SALT_BYTES, MAX_SEQUENCE_NUMBER, type MutableItem, signedBytes } from './mutableItem.ts'

/**
 * Makes a mutable item (libtorrent `dht::sign_mutable_item`).
 * @throws RangeError for a value of more than 1000 bytes, a salt of more than 64, a sequence number out of range, or keys
 * of the wrong size.
 */
export function signMutableItem(
  value: Uint8Array,
  salt: Uint8Array,
  seq: bigint,
  publicKey: Uint8Array,
  secretKey: Uint8Array,
): MutableItem {
  if (value.length === 0 || value.length > MAX_ITEM_BYTES) {
    throw new RangeError(`the bencoded value of an item has 1 to ${MAX_ITEM_BYTES} bytes, not ${value.length}`)
  }
  if (salt.length > MAX_SALT_BYTES) throw new RangeError(`a salt has up to ${MAX_SALT_BYTES} bytes, not ${salt.length}`)
  if (seq < 0n || seq > MAX_SEQUENCE_NUMBER) throw new RangeError(`a sequence number is 0 to 2^63 - 1, not ${seq}`)
  const signature = ed25519Sign(signedBytes(value, seq, salt), publicKey, secretKey)
  return { value, publicKey, signature, seq, salt }
}
