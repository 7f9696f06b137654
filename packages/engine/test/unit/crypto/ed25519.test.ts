import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import {
  ed25519AddScalarToPublic,
  ed25519AddScalarToSecret,
  ed25519CreateKeypair,
  ed25519CreateSeed,
  ed25519KeyExchange,
  ed25519Sign,
} from '../../../src/crypto/ed25519.ts'
import { ed25519Verify } from '../../../src/crypto/ed25519Verify.ts'
import { SipHash } from '../../../src/crypto/sipHash.ts'
import { fromHex, toHex, utf8 } from '../../../src/util/bytes.ts'

const hex = (text: string) => fromHex(text)!

describe('Ed25519', () => {
  test.each([
    {
      seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature:
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
    {
      seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      message: 'af82',
      signature:
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    },
  ])('RFC 8032 section 7.1: the seed $seed signs as it should', ({ seed, publicKey, message, signature }) => {
    const pair = ed25519CreateKeypair(hex(seed))
    expect(toHex(pair.publicKey)).toBe(publicKey)
    expect(toHex(ed25519Sign(hex(message), pair.publicKey, pair.secretKey))).toBe(signature)
    expect(ed25519Verify(hex(signature), hex(message), pair.publicKey)).toBe(true)
  })

  test('a signature with a bit changed, of another message or by another key is none', () => {
    const { publicKey, secretKey } = ed25519CreateKeypair(new Uint8Array(32).fill(1))
    const message = utf8('message')
    const signature = ed25519Sign(message, publicKey, secretKey)
    const changed = signature.slice()
    changed[40] ^= 1
    expect(ed25519Verify(changed, message, publicKey)).toBe(false)
    expect(ed25519Verify(signature, utf8('massage'), publicKey)).toBe(false)
    expect(ed25519Verify(signature, message, ed25519CreateKeypair(new Uint8Array(32)).publicKey)).toBe(false)
  })

  test('keys and signatures of the wrong size or form verify nothing and throw nothing', () => {
    expect(ed25519Verify(new Uint8Array(63), new Uint8Array(1), new Uint8Array(32))).toBe(false)
    expect(ed25519Verify(new Uint8Array(64), new Uint8Array(1), new Uint8Array(31))).toBe(false)
    expect(ed25519Verify(new Uint8Array(64).fill(255), new Uint8Array(1), new Uint8Array(32).fill(255))).toBe(false)
    expect(() => ed25519CreateKeypair(new Uint8Array(31))).toThrow('an Ed25519 seed has 32 bytes, not 31')
  })

  test('a scalar added to both halves of a key pair gives another pair', () => {
    const { publicKey, secretKey } = ed25519CreateKeypair(new Uint8Array(32).fill(2))
    const scalar = new Uint8Array(32).fill(9)
    const derivedPublic = ed25519AddScalarToPublic(publicKey, scalar)
    const derivedSecret = ed25519AddScalarToSecret(secretKey, scalar)
    const signature = ed25519Sign(utf8('m'), derivedPublic, derivedSecret)
    expect(ed25519Verify(signature, utf8('m'), derivedPublic)).toBe(true)
    expect(ed25519Verify(signature, utf8('m'), publicKey)).toBe(false)
  })

  test('two key pairs share a secret', () => {
    const a = ed25519CreateKeypair(ed25519CreateSeed(new SeededRandom(3)))
    const b = ed25519CreateKeypair(new Uint8Array(32).fill(4))
    expect(ed25519KeyExchange(a.publicKey, b.secretKey)).toEqual(ed25519KeyExchange(b.publicKey, a.secretKey))
  })
})

test("SipHash-2-4 gives the vector of its authors' paper", () => {
  const hash = new SipHash(Uint8Array.from({ length: 16 }, (_, i) => i))
  hash.hash(Uint8Array.from({ length: 15 }, (_, i) => i))
  expect([hash.high, hash.low]).toEqual([0xa129ca61, 0x49be45e5])
})
