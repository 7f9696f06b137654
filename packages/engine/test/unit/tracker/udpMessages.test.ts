import { describe, expect, test } from 'vitest'
import {
  decodeUdpResponse,
  encodeUdpAnnounce,
  encodeUdpConnect,
  encodeUdpScrape,
} from '../../../src/tracker/udpMessages.ts'
import { fromHex, toHex } from '../../../src/util/bytes.ts'
import { INFO_HASH, PEER_ID, request } from './requests.ts'

const hex = (text: string) => fromHex(text.replace(/\s/g, '')) as Uint8Array
const ID = hex('0102030405060708')

describe('BEP 15: what is sent', () => {
  test('a connect is the magic constant, action 0 and the transaction', () => {
    expect(toHex(encodeUdpConnect(0xdeadbeef))).toBe('0000041727101980' + '00000000' + 'deadbeef')
  })

  test('an announce has its 98 bytes in order', () => {
    const packet = encodeUdpAnnounce(
      ID,
      7,
      request({ downloaded: 2 ** 40 + 5, left: 2 ** 33, key: 0x89abcdef }),
      '',
      '',
    )
    expect(toHex(packet)).toBe(
      toHex(ID) +
        '00000001' +
        '00000007' +
        toHex(INFO_HASH) +
        toHex(PEER_ID) +
        '0000010000000005' +
        '0000000200000000' +
        '0000000000000001' +
        '00000002' +
        '00000000' +
        '89abcdef' +
        '000000c8' +
        '1ae1',
    )
  })

  test.each([
    ['none', 0],
    ['completed', 1],
    ['started', 2],
    ['stopped', 3],
    ['paused', 0],
  ] as const)('event %s is %d', (event, code) => {
    expect(encodeUdpAnnounce(ID, 7, request({ event }), '', '')[83]).toBe(code)
  })

  test.each([
    ['1.2.3.4', '01020304'],
    ['2001:db8::1', '00000000'],
    ['nonsense', '00000000'],
  ])('announce ip %s is %s', (ip, encoded) => {
    expect(toHex(encodeUdpAnnounce(ID, 7, request(), '', ip).subarray(84, 88))).toBe(encoded)
  })

  test('BEP 41: path and query of the URL follow as options of at most 255 bytes', () => {
    expect(toHex(encodeUdpAnnounce(ID, 7, request(), '/a?b', '').subarray(98))).toBe('0204' + '2f613f62')
    const long = encodeUdpAnnounce(ID, 7, request(), `/${'x'.repeat(299)}`, '')
    expect([long.length, long[98], long[99], long[98 + 257], long[98 + 258]]).toEqual([98 + 304, 2, 255, 2, 45])
  })

  test('a scrape has connection id, action 2, transaction and info-hash', () => {
    expect(toHex(encodeUdpScrape(ID, 9, INFO_HASH))).toBe(`${toHex(ID)}0000000200000009${toHex(INFO_HASH)}`)
  })
})

describe('BEP 15: what is received', () => {
  test('a connect answer brings a connection id', () => {
    expect(decodeUdpResponse(hex('00000000 00000007 0102030405060708'), false)).toEqual({
      kind: 'connect',
      transactionId: 7,
      connectionId: ID,
    })
  })

  test('an announce answer has interval, counts and peers of the family it came by', () => {
    const head = '00000001 00000007 00000708 00000002 00000005'
    expect(decodeUdpResponse(hex(`${head} 01020304 1ae1 05060708 0000`), false)).toEqual({
      kind: 'announce',
      transactionId: 7,
      interval: 1800,
      incomplete: 2,
      complete: 5,
      peers: [{ address: '1.2.3.4', port: 6881 }],
    })
    expect(decodeUdpResponse(hex(`${head} 20010db8000000000000000000000001 1ae1`), true)).toMatchObject({
      peers: [{ address: '2001:db8::1', port: 6881 }],
    })
  })

  test('a scrape answer has seeds, downloads and downloaders in that order', () => {
    expect(decodeUdpResponse(hex('00000002 00000007 00000005 00000032 00000002'), false)).toEqual({
      kind: 'scrape',
      transactionId: 7,
      complete: 5,
      downloaded: 50,
      incomplete: 2,
    })
  })

  test('an error has a message', () => {
    expect(decodeUdpResponse(hex('00000003 00000007 6e6f'), false)).toEqual({
      kind: 'error',
      transactionId: 7,
      message: 'no',
    })
  })

  test.each([
    ['00000000 00000007 01020304', false],
    ['00000001 00000007 00000708 00000002', false],
    ['00000001 00000007 00000708 00000002 00000005 0102030405', false],
    ['00000001 00000007 00000708 00000002 00000005 010203041ae1', true],
    ['00000002 00000007 00000708', false],
  ])('%s, IPv6 %s, is malformed', (packet, v6) => {
    expect(decodeUdpResponse(hex(packet), v6)).toMatchObject({ kind: 'malformed', transactionId: 7 })
  })

  test.each(['', '0000000000', '0000000400000007', 'ffffffff00000007'])('%j is no answer at all', (packet) => {
    expect(decodeUdpResponse(hex(packet), false)).toBeNull()
  })
})
