import { createDiffieHellman, type DiffieHellman } from 'node:crypto'
import { compareBytes, fromHex } from '../util/bytes.ts'

/** Bytes of public keys and secrets. */
export const DH_KEY_BYTES = 96
/** Bytes of a private key; more makes it no safer (MSE), and slower. */
export const DH_PRIVATE_KEY_BYTES = 20

/** MSE's P of 768 bits; the generator is 2. */
export const DH_PRIME = fromHex(
  'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd' +
    'ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563',
) as Uint8Array

const TWO = Uint8Array.from({ length: DH_KEY_BYTES }, (_, i) => (i === DH_KEY_BYTES - 1 ? 2 : 0))
const PRIME_MINUS_TWO = DH_PRIME.map((byte, i) => (i === DH_KEY_BYTES - 1 ? byte - 2 : byte))

// Making one takes 15 ms, because it is tested whether P is a prime; what follows takes 0.04 ms a power. So there is one.
let calculator: DiffieHellman | null = null

function calculatorWith(privateKey: Uint8Array): DiffieHellman {
  calculator ??= createDiffieHellman(DH_PRIME, 2)
  calculator.setPrivateKey(privateKey)
  return calculator
}

/** One side of the key exchange of MSE. */
export class KeyExchange {
  /** What the other side is sent: 96 bytes. */
  readonly publicKey: Uint8Array

  /** @param privateKey 20 random bytes */
  constructor(private readonly privateKey: Uint8Array) {
    this.publicKey = padded(calculatorWith(privateKey).generateKeys())
  }

  /**
   * The secret both sides share, 96 bytes, from the 96 bytes the other side sent. Null for those that only an attacker
   * sends: with 0, 1 and P-1, or more than P, everybody could know the secret.
   */
  secret(remoteKey: Uint8Array): Uint8Array | null {
    if (remoteKey.length !== DH_KEY_BYTES) return null
    if (compareBytes(remoteKey, TWO) < 0 || compareBytes(remoteKey, PRIME_MINUS_TWO) > 0) return null
    return padded(calculatorWith(this.privateKey).computeSecret(remoteKey))
  }
}

/** Numbers that happen to be small come without their zeros. */
function padded(number: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(DH_KEY_BYTES)
  bytes.set(number, DH_KEY_BYTES - number.length)
  return bytes
}
