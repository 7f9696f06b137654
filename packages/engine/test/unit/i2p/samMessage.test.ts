import { expect, test } from 'vitest'
import { MAX_SAM_LINE_BYTES, parseSamMessage, SamLines, samLine } from '../../../src/i2p/samMessage.ts'
import { fromLatin1, latin1 } from '../../../src/util/bytes.ts'

const valuesOf = (line: string) => Object.fromEntries(parseSamMessage(line)?.values ?? [])

test('an answer has a name and values, plain or in quotes', () => {
  const message = parseSamMessage(
    'STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="nobody \\"there\\" \\\\ now" EMPTY= FLAG',
  )
  expect(message?.name).toBe('STREAM STATUS')
  expect(Object.fromEntries(message?.values ?? [])).toEqual({
    RESULT: 'CANT_REACH_PEER',
    MESSAGE: 'nobody "there" \\ now',
    EMPTY: '',
    FLAG: '',
  })
})

test('the padding of a destination belongs to its value, and of two values of a name the first counts', () => {
  expect(valuesOf('NAMING REPLY RESULT=OK NAME=ME VALUE=abc~-==')).toMatchObject({ VALUE: 'abc~-==' })
  expect(valuesOf('HELLO REPLY result=OK RESULT=NOVERSION')).toEqual({ RESULT: 'OK' })
})

test.each([
  '',
  'HELLO',
  'hello reply',
  'HELLO REPLY RESULT="OK',
  'HELLO REPLY RESULT="O"K',
  'HELLO REPLY =OK',
  'HELLO REPLY RESULT=O"K',
  `HELLO REPLY ${'A=1 '.repeat(33).replace(/A/g, () => `A${Math.imul(1, 1)}`)}B=2 \u0000`,
])('%j is no message', (line) => {
  expect(parseSamMessage(line)).toBeNull()
})

test('a value that would be two, or end the line, is not sent', () => {
  expect(latin1(samLine('STREAM CONNECT', { ID: 'x', SILENT: 'false' }))).toBe('STREAM CONNECT ID=x SILENT=false\n')
  for (const value of ['a b', 'a\nQUIT', '', 'a"b', 'ä']) {
    expect(() => samLine('NAMING LOOKUP', { NAME: value })).toThrow(RangeError)
  }
})

test('a line may come in pieces, with the next behind it, and end as on other systems', () => {
  const lines = new SamLines()
  expect(lines.read(fromLatin1('HELLO RE'))).toBeNull()
  const read = lines.read(fromLatin1('PLY\r\nmore\n'))
  expect(read).toMatchObject({ line: 'HELLO REPLY' })
  expect(read !== null && read !== 'tooLong' && latin1(read.rest)).toBe('more\n')
})

test('a line without end is given up', () => {
  const lines = new SamLines()
  expect(lines.read(new Uint8Array(MAX_SAM_LINE_BYTES))).toBeNull()
  expect(lines.read(new Uint8Array(1))).toBe('tooLong')
})
