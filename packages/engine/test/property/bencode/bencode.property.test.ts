import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bdecode, softErrorOf } from '../../../src/bencode/bdecode.ts'
import { bencode } from '../../../src/bencode/bencode.ts'
import type { BNode } from '../../../src/bencode/bNode.ts'
import { bdecodeEntry, type Entry, entriesEqual, toEntry } from '../../../src/bencode/entry.ts'
import { fromLatin1 } from '../../../src/util/bytes.ts'

const key = fc.uint8Array({ maxLength: 6 }).map((bytes) => String.fromCharCode(...bytes))
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

const entries = fc.letrec<{ entry: Entry }>((tie) => ({
  entry: fc.oneof(
    { maxDepth: 5 },
    fc.maxSafeInteger(),
    int64,
    fc.uint8Array({ maxLength: 30 }),
    fc.array(tie('entry'), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie('entry')), { maxLength: 5 }).map((pairs) => new Map(pairs)),
  ),
})).entry

/** Bytes that look enough like bencoding to get past the first token. */
const nearlyBencoded = fc
  .array(fc.constantFrom(...'dlie0123456789:-', 'd1:a', 'i5e', '3:abc', 'e', '\xff'), { maxLength: 60 })
  .map((parts) => fromLatin1(parts.join('')))

const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), nearlyBencoded)

test('any entry survives encoding and decoding', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      expect(entriesEqual(bdecodeEntry(bencode(entry)), entry)).toBe(true)
    }),
  )
})

test('the encoding is canonical: what was decoded is encoded to the same bytes, and strict finds nothing', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const bytes = bencode(entry)
      const result = bdecode(bytes, { strict: true, whole: true })
      if (!result.ok) throw new Error(result.code)
      expect(softErrorOf(result.root)).toBeNull()
      expect(bencode(toEntry(result.root))).toEqual(bytes)
    }),
  )
})

test('any bytes give a result, and an accepted prefix is exactly what its root covers', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const result = bdecode(bytes)
      if (!result.ok) {
        expect(result.offset).toBeGreaterThanOrEqual(0)
        expect(result.offset).toBeLessThanOrEqual(bytes.length)
        return
      }
      const { start, end } = result.root
      expect(start).toBe(0)
      expect(bdecode(bytes.subarray(0, end), { whole: true }).ok).toBe(true)
      // not one byte less is a value
      expect(bdecode(bytes.subarray(0, end - 1)).ok).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('no accessor of a decoded value throws, whatever the value is', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const result = bdecode(bytes)
      if (result.ok) touch(result.root)
    }),
    { numRuns: 500 },
  )
})

test('the ranges of children lie inside their parent, in order and without gaps but keys', () => {
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 8 }), (list) => {
      const result = bdecode(bencode(list))
      if (!result.ok) throw new Error(result.code)
      let at = result.root.start + 1
      let index = 0
      for (const child of result.root) {
        expect(child.start).toBe(at)
        expect(result.root.at(index++)?.start).toBe(at)
        at = child.end
      }
      expect(result.root.end).toBe(at + 1)
      expect(result.root.size).toBe(list.length)
    }),
  )
})

function touch(node: BNode): void {
  node.asInt()
  node.asBigInt()
  node.asString()
  node.asText()
  node.get('a')
  node.at(0)
  expect(node.bytes.length).toBe(node.end - node.start)
  let children = 0
  for (const child of node) {
    touch(child)
    children++
  }
  for (const [, value] of node.entries()) {
    touch(value)
    children++
  }
  if (node.type === 'list' || node.type === 'dict') expect(node.size).toBe(children)
}
