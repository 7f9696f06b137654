import { expect, test } from 'vitest'
import { broadcastAddress, sameSubnet } from '../../../src/address/subnet.ts'

test('two addresses are of one network when the bits of its prefix agree', () => {
  expect(sameSubnet('192.168.1.2', '192.168.1.254', 24)).toBe(true)
  expect(sameSubnet('192.168.1.2', '192.168.2.2', 24)).toBe(false)
  expect(sameSubnet('192.168.1.2', '192.168.2.2', 22)).toBe(true)
  expect(sameSubnet('10.0.0.127', '10.0.0.128', 25)).toBe(false)
  expect(sameSubnet('10.0.0.1', '11.0.0.1', 7)).toBe(true)
  expect(sameSubnet('1.2.3.4', '9.9.9.9', 0)).toBe(true)
  expect(sameSubnet('2001:db8::1', '2001:db8::ffff:1', 64)).toBe(true)
  expect(sameSubnet('2001:db8::1', '2001:db8:0:1::1', 64)).toBe(false)
  expect(sameSubnet('192.168.1.2', '::1', 0)).toBe(false)
  expect(sameSubnet('x', 'x', 0)).toBe(false)
})

test('the broadcast address has all bits of the host set', () => {
  expect(broadcastAddress('192.168.1.2', 24)).toBe('192.168.1.255')
  expect(broadcastAddress('172.16.37.200', 20)).toBe('172.16.47.255')
  expect(broadcastAddress('10.1.2.3', 30)).toBe('10.1.2.3')
  expect(broadcastAddress('10.1.2.3', 31)).toBeNull()
  expect(broadcastAddress('fd00::1', 64)).toBeNull()
})
