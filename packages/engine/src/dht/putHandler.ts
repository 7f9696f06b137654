import { softErrorOf } from '../bencode/bdecode.ts'
import type { BNode } from '../bencode/bNode.ts'
import { ED25519_PUBLIC_KEY_SIZE, ED25519_SIGNATURE_SIZE } from '../crypto/ed25519Verify.ts'
import { EMPTY_BYTES, equalBytes } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import type { DhtStorage } from './dhtStorage.ts'
import { KrpcErrorCode, type KrpcFailure, krpcFailure } from './krpcError.ts'
import {
  immutableTarget,
  MAX_ITEM_BYTES,
  MAX_SALT_BYTES,
  type MutableItem,
  mutableTarget,
  verifyMutableItem,
} from './mutableItem.ts'
import type { RateBudget } from './rateBudget.ts'
import type { WriteTokens } from './writeTokens.ts'

/** Signatures checked a second, 0.2 ms each; in bursts of three seconds' worth. */
export const SIGNATURES_PER_SECOND = 100

const { protocol, server, messageTooBig, invalidSignature, saltTooBig, casMismatch, oldSequenceNumber } = KrpcErrorCode

export interface PutHandlerHost {
  readonly storage: DhtStorage
  readonly tokens: WriteTokens
  readonly signatureBudget: RateBudget
  now(): Millis
}

/**
 * Stores an item somebody puts (BEP 44), or says why not. What is cheap is checked first, and a signature only for one
 * who has shown a token for this very item, and not more often than the budget allows.
 */
export function handlePut(host: PutHandlerHost, args: BNode, compact: Uint8Array): KrpcFailure | null {
  const token = args.getString('token')
  const value = args.get('v')?.bytes ?? null
  if (token === null) return krpcFailure(protocol, "missing 'token' key")
  if (value === null) return krpcFailure(protocol, "missing 'v' key")
  if (value.length > MAX_ITEM_BYTES) return krpcFailure(messageTooBig, 'message too big')
  // What is signed or hashed must come back the same from every decoder.
  if (softErrorOf(args) !== null) return krpcFailure(protocol, 'invalid bencoding')
  const key = args.get('k')
  return key === null
    ? putImmutable(host, value, token, compact)
    : putMutable(host, args, key.asString() ?? EMPTY_BYTES, value, token, compact)
}

function putImmutable(
  host: PutHandlerHost,
  value: Uint8Array,
  token: Uint8Array,
  compact: Uint8Array,
): KrpcFailure | null {
  const target = immutableTarget(value)
  if (!host.tokens.verify(token, compact, target)) return krpcFailure(protocol, 'invalid token')
  host.storage.putImmutableItem(target, value, compact.subarray(0, compact.length - 2))
  return null
}

function putMutable(
  host: PutHandlerHost,
  args: BNode,
  publicKey: Uint8Array,
  value: Uint8Array,
  token: Uint8Array,
  compact: Uint8Array,
): KrpcFailure | null {
  const salt = args.getString('salt') ?? EMPTY_BYTES
  const signature = args.getString('sig')
  const seq = args.getBigInt('seq')
  if (salt.length > MAX_SALT_BYTES) return krpcFailure(saltTooBig, 'salt too big')
  if (publicKey.length !== ED25519_PUBLIC_KEY_SIZE) return krpcFailure(protocol, "invalid value for 'k'")
  if (signature === null || signature.length !== ED25519_SIGNATURE_SIZE)
    return krpcFailure(protocol, "invalid value for 'sig'")
  if (seq === null || seq < 0n) return krpcFailure(protocol, 'invalid (negative) sequence number')
  const target = mutableTarget(publicKey, salt)
  if (!host.tokens.verify(token, compact, target)) return krpcFailure(protocol, 'invalid token')

  const stored = host.storage.getMutableItem(target)
  const refused = stored === null ? null : refusal(stored, seq, value, args.getBigInt('cas'))
  if (refused !== null) return refused

  const now = host.now()
  if (!host.signatureBudget.has(SIGNATURES_PER_SECOND, now)) return krpcFailure(server, 'too busy')
  host.signatureBudget.spend(1)
  const item = { value, publicKey, signature, seq, salt }
  if (!verifyMutableItem(item)) return krpcFailure(invalidSignature, 'invalid signature')
  host.storage.putMutableItem(target, item, compact.subarray(0, compact.length - 2))
  return null
}

/** Whether the stored item stands against the new one: compare-and-swap, and numbers that only grow. */
function refusal(stored: MutableItem, seq: bigint, value: Uint8Array, cas: bigint | null): KrpcFailure | null {
  if (cas !== null && cas !== stored.seq) return krpcFailure(casMismatch, 'CAS mismatch')
  // The same again keeps the item alive.
  const isOld = seq < stored.seq || (seq === stored.seq && !equalBytes(value, stored.value))
  return isOld ? krpcFailure(oldSequenceNumber, 'old sequence number') : null
}
