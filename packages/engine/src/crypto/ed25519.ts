import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { ED25519_PUBLIC_KEY_SIZE, ED25519_SIGNATURE_SIZE } from './ed25519Verify.ts'

/** Bytes of a seed and of an expanded secret key. */
const SEED_SIZE = 32
const SECRET_KEY_SIZE = 64

/**
 * Making keys and signatures. Checking them is in a file of its own (`ed25519Verify.ts`), because the arithmetic here
 * takes 10 to 20 ms to load, and few ever sign.
 *
 * libtorrent's key pair: the secret key is the expanded one, SHA-512 of the seed with the scalar's
 * bits set.
 */
export interface Ed25519Keypair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

const Point = ed25519.Point
/** Order of the base point. */
const ORDER = Point.Fn.ORDER

/**
 * A fresh seed (libtorrent `dht::ed25519_create_seed`). `random` must be cryptographically strong: the platform's is.
 */
export function ed25519CreateSeed(random: { bytes(count: number): Uint8Array }): Uint8Array {
  return random.bytes(SEED_SIZE)
}

/**
 * The key pair of a seed (libtorrent `dht::ed25519_create_keypair`).
 * @throws RangeError unless the seed has 32 bytes.
 */
export function ed25519CreateKeypair(seed: Uint8Array): Ed25519Keypair {
  needSize(seed, SEED_SIZE, 'seed')
  const secretKey = new Uint8Array(sha512(seed))
  secretKey[0] &= 248
  secretKey[31] &= 63
  secretKey[31] |= 64
  return { publicKey: timesBase(littleEndian(secretKey.subarray(0, 32))), secretKey }
}

/**
 * Signs `message` with an expanded secret key (libtorrent `dht::ed25519_sign`, RFC 8032 section 5.1.6 from step 2 on).
 * About a millisecond: not for hot paths.
 * @throws RangeError for keys of the wrong size.
 */
export function ed25519Sign(message: Uint8Array, publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
  needSize(publicKey, ED25519_PUBLIC_KEY_SIZE, 'public key')
  needSize(secretKey, SECRET_KEY_SIZE, 'secret key')
  const scalar = littleEndian(secretKey.subarray(0, 32))
  const nonce = littleEndian(sha512(secretKey.subarray(32), message)) % ORDER
  const signature = new Uint8Array(ED25519_SIGNATURE_SIZE)
  signature.set(timesBase(nonce), 0)
  const challenge = littleEndian(sha512(signature.subarray(0, 32), publicKey, message)) % ORDER
  signature.set(toLittleEndian((nonce + challenge * scalar) % ORDER), 32)
  return signature
}

/**
 * Adds a scalar to a public key (libtorrent `dht::ed25519_add_scalar`): whoever knows the scalar and the secret key can
 * make the same with `ed25519AddScalarToSecret`, and nobody else can. The highest bit of the scalar is ignored.
 * @throws RangeError for arguments of the wrong size or bytes that are no public key.
 */
export function ed25519AddScalarToPublic(publicKey: Uint8Array, scalar: Uint8Array): Uint8Array {
  needSize(publicKey, ED25519_PUBLIC_KEY_SIZE, 'public key')
  return pointOf(publicKey)
    .add(Point.fromBytes(timesBase(scalarOf(scalar))))
    .toBytes()
}

/** As `ed25519AddScalarToPublic`, on the secret side. @throws RangeError for arguments of the wrong size. */
export function ed25519AddScalarToSecret(secretKey: Uint8Array, scalar: Uint8Array): Uint8Array {
  needSize(secretKey, SECRET_KEY_SIZE, 'secret key')
  const sum = (littleEndian(secretKey.subarray(0, 32)) + scalarOf(scalar)) % ORDER
  const result = new Uint8Array(SECRET_KEY_SIZE)
  result.set(toLittleEndian(sum), 0)
  result.set(sha512(secretKey.subarray(32), scalar).subarray(0, 32), 32)
  return result
}

/**
 * The secret two key pairs share (libtorrent `dht::ed25519_key_exchange`): X25519 on the same keys.
 * @throws RangeError for arguments of the wrong size or bytes that are no public key.
 */
export function ed25519KeyExchange(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
  needSize(publicKey, ED25519_PUBLIC_KEY_SIZE, 'public key')
  needSize(secretKey, SECRET_KEY_SIZE, 'secret key')
  const clamped = secretKey.slice(0, 32)
  clamped[0] &= 248
  clamped[31] = (clamped[31] & 63) | 64
  const shared = pointOf(publicKey).multiplyUnsafe(littleEndian(clamped) % ORDER)
  // The Montgomery form of the shared point: u = (1 + y) / (1 - y).
  const { y } = shared.toAffine()
  const { Fp } = Point
  return toLittleEndian(Fp.mul(Fp.add(Fp.ONE, y), Fp.inv(Fp.sub(Fp.ONE, y))))
}

function pointOf(publicKey: Uint8Array): InstanceType<typeof Point> {
  try {
    return Point.fromBytes(publicKey)
  } catch (cause) {
    throw new RangeError('these 32 bytes are no Ed25519 public key', { cause })
  }
}

function scalarOf(scalar: Uint8Array): bigint {
  needSize(scalar, 32, 'scalar')
  return littleEndian(scalar) & (2n ** 255n - 1n)
}

function timesBase(scalar: bigint): Uint8Array {
  const reduced = scalar % ORDER
  return (reduced === 0n ? Point.ZERO : Point.BASE.multiply(reduced)).toBytes()
}

function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function toLittleEndian(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse())
}

function needSize(bytes: Uint8Array, size: number, name: string): void {
  if (bytes.length !== size) throw new RangeError(`an Ed25519 ${name} has ${size} bytes, not ${bytes.length}`)
}
