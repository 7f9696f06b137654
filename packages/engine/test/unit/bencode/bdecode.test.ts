import { describe, expect, test } from 'vitest'
import { bdecode, softErrorOf } from '../../../src/bencode/bdecode.ts'
import type { BNode } from '../../../src/bencode/bNode.ts'
import { fromLatin1, latin1, utf8 } from '../../../src/util/bytes.ts'

function decoded(text: string): BNode {
  const result = bdecode(fromLatin1(text))
  if (!result.ok) throw new Error(`${result.code} at ${result.offset}`)
  return result.root
}

function errorOf(text: string, limits?: Parameters<typeof bdecode>[1]) {
  const result = bdecode(fromLatin1(text), limits)
  return result.ok ? 'no error' : `${result.code} at ${result.offset}`
}

describe('BEP 3 values', () => {
  test('a string is its bytes, an empty one too', () => {
    expect(decoded('4:spam').asText()).toBe('spam')
    expect(decoded('0:').asString()).toEqual(new Uint8Array(0))
  })

  test('integers of the BEP are read, negative and zero included', () => {
    expect(decoded('i3e').asInt()).toBe(3)
    expect(decoded('i-3e').asInt()).toBe(-3)
    expect(decoded('i0e').asInt()).toBe(0)
  })

  test('a list gives its items in order, by index and by iteration', () => {
    const list = decoded('l4:spam4:eggsi7ee')
    expect(list.size).toBe(3)
    expect([list.at(2)?.asInt(), list.at(0)?.asText(), list.at(1)?.asText()]).toEqual([7, 'spam', 'eggs'])
    expect([...list].map((item) => item.type)).toEqual(['string', 'string', 'int'])
    expect(list.at(3)).toBeNull()
    expect(list.at(-1)).toBeNull()
  })

  test('a dict gives values by key, whatever their type', () => {
    const dict = decoded('d3:cow3:moo4:dictde3:inti5e4:listl1:aee')
    expect(dict.size).toBe(4)
    expect(dict.getText('cow')).toBe('moo')
    expect(dict.getInt('int')).toBe(5)
    expect(dict.getDict('dict')?.size).toBe(0)
    expect(dict.getList('list')?.at(0)?.asText()).toBe('a')
    expect([...dict.entries()].map(([key]) => key)).toEqual(['cow', 'dict', 'int', 'list'])
  })
})

describe('the wrong type asked for', () => {
  test('is answered with null, never thrown', () => {
    const dict = decoded('d1:ai1e1:b1:xe')
    expect(dict.getInt('b')).toBeNull()
    expect(dict.getString('a')).toBeNull()
    expect(dict.getList('a')).toBeNull()
    expect(dict.getDict('b')).toBeNull()
    expect(dict.get('missing')).toBeNull()
    expect(dict.asInt()).toBeNull()
    expect(dict.at(0)).toBeNull()
    expect([...dict]).toEqual([])
    expect(decoded('i1e').get('a')).toBeNull()
    expect([...decoded('i1e').entries()]).toEqual([])
  })
})

describe('byte ranges', () => {
  test('each node knows exactly the bytes it was read from', () => {
    const text = 'd4:infod6:lengthi5e4:name1:xe5:otherl2:abee'
    const dict = decoded(text)
    const info = dict.get('info')!
    expect(latin1(info.bytes)).toBe('d6:lengthi5e4:name1:xe')
    expect(text.slice(info.start, info.end)).toBe('d6:lengthi5e4:name1:xe')
    expect(latin1(dict.get('other')!.bytes)).toBe('l2:abe')
    expect(latin1(info.get('length')!.bytes)).toBe('i5e')
    expect(dict.get('other')!.at(0)!.stringOffset).toBe(text.indexOf('ab'))
  })

  test('what follows the value is left alone, and the end of the root tells where it begins', () => {
    expect(decoded('d1:ai1eeTRAILING').end).toBe('d1:ai1ee'.length)
    expect(errorOf('i1eX', { whole: true })).toBe('invalidBencoding at 3')
    expect(errorOf('i1e', { whole: true })).toBe('no error')
  })

  test('strings cut from a Node Buffer are copied by slice(), as from any Uint8Array', () => {
    const source = Buffer.from('3:abc')
    const result = bdecode(source)
    const copy = result.ok ? result.root.asString()!.slice() : null
    source.fill(0)
    expect(copy).toEqual(utf8('abc'))
  })
})

