import type { Ed25519Keypair } from '../crypto/ed25519.ts'
import { NodeRandom } from '../node/nodeRandom.ts'

/**
 * Keys of mutable items (BEP 44). All but checking signatures are promises: the arithmetic behind them takes 10 to 20 ms
 * to load, and few programs ever need it.
 */

/** A fresh seed of 32 bytes: what to keep of a key pair (libtorrent `dht::ed25519_create_seed`). */
export function ed25519CreateSeed(): Uint8Array {
  return new NodeRandom().bytes(32)
}

/** The key pair of a seed, always the same one (libtorrent `dht::ed25519_create_keypair`). Rejects unless it has 32 bytes. */
export async function ed25519CreateKeypair(seed: Uint8Array): Promise<Ed25519Keypair> {
  return (await import('../crypto/ed25519.ts')).ed25519CreateKeypair(seed)
}

/** The signature, 64 bytes, of `message` (libtorrent `dht::ed25519_sign`). Rejects for keys of the wrong size. */
export async function ed25519Sign(message: Uint8Array, keys: Ed25519Keypair): Promise<Uint8Array> {
  return (await import('../crypto/ed25519.ts')).ed25519Sign(message, keys.publicKey, keys.secretKey)
}

/** The key pair `scalar` (32 bytes) makes of another (libtorrent `dht::ed25519_add_scalar`). */
export async function ed25519AddScalar(keys: Ed25519Keypair, scalar: Uint8Array): Promise<Ed25519Keypair> {
  const { ed25519AddScalarToPublic, ed25519AddScalarToSecret } = await import('../crypto/ed25519.ts')
  return {
    publicKey: ed25519AddScalarToPublic(keys.publicKey, scalar),
    secretKey: ed25519AddScalarToSecret(keys.secretKey, scalar),
  }
}

/** A secret that only the owners of the two key pairs can compute, 32 bytes (libtorrent `dht::ed25519_key_exchange`). */
export async function ed25519KeyExchange(publicKey: Uint8Array, secretKey: Uint8Array): Promise<Uint8Array> {
  return (await import('../crypto/ed25519.ts')).ed25519KeyExchange(publicKey, secretKey)
}

/**
 * The signature of a mutable item, `value` being its bencoded bytes (libtorrent `dht::sign_mutable_item`). Only for who
 * sends items by other ways: `Session.dhtPutItem` signs. Rejects what no node would take.
 */
export async function signMutableItem(
  value: Uint8Array,
  salt: Uint8Array,
  seq: number | bigint,
  keys: Ed25519Keypair,
): Promise<Uint8Array> {
  const { signMutableItem: sign } = await import('../dht/signMutableItem.ts')
  return sign(value, salt, BigInt(seq), keys.publicKey, keys.secretKey).signature
}
