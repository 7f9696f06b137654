import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonText, terminalText } from '../../src/output/terminalText.ts'

/** What a terminal acts on, and what makes text look like other text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const DANGEROUS = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u

/** Text of which every second character is dangerous. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\x1b[2J',
        '\x9b31m',
        '\u202egnp.exe',
        '\r',
        '\n',
        '\u0007',
        '\ud800',
        '\u2066',
        '\x7f',
        '\u2028',
      ),
    ),
  )
  .map((parts) => parts.join(''))

test('nothing that a terminal acts on is left, whatever the text', () => {
  fc.assert(fc.property(hostileText, (text) => !DANGEROUS.test(terminalText(text))))
})

test('nothing that a terminal acts on is left in JSON, and it reads back as the same value', () => {
  fc.assert(
    fc.property(hostileText, (name) => {
      const json = jsonText({ type: 'x', name })
      expect(DANGEROUS.test(json)).toBe(false)
      expect(JSON.parse(json)).toEqual({ type: 'x', name })
    }),
  )
})

test('what was harmful can be read: escape sequences, C1 controls and changes of direction are spelled out', () => {
  expect(terminalText('a\x1b[31mb')).toBe('a\\x1b[31mb')
  expect(terminalText('a\x9b31m')).toBe('a\\x9b31m')
  expect(terminalText('photo\u202egnp.exe')).toBe('photo\\u{202e}gnp.exe')
  expect(terminalText('two\r\nlines')).toBe('two\\x0d\\x0alines')
})

test('letters of all scripts, combining marks and emoji stay as they are', () => {
  for (const text of ['Žluťoučký kůň', '日本語', 'नमस्ते', 'می‌خواهم', 'שלום', '👩‍👩‍👧', 'plain [text] {x} $(y) `z`']) {
    expect(terminalText(text)).toBe(text)
  }
})