describe('integers at the edges', () => {
  test('beyond 2^53 a number would be wrong, so there is only the bigint', () => {
    expect(decoded('i9007199254740991e').asInt()).toBe(Number.MAX_SAFE_INTEGER)
    for (const text of ['9007199254740992', '9007199254740993', '-9007199254740993', '9223372036854775807']) {
      expect(decoded(`i${text}e`).asInt()).toBeNull()
      expect(decoded(`i${text}e`).asBigInt()).toBe(BigInt(text))
    }
    expect(decoded('i-9223372036854775808e').asBigInt()).toBe(-(2n ** 63n))
  })

  test.each([
    ['i9223372036854775808e', 'overflow'],
    ['i-9223372036854775809e', 'overflow'],
    ['i99999999999999999999e', 'overflow'],
    [`i${'9'.repeat(300)}e`, 'overflow'],
    ['i03e', 'expectedValue'],
    ['i-0e', 'expectedValue'],
    ['i00e', 'expectedValue'],
    ['ie', 'expectedValue'],
    ['i-e', 'expectedValue'],
    ['i1.5e', 'expectedValue'],
    ['i 1e', 'expectedValue'],
    ['i+1e', 'expectedValue'],
    ['i1', 'unexpectedEof'],
    ['i', 'unexpectedEof'],
    ['i-', 'unexpectedEof'],
  ])('%s gives %s', (text, code) => {
    expect(errorOf(text).split(' at')[0]).toBe(code)
  })
})

describe('malformed input', () => {
  test.each([
    ['', 'unexpectedEof at 0'],
    ['x', 'expectedValue at 0'],
    ['e', 'expectedValue at 0'],
    ['5', 'unexpectedEof at 1'],
    ['5:ab', 'unexpectedEof at 0'],
    ['-1:a', 'expectedValue at 0'],
    ['00005:hello', 'expectedColon at 1'],
    ['3abc', 'expectedColon at 1'],
    ['l', 'unexpectedEof at 1'],
    ['d', 'unexpectedEof at 1'],
    ['li1e', 'unexpectedEof at 4'],
    ['di1e1:ae', 'expectedString at 1'],
    ['dle1:ae', 'expectedString at 1'],
    ['d1:ae', 'expectedValue at 4'],
    ['d1:ai1e1:be', 'expectedValue at 10'],
    ['d1:a', 'unexpectedEof at 4'],
  ])('%j stops with %s', (text, expected) => {
    expect(errorOf(text)).toBe(expected)
  })
})

describe('limits', () => {
  test('nesting may be as deep as the limit and no deeper', () => {
    const nested = (depth: number) => 'l'.repeat(depth) + 'e'.repeat(depth)
    expect(errorOf(nested(100))).toBe('no error')
    expect(errorOf(nested(101))).toBe('depthExceeded at 100')
    expect(errorOf(nested(3), { depth: 2 })).toBe('depthExceeded at 2')
    expect(errorOf('d1:ad1:aleee', { depth: 2 })).toBe('depthExceeded at 8')
  })

  test('every value, key and closing bracket counts as a token', () => {
    expect(errorOf('li1ei2ee', { tokens: 4 })).toBe('no error')
    expect(errorOf('li1ei2ee', { tokens: 3 })).toBe('limitExceeded at 7')
  })

  test('a buffer beyond the size limit is not looked at', () => {
    expect(errorOf('4:spam', { size: 5 })).toBe('limitExceeded at 0')
  })
})

describe('dict keys out of order', () => {
  test('are accepted, and of two equal keys the first wins', () => {
    const dict = decoded('d1:bi1e1:ai2e1:bi3ee')
    expect([dict.getInt('a'), dict.getInt('b'), dict.size]).toEqual([2, 1, 3])
  })

  test('are found by softErrorOf and refused when strict', () => {
    expect(softErrorOf(decoded('d1:bi1e1:ai2ee'))).toEqual({ kind: 'unsortedKey', offset: 7 })
    expect(softErrorOf(decoded('ld1:ai1e1:ai2eee'))).toEqual({ kind: 'duplicateKey', offset: 8 })
    expect(softErrorOf(decoded('d1:ad2:aai1e1:bi2eee'))).toBeNull()
    expect(errorOf('d1:bi1e1:ai2ee', { strict: true })).toBe('invalidBencoding at 7')
  })

  test('a key is compared byte by byte, also above ASCII', () => {
    const dict = decoded('d2:\xff\x00i1ee')
    expect(dict.getInt('\xff\x00')).toBe(1)
    expect([...dict.entries()][0][0]).toBe('\xff\x00')
  })

  test('getAll reads many keys in one pass, the first of equal ones, null for the rest', () => {
    const values: (BNode | null)[] = []
    decoded('d1:ai1e1:bi2e1:ai3ee').getAll(['b', 'x', 'a'], values)
    expect(values.map((node) => node?.asInt() ?? null)).toEqual([2, null, 1])
  })
})

test('two results do not disturb each other, for the decoder reuses its memory', () => {
  const first = decoded('li1ei2ei3ee')
  const many = decoded(`l${'i9e'.repeat(50_000)}e`)
  const second = decoded('l1:a1:be')
  expect([...first].map((item) => item.asInt())).toEqual([1, 2, 3])
  expect([...second].map((item) => item.asText())).toEqual(['a', 'b'])
  expect(many.size).toBe(50_000)
  expect(many.at(49_999)?.asInt()).toBe(9)
})
