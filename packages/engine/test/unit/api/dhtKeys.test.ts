import { expect, test } from 'vitest'
import {
  ed25519AddScalar,
  ed25519CreateKeypair,
  ed25519CreateSeed,
  ed25519KeyExchange,
  ed25519Sign,
  signMutableItem,
} from '../../../src/api/dhtKeys.ts'
import { ed25519Verify } from '../../../src/crypto/ed25519Verify.ts'
import { signedBytes } from '../../../src/dht/mutableItem.ts'

const text = (words: string) => new TextEncoder().encode(words)

test('each seed is another one, and makes keys that sign', async () => {
  const seed = ed25519CreateSeed()
  expect(seed).toHaveLength(32)
  expect(ed25519CreateSeed()).not.toEqual(seed)
  const keys = await ed25519CreateKeypair(seed)
  const signature = await ed25519Sign(text('words'), keys)
  expect(ed25519Verify(signature, text('words'), keys.publicKey)).toBe(true)
  expect(ed25519Verify(signature, text('others'), keys.publicKey)).toBe(false)
})

test('a signature of a mutable item is over value, sequence number and salt', async () => {
  const keys = await ed25519CreateKeypair(new Uint8Array(32).fill(1))
  const signature = await signMutableItem(text('5:value'), text('salt'), 3, keys)
  expect(ed25519Verify(signature, signedBytes(text('5:value'), 3n, text('salt')), keys.publicKey)).toBe(true)
  await expect(signMutableItem(text('5:value'), new Uint8Array(65), 3, keys)).rejects.toThrow(/up to 64 bytes/)
})

test('a scalar makes another key pair, whose halves still belong together', async () => {
  const keys = await ed25519CreateKeypair(new Uint8Array(32).fill(2))
  const other = await ed25519AddScalar(keys, new Uint8Array(32).fill(3))
  expect(other.publicKey).not.toEqual(keys.publicKey)
  const signature = await ed25519Sign(text('words'), other)
  expect(ed25519Verify(signature, text('words'), other.publicKey)).toBe(true)
})

test('two who know each other by public key share a secret', async () => {
  const [a, b] = await Promise.all([4, 5].map((n) => ed25519CreateKeypair(new Uint8Array(32).fill(n))))
  expect(await ed25519KeyExchange(a.publicKey, b.secretKey)).toEqual(await ed25519KeyExchange(b.publicKey, a.secretKey))
})
