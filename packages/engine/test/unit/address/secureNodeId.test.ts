import { expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { addressToBytes } from '../../../src/address/addressBytes.ts'
import { generateNodeId, verifyNodeId } from '../../../src/address/secureNodeId.ts'
import { fromHex } from '../../../src/util/bytes.ts'

const random = new SeededRandom(1)

test.each([
  ['124.31.75.21', '5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401'],
  ['21.75.31.124', '5a3ce9c14e7a08645677bbd1cfe7d8f956d53256'],
  ['65.23.51.170', 'a5d43220bc8f112a3d426c84764f8c2a1150e616'],
  ['84.124.73.14', '1b0321dd1bb1fe518101ceef99462b947a01ff41'],
  ['43.213.53.83', 'e56f6cbf5b7c4be0237986d5243b87aa6d51305a'],
])('BEP 42, test vectors: %s may have the id %s', (address, id) => {
  const bytes = fromHex(id)!
  expect(verifyNodeId(bytes, addressToBytes(address)!)).toBe(true)
  for (const changed of [0, 1]) {
    const other = bytes.slice()
    other[changed] ^= 1
    expect(verifyNodeId(other, addressToBytes(address)!)).toBe(false)
  }
  // of the third byte only five bits count
  const other = bytes.slice()
  other[2] ^= 0x07
  expect(verifyNodeId(other, addressToBytes(address)!)).toBe(true)
  other[2] ^= 0x08
  expect(verifyNodeId(other, addressToBytes(address)!)).toBe(false)
})

test.each(['84.124.73.14', '2001:470:1f0b:7::2'])('an id made for %s fits it, and no other network', (address) => {
  const bytes = addressToBytes(address)!
  for (let i = 0; i < 50; i++) {
    const id = generateNodeId(bytes, random)
    expect(verifyNodeId(id, bytes)).toBe(true)
    expect(verifyNodeId(id, addressToBytes(address.includes(':') ? '2a00:1::1' : '85.1.2.3')!)).toBe(false)
  }
})

test.each(['127.0.0.1', '10.0.0.1', '192.168.1.1', '172.16.5.5', 'fe80::1', '::1'])(
  'on a local network any id will do: %s',
  (address) => expect(verifyNodeId(random.bytes(20), addressToBytes(address)!)).toBe(true),
)
