import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ReorderBuffer } from '../../../src/utp/reorderBuffer.ts'
import { writeSack } from '../../../src/utp/selectiveAck.ts'
import { nextSeq, seqDistance, seqLess } from '../../../src/utp/seqNumber.ts'
import {
  HEADER_BYTES,
  LEAST_PADDING_BYTES,
  looksLikeUtp,
  readHeader,
  stampHeader,
  UtpHeader,
  writeHeader,
  writePadding,
} from '../../../src/utp/utpHeader.ts'

const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffffffff })

describe('sequence numbers', () => {
  test('a number comes before those up to half the range ahead, wherever it wraps', () => {
    fc.assert(
      fc.property(u16, fc.integer({ min: 1, max: 0x7fff }), (from, steps) => {
        const to = (from + steps) & 0xffff
        expect(seqDistance(from, to)).toBe(steps)
        expect(seqDistance(to, from)).toBe(-steps)
        expect(seqLess(from, to)).toBe(true)
        expect(seqLess(to, from)).toBe(false)
      }),
    )
  })

  test('the next number is one step away', () => {
    fc.assert(
      fc.property(u16, (seq) => {
        expect(seqDistance(seq, nextSeq(seq))).toBe(1)
      }),
    )
  })
})

describe('header', () => {
  test('what is written is read back, with padding of any size between header and payload', () => {
    const sizes = fc.tuple(
      fc.oneof(fc.constant(0), fc.integer({ min: LEAST_PADDING_BYTES, max: 5000 })),
      fc.integer({ min: 0, max: 50 }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), u16, u16, u16, u32, u32, u32, sizes, (...args) => {
        const [type, id, seq, ack, timestamp, difference, window, [padding, payload]] = args
        const packet = new Uint8Array(HEADER_BYTES + padding + payload).fill(0xee)
        writeHeader(packet, type, id, seq)
        stampHeader(packet, timestamp, difference, window, ack)
        if (padding > 0) writePadding(packet, padding)
        expect(looksLikeUtp(packet)).toBe(true)
        const header = new UtpHeader()
        expect(readHeader(packet, header)).toBe(true)
        expect(header).toMatchObject({ type, connectionId: id, seq, ack, timestamp, window })
        expect(header.timestampDifference).toBe(difference)
        expect(header.payloadAt).toBe(HEADER_BYTES + padding)
        expect(header.sackBytes).toBe(0)
        // libutp takes a packet for its own only when its first extension has one of the numbers it knows.
        expect(packet[1]).toBeLessThan(3)
      }),
    )
  })

  test('any bytes are read without an exception, and no extension reaches beyond the packet', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 4 }), (bytes, type) => {
        if (bytes.length > 0) bytes[0] = (type << 4) | 1
        expect(looksLikeUtp(bytes)).toBe(bytes.length >= HEADER_BYTES)
        if (!looksLikeUtp(bytes)) return
        const header = new UtpHeader()
        if (!readHeader(bytes, header)) return
        expect(header.payloadAt).toBeLessThanOrEqual(bytes.length)
        expect(header.sackAt + header.sackBytes).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })

  test('a packet cut off inside its padding is refused, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: LEAST_PADDING_BYTES, max: 3000 }),
        fc.integer({ min: 1, max: 3000 }),
        (padding, cut) => {
          fc.pre(cut <= padding)
          const packet = new Uint8Array(HEADER_BYTES + padding)
          writeHeader(packet, 0, 1, 2)
          writePadding(packet, padding)
          expect(readHeader(packet.subarray(0, packet.length - cut), new UtpHeader())).toBe(false)
        },
      ),
    )
  })

  test('messages of the DHT and answers of UDP trackers are not taken for uTP', () => {
    expect(looksLikeUtp(Buffer.from('d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe'))).toBe(false)
    for (const action of [0, 1, 2, 3]) {
      const answer = new Uint8Array(100)
      answer[3] = action
      expect(looksLikeUtp(answer)).toBe(false)
    }
  })
})

describe('reorder buffer', () => {
  /** Packets from `first` on, in some order, some of them more than once. */
  const arrivals = fc.tuple(u16, fc.integer({ min: 1, max: 300 })).chain(([first, count]) =>
    fc.tuple(
      fc.constant(first),
      fc.constant(count),
      fc.shuffledSubarray(
        Array.from({ length: count * 2 }, (_, i) => i % count),
        { minLength: count * 2, maxLength: count * 2 },
      ),
    ),
  )

  test('packets in any order come out in order, each once, across the wrap', () => {
    fc.assert(
      fc.property(arrivals, ([first, count, order]) => {
        const buffer = new ReorderBuffer(first)
        const out: number[] = []
        for (const index of order) {
          const payload = Uint8Array.of(index, index >> 8)
          const offset = seqDistance(buffer.expected, (first + index) & 0xffff)
          if (offset === 0) {
            buffer.advance()
            out.push(index)
            for (let held = buffer.takeExpected(); held !== null; held = buffer.takeExpected()) {
              out.push(held[0] | (held[1] << 8))
            }
          } else if (offset > 0) buffer.hold((first + index) & 0xffff, payload)
        }
        expect(out).toEqual(Array.from({ length: count }, (_, i) => i))
        expect(buffer.heldBytes).toBe(0)
        expect(buffer.span).toBe(0)
      }),
    )
  })

  test('a selective ack names exactly the packets held, as far as it reaches', () => {
    fc.assert(
      fc.property(
        u16,
        fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 60 }),
        (first, held) => {
          const buffer = new ReorderBuffer(first)
          for (const offset of held) expect(buffer.hold((first + offset) & 0xffff, new Uint8Array(1))).toBe(true)
          const packet = new Uint8Array(300)
          writeHeader(packet, 2, 1, 1)
          const size = HEADER_BYTES + writeSack(packet, HEADER_BYTES, buffer)
          const header = new UtpHeader()
          expect(readHeader(packet.subarray(0, size), header)).toBe(true)
          expect(header.sackBytes % 4).toBe(0)
          const named: number[] = []
          for (let bit = 0; bit < header.sackBytes * 8; bit++) {
            if ((packet[header.sackAt + (bit >> 3)] >> (bit & 7)) & 1) named.push(bit + 1)
          }
          expect(named).toEqual(held.filter((offset) => offset <= header.sackBytes * 8).sort((a, b) => a - b))
        },
      ),
    )
  })

  test('a packet too far ahead, or behind, is not held', () => {
    const buffer = new ReorderBuffer(65_530)
    expect(buffer.hold(65_530, new Uint8Array(1))).toBe(false)
    expect(buffer.hold(65_529, new Uint8Array(1))).toBe(false)
    expect(buffer.hold((65_530 + 2048) & 0xffff, new Uint8Array(1))).toBe(false)
    expect(buffer.hold((65_530 + 2047) & 0xffff, new Uint8Array(1))).toBe(true)
    expect(buffer.hold((65_530 + 2047) & 0xffff, new Uint8Array(1))).toBe(false)
    expect(buffer.heldBytes).toBe(1)
  })
})
