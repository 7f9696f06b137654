import { expect, test } from 'vitest'
import { readResponse } from '../../unit/http/readResponse.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`

/** What different programs read differently (RFC 9112 sections 2.2, 5, 6, 7.1 and 11), or is no HTTP/1.x. */
test.each([
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['HTTP/0.9', '<html>\r\n\r\n'],
  ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['an old radio station', 'ICY 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['status 000', 'HTTP/1.1 000 x\r\n\r\n'],
  ['no status line', 'Content-Length: 0\r\n\r\n'],
  ['another protocol agreed on', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
  ['lines that end with LF', 'HTTP/1.1 200 OK\n\n'],
  ['one line that ends with LF', `${OK}A: b\nContent-Length: 5\r\n\r\n`],
  ['a CR within a line', `${OK}A: b\rContent-Length: 5\r\n\r\n`],
  ['a NUL', `${OK}A: b\0c\r\n\r\n`],
  ['a folded line', `${OK}A: b\r\n c\r\n\r\n`],
  ['a blank before the colon', `${OK}Content-Length : 5\r\n\r\n`],
  ['a blank before the first header', `${OK} Content-Length: 5\r\n\r\n`],
  ['no colon', `${OK}Content-Length\r\n\r\n`],
  ['no name', `${OK}: x\r\n\r\n`],
  ['two lengths', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`],
  ['two lengths in one', `${OK}Content-Length: 5, 5\r\n\r\n`],
  ['no length', `${OK}Content-Length:\r\n\r\n`],
  ['a negative length', `${OK}Content-Length: -1\r\n\r\n`],
  ['a length with sign', `${OK}Content-Length: +5\r\n\r\n`],
  ['a length in hexadecimal', `${OK}Content-Length: 0x5\r\n\r\n`],
  ['a length beyond all numbers', `${OK}Content-Length: 99999999999999999999\r\n\r\n`],
  ['length and chunks', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['chunks twice', `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n`],
  ['something before chunks', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
  ['chunks and then something', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n`],
  ['an encoding nobody knows', `${OK}Transfer-Encoding: xchunked\r\n\r\n`],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['two places to go', 'HTTP/1.1 302 x\r\nLocation: http://a/\r\nLocation: http://b/\r\n\r\n'],
  ['two ranges', 'HTTP/1.1 206 x\r\nContent-Range: bytes 0-1/9\r\nContent-Range: bytes 2-3/9\r\n\r\n'],
  ['a chunk without size', `${CHUNKED}\r\nabc`],
  ['a size that is none', `${CHUNKED}zz\r\nabc`],
  ['a size with sign', `${CHUNKED}-1\r\nabc`],
  ['a size with 0x', `${CHUNKED}0x3\r\nabc`],
  ['a size with blanks', `${CHUNKED} 3\r\nabc\r\n`],
  ['a chunk of 2^63 bytes', `${CHUNKED}7fffffffffffffff\r\nabc`],
  ['a size of many zeros', `${CHUNKED}${'0'.repeat(20)}3\r\nabc\r\n`],
  ['a size line that ends with LF', `${CHUNKED}3\nabc\r\n`],
  ['a chunk longer than it says', `${CHUNKED}3\r\nabcd\r\n`],
  ['an endless size line', `${CHUNKED}3;${'a'.repeat(1030)}`],
  ['an endless line', `${OK}A: ${'a'.repeat(16 * 1024)}`],
  ['endless headers', OK + 'A: 1234567890\r\n'.repeat(1200)],
  ['endless trailers', `${CHUNKED}0\r\n${'A: 1234567890\r\n'.repeat(1200)}`],
  ['endless announcements', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(700)],
])('%s is malformed, however it is cut', (_, text) => {
  const whole = readResponse([text])
  expect(whole.state).toBe('malformed')
  const bytes = readResponse([...text])
  expect([bytes.state, bytes.body]).toEqual(['malformed', whole.body])
})

test('however many chunks there are, what is said about each may only be so much', () => {
  const chunk = `1;${'a'.repeat(1000)}\r\nx\r\n`
  expect(readResponse([CHUNKED + chunk.repeat(100)])).toMatchObject({ state: 'chunkLine', body: 'x'.repeat(100) })
})
