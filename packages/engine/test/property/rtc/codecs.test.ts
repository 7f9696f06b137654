import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DataChannelStream } from '../../../src/rtc/dataChannelStream.ts'
import { ReceiveBudget } from '../../../src/rtc/receiveBudget.ts'
import { cleanDescription } from '../../../src/rtc/remoteDescription.ts'
import { announceText, answerText, decodeWebTrackerMessage } from '../../../src/rtc/webTrackerMessages.ts'
import { concatBytes, latin1 } from '../../../src/util/bytes.ts'
import { FakeChannel, sdp } from '../../unit/rtc/fakeWebRtc.ts'
import { FakeTime } from '../../unit/tracker/fakes.ts'
import { request } from '../../unit/tracker/requests.ts'

const binary20 = fc.uint8Array({ minLength: 20, maxLength: 20 })
const keys = fc.constantFrom(
  'action',
  'info_hash',
  'peer_id',
  'offer_id',
  'offer',
  'answer',
  'files',
  'interval',
  'min interval',
  'complete',
  'incomplete',
  'failure reason',
  '__proto__',
)
const values = fc.oneof(
  fc.jsonValue(),
  binary20.map(latin1),
  fc.constantFrom('announce', 'scrape'),
  fc.record({ type: fc.string(), sdp: fc.oneof(fc.string(), fc.integer()) }),
)

test('no text makes the decoder throw, and what it takes is in range', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.dictionary(keys, values).map((message) => JSON.stringify(message)),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const message = decodeWebTrackerMessage(text)
      if (message === null) return
      if (message.kind !== 'failure' && message.kind !== 'scrape') expect(message.infoHash).toHaveLength(20)
      if (message.kind === 'offer' || message.kind === 'answer') {
        expect(message.offerId).toMatch(/^[\0-\xff]{20}$/)
        expect(message.peerId).toMatch(/^[\0-\xff]{20}$/)
        expect(typeof message.sdp).toBe('string')
      }
      if (message.kind === 'reply') {
        const { interval, minInterval, complete, incomplete } = message.reply
        expect(Math.min(interval, minInterval)).toBeGreaterThanOrEqual(0)
        expect(Math.min(complete, incomplete)).toBeGreaterThanOrEqual(-1)
      }
    }),
    { numRuns: 1000 },
  )
})

test('what we answer is read as it was meant, whatever the bytes', () => {
  fc.assert(
    fc.property(binary20, binary20, binary20, binary20, fc.string(), (infoHash, offerId, theirs, ours, text) => {
      const offer = { infoHash: latin1(infoHash), offerId: latin1(offerId), peerId: latin1(theirs) }
      expect(decodeWebTrackerMessage(answerText(offer, ours, text))).toEqual({
        kind: 'answer',
        ...offer,
        peerId: latin1(ours),
        sdp: text,
      })
      const announced = JSON.parse(
        announceText(request({ infoHash, peerId: ours }), [{ offerId: offer.offerId, sdp: text }]),
      )
      expect(announced).toMatchObject({ info_hash: offer.infoHash, peer_id: latin1(ours), numwant: 1 })
      expect(announced.offers).toEqual([{ offer_id: offer.offerId, offer: { type: 'offer', sdp: text } }])
    }),
  )
})

test('no description makes cleaning throw, and a clean one stays as it is', () => {
  const lines = fc.constantFrom(
    ...sdp('192.0.2.7', '2001:db8::7').split('\r\n'),
    'a=candidate:1 1 TCP 1 192.0.2.7 9 typ host tcptype active',
    'a=candidate:1 1 UDP 1 192.0.2.7 70000 typ host',
    'a=candidate:',
    'a=candidate:1 1 udp 1 x.local 5 typ host',
    'm=audio 9 x y',
  )
  const descriptions = fc.oneof(
    fc.string(),
    fc.array(fc.oneof(lines, fc.string()), { maxLength: 40 }).map((all) => `v=0\r\n${all.join('\r\n')}`),
  )
  fc.assert(
    fc.property(descriptions, (text) => {
      const clean = cleanDescription(text, () => true)
      if (clean === null) return
      expect(cleanDescription(clean, () => true)).toBe(clean)
      expect(clean).not.toMatch(/m=audio|TCP|\.local/)
    }),
    { numRuns: 1000 },
  )
  const whole = sdp('192.0.2.7', '2001:db8::7')
  expect(cleanDescription(whole, () => true)).toBe(whole)
  expect(cleanDescription(whole.replaceAll('\r\n', '\n'), () => true)).toBe(whole)
})

test('a stream of bytes is the same on the other side, however it is written and cut', () => {
  const writes = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 20 })
  fc.assert(
    fc.property(writes, fc.integer({ min: 1, max: 20_000 }), fc.array(fc.nat(20)), (parts, limit, turns) => {
      const time = new FakeTime()
      const channel = new FakeChannel(time)
      channel.maxMessageSize = limit
      const stream = new DataChannelStream(channel, new ReceiveBudget())
      let sent = 0
      for (const [i, part] of parts.entries()) {
        stream.write(part, () => sent++)
        if (turns.includes(i)) time.pass(1)
      }
      time.pass(1)
      expect(sent).toBe(parts.length)
      expect(concatBytes(...channel.sent)).toEqual(concatBytes(...parts))
      for (const { length } of channel.sent) expect(length).toBeLessThanOrEqual(Math.min(limit, 16_384))
    }),
  )
})
