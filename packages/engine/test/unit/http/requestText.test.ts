import { expect, test } from 'vitest'
import { requestText } from '../../../src/http/requestText.ts'

test('a request has a line, the host, the headers and nothing else', () => {
  const url = new URL('http://me:secret@[2001:db8::1]:8080/a b/ü?q=1 2#part')
  expect(requestText(url, { range: 'bytes=0-5', 'user-agent': 'x' })).toBe(
    'GET /a%20b/%C3%BC?q=1%202 HTTP/1.1\r\nhost: [2001:db8::1]:8080\r\nrange: bytes=0-5\r\nuser-agent: x\r\n' +
      'connection: keep-alive\r\n\r\n',
  )
})

test('a host that is named takes the place of that of the URL', () => {
  expect(requestText(new URL('http://a/'), { host: 'b' })).toBe(
    'GET / HTTP/1.1\r\nhost: b\r\nconnection: keep-alive\r\n\r\n',
  )
})

test.each([
  { 'x-a': 'b\r\nx-c: d' },
  { 'x-a': 'b\nx-c: d' },
  { 'x-a\r\nx-b': 'c' },
  { 'x a': 'b' },
  { 'x-a': 'ü€' },
  { host: 'a\r\n\r\nGET / HTTP/1.1' },
  { '': 'x' },
] as Record<string, string>[])('nothing is sent with headers %j', (headers) => {
  expect(requestText(new URL('http://a/'), headers)).toBeNull()
})

test.each(['connection', 'content-length', 'transfer-encoding', 'upgrade', 'keep-alive'])(
  'nobody but us says where a request ends or what becomes of the connection: %s is left out',
  (name) => {
    expect(requestText(new URL('http://a/'), { [name]: '5' })).toBe(requestText(new URL('http://a/'), {}))
  },
)
