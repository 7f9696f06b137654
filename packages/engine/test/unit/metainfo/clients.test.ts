import { describe, expect, test } from 'vitest'
import { clientNames } from '../../../src/metainfo/clientNames.ts'
import {
  CLIENT_CODE,
  DEFAULT_FINGERPRINT,
  Fingerprint,
  generateFingerprint,
} from '../../../src/metainfo/fingerprint.ts'
import { clientFingerprint, identifyClient } from '../../../src/metainfo/identifyClient.ts'
import { fromHex, fromLatin1 } from '../../../src/util/bytes.ts'
import { vectors } from './builders.ts'

const peerId = (text: string) => fromLatin1(text.padEnd(20, 'x'))

describe('fingerprint', () => {
  test('is the front of a peer id in Azureus style', () => {
    expect(new Fingerprint('LT', 0, 1, 0, 0).toString()).toBe('-LT0100-')
    expect(generateFingerprint('AB', 2, 11, 35)).toBe('-AB2BZ0-')
    expect(DEFAULT_FINGERPRINT).toBe(`-${CLIENT_CODE}0100-`)
  })

  test('needs a code of two characters and numbers that one character can tell', () => {
    expect(() => generateFingerprint('A', 0)).toThrow(RangeError)
    expect(() => generateFingerprint('AB', 36)).toThrow(RangeError)
    expect(() => generateFingerprint('AB', 0, -1)).toThrow(RangeError)
  })

  test('of this library is known under its name', () => {
    expect(identifyClient(peerId(DEFAULT_FINGERPRINT))).toBe('libtorrent-ts 0.1.0')
    expect(Object.entries(clientNames).filter(([, name]) => name === 'libtorrent-ts')).toEqual([
      [CLIENT_CODE, 'libtorrent-ts'],
    ])
  })
})

describe('clients are identified as by libtorrent 2.0.8', () => {
  test.each(vectors.peerIds)('$peerId is $client', ({ peerId, client }) => {
    // but for control characters, which we never pass on
    expect(identifyClient(fromHex(peerId)!)).toBe(client.replace(/[^ -~]/g, '.'))
  })
})

describe('clientFingerprint', () => {
  test('reads the three styles and nothing else', () => {
    expect(clientFingerprint(peerId('-LT1A20-'))).toEqual(new Fingerprint('LT', 1, 10, 2, 0))
    expect(clientFingerprint(peerId('S588--'))).toEqual(new Fingerprint('S', 5, 8, 8, 0))
    expect(clientFingerprint(peerId('M7-10-3--'))).toEqual(new Fingerprint('M', 7, 10, 3, 0))
    expect(clientFingerprint(peerId('abcdefghij'))).toBeNull()
    expect(clientFingerprint(new Uint8Array(0))).toBeNull()
  })
})

test('a peer id never puts control characters on a terminal', () => {
  for (const text of [
    'eX\x1b]0;x\x07',
    '\x1b[2J',
    '-\x1b[1234-',
    'S\x01\x02\x03----\0',
    '-BOW\x1b\x07\r-',
    '-A\xff1234-',
  ]) {
    expect(identifyClient(peerId(text))).toMatch(/^[ -~]*$/)
  }
})

test('the codes of clients inherit nothing', () => {
  expect(identifyClient(peerId('-__1234-'))).toBe('__ 1.2.3.4')
})
