import { describe, expect, test } from 'vitest'
import { Rc4 } from '../../../src/crypto/rc4.ts'
import { INPUT_BYTES, makeRc4Workbench, OUTPUT_BYTES, rc4Workbench } from '../../../src/crypto/rc4Workbench.ts'
import { sha1 } from '../../../src/crypto/sha1.ts'
import { fromHex, toHex } from '../../../src/util/bytes.ts'

/** RFC 6229, section 2: 16 bytes of the key stream at some offsets; and the SHA-1 of its first 5000 bytes. */
const VECTORS = [
  {
    key: '0102030405',
    stream: {
      0: 'b2396305f03dc027ccc3524a0a1118a8',
      16: '6982944f18fc82d589c403a47a0d0919',
      240: '28cb1132c96ce286421dcaadb8b69eae',
      1008: '45129048e6a0ed0b56b490338f078da5',
      4096: 'ff25b58995996707e51fbdf08b34d875',
    },
    sha1: '6445f7552ff7c0126929a9cabde88a89094b54d4',
  },
  {
    key: '0102030405060708090a0b0c0d0e0f10',
    stream: {
      0: '9ac7cc9a609d1ef7b2932899cde41b97',
      16: '5248c4959014126a6e8a84f11d1a9e1c',
      240: '065902e4b620f6cc36c8589f66432f2b',
      1008: 'e7a72574f8782ae26aabcf9ebcd66065',
      4096: 'a36a4c301ae8ac13610ccbc12256cacc',
    },
    sha1: '3623be5153e7523e2d60e1376d117425975a614b',
  },
  {
    key: '833222772a',
    stream: { 0: '80ad97bdc973df8a2e879e92a497efda', 4096: 'bf42c3018c2f7c66bfde524975768115' },
    sha1: '424ba75b71b929ba21411faf1e10d02164bd9ec5',
  },
  {
    key: 'c109163908ebe51debb46227c6cc8b37641910833222772a',
    stream: { 0: '54b64e6b5a20b5e2ec84593dc7989da7', 4096: 'e4dd2e98d6960fae0b43545456743391' },
    sha1: 'c121fabc661a2d8342581effb2c0d52bbc43efe6',
  },
]

const bytes = (hex: string) => fromHex(hex) as Uint8Array

describe.each([
  ['WebAssembly', rc4Workbench()],
  ['JavaScript alone', makeRc4Workbench()],
])('RC4 by %s', (name, bench) => {
  test('it is what it is said to be', () => {
    expect(bench.crypt === null).toBe(name !== 'WebAssembly')
  })

  test.each(VECTORS)('RFC 6229: the key stream of $key is that of the vectors', ({ key, stream, sha1: whole }) => {
    const out = new Rc4(bytes(key), 0, bench).turnedView(new Uint8Array(5000)).slice()
    for (const [offset, part] of Object.entries(stream)) {
      expect(toHex(out.subarray(Number(offset), Number(offset) + 16))).toBe(part)
    }
    expect(sha1(out).toHex()).toBe(whole)
  })

  test('what is discarded is the beginning of the key stream', () => {
    const whole = new Rc4(bytes('0102030405'), 0, bench).turnedView(new Uint8Array(2000)).slice()
    expect(new Rc4(bytes('0102030405'), 1024, bench).turnedView(new Uint8Array(976))).toEqual(whole.subarray(1024))
  })

  test('more than the workbench holds is encrypted in parts, to the same', () => {
    const content = Uint8Array.from({ length: 2 * OUTPUT_BYTES + 33 }, (_, i) => i * 7)
    const out = new Uint8Array(content.length + 5)
    new Rc4(bytes('0102030405'), 0, bench).turnInto(content, out, 5)
    const back = new Rc4(bytes('0102030405'), 0, bench).turnedView(out.subarray(5))
    expect(Buffer.compare(back, content)).toBe(0)
    expect(out.subarray(0, 5)).toEqual(new Uint8Array(5))
  })

  test('a view is of so many bytes at most', () => {
    expect(() => new Rc4(bytes('01'), 0, bench).turnedView(new Uint8Array(INPUT_BYTES + 1))).toThrow(RangeError)
  })

  test('what was received stays readable while an answer is encrypted', () => {
    const [receiving, sending] = [new Rc4(bytes('01'), 0, bench), new Rc4(bytes('02'), 0, bench)]
    const view = receiving.turnedView(new Uint8Array(1000))
    const before = view.slice()
    sending.turnInto(new Uint8Array(OUTPUT_BYTES), new Uint8Array(OUTPUT_BYTES), 0)
    expect(view).toEqual(before)
  })
})
