import { expect, test } from 'vitest'
import { DH_PRIME, KeyExchange } from '../../../src/crypto/keyExchange.ts'
import { fromHex, toHex } from '../../../src/util/bytes.ts'

const P = BigInt(`0x${toHex(DH_PRIME)}`)

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base, left = exponent; left > 0n; left >>= 1n, square = (square * square) % P) {
    if (left & 1n) result = (result * square) % P
  }
  return result
}

function key(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(192, '0')) as Uint8Array
}

const privateKey = (first: number) => Uint8Array.from({ length: 20 }, (_, i) => (first + i * 37) & 255)
const numberOf = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes)}`)

test('MSE: P is a safe prime of 768 bits', () => {
  expect(P.toString(2)).toHaveLength(768)
  // Fermat, for P and for (P - 1) / 2.
  expect(power(3n, P - 1n)).toBe(1n)
  const half = (P - 1n) / 2n
  let [result, square] = [1n, 3n]
  for (let left = half - 1n; left > 0n; left >>= 1n, square = (square * square) % half) {
    if (left & 1n) result = (result * square) % half
  }
  expect(result).toBe(1n)
})

test('a public key is 2 to the power of the private one, and both sides come to the same secret', () => {
  const [a, b] = [privateKey(1), privateKey(2)]
  const [ours, theirs] = [new KeyExchange(a), new KeyExchange(b)]
  expect(numberOf(ours.publicKey)).toBe(power(2n, numberOf(a)))
  expect(numberOf(theirs.publicKey)).toBe(power(2n, numberOf(b)))
  const secret = ours.secret(theirs.publicKey) as Uint8Array
  expect(numberOf(secret)).toBe(power(numberOf(theirs.publicKey), numberOf(a)))
  expect(theirs.secret(ours.publicKey)).toEqual(secret)
})

test('keys and secrets that happen to be small numbers have their 96 bytes all the same', () => {
  // 2 to the power of 5 is 32.
  const five = new Uint8Array(20)
  five[19] = 5
  const exchange = new KeyExchange(five)
  expect(exchange.publicKey).toEqual(key(32n))
  expect(exchange.secret(key(3n))).toEqual(key(243n))
})

test('numbers that make the secret known to everybody are no keys', () => {
  const exchange = new KeyExchange(privateKey(3))
  for (const bad of [0n, 1n, P - 1n, P, P + 1n, 2n ** 768n - 1n]) expect(exchange.secret(key(bad))).toBeNull()
  for (const good of [2n, 3n, P - 2n]) expect(exchange.secret(key(good))).toHaveLength(96)
  expect(exchange.secret(key(2n).subarray(1))).toBeNull()
})
