import { describe, expect, test } from 'vitest'
import { IpFilter } from '../../../src/filter/ipFilter.ts'
import type { IpFilterList } from '../../../src/filter/ipFilterList.ts'
import { readIpFilterList } from '../../../src/filter/readIpFilterList.ts'
import { concatBytes, fromLatin1, utf8 } from '../../../src/util/bytes.ts'
import { p2b } from './p2bWriter.ts'

function read(text: string | Uint8Array, filter = new IpFilter()) {
  const list = readIpFilterList(typeof text === 'string' ? utf8(text) : text, filter)
  if (list.kind === 'unusable') throw new Error(list.reason)
  const [v4, v6] = filter.exportFilter()
  const blocked = [...v4, ...v6].filter(({ flags }) => flags === 1).map(({ first, last }) => `${first}-${last}`)
  return { list, blocked }
}

function summary({ numRanges, numAllowed, numBadLines }: IpFilterList) {
  return [numRanges, numAllowed, numBadLines]
}

describe('an eMule .dat', () => {
  test('blocks levels below 127, reads numbers with leading zeros as decimal, and has comments', () => {
    const { list, blocked } = read(
      [
        '# eMule ipfilter.dat',
        '',
        '001.009.096.105 - 001.009.096.105 , 000 , Some:organization, with commas - and dashes',
        '010.0.0.0 - 010.255.255.255 , 126 , just below',
        '011.0.0.0 - 011.255.255.255 , 127 , at the level',
        '012.0.0.0 - 012.255.255.255,200,allowed',
        '  13.0.0.0-13.0.0.1  ',
      ].join('\r\n'),
    )
    expect(blocked).toEqual(['1.9.96.105-1.9.96.105', '10.0.0.0-10.255.255.255', '13.0.0.0-13.0.0.1'])
    expect(summary(list)).toEqual([3, 2, 0])
  })

  test('blocks what has no level, as eMule does', () => {
    const { list, blocked } = read(
      ['1.1.1.1 - 1.1.1.2 , , a name', '2.1.1.1 - 2.1.1.2 ,', '3.1.1.1-3.1.1.2,,'].join('\n'),
    )
    expect(blocked).toEqual(['1.1.1.1-1.1.1.2', '2.1.1.1-2.1.1.2', '3.1.1.1-3.1.1.2'])
    expect(summary(list)).toEqual([3, 0, 0])
  })

  test('lines that make no sense are left out, and the first of them is told', () => {
    const { list, blocked } = read(
      [
        '1.0.0.0 - 1.0.0.9 , 0 , good',
        '2.0.0.9 - 2.0.0.0 , 0 , reversed',
        '3.0.0.256 - 3.0.1.0 , 0 , no address',
        '4.0.0.0 - 4.0.0.1 , high , no level',
        '5.0.0.0 - ',
        '6.0.0.0 - 2001:db8::1 , 0 , two families',
        'nonsense',
      ].join('\n'),
    )
    expect(blocked).toEqual(['1.0.0.0-1.0.0.9'])
    expect(summary(list)).toEqual([1, 0, 6])
    expect(list.firstBadLine).toEqual({ line: 2, text: '2.0.0.9 - 2.0.0.0 , 0 , reversed' })
  })
})

describe('a PeerGuardian .p2p', () => {
  test('has names in Latin-1, with colons, dashes and addresses in them', () => {
    const lines = [
      'Caf\xe9 del Mar:1.2.3.4-1.2.3.255',
      'http://bad.example:8080:2.0.0.0-2.0.0.1',
      '10.1.1.1 - the bad one:3.0.0.0-3.0.0.1',
      ':4.0.0.0-4.0.0.1',
      '2001:5.0.0.0-5.0.0.1',
      'spaces : 6.0.0.0 - 6.0.0.1 ',
      '# not:7.0.0.0-7.0.0.1',
    ]
    const { list, blocked } = read(fromLatin1(lines.join('\n')))
    expect(blocked).toEqual([
      '1.2.3.4-1.2.3.255',
      '2.0.0.0-2.0.0.1',
      '3.0.0.0-3.0.0.1',
      '4.0.0.0-4.0.0.1',
      '5.0.0.0-5.0.0.1',
      '6.0.0.0-6.0.0.1',
    ])
    expect(summary(list)).toEqual([6, 0, 0])
  })
})

