import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { decodeAnnounceReply } from '../../../src/tracker/httpResponse.ts'
import { decodeScrapeReply } from '../../../src/tracker/httpScrape.ts'
import {
  locationText,
  parseTrackerUrl,
  percentEncode,
  withoutCredentials,
} from '../../../src/tracker/trackerLocation.ts'
import { trackerText } from '../../../src/tracker/trackerText.ts'
import { decodeUdpResponse, encodeUdpAnnounce } from '../../../src/tracker/udpMessages.ts'
import { readU16, readU32 } from '../../../src/util/bytes.ts'
import { request } from '../../unit/tracker/requests.ts'

const bytes = fc.uint8Array({ maxLength: 300 })
const port = fc.integer({ min: 1, max: 65535 })
const ipV4 = fc.ipV4()

/** Bytes that look like an answer, so that the decoders get further than the first check. */
const bencoded = fc
  .dictionary(
    fc.constantFrom('peers', 'peers6', 'interval', 'failure reason', 'retry in', 'external ip', 'files', 'tracker id'),
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `${text.length}:${text}`),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => `i${value}e`),
      fc.constantFrom('le', 'de', 'ld2:ip7:1.2.3.44:porti5eee', 'ld2:ip3:a.b4:porti5eei1ee'),
    ),
  )
  .map((pairs) => {
    const keys = Object.keys(pairs).sort()
    return Buffer.from(`d${keys.map((key) => `${key.length}:${key}${pairs[key]}`).join('')}e`, 'latin1')
  })

test('no bytes make the HTTP decoders throw, and what they accept is in range', () => {
  fc.assert(
    fc.property(fc.oneof(bytes, bencoded), (body) => {
      const reply = decodeAnnounceReply(body)
      if (reply.kind === 'failure') expect(reply.retryIn).toBeGreaterThanOrEqual(0)
      else {
        for (const peer of [...reply.peers, ...reply.namedPeers]) {
          expect(peer.port).toBeGreaterThanOrEqual(1)
          expect(peer.port).toBeLessThanOrEqual(65535)
        }
        expect(reply.complete).toBeGreaterThanOrEqual(-1)
      }
      expect(['scrape', 'failure']).toContain(decodeScrapeReply(body, new Uint8Array(20)).kind)
    }),
  )
})

test('no bytes make the UDP decoder throw', () => {
  const packet = fc
    .tuple(fc.integer({ min: 0, max: 4 }), bytes)
    .map(([action, rest]) => Uint8Array.of(0, 0, 0, action, ...rest))
  fc.assert(
    fc.property(fc.oneof(bytes, packet), fc.boolean(), (received, v6) => {
      const response = decodeUdpResponse(received, v6)
      if (response?.kind === 'announce') expect(response.peers.every((peer) => peer.port > 0)).toBe(true)
    }),
  )
})

test('compact peers of an HTTP answer are the peers that were put in', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(ipV4, port), { maxLength: 50 }), (peers) => {
      const compact = Buffer.from(peers.flatMap(([ip, at]) => [...ip.split('.').map(Number), at >> 8, at & 255]))
      const body = Buffer.concat([Buffer.from(`d5:peers${compact.length}:`), compact, Buffer.from('e')])
      const reply = decodeAnnounceReply(body)
      expect(reply.kind === 'reply' && reply.peers).toEqual(peers.map(([address, at]) => ({ address, port: at })))
    }),
  )
})

test('numbers survive a UDP announce, up to the largest a file can have', () => {
  const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
  const u64 = (packet: Uint8Array, at: number) => readU32(packet, at) * 2 ** 32 + readU32(packet, at + 4)
  fc.assert(
    fc.property(size, size, size, port, fc.nat(), (downloaded, left, uploaded, at, key) => {
      const sent = request({ downloaded, left, uploaded, port: at, key })
      const packet = encodeUdpAnnounce(new Uint8Array(8), 1, sent, '', '')
      expect([u64(packet, 56), u64(packet, 64), u64(packet, 72), readU32(packet, 88), readU16(packet, 96)]).toEqual([
        downloaded,
        left,
        uploaded,
        key,
        at,
      ])
    }),
  )
})

test('percent encoding is undone byte by byte', () => {
  fc.assert(
    fc.property(bytes, (original) => {
      const decoded = percentEncode(original).replace(/%(..)/g, (_, hex) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
      expect(Buffer.from(decoded, 'latin1').equals(Buffer.from(original))).toBe(true)
    }),
  )
})

const urlText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc
    .tuple(
      fc.constantFrom('http', 'udp', 'HTTPS'),
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
    )
    .map(([scheme, user, host, path]) => `${scheme}://${user}@${host}/${path}`),
)

test('any text is a tracker URL or an error, and the text of a URL is printable ASCII that means the same', () => {
  fc.assert(
    fc.property(urlText, (text) => {
      const location = parseTrackerUrl(text)
      if (location instanceof LibtorrentError) return
      const again = locationText(location)
      expect(again).toMatch(/^[\x21-\x7e]+$/)
      expect(parseTrackerUrl(again)).toEqual({ ...location, login: null })
      expect(withoutCredentials(again)).toBe(again)
    }),
    { numRuns: 500 },
  )
})

test("a tracker's words are one line of bounded length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (words) => {
      const text = trackerText(words)
      expect(text.length).toBeLessThanOrEqual(500)
      for (const character of text) {
        const code = character.codePointAt(0) ?? 0
        expect(code < 0x20 || (code >= 0x7f && code < 0xa0)).toBe(false)
      }
    }),
  )
})
