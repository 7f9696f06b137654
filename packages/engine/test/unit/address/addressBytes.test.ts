import { describe, expect, test } from 'vitest'
import { addressToBytes, bytesToAddress, normalizeAddress } from '../../../src/address/addressBytes.ts'
import {
  isGlobal,
  isLinkLocal,
  isLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  isV4Mapped,
} from '../../../src/address/classify.ts'
import {
  COMPACT_V4_SIZE,
  COMPACT_V6_SIZE,
  decodeCompactEndpoint,
  decodeCompactEndpoints,
  encodeCompactEndpoint,
} from '../../../src/address/compactEndpoint.ts'

describe('address text', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1::', '1::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::ffff:102:304', '1.2.3.4'],
    ['::1.2.3.4', '::102:304'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ])('%s is %s in canonical form (RFC 5952)', (text, canonical) => {
    expect(normalizeAddress(text)).toBe(canonical)
    expect(normalizeAddress(canonical)).toBe(canonical)
  })

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '0x1.2.3.4',
    '1.2.3.4 ',
    '127.1',
    '2130706433',
    'example.org',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7::8',
    '::1.2.3',
    '1.2.3.4::',
    '[::1]',
    ':1::',
    '1:',
  ])('"%s" is no address', (text) => {
    expect(addressToBytes(text)).toBeNull()
  })

  test('any other number of bytes than 4 and 16 is a programming error', () => {
    expect(() => bytesToAddress(new Uint8Array(5))).toThrow(RangeError)
  })
})

describe('kinds of address', () => {
  test.each([
    ['127.0.0.1', [isLoopback, isLocal]],
    ['127.255.0.1', [isLoopback, isLocal]],
    ['::1', [isLoopback, isLocal]],
    ['::ffff:127.0.0.1', [isLoopback, isLocal, isV4Mapped]],
    ['0.0.0.0', [isUnspecified]],
    ['::', [isUnspecified]],
    ['10.1.2.3', [isLocal]],
    ['172.16.0.1', [isLocal]],
    ['172.31.255.255', [isLocal]],
    ['172.32.0.0', [isGlobal]],
    ['192.168.1.1', [isLocal]],
    ['100.64.0.1', [isLocal]],
    ['100.128.0.1', [isGlobal]],
    ['169.254.1.1', [isLocal, isLinkLocal]],
    ['224.0.0.1', [isMulticast]],
    ['239.255.255.255', [isMulticast]],
    ['240.0.0.1', [isGlobal]],
    ['8.8.8.8', [isGlobal]],
    ['fe80::1', [isLocal, isLinkLocal]],
    ['fec0::1', [isLocal]],
    ['fd00::1', [isLocal]],
    ['ff02::1', [isLocal, isMulticast]],
    ['ff05::1', [isLocal, isMulticast]],
    ['ff0e::1', [isMulticast]],
    ['2001:db8::1', [isGlobal]],
    ['4000::1', []],
    ['not an address', []],
  ])('%s is exactly what it should be', (address, expected) => {
    const all = [isGlobal, isLinkLocal, isLocal, isLoopback, isMulticast, isUnspecified, isV4Mapped]
    expect(all.filter((is) => is(address)).map((is) => is.name)).toEqual(
      all.filter((is) => expected.includes(is)).map((is) => is.name),
    )
  })
})

describe('compact endpoints', () => {
  test('BEP 23: four bytes of address and two of port', () => {
    const bytes = encodeCompactEndpoint({ address: '1.2.3.4', port: 6881 })
    expect([...bytes]).toEqual([1, 2, 3, 4, 0x1a, 0xe1])
    expect(decodeCompactEndpoint(bytes)).toEqual({ address: '1.2.3.4', port: 6881 })
  })

  test('BEP 7: sixteen bytes of address and two of port', () => {
    const bytes = encodeCompactEndpoint({ address: '2001:db8::1', port: 6881 })
    expect(bytes).toHaveLength(COMPACT_V6_SIZE)
    expect(decodeCompactEndpoint(bytes)).toEqual({ address: '2001:db8::1', port: 6881 })
  })

  test('a list is read up to the limit, and refused when it has a broken tail', () => {
    const list = new Uint8Array(3 * COMPACT_V4_SIZE).fill(7)
    expect(decodeCompactEndpoints(list, COMPACT_V4_SIZE)).toHaveLength(3)
    expect(decodeCompactEndpoints(list, COMPACT_V4_SIZE, 2)).toHaveLength(2)
    expect(decodeCompactEndpoints(list.subarray(1), COMPACT_V4_SIZE)).toBeNull()
    expect(decodeCompactEndpoints(list, COMPACT_V6_SIZE)).toHaveLength(1)
    expect(decodeCompactEndpoint(list.subarray(0, 7))).toBeNull()
  })
})
