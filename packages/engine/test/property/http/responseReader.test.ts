import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readResponse } from '../../unit/http/readResponse.ts'

const latin1 = (constraints: { maxLength: number }) =>
  fc.uint8Array(constraints).map((bytes) => Buffer.from(bytes).toString('latin1'))

/** A body as a server may send it, and the headers that say so. */
const framed = fc.array(latin1({ maxLength: 300 }), { maxLength: 6 }).chain((parts) => {
  const body = parts.join('')
  const chunks = parts.filter((part) => part !== '').map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
  return fc.constantFrom(
    { body, headers: `Content-Length: ${body.length}\r\n`, sent: body, ends: true },
    { body, headers: 'Transfer-Encoding: chunked\r\n', sent: `${chunks.join('')}0\r\n\r\n`, ends: true },
    { body, headers: '', sent: body, ends: false },
  )
})

/** Cuts a text at these places, each taken modulo its length. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length]
  return at.slice(1).map((end, i) => text.slice(at[i], end))
}

test('any body arrives as it was sent, however it is framed, cut and taken, and what follows is left', () => {
  fc.assert(
    fc.property(
      framed,
      fc.array(fc.nat()),
      fc.array(fc.nat({ max: 50 }), { minLength: 1 }),
      latin1({ maxLength: 20 }),
      ({ body, headers, sent, ends }, places, takes, surplus) => {
        const text = `HTTP/1.1 206 Partial Content\r\n${headers}\r\n${sent}`
        let turn = 0
        // Now and then nothing, but not for ever.
        const take = (length: number) => Math.min(length, turn++ % 3 === 0 ? (takes[turn % takes.length] ?? 1) : length)
        const read = readResponse([...cut(text, places), ...(ends ? [surplus] : [])], take)
        expect(read.body).toBe(body)
        expect(read.state).toBe(ends || read.head?.framing.kind === 'none' ? 'complete' : 'body')
        expect(read.unread).toBe(ends ? surplus.length : 0)
      },
    ),
  )
})

test('any bytes at all are read the same at once and one by one, and throw nothing', () => {
  const word = fc.constantFrom(
    ...[
      'HTTP/1.1 200 OK',
      'HTTP/1.0 100 x',
      '\r\n',
      '\r\n\r\n',
      '\n',
      'Content-Length: 3',
      'Transfer-Encoding: chunked',
    ],
    ...['0', '3', 'abc', ':', ' ', 'Connection: close', '3;x', '\0', 'HTTP/1.1 304 x'],
  )
  const text = fc.array(fc.oneof(word, latin1({ maxLength: 4 })), { maxLength: 30 }).map((words) => words.join(''))
  fc.assert(
    fc.property(text, (each) => {
      const whole = readResponse([each])
      const bytes = readResponse([...each])
      expect([bytes.state, bytes.body, bytes.head]).toEqual([whole.state, whole.body, whole.head])
    }),
    { numRuns: 1000 },
  )
})
