import { expect, test } from 'vitest'
import { ResponseReader } from '../../../src/http/responseReader.ts'
import { readResponse } from './readResponse.ts'

const lines = (...all: string[]) => all.map((line) => `${line}\r\n`).join('')

test('a body of known length ends there, and what follows is left', () => {
  const text = `${lines('HTTP/1.1 200 OK', 'Content-Length: 5', 'X-Odd:\t a  b \t', '')}helloHTTP/1.1`
  const { head, ...rest } = readResponse([text])
  expect(rest).toEqual({ body: 'hello', state: 'complete', unread: 8 })
  expect(head).toMatchObject({ status: 200, framing: { kind: 'length', length: 5 }, keepsConnection: true })
  expect({ ...head?.headers }).toEqual({ 'content-length': '5', 'x-odd': 'a  b' })
})

test('chunks, what is said about them, and trailers are not part of the body', () => {
  const text = lines(
    'HTTP/1.1 200 OK',
    'Transfer-Encoding: Chunked',
    '',
    '3;a="b"',
    'abc',
    '0A',
    '0123456789',
    '0',
    'X: y',
    '',
  )
  expect(readResponse([text, 'z'])).toMatchObject({ body: 'abc0123456789', state: 'complete', unread: 1 })
})

test('a body without length goes on until the connection ends', () => {
  const reader = new ResponseReader({ onHead: () => {}, onBody: (bytes) => bytes.length })
  reader.read(Buffer.from(lines('HTTP/1.1 200 OK', '')))
  expect(reader.head?.keepsConnection).toBe(false)
  reader.read(Buffer.from('abc'))
  expect(reader.state).toBe('body')
  expect([reader.end(), reader.state]).toEqual([true, 'complete'])
})

test.each([
  ['in the head', lines('HTTP/1.1 200 OK')],
  ['in a body of known length', `${lines('HTTP/1.1 200 OK', 'Content-Length: 5', '')}hell`],
  ['in a chunk', `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '')}5\r\nhel`],
  ['between chunks', `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '')}5\r\nhello\r\n`],
  ['in the trailers', `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '')}0\r\n`],
])('a connection that ends %s has not given the answer', (_, text) => {
  const reader = new ResponseReader({ onHead: () => {}, onBody: (bytes) => bytes.length })
  expect(reader.read(Buffer.from(text))).toBe(text.length)
  expect(reader.end()).toBe(false)
})

test.each([
  ['no content', '204 No Content', ''],
  ['not modified', '304 Not Modified', 'Content-Length: 1000\r\n'],
  ['an empty body', '404 Not Found', 'Content-Length: 0\r\n'],
])('%s is complete with its head', (_, status, headers) => {
  expect(readResponse([`HTTP/1.1 ${status}\r\n${headers}\r\n`])).toMatchObject({ state: 'complete', body: '' })
})

test('answers that announce another are passed over', () => {
  const text = lines(
    'HTTP/1.1 100 Continue',
    '',
    'HTTP/1.1 103 Early Hints',
    'Link: x',
    '',
    'HTTP/1.1 206',
    'Content-Length: 1',
    '',
  )
  const { head, state, body } = readResponse([`${text}!`])
  expect([head?.status, state, body]).toEqual([206, 'complete', '!'])
  expect(head?.headers).not.toHaveProperty('link')
})

test.each([
  ['HTTP/1.1', '', true],
  ['HTTP/1.1', 'Connection: close\r\n', false],
  ['HTTP/1.1', 'Connection: x, Close\r\n', false],
  ['HTTP/1.1', 'Connection: x\r\nConnection: close\r\n', false],
  ['HTTP/1.0', '', false],
  ['HTTP/1.0', 'Connection: Keep-Alive\r\n', true],
])('%s with "%s": the connection stays: %s', (version, headers, stays) => {
  const { head } = readResponse([`${version} 200 OK\r\nContent-Length: 0\r\n${headers}\r\n`])
  expect(head?.keepsConnection).toBe(stays)
})

test('a header that comes twice has both values', () => {
  const { head } = readResponse([lines('HTTP/1.1 200 OK', 'Via: a', 'VIA: b', 'Location: /x', 'location: /x', '')])
  expect({ ...head?.headers }).toEqual({ via: 'a, b', location: '/x' })
})

test('a header called like something of JavaScript is a header', () => {
  const { head } = readResponse([lines('HTTP/1.1 200 OK', '__proto__: x', 'constructor: y', '')])
  expect(Object.entries(head?.headers ?? {})).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
})
