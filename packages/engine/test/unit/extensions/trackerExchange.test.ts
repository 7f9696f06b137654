import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TexOutbox, TexRecipient } from '../../../src/extensions/texOutbox.ts'
import { isShareable } from '../../../src/extensions/texPolicy.ts'
import { decodeLtTex, encodeLtTex } from '../../../src/wire/ltTexMessage.ts'

const url = (n: number) => `http://host${n}.example/announce`
const urls = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => url(from + i))
const read = (payload: Uint8Array | null) => (payload === null ? null : decodeLtTex(payload))
const MINUTE = 60_000

test('a list of more than fifty takes several messages, and each tracker is told once', () => {
  const outbox = new TexOutbox()
  outbox.update(urls(0, 120))
  const recipient = new TexRecipient(0)
  expect(outbox.take(recipient, 4999)).toBeNull()
  expect(read(outbox.take(recipient, 5000))).toEqual(urls(0, 50))
  expect(outbox.take(recipient, MINUTE)).toBeNull()
  expect(read(outbox.take(recipient, 3 * MINUTE))).toEqual(urls(50, 100))
  expect(read(outbox.take(recipient, 6 * MINUTE))).toEqual(urls(100, 120))
  expect(outbox.take(recipient, 9 * MINUTE)).toBeNull()
})

test('trackers that are gone are not told, and not forgotten by those who heard of them', () => {
  const outbox = new TexOutbox()
  outbox.update(urls(0, 3))
  const early = new TexRecipient(0)
  outbox.take(early, MINUTE)
  outbox.update([url(2), url(5)])
  expect(read(outbox.take(early, 4 * MINUTE))).toEqual([url(5)])
  expect(read(outbox.take(new TexRecipient(0), 4 * MINUTE))).toEqual([url(2), url(5)])
  outbox.update([])
  expect(outbox.take(new TexRecipient(0), 4 * MINUTE)).toBeNull()
})

test('the hash does not depend on the order', () => {
  const [one, other] = [new TexOutbox(), new TexOutbox()]
  one.update(urls(0, 9))
  other.update(urls(0, 9).reverse())
  expect(one.hash).toEqual(other.hash)
  const recipient = new TexRecipient(0)
  other.compare(recipient, one.hash)
  expect(other.take(recipient, MINUTE)).toBeNull()
  other.update(urls(0, 10))
  expect(read(other.take(recipient, MINUTE))).toEqual([url(9)])
})

test.each([
  ['udp://tracker.example:80', false, true],
  ['https://tracker.example/a', false, true],
  ['http://8.8.8.8/announce', false, true],
  ['http://[2001:db8::1]/announce', false, true],
  ['http://192.168.1.2/announce', false, false],
  ['http://192.168.1.2/announce', true, true],
  ['http://nas/announce', true, true],
  ['http://nas/announce', false, false],
  ['http://user@tracker.example/', true, false],
  ['http://1.2.3/announce', false, false],
])('%s, of a peer on our network: %s, is taken: %s', (text, isPeerLocal, taken) => {
  expect(isShareable(text, isPeerLocal)).toBe(taken)
})

test('no bytes make the decoder throw, and what was written is read', () => {
  fc.assert(fc.property(fc.uint8Array(), (payload) => void decodeLtTex(payload)))
  const text = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 80 })
    .map((s) => s.replaceAll(/[^!-~]/g, 'x'))
  fc.assert(
    fc.property(fc.array(text, { maxLength: 100 }), (list) => {
      expect(decodeLtTex(encodeLtTex(list))).toEqual(list)
    }),
  )
})
