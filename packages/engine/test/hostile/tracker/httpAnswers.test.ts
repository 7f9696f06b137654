import { describe, expect, test } from 'vitest'
import { decodeAnnounceReply } from '../../../src/tracker/httpResponse.ts'
import { decodeScrapeReply } from '../../../src/tracker/httpScrape.ts'
import { type AnnounceReply, MAX_PEERS_PER_REPLY, type TrackerFailure } from '../../../src/tracker/trackerRequest.ts'

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))
const codeOf = (body: Uint8Array) => (decodeAnnounceReply(body) as TrackerFailure).error.code

describe('an answer made to exhaust the decoder', () => {
  test.each([
    ['lists', 'l'],
    ['dicts', 'd1:a'],
    ['peers', 'd5:peers'],
  ])('of a million nested %s is an invalid answer', (_, level) => {
    expect(codeOf(bytes(level.repeat(1_000_000)))).toBe('invalidTrackerResponse')
    expect(codeOf(bytes(`d5:peers${level.repeat(1_000_000)}`))).toBe('invalidTrackerResponse')
  })

  test('whose peers are a million empty dicts is an invalid answer', () => {
    expect(codeOf(bytes(`d5:peersl${'de'.repeat(1_000_000)}ee`))).toBe('invalidTrackerResponse')
    expect(codeOf(bytes(`d5:peersl${'de'.repeat(10_000)}ee`))).toBe('invalidPeerDict')
  })

  test('with a million peers gives no more than a peer list holds', () => {
    const compact = Buffer.alloc(6_000_000, 1)
    const reply = decodeAnnounceReply(Buffer.concat([bytes(`d5:peers${compact.length}:`), compact, bytes('e')]))
    expect((reply as AnnounceReply).peers).toHaveLength(MAX_PEERS_PER_REPLY)
    const long = decodeAnnounceReply(bytes(`d5:peersl${'d2:ip7:1.2.3.44:porti5ee'.repeat(20_000)}ee`))
    expect((long as AnnounceReply).peers).toHaveLength(MAX_PEERS_PER_REPLY)
  })

  test('with ten thousand names to look up gives a few of them', () => {
    const reply = decodeAnnounceReply(bytes(`d5:peersl${'d2:ip6:host.x4:porti5ee'.repeat(10_000)}ee`)) as AnnounceReply
    expect(reply.peers).toEqual([])
    expect(reply.namedPeers.length).toBeLessThanOrEqual(30)
  })

  test.each(['8:999999:x', '5:peers99999999999:x', '5:peers-1:x', '5:peers00005:hello'])(
    'that lies about the length of a string (%s) is an invalid answer',
    (lie) => {
      expect(codeOf(bytes(`d${lie}e`))).toBe('invalidTrackerResponse')
    },
  )
})

describe('an answer made to mislead', () => {
  test.each([
    ['0', 0],
    ['-1', -1],
    ['2147483648', 2 ** 31],
  ])('with interval %s is decoded; who keeps the interval clamps it', (text, interval) => {
    expect(decodeAnnounceReply(bytes(`d8:intervali${text}ee`))).toMatchObject({ interval })
  })

  test('with an interval beyond all numbers has the default, or is invalid', () => {
    expect(decodeAnnounceReply(bytes('d8:intervali9223372036854775807ee'))).toMatchObject({ interval: 1800 })
    expect(codeOf(bytes(`d8:intervali${'9'.repeat(300)}ee`))).toBe('invalidTrackerResponse')
  })

  test('with negative or huge counts has unknown or bounded ones', () => {
    expect(decodeAnnounceReply(bytes('d8:completei-5e10:incompletei99999999999ee'))).toMatchObject({
      complete: -1,
      incomplete: 0x7fffffff,
    })
  })

  test('with a megabyte of escape codes as its reason shows half a kilobyte without them', () => {
    const reason = '\x1b]0;owned\x07<b>\r\n\x9b'.repeat(70_000)
    const { message } = decodeAnnounceReply(bytes(`d14:failure reason${reason.length}:${reason}e`)) as TrackerFailure
    expect(message.length).toBeLessThanOrEqual(500)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left
    expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  })

  test('with a tracker id of a megabyte has none', () => {
    const id = 'x'.repeat(1_000_000)
    expect(decodeAnnounceReply(bytes(`d10:tracker id${id.length}:${id}e`))).toMatchObject({ trackerId: '' })
  })

  test('with the names of built-in properties pollutes nothing', () => {
    const evil = 'd9:__proto__d8:pollutedi1ee11:constructord9:prototyped8:pollutedi1eeee'
    decodeAnnounceReply(bytes(evil))
    decodeScrapeReply(bytes(`d5:files${evil}e`), new Uint8Array(20))
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test.each(['1.2.3.4.5', '../../etc', 'a b', '', 'x'.repeat(300), '\x1b[31m', '127.1:80'])(
    'with the peer %j has no such peer',
    (ip) => {
      const peer = `d2:ip${ip.length}:${ip}4:porti5ee`
      const reply = decodeAnnounceReply(bytes(`d5:peersl${peer}d2:ip7:1.2.3.44:porti5eeee`)) as AnnounceReply
      expect(reply.peers).toEqual([{ address: '1.2.3.4', port: 5 }])
      if (ip !== '1.2.3.4.5') expect(reply.namedPeers).toEqual([])
    },
  )
})
