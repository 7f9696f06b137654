import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AnnounceOrder, MIN_ANNOUNCE_MS } from '../../../src/lsd/announceOrder.ts'
import {
  decodeLsdAnnounce,
  encodeLsdAnnounce,
  LSD_GROUP_V4,
  LSD_GROUP_V6,
  MAX_HASHES_SENT,
} from '../../../src/lsd/lsdMessage.ts'
import { fromLatin1 } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

const hash = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((bytes) => new Sha1Hash(bytes))

test('an announce survives the wire, within 1400 bytes (BEP 14)', () => {
  const hashes = fc.array(hash, { minLength: 1, maxLength: MAX_HASHES_SENT })
  const group = fc.constantFrom(LSD_GROUP_V4, LSD_GROUP_V6)
  fc.assert(
    fc.property(group, fc.integer({ min: 1, max: 65535 }), hashes, fc.nat(), (to, port, infoHashes, number) => {
      const cookie = number.toString(16)
      const packet = encodeLsdAnnounce(to, port, infoHashes, cookie)
      expect(packet.length).toBeLessThanOrEqual(1400)
      const announce = decodeLsdAnnounce(packet)
      expect(announce).toMatchObject({ port, cookie })
      expect(announce?.infoHashes.map(String)).toEqual(infoHashes.map(String))
    }),
  )
})

test('no bytes make the decoder throw, and what it gives is in range', () => {
  const line = fc.oneof(
    fc.constantFrom('Port: 7000', 'Port: 0', 'cookie: x', '', 'Infohash:', `Infohash: ${'a'.repeat(40)}`, ':', 'x'),
    fc.string({ unit: 'binary' }),
  )
  const text = fc
    .tuple(fc.constantFrom('BT-SEARCH * HTTP/1.1', 'BT-SEARCH', ''), fc.array(line), fc.constantFrom('\r\n', '\n'))
    .map(([start, lines, end]) => fromLatin1([start, ...lines].join(end)))
  fc.assert(
    fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 300 })), (packet) => {
      const announce = decodeLsdAnnounce(packet)
      if (announce === null) return
      expect(announce.port >= 1 && announce.port <= 65535).toBe(true)
      expect(announce.infoHashes.length).toBeLessThanOrEqual(32)
    }),
    { numRuns: 1000 },
  )
})

test('no torrent is announced twice within a minute, and none that was removed', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'remove', 'take', 'take', 'renew'),
    which: fc.nat({ max: 9 }),
    pause: fc.nat({ max: 50_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), fc.constantFrom(60_000, 300_000), (steps, interval) => {
      const order = new AnnounceOrder()
      const added = new Set<string>()
      const lastAt = new Map<string, number>()
      let now = 1000
      for (const { what, which, pause } of steps) {
        now += pause
        const infoHash = Sha1Hash.fromHex((which + 1).toString(16).padStart(40, '0'))
        if (what === 'add') order.add(infoHash, now)
        if (what === 'add') added.add(infoHash.toHex())
        if (what === 'remove') order.remove(infoHash)
        if (what === 'remove') added.delete(infoHash.toHex())
        if (what === 'renew') order.renew()
        if (what !== 'take') continue
        const isDue = order.nextDueAt(interval) <= now
        const taken = order.take(now, 4, interval).map((each) => each.toHex())
        expect(taken.length > 0).toBe(isDue)
        for (const each of taken) {
          expect(added.has(each)).toBe(true)
          expect(now - (lastAt.get(each) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(MIN_ANNOUNCE_MS)
          lastAt.set(each, now)
        }
      }
      expect(order.size).toBe(added.size)
    }),
    { numRuns: 500 },
  )
})
