import { describe, expect, test } from 'vitest'
import { bencode } from '../../../src/bencode/bencode.ts'
import {
  bdecodeEntry,
  type Entry,
  entriesEqual,
  entryDict,
  entryInteger,
  entryList,
  entryString,
  entryType,
  findKey,
  Preformatted,
  printEntry,
} from '../../../src/bencode/entry.ts'
import { fromLatin1, latin1, utf8 } from '../../../src/util/bytes.ts'

const encoded = (entry: Entry) => latin1(bencode(entry))

describe('bencode', () => {
  test('writes the examples of BEP 3', () => {
    expect(encoded('spam')).toBe('4:spam')
    expect(encoded(3)).toBe('i3e')
    expect(encoded(-3)).toBe('i-3e')
    expect(encoded(['spam', 'eggs'])).toBe('l4:spam4:eggse')
    expect(encoded({ cow: 'moo', spam: 'eggs' })).toBe('d3:cow3:moo4:spam4:eggse')
    expect(encoded({ spam: ['a', 'b'] })).toBe('d4:spaml1:a1:bee')
  })

  test('sorts keys as bytes, not as words, in objects and Maps alike', () => {
    const members: [string, Entry][] = [
      ['b', 1],
      ['a', 2],
      ['B', 3],
      ['\xff', 4],
      ['aa', 5],
    ]
    const expected = 'd1:Bi3e1:ai2e2:aai5e1:bi1e1:\xffi4ee'
    expect(encoded(new Map(members))).toBe(expected)
    expect(encoded(Object.fromEntries(members))).toBe(expected)
  })

  test('writes text as UTF-8, bytes as they are, preformatted bytes without a length', () => {
    expect(bencode('å')).toEqual(fromLatin1('2:\xc3\xa5'))
    expect(bencode(Uint8Array.of(0, 255))).toEqual(fromLatin1('2:\x00\xff'))
    expect(encoded({ info: new Preformatted(utf8('d1:ai1ee')) })).toBe('d4:infod1:ai1eee')
  })

  test('leaves out members that are undefined', () => {
    expect(encoded({ a: undefined, b: 1 })).toBe('d1:bi1ee')
  })

  test('writes no negative zero and exact 64-bit integers', () => {
    expect(encoded(-0)).toBe('i0e')
    expect(encoded(2n ** 63n - 1n)).toBe('i9223372036854775807e')
  })

  test('refuses numbers it could not write exactly and keys that are no bytes', () => {
    expect(() => bencode(1.5)).toThrow(RangeError)
    expect(() => bencode(2 ** 53)).toThrow(RangeError)
    expect(() => bencode(Number.NaN)).toThrow(RangeError)
    expect(() => bencode(2n ** 63n)).toThrow(RangeError)
    expect(() => bencode({ '€': 1 })).toThrow(RangeError)
  })

  test('grows for output of any size', () => {
    const bytes = new Uint8Array(100_000).fill(7)
    expect(bencode([bytes, bytes]).length).toBe(2 + 2 * (7 + 100_000))
  })
})

describe('entry (manual, section entry)', () => {
  test('tells the type of a value', () => {
    const values: (Entry | undefined)[] = [
      1,
      1n,
      'a',
      utf8('a'),
      [],
      {},
      new Map(),
      new Preformatted(utf8('')),
      undefined,
    ]
    expect(values.map(entryType)).toEqual([
      ...['int', 'int', 'string', 'string', 'list'],
      ...['dictionary', 'dictionary', 'preformatted', 'undefined'],
    ])
  })

  test('findKey finds members of Maps and objects, and nothing that is inherited', () => {
    expect(findKey(new Map([['a', 1]]), 'a')).toBe(1)
    expect(findKey({ a: 1 }, 'a')).toBe(1)
    expect(findKey({ a: 1 }, 'constructor')).toBeUndefined()
    expect(() => findKey([1], 'a')).toThrow('invalid type requested from entry')
  })

  test('accessors give the value or throw invalidEntryType', () => {
    expect(entryInteger(5)).toBe(5)
    expect(entryString('å')).toEqual(utf8('å'))
    expect(entryList([1])).toEqual([1])
    expect(entryDict({ a: 1 }).get('a')).toBe(1)
    for (const access of [entryInteger, entryString, entryList, entryDict]) {
      expect(() => access(undefined)).toThrow(expect.objectContaining({ code: 'invalidEntryType', value: 21 }))
    }
  })

  test('a decoded buffer becomes free-standing values, and bad ones an error with its place', () => {
    const source = fromLatin1('d1:ai1e1:bl2:xyi9223372036854775807eee')
    const entry = bdecodeEntry(source)
    source.fill(0)
    expect(entry).toEqual(
      new Map<string, Entry>([
        ['a', 1],
        ['b', [utf8('xy'), 2n ** 63n - 1n]],
      ]),
    )
    expect(() => bdecodeEntry(utf8('d1:a'))).toThrow(expect.objectContaining({ code: 'unexpectedEof' }))
  })

  test('the key __proto__ is a member like any other', () => {
    const entry = bdecodeEntry(utf8('d9:__proto__d8:pollutedi1eee'))
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(latin1(bencode(entry))).toBe('d9:__proto__d8:pollutedi1eee')
  })

  test('values are equal when they mean the same bytes', () => {
    expect(entriesEqual({ a: ['x', 1] }, new Map<string, Entry>([['a', [utf8('x'), 1n]]]))).toBe(true)
    expect(entriesEqual({ a: 1 }, { b: 1 })).toBe(false)
    expect(entriesEqual([1], [1, 2])).toBe(false)
    expect(entriesEqual('1', 1)).toBe(false)
  })

  test('is printed for people with sorted keys and hexadecimal for what is not text', () => {
    expect(printEntry({ b: Uint8Array.of(0, 1), a: [1, 'x'] })).toBe(
      'dictionary\n  [a]\n    list\n      1\n      x\n  [b] 0001\n',
    )
  })
})
