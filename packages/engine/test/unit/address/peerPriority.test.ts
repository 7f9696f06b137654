import { describe, expect, test } from 'vitest'
import { peerPriority } from '../../../src/address/peerPriority.ts'
import { crc32c } from '../../../src/crypto/crc32c.ts'

function crcOf(hex: string): number {
  return crc32c(Buffer.from(hex, 'hex'))
}

describe('crc32c', () => {
  test('RFC 3720 B.4: the checksums of 32 zeros, 32 ones, and of counting up', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e)
  })
})

describe('peerPriority', () => {
  test.each([
    ['98.76.54.32', 0xec2d7224],
    ['123.213.32.234', 0x99568189],
  ])('BEP 40: the example 123.213.32.10 and %s', (address, expected) => {
    expect(peerPriority({ address: '123.213.32.10', port: 0 }, { address, port: 0 })).toBe(expected)
  })

  const all = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
  test.each([
    ['one address: the ports, lower first', '230.12.123.3', '230.12.123.3', '012c04d2'],
    ['one /24: whole addresses', '230.12.123.1', '230.12.123.3', 'e60c7b01e60c7b03'],
    ['one /16: mask ffffff55', '230.12.23.1', '230.12.123.3', 'e60c1701e60c7b01'],
    ['nothing in common: mask ffff5555', '230.120.23.1', '230.12.123.3', 'e60c5101e6781501'],
    ['one IPv6 address: the ports', all, all, '012c04d2'],
    ['another /32', all, all.replace(':ffff', ':0fff'), `ffff0fffffff${'55'.repeat(10)}ffffffffffff${'55'.repeat(10)}`],
    [
      'the same /48',
      all,
      'ffff:ffff:ff0f:ffff:ffff:ffff:ffff:ffff',
      `ffffffffff0fff${'55'.repeat(9)}ffffffffffffff${'55'.repeat(9)}`,
    ],
    [
      'the same /56',
      all,
      'ffff:ffff:ffff:0fff:ffff:ffff:ffff:ffff',
      `ffffffffffff0fff${'55'.repeat(8)}${'ff'.repeat(8)}${'55'.repeat(8)}`,
    ],
  ])('BEP 40: %s', (_, a, b, hashed) => {
    expect(peerPriority({ address: a, port: 0x4d2 }, { address: b, port: 0x12c })).toBe(crcOf(hashed))
  })

  test('between two address families there is none', () => {
    expect(peerPriority({ address: '1.2.3.4', port: 1 }, { address: '::1', port: 1 })).toBe(0)
  })
})
