import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadIpFilter } from '../../../src/api/loadIpFilter.ts'
import { IpFilter } from '../../../src/filter/ipFilter.ts'
import { MAX_LIST_RANGES } from '../../../src/filter/ipFilterList.ts'
import { readIpFilterList } from '../../../src/filter/readIpFilterList.ts'
import { concatBytes, utf8 } from '../../../src/util/bytes.ts'
import { cpuTime } from '../../cpuTime.ts'
import { p2b } from '../../unit/filter/p2bWriter.ts'

// Hostile inputs, lines 33 and 40.

function milliseconds(action: () => void): number {
  const start = cpuTime()
  action()
  return cpuTime() - start
}

test('no bytes make the reader throw', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(
      ...[
        '1.2.3.4',
        ' - ',
        '-',
        ',',
        '0',
        '127',
        '\n',
        '\r',
        '#',
        '/',
        ':',
        '::1',
        'ffff:',
        '999',
        '/33',
        '\0',
        'x:',
      ].map(utf8),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x50, 0x32, 0x42, 1),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x50, 0x32, 0x42, 3),
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const filter = new IpFilter()
      const result = readIpFilterList(concatBytes(...pieces), filter)
      expect(['list', 'unusable']).toContain(result.kind)
      filter.exportFilter()
    }),
    { numRuns: 1000 },
  )
})

describe('a .p2b', () => {
  const ranges = [
    ['one', 0x01000000, 0x010000ff],
    ['two', 0x02000000, 0x020000ff],
  ] as const

  test.each([1, 2, 3])('of version %i that ends anywhere gives what is whole, or is refused', (version) => {
    const whole = p2b(version, ranges)
    for (let length = 8; length < whole.length; length++) {
      const result = readIpFilterList(whole.subarray(0, length), new IpFilter())
      if (result.kind === 'list') expect(result.numRanges).toBeLessThanOrEqual(2)
    }
    const cut = readIpFilterList(whole.subarray(0, whole.length - 1), new IpFilter())
    expect(cut).toMatchObject({ numRanges: 1, numBadLines: 1, firstBadLine: { line: 2 } })
  })

  test('that announces four thousand million names or ranges costs nothing', () => {
    const header = p2b(3, []).subarray(0, 8)
    const many = Uint8Array.of(0xff, 0xff, 0xff, 0xff)
    const manyNames = concatBytes(header, many, new Uint8Array(1000))
    const manyRanges = concatBytes(header, new Uint8Array(4), many, new Uint8Array(12))
    const took = milliseconds(() => {
      expect(readIpFilterList(manyNames, new IpFilter())).toMatchObject({ kind: 'unusable' })
      expect(readIpFilterList(manyRanges, new IpFilter())).toMatchObject({ numRanges: 1, numBadLines: 1 })
    })
    expect(took).toBeLessThan(100)
  })

  test('with a range whose ends are swapped leaves that one out', () => {
    const swapped = p2b(2, [['swapped', 9, 8], ...ranges])
    expect(readIpFilterList(swapped, new IpFilter())).toMatchObject({ numRanges: 2, numBadLines: 1 })
  })
})

test('a line of many megabytes is one bad line, and soon done', () => {
  const long = new Uint8Array(20_000_000).fill(0x3a)
  const list = concatBytes(utf8('1.2.3.4\n'), long, utf8('\n1.2.3.5'))
  const took = milliseconds(() => {
    expect(readIpFilterList(list, new IpFilter())).toMatchObject({
      numRanges: 2,
      numBadLines: 1,
      firstBadLine: { line: 2, text: ':'.repeat(80) },
    })
  })
  expect(took).toBeLessThan(2000)
})

test('more ranges than any list has are refused before they take all memory', () => {
  const list = new Uint8Array((MAX_LIST_RANGES + 10) * 8)
  const line = utf8('1.1.1.1\n')
  for (let at = 0; at < list.length; at += line.length) list.set(line, at)
  const filter = new IpFilter()
  expect(readIpFilterList(list, filter)).toMatchObject({
    kind: 'unusable',
    reason: expect.stringContaining('5,000,000'),
  })
  expect(filter.isEmpty).toBe(true)
}, 20_000)

describe('gzip', () => {
  test('data that unpacks to gigabytes is refused when it gets too large', async () => {
    // 300 MiB of line ends in 300 KB.
    const bomb = concatBytes(...Array.from({ length: 30 }, () => gzipSync(Buffer.alloc(10 << 20, '\n'), { level: 9 })))
    await expect(loadIpFilter(bomb)).rejects.toMatchObject({ code: 'EINVAL', message: expect.stringContaining('MiB') })
  }, 20_000)

  test('data that is cut off or damaged is refused', async () => {
    const packed = gzipSync('1.2.3.4\n'.repeat(100))
    await expect(loadIpFilter(packed.subarray(0, packed.length - 9))).rejects.toThrow(/gzip/)
    const damaged = Uint8Array.from(packed)
    damaged[12] ^= 0xff
    await expect(loadIpFilter(damaged)).rejects.toThrow(/gzip/)
  })
})
