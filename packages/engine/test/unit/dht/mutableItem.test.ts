import { describe, expect, test } from 'vitest'
import { immutableTarget, mutableTarget, signedBytes, verifyMutableItem } from '../../../src/dht/mutableItem.ts'
import { signMutableItem } from '../../../src/dht/signMutableItem.ts'
import { fromHex, latin1, toHex, utf8 } from '../../../src/util/bytes.ts'

const value = utf8('12:Hello World!')
const publicKey = fromHex('77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548')!
const secretKey = fromHex(
  'e06d3183d14159228433ed599221b80bd0a5ce8352e4bdf0262f76786ef1c74db7e7a9fea2c0eb269d61e3b38e450a22e754941ac78479d6c54e1faf6037881d',
)!

describe('BEP 44, test vectors', () => {
  test('1, mutable', () => {
    const item = signMutableItem(value, new Uint8Array(0), 1n, publicKey, secretKey)
    expect(latin1(signedBytes(value, 1n, item.salt))).toBe('3:seqi1e1:v12:Hello World!')
    expect(toHex(mutableTarget(publicKey, item.salt))).toBe('4a533d47ec9c7d95b1ad75f576cffc641853b750')
    expect(toHex(item.signature)).toBe(
      '305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01',
    )
    expect(verifyMutableItem(item)).toBe(true)
  })

  test('2, mutable with salt', () => {
    const item = signMutableItem(value, utf8('foobar'), 1n, publicKey, secretKey)
    expect(latin1(signedBytes(value, 1n, item.salt))).toBe('4:salt6:foobar3:seqi1e1:v12:Hello World!')
    expect(toHex(mutableTarget(publicKey, item.salt))).toBe('411eba73b6f087ca51a3795d9c8c938d365e32c1')
    expect(toHex(item.signature)).toBe(
      '6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08',
    )
    expect(verifyMutableItem(item)).toBe(true)
  })

  test('3, immutable', () => {
    expect(toHex(immutableTarget(value))).toBe('e5f96f6f38320f0f33959cb4d3d656452117aadb')
  })
})

test('a signature holds for its value, salt and number only', () => {
  const item = signMutableItem(value, utf8('foobar'), 1n, publicKey, secretKey)
  expect(verifyMutableItem({ ...item, seq: 2n })).toBe(false)
  expect(verifyMutableItem({ ...item, salt: utf8('foobaz') })).toBe(false)
  expect(verifyMutableItem({ ...item, value: utf8('12:Hello World?') })).toBe(false)
})

test('what nobody may store cannot be signed', () => {
  const sign = (v: Uint8Array, salt: Uint8Array, seq: bigint) => () =>
    signMutableItem(v, salt, seq, publicKey, secretKey)
  expect(sign(new Uint8Array(1001), new Uint8Array(0), 1n)).toThrow('1 to 1000 bytes')
  expect(sign(value, new Uint8Array(65), 1n)).toThrow('up to 64 bytes')
  expect(sign(value, new Uint8Array(0), -1n)).toThrow('0 to 2^63 - 1')
  expect(sign(value, new Uint8Array(0), 2n ** 63n)).toThrow('0 to 2^63 - 1')
})
