import { expect, test } from 'vitest'
import { IpFilter } from '../../../src/filter/ipFilter.ts'
import { PortFilter } from '../../../src/filter/portFilter.ts'

test('a new filter allows everything, and says so in two ranges', () => {
  const filter = new IpFilter()
  expect(filter.isEmpty).toBe(true)
  expect(filter.access('1.2.3.4')).toBe(0)
  expect(filter.exportFilter()).toEqual([
    [{ first: '0.0.0.0', last: '255.255.255.255', flags: 0 }],
    [{ first: '::', last: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', flags: 0 }],
  ])
})

test('rules to the very ends of both families are kept (manual, ip_filter)', () => {
  const filter = new IpFilter()
  filter.addRule('255.255.255.255', '255.255.255.255', IpFilter.blocked)
  filter.addRule('0.0.0.0', '0.0.0.0', IpFilter.blocked)
  filter.addRule('::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', IpFilter.blocked)
  expect(
    ['0.0.0.0', '0.0.0.1', '255.255.255.254', '255.255.255.255', '::', '::1'].map((a) => filter.access(a)),
  ).toEqual([1, 0, 0, 1, 1, 1])
  expect(filter.isEmpty).toBe(false)
})

test('an IPv4 address in IPv6 clothes is an IPv4 address', () => {
  const filter = new IpFilter()
  filter.addRule('1.2.3.0', '1.2.3.255', IpFilter.blocked)
  filter.addRule('::ffff:9.9.9.9', '::ffff:9.9.9.9', IpFilter.blocked)
  expect(filter.isBlocked('::ffff:1.2.3.4')).toBe(true)
  expect(filter.isBlocked('::ffff:102:304')).toBe(true)
  expect(filter.isBlocked('9.9.9.9')).toBe(true)
})

test('what is no address is not blocked', () => {
  const filter = new IpFilter()
  filter.addRule('0.0.0.0', '255.255.255.255', IpFilter.blocked)
  for (const text of ['', 'peer.example', '1.2.3', '1.2.3.4.5', '1.2.3.04', '1.2.3.256', '1..2.3', '.1.2.3', '1.2.3.'])
    expect(filter.access(text)).toBe(0)
})

test('wrong use says what is wrong', () => {
  const filter = new IpFilter()
  expect(() => filter.addRule('1.2.3.4', '::1', 1)).toThrow(/different families/)
  expect(() => filter.addRule('1.2.3.4', '1.2.3.3', 1)).toThrow(/"1.2.3.4" is above "1.2.3.3"/)
  expect(() => filter.addRule('::2', '::1', 1)).toThrow(/above/)
  expect(() => filter.addRule('localhost', '1.2.3.4', 1)).toThrow(/not an IPv4 or IPv6 address: "localhost"/)
  expect(() => filter.addRule(undefined as unknown as string, '1.2.3.4', 1)).toThrow(/not an IPv4 or IPv6 address/)
  expect(() => filter.addRule('1.2.3.4', '1.2.3.4', -1)).toThrow(/flags/)
  expect(() => filter.addRule('1.2.3.4', '1.2.3.4', undefined as unknown as number)).toThrow(/flags/)
  expect(filter.isEmpty).toBe(true)

  const ports = new PortFilter()
  expect(() => ports.addRule(0, 65_536, 1)).toThrow(/a port is 0 to 65535/)
  expect(() => ports.addRule(10, 9, 1)).toThrow(/above/)
  expect(ports.isEmpty).toBe(true)
})

test('ports are blocked from the first to the last of a rule', () => {
  const ports = new PortFilter()
  ports.addRule(0, 1023, PortFilter.blocked)
  ports.addRule(80, 80, 0)
  ports.addRule(65_535, 65_535, PortFilter.blocked)
  expect([0, 79, 80, 81, 1023, 1024, 65_534, 65_535].filter((port) => ports.isBlocked(port))).toEqual([
    0, 79, 81, 1023, 65_535,
  ])
})

test('rules in the worst order do not take longer than n log n', () => {
  const filter = new IpFilter()
  const count = 100_000
  // Each covers all before it.
  for (let i = 0; i < count; i++) filter.addV4Rule(count - i, count + i, i % 2)
  for (let i = 0; i < count; i++) filter.addV4Rule(i, 2 * count - i, i % 2)
  expect(filter.access('0.0.0.0')).toBe(0)
  expect(filter.exportFilter()[0].length).toBeGreaterThan(count)
})
