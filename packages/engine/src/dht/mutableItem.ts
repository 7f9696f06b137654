import { ed25519Verify } from '../crypto/ed25519Verify.ts'
import { sha1 } from '../crypto/sha1.ts'
import { concatBytes, fromLatin1 } from '../util/bytes.ts'

/** Bytes a bencoded value may have (BEP 44). */
export const MAX_ITEM_BYTES = 1000
/** Bytes a salt may have (BEP 44). */
export const MAX_SALT_BYTES = 64
/** Largest sequence number (BEP 44). */
export const MAX_SEQUENCE_NUMBER = 2n ** 63n - 1n

/** An item its publisher can change (BEP 44). */
export interface MutableItem {
  /** The value, bencoded. */
  readonly value: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 64 bytes, of `signedBytes`. */
  readonly signature: Uint8Array
  /** 0 to 2^63 - 1. */
  readonly seq: bigint
  /** Up to 64 bytes; empty: none. */
  readonly salt: Uint8Array
}

/** Where an immutable item is stored: the hash of its bencoded value. */
export function immutableTarget(value: Uint8Array): Uint8Array {
  return sha1(value).bytes
}

/** Where a mutable item is stored: the hash of its public key and salt. */
export function mutableTarget(publicKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return sha1(salt.length === 0 ? publicKey : concatBytes(publicKey, salt)).bytes
}

/** What is signed (BEP 44, "Signature Verification"). */
export function signedBytes(value: Uint8Array, seq: bigint, salt: Uint8Array): Uint8Array {
  const head = salt.length === 0 ? [] : [fromLatin1(`4:salt${salt.length}:`), salt]
  return concatBytes(...head, fromLatin1(`3:seqi${seq}e1:v`), value)
}

/** Whether the signature is that of the item's key. Costs 0.2 ms. */
export function verifyMutableItem(item: MutableItem): boolean {
  if (item.value.length > MAX_ITEM_BYTES || item.salt.length > MAX_SALT_BYTES) return false
  return ed25519Verify(item.signature, signedBytes(item.value, item.seq, item.salt), item.publicKey)
}
