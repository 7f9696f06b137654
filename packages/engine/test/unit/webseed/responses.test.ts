import { expect, test } from 'vitest'
import {
  judgeFileResponse,
  judgePieceResponse,
  parseContentRange,
  parseRetryAfter,
} from '../../../src/webseed/responseVerdict.ts'
import { fileUrl, httpSeedUrl, parseWebSeedUrl, redirectTarget } from '../../../src/webseed/webSeedLocation.ts'

const RANGE = { offset: 100, length: 50 }
const judge = (status: number, headers: Record<string, string> = {}, range = RANGE, size = 1000) =>
  judgeFileResponse({ status, headers, remoteAddress: '' }, range, size, 1_700_000_000)
const code = (status: number, headers: Record<string, string> = {}, range = RANGE, size = 1000) => {
  const verdict = judge(status, headers, range, size)
  return 'error' in verdict ? `${verdict.kind} ${verdict.error.code}` : verdict.kind
}

test('206 with the range that was asked for is a body; a shorter one is a shorter body', () => {
  expect(judge(206, { 'content-range': 'bytes 100-149/1000' })).toEqual({ kind: 'body', skip: 0, length: 50 })
  expect(judge(206, { 'content-range': 'bytes 100-149/*' })).toEqual({ kind: 'body', skip: 0, length: 50 })
  expect(judge(206, { 'content-range': 'bytes 100-119/1000' })).toEqual({ kind: 'body', skip: 0, length: 20 })
})

test.each([
  ['no range', {}],
  ['another start', { 'content-range': 'bytes 99-149/1000' }],
  ['a longer one', { 'content-range': 'bytes 100-150/1000' }],
  ['a file of another size', { 'content-range': 'bytes 100-149/999' }],
  ['a length that contradicts', { 'content-range': 'bytes 100-149/1000', 'content-length': '51' }],
  ['several parts', { 'content-type': 'multipart/byteranges; boundary=x' }],
])('206 with %s means that the file is not there', (_, headers) => {
  expect(judge(206, headers).kind).toBe('missing')
})

test('200 is the whole file, if it has its size and not much of it is to be skipped', () => {
  expect(judge(200, { 'content-length': '1000' })).toEqual({ kind: 'body', skip: 100, length: 50 })
  expect(code(200, { 'content-length': '999' })).toBe('missing invalidRange')
  expect(code(200)).toBe('missing noContentLength')
  expect(code(200, { 'content-length': '1000', 'content-encoding': 'gzip' })).toBe('missing httpFailedDecompress')
  expect(code(200, { 'content-length': `${1e9}` }, { offset: 5e8, length: 10 }, 1e9)).toBe('missing invalidRange')
})

test('other statuses: gone, forbidden, busy, moved', () => {
  const codes = [400, 401, 403, 404, 408, 410, 416, 429, 500, 502, 503, 599, 100, 204, 304].map((n) => judge(n).kind)
  expect(codes.join(' ')).toBe(
    'missing refused missing missing busy missing missing busy busy busy busy busy busy busy busy',
  )
  expect(judge(302, { location: '/x' })).toEqual({ kind: 'redirect', location: '/x' })
})

test('an HTTP seed gives exactly what was asked for, or nothing', () => {
  const piece = (status: number, headers: Record<string, string> = {}) =>
    judgePieceResponse({ status, headers, remoteAddress: '' }, 50, 0)
  expect(piece(200, { 'content-length': '50' })).toEqual({ kind: 'body', skip: 0, length: 50 })
  expect(piece(200)).toEqual({ kind: 'body', skip: 0, length: 50 })
  expect(piece(200, { 'content-length': '49' }).kind).toBe('missing')
  expect([404, 503, 500, 401].map((status) => piece(status).kind)).toEqual(['busy', 'busy', 'busy', 'refused'])
})

test.each([
  ['bytes 0-0/1', { offset: 0, length: 1, total: 1 }],
  [' BYTES  5-9/* ', { offset: 5, length: 5, total: null }],
  ['bytes 5-4/10', null],
  ['bytes 0-10/10', null],
  ['bytes */10', null],
  ['bytes -5/10', null],
  ['bytes 0-5', null],
  ['items 0-5/10', null],
  [`bytes 0-${'9'.repeat(30)}/*`, null],
  [undefined, null],
])('Content-Range %j', (text, parsed) => {
  expect(parseContentRange(text)).toEqual(parsed)
})

test('Retry-After is a number of seconds or a date, a day at most (RFC 9110 section 10.2.3)', () => {
  const now = Date.UTC(2026, 1, 28, 23, 59, 0) / 1000
  const parsed = (text?: string) => parseRetryAfter(text, now)
  expect(['0', ' 120 ', '99999999', '', 'x', '-1', '1.5', undefined].map(parsed)).toEqual([
    0,
    120,
    86_400,
    null,
    null,
    null,
    null,
    null,
  ])
  expect(parsed('Sun, 01 Mar 2026 00:00:30 GMT')).toBe(90)
  expect(parsed('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(0)
  for (let day = 0; day < 1500; day += 37) {
    const at = now + day * 7919
    expect(parseRetryAfter(new Date(at * 1000).toUTCString(), at - 5)).toBe(5)
  }
})

test('URLs of files (BEP 19)', () => {
  expect(fileUrl('http://x/y', 'name', true)).toBe('http://x/y')
  expect(fileUrl('http://x/y/', 'na me%', true)).toBe('http://x/y/na%20me%25')
  expect(fileUrl('http://x/y', 'name/a/b c', false)).toBe('http://x/y/name/a/b%20c')
  expect(fileUrl('http://x/y/', 'name/#1?.txt', false)).toBe('http://x/y/name/%231%3F.txt')
})

test('URLs of pieces (BEP 17)', () => {
  const hash = new Uint8Array(20).fill(0x41)
  const url = (base: string, offset: number, length: number) => httpSeedUrl(base, hash, 3, { offset, length }, 100)
  expect(url('http://x/s.php', 0, 100)).toBe(`http://x/s.php?info_hash=${'A'.repeat(20)}&piece=3`)
  expect(url('http://x/s.php?a=b', 16, 10)).toBe(`http://x/s.php?a=b&info_hash=${'A'.repeat(20)}&piece=3&ranges=16-25`)
})

test('redirects lead to http and https only, and never from https into the open', () => {
  const to = (from: string, location?: string) => {
    const target = redirectTarget(from, location)
    return typeof target === 'string' ? target : target.code
  }
  expect(to('http://a/b/c', '../d e')).toBe('http://a/d%20e')
  expect(to('http://a/b', 'https://c/d#x')).toBe('https://c/d')
  expect(to('http://a/b', 'http://user:pw@c/')).toBe('http://c/')
  expect(to('http://a/b')).toBe('missingLocation')
  for (const bad of ['file:///etc/passwd', 'ftp://x/', 'http://', 'javascript:1', `http://${'a'.repeat(9000)}`]) {
    expect(to('http://a/b', bad)).toBe('invalidRedirection')
  }
  expect(to('https://a/b', 'http://a/b')).toBe('invalidRedirection')
})

test('credentials and fragments are taken off a URL', () => {
  expect(parseWebSeedUrl('http://u%40:p@x:80/y?z#f')).toEqual({
    url: 'http://x/y?z',
    authorization: `Basic ${Buffer.from('u@:p').toString('base64')}`,
  })
})
