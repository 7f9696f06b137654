import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromLatin1 } from '../../../src/util/bytes.ts'
import { decodeExtensionHandshake } from '../../../src/wire/extensionHandshake.ts'
import { decodeUtMetadata } from '../../../src/wire/utMetadataMessage.ts'

const decode = (text: string) => decodeExtensionHandshake(fromLatin1(text))

describe('hostile extension handshakes', () => {
  test('ten thousand names leave a small map', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `6:x${String(i).padStart(5, '0')}i${1 + (i % 250)}e`)
    const handshake = decode(`d1:md${names.join('')}ee`)
    expect(handshake?.messages?.size).toBeLessThanOrEqual(256)
  })

  test('ids that do not fit a byte, are negative or no numbers are not taken; of duplicate names the first is', () => {
    const handshake = decode('d1:md1:ai300e1:bi-1e1:c1:x1:di5e1:di6e1:ei255eee')
    expect(handshake?.messages).toEqual(
      new Map([
        ['d', 5],
        ['e', 255],
      ]),
    )
  })

  test('names that mean something to JavaScript are plain names', () => {
    const handshake = decode('d1:md9:__proto__i1e11:constructori2eee')
    expect(handshake?.messages?.get('__proto__')).toBe(1)
    expect(({} as Record<string, unknown>)[1]).toBeUndefined()
  })

  test.each([
    ['d4:reqqi1000000000ee', 'maxRequests', 10_000],
    ['d4:reqqi0ee', 'maxRequests', undefined],
    ['d4:reqqi-5ee', 'maxRequests', undefined],
    ['d4:reqqi99999999999999999ee', 'maxRequests', undefined],
    ['d4:reqq3:fooe', 'maxRequests', undefined],
    ['d13:metadata_sizei0ee', 'metadataSize', undefined],
    ['d13:metadata_sizei-1ee', 'metadataSize', undefined],
    ['d13:metadata_sizei2147483648ee', 'metadataSize', undefined],
    ['d13:metadata_sizei10737418240ee', 'metadataSize', undefined],
    ['d1:pi0ee', 'listenPort', undefined],
    ['d1:pi65536ee', 'listenPort', undefined],
    ['d12:complete_agoi-1ee', 'completeAgo', undefined],
    ['d6:yourip5:abcdee', 'yourAddress', undefined],
    ['d4:ipv416:aaaaaaaaaaaaaaaae', 'ipv4', undefined],
    ['d1:mi5ee', 'messages', undefined],
  ] as const)('%s: %s is %s', (text, field, value) => {
    expect(decode(text)?.[field]).toBe(value)
  })

  test('a client name of a megabyte is cut', () => {
    expect(decode(`d1:v1000000:${'A'.repeat(1_000_000)}e`)?.client).toHaveLength(256)
  })

  test('a client name that is not UTF-8 becomes text all the same', () => {
    expect(decode('d1:v3:\xff\x1b[e')?.client).toBe('\ufffd\u001b[')
  })

  test('no handshake: another type, nested a million deep, cut short, empty', () => {
    for (const text of ['le', 'i1e', 'l'.repeat(1_000_000), 'd1:a'.repeat(250_000), 'd1:md', '']) {
      expect(decode(text)).toBeNull()
    }
  })

  test('no bytes make a decoder throw', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.stringMatching(/^d(1:md|4:reqq|1:v|8:msg_type|5:piece|i\d{1,3}e|\d:|e|[a-z]){0,12}e$/).map(fromLatin1),
    )
    fc.assert(
      fc.property(bytes, (payload) => {
        decodeExtensionHandshake(payload)
        decodeUtMetadata(payload)
      }),
      { numRuns: 500 },
    )
  })
})
