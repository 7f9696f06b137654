import { describe, expect, test } from 'vitest'
import { decodeAnnounceReply } from '../../../src/tracker/httpResponse.ts'
import { decodeScrapeReply } from '../../../src/tracker/httpScrape.ts'
import type { AnnounceReply, TrackerFailure } from '../../../src/tracker/trackerRequest.ts'

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))
const reply = (text: string) => decodeAnnounceReply(bytes(text)) as AnnounceReply
const failure = (text: string) => decodeAnnounceReply(bytes(text)) as TrackerFailure

describe('an announce reply', () => {
  test('BEP 3: has intervals, counts, tracker id, warning and peers in the long form', () => {
    const answer = reply(
      'd8:completei5e10:downloadedi9e11:downloadersi1e10:incompletei2e8:intervali900e12:min intervali60e' +
        '5:peersld2:ip9:127.0.0.17:peer id20:ABCDEFGHIJKLMNOPQRST4:porti6881eed2:ip4:host4:porti1eee' +
        '10:tracker id4:id\xff\x0115:warning message4:slowe',
    )
    expect(answer).toMatchObject({
      kind: 'reply',
      complete: 5,
      incomplete: 2,
      downloaded: 9,
      downloaders: 1,
      interval: 900,
      minInterval: 60,
      trackerId: 'id\xff\x01',
      warning: 'slow',
      namedPeers: [{ address: 'host', port: 1 }],
    })
    expect(answer.peers).toEqual([{ address: '127.0.0.1', port: 6881, peerId: bytes('ABCDEFGHIJKLMNOPQRST') }])
  })

  test('BEP 23 and BEP 7: has compact peers of both families; those on port 0 are left out', () => {
    const v6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x1a\xe1`
    const answer = reply(`d5:peers12:${'\x01\x02\x03\x04\x1a\xe1\x05\x06\x07\x08\0\0'}6:peers618:${v6}e`)
    expect(answer.peers).toEqual([
      { address: '1.2.3.4', port: 6881 },
      { address: '2001:db8::1', port: 6881 },
    ])
  })

  test.each([
    ['4:\x05\x06\x07\x08', '5.6.7.8'],
    [`16:\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01`, '2001:db8::1'],
    ['3:abc', ''],
  ])('BEP 24: external ip %j is %s', (encoded, address) => {
    expect(reply(`d11:external ip${encoded}e`).externalAddress).toBe(address)
  })

  test('that says nothing has the default intervals, unknown counts and no peers', () => {
    expect(reply('de')).toMatchObject({
      interval: 1800,
      minInterval: 30,
      complete: -1,
      incomplete: -1,
      downloaded: -1,
      peers: [],
      trackerId: '',
    })
  })

  test('with some peers that make no sense has the others', () => {
    const answer = reply(
      'd5:peersl1:xd2:ip7:1.2.3.4e' + 'd2:ip7:1.2.3.44:porti0eed2:ip7:1.2.3.44:porti70000eed2:ip7:1.2.3.44:porti5eeee',
    )
    expect(answer.peers).toEqual([{ address: '1.2.3.4', port: 5 }])
  })

  test.each([
    ['d5:peers5:abcdee', 'invalidPeersEntry'],
    ['d6:peers65:abcdee', 'invalidPeersEntry'],
    ['d5:peersl1:xi5eee', 'invalidPeerDict'],
    ['i5e', 'invalidTrackerResponse'],
    ['<html>', 'invalidTrackerResponse'],
    ['', 'invalidTrackerResponse'],
  ])('%j fails with %s', (text, code) => {
    expect(failure(text).error.code).toBe(code)
  })

  test('BEP 3: that is a refusal fails with the reason', () => {
    expect(failure('d14:failure reason6:go off8:intervali60ee')).toMatchObject({
      kind: 'failure',
      error: { code: 'trackerFailure' },
      message: 'go off',
      retryIn: 60,
      permanent: false,
    })
  })

  test.each([
    ['i5e', 300, false],
    ['1:5', 300, false],
    ['5:never', 0, true],
    ['i-5e', 0, false],
    ['4:soon', 0, false],
  ])('BEP 31: retry in %s is %d seconds, for ever: %s', (retry, retryIn, permanent) => {
    expect(failure(`d14:failure reason1:x8:retry in${retry}e`)).toMatchObject({ retryIn, permanent })
  })
})

describe('BEP 48: a scrape reply', () => {
  const hash = bytes('aaaaaaaaaaaaaaaaaaa\xff')
  const scrape = (text: string) => decodeScrapeReply(bytes(text), hash)

  test('says in words that the tracker does not know the torrent', () => {
    const other = '20:aaaaaaaaaaaaaaaaaaaad8:completei1ee'
    expect(scrape(`d5:filesd${other}ee`)).toMatchObject({
      error: { message: 'the tracker does not know this torrent' },
    })
  })

  test('has the counts of the torrent asked for', () => {
    const other = '20:aaaaaaaaaaaaaaaaaaaad8:completei1ee'
    const ours = '20:aaaaaaaaaaaaaaaaaaa\xffd8:completei5e10:downloadedi50e10:incompletei10ee'
    expect(scrape(`d5:filesd${other}${ours}ee`)).toEqual({
      kind: 'scrape',
      complete: 5,
      downloaded: 50,
      incomplete: 10,
      downloaders: -1,
    })
  })

  test.each([
    ['de', 'invalidFilesEntry'],
    ['d5:filesle', 'invalidTrackerResponse'],
    ['d5:filesdee', 'invalidHashEntry'],
    ['d14:failure reason1:xe', 'trackerFailure'],
  ])('%j fails with %s', (text, code) => {
    expect((scrape(text) as TrackerFailure).error.code).toBe(code)
  })
})
