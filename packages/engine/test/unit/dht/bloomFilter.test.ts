import { expect, test } from 'vitest'
import { BloomFilter } from '../../../src/dht/bloomFilter.ts'
import { toHex } from '../../../src/util/bytes.ts'

const VECTOR =
  'F6C3F5EAA07FFD91BDE89F777F26FB2BFF37BDB8FB2BBAA2FD3DDDE7BACFFF75EE7CCBAEFE5EEDB1FBFAFF67F6ABFF5E43DDBCA3FD9B9FFDF4FFD3E9' +
  'DFF12D1BDF59DB53DBE9FA5B7FF3B8FDFCDE1AFB8BEDD7BE2F3EE71EBBBFE93BCDEEFE148246C2BC5DBFF7E7EFDCF24FD8DC7ADFFD8FFFDFDDFFF7A4' +
  'BBEEDF5CB95CE81FC7FCFF1FF4FFFFDFE5F7FDCBB7FD79B3FA1FC77BFE07FFF905B7B7FFC7FEFEFFE0B8370BB0CD3F5B7F2BD93FEB4386CFDD6F7FD5' +
  'BFAF2E9EBFFFFEECD67ADBF7C67F17EFD5D75EBA6FFEBA7FFF47A91EB1BFBB53E8ABFB5762ABE8FF237279BFEFBFEEF5FFC5FEBFDFE5ADFFADFEE1FB' +
  '737FFFFBFD9F6AEFFEEE76B6FD8F72EF'

test('BEP 33, test vector: 1256 addresses give this filter and are counted as 1224.9308', () => {
  const filter = new BloomFilter()
  for (let i = 0; i <= 255; i++) filter.insert(Uint8Array.of(192, 0, 2, i))
  for (let i = 0; i <= 0x3e7; i++) {
    const address = new Uint8Array(16)
    address.set([0x20, 0x01, 0x0d, 0xb8])
    address[14] = i >> 8
    address[15] = i
    filter.insert(address)
  }
  expect(toHex(filter.bits).toUpperCase()).toBe(VECTOR)
  expect(filter.estimate).toBeCloseTo(1224.9308, 3)
})

test('an empty filter counts nobody, and a union counts those of both once', () => {
  const a = new BloomFilter()
  const b = new BloomFilter()
  expect(a.estimate).toBe(0)
  for (let i = 0; i < 100; i++) a.insert(Uint8Array.of(1, 2, 3, i))
  for (let i = 50; i < 150; i++) b.insert(Uint8Array.of(1, 2, 3, i))
  a.union(b.bits)
  expect(Math.abs(a.estimate - 150)).toBeLessThan(10)
})

test('what was inserted is in it, and inserting it again says so', () => {
  const filter = new BloomFilter(128)
  expect(filter.insert(Uint8Array.of(1, 2, 3, 4))).toBe(true)
  expect(filter.insert(Uint8Array.of(1, 2, 3, 4))).toBe(false)
  expect(filter.has(Uint8Array.of(1, 2, 3, 4))).toBe(true)
  expect(filter.has(Uint8Array.of(1, 2, 3, 5))).toBe(false)
})
