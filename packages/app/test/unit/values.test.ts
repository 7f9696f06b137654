import { expect, test } from 'vitest'
import { hostAndPortText, parseHostAndPort } from '../../src/options/hostAndPort.ts'
import {
  parseByteSize,
  parseDuration,
  parsePort,
  parseRate,
  parseRatio,
  parseTrackerUrl,
  parseWebSeedUrl,
  repeated,
} from '../../src/options/values.ts'

test('a port is 0 to 65535', () => {
  expect(parsePort('0')).toBe(0)
  expect(parsePort('65535')).toBe(65_535)
  for (const text of ['65536', '-1', '', '1.5', 'x', '0x10']) expect(() => parsePort(text)).toThrow('A port is')
})

test('a time is minutes, or says its unit', () => {
  expect(parseDuration('10')).toBe(600)
  expect(parseDuration('0.5')).toBe(30)
  expect(parseDuration('30s')).toBe(30)
  expect(parseDuration('2h')).toBe(7200)
  expect(parseDuration('1h30m')).toBe(5400)
  expect(parseDuration('1D')).toBe(86_400)
  for (const text of ['', 'h', '10x', '-5', '1 h', '5m3']) expect(() => parseDuration(text)).toThrow('A time is')
})

test('a size is bytes, or multiples of 1024', () => {
  expect(parseByteSize('32768')).toBe(32_768)
  for (const text of ['16k', '16K', '16kB', '16KiB', '16 KiB']) expect(parseByteSize(text)).toBe(16_384)
  expect(parseByteSize('1.5M')).toBe(1.5 * 1024 * 1024)
  for (const text of ['', '0', '-1', '1T', '1.0001', 'KiB']) expect(() => parseByteSize(text)).toThrow('A size is')
})

test('a rate is bytes a second, or multiples of 1024, and never nothing', () => {
  expect(parseRate('50000')).toBe(50_000)
  for (const text of ['500K', '500k', '500kB', '500KiB', '500 KiB/s', '500kb/s']) expect(parseRate(text)).toBe(512_000)
  expect(parseRate('1.5M')).toBe(1.5 * 1024 * 1024)
  expect(parseRate('0.3K')).toBe(307)
  for (const text of ['', '0', '-1', '1T', 'fast', '5/s/s', '0.2', 'K', '1e3']) {
    expect(() => parseRate(text)).toThrow('A rate is')
  }
})

test('a ratio is a number from 0', () => {
  expect(parseRatio('0')).toBe(0)
  expect(parseRatio('1.5')).toBe(1.5)
  for (const text of ['-1', '', 'x', '1e9', 'Infinity']) expect(() => parseRatio(text)).toThrow('A ratio is')
})

test('a tracker is an http, https or udp URL', () => {
  for (const url of ['http://a/announce', 'https://a:1/x?y=z', 'udp://[::1]:80/announce']) {
    expect(parseTrackerUrl(url)).toBe(url)
  }
  for (const url of ['a', 'ftp://a/', 'http://a b/', '', 'javascript:x']) {
    expect(() => parseTrackerUrl(url)).toThrow('A tracker is')
  }
  expect(() => parseWebSeedUrl('udp://a/')).toThrow('A web seed is')
})

test('a peer is a name or address with a port', () => {
  expect(parseHostAndPort('example.org:6881')).toEqual({ host: 'example.org', port: 6881 })
  expect(parseHostAndPort('10.0.0.1:1')).toEqual({ host: '10.0.0.1', port: 1 })
  expect(parseHostAndPort('[2001:db8::1]:6881')).toEqual({ host: '2001:db8::1', port: 6881 })
  for (const text of ['a', 'a:', ':1', 'a:0', 'a:65536', '::1:6881', '[a]:1', '[::1]', 'a:1:2', 'a b:1']) {
    expect(() => parseHostAndPort(text)).toThrow('host:port')
  }
  for (const text of ['example.org:6881', '[2001:db8::1]:6881']) {
    expect(hostAndPortText(parseHostAndPort(text))).toBe(text)
  }
})

test('a repeated option collects its values', () => {
  const parse = repeated(parsePort)
  expect(parse('2', parse('1', undefined))).toEqual([1, 2])
})