describe('a PeerGuardian .p2b', () => {
  const ranges = [
    ['first', 0x01020304, 0x010203ff],
    ['zweites \xfc', 0x02000000, 0x02000001],
    ['first', 0xffffff00, 0xffffffff],
  ] as const

  test.each([1, 2, 3] as const)('of version %i is read', (version) => {
    const { list, blocked } = read(p2b(version, ranges))
    expect(blocked).toEqual(['1.2.3.4-1.2.3.255', '2.0.0.0-2.0.0.1', '255.255.255.0-255.255.255.255'])
    expect(summary(list)).toEqual([3, 0, 0])
  })

  test('of another version is refused, with its number', () => {
    expect(() => read(p2b(4, ranges))).toThrow('version 4')
  })
})

describe('a list of networks', () => {
  test('has networks, ranges and single addresses of both families, and comments after them', () => {
    const { blocked, list } = read(
      [
        '\ufeff; by hand',
        '// and more',
        '10.0.0.0/8',
        '192.168.1.77/24 # the whole network',
        '1.2.3.4;one',
        '1.2.3.5 // next to it',
        '5.0.0.0/32',
        '2001:db8::/32',
        '2001:db9::1',
        '2002:: - 2002::ffff',
        '::ffff:9.9.9.9',
        'fe80::/129',
        '7.0.0.0/33',
        '7.0.0.0/',
        '7.0.0.0/8 and more',
      ].join('\n'),
    )
    expect(blocked).toEqual([
      '1.2.3.4-1.2.3.5',
      '5.0.0.0-5.0.0.0',
      '9.9.9.9-9.9.9.9',
      '10.0.0.0-10.255.255.255',
      '192.168.1.0-192.168.1.255',
      '2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
      '2001:db9::1-2001:db9::1',
      '2002::-2002::ffff',
    ])
    expect(summary(list)).toEqual([9, 0, 4])
  })

  test('may say "everything"', () => {
    const { blocked } = read('0.0.0.0/0\n::/0')
    expect(blocked).toEqual(['0.0.0.0-255.255.255.255', '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'])
  })

  test.each([
    ['\n', 2],
    ['\r\n', 2],
    ['\r', 2],
  ])('lines end with %j', (end, line) => {
    const { list } = read(['1.2.3.4', 'bad', '1.2.3.5', ''].join(end))
    expect(summary(list)).toEqual([2, 0, 1])
    expect(list.firstBadLine).toEqual({ line, text: 'bad' })
  })
})

test('what is no list is refused, says what can be read, and leaves the filter as it was', () => {
  const filter = new IpFilter()
  filter.addRule('9.9.9.9', '9.9.9.9', IpFilter.blocked)
  const result = readIpFilterList(utf8('<html>\nnot found\n</html>'), filter)
  expect(result).toMatchObject({ kind: 'unusable', reason: expect.stringContaining('.p2p') })
  expect(readIpFilterList(concatBytes(utf8('PK\x03\x04'), new Uint8Array(50)), filter)).toMatchObject({
    reason: expect.stringContaining('ZIP'),
  })
  expect(filter.isBlocked('9.9.9.9')).toBe(true)
})

test('an empty list, and one of comments alone, block nothing', () => {
  expect(read('').list).toMatchObject({ numRanges: 0, numBadLines: 0 })
  expect(read('# nothing\n\n').blocked).toEqual([])
})

test('a second list comes on top of the first', () => {
  const filter = new IpFilter()
  read('1.0.0.0/24\n3.0.0.0/24', filter)
  const { blocked } = read('1.0.0.128 - 2.0.0.0', filter)
  expect(blocked).toEqual(['1.0.0.0-2.0.0.0', '3.0.0.0-3.0.0.255'])
})
