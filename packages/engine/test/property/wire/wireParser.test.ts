import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MessageWriter } from '../../../src/wire/messageWriter.ts'
import { WireParser } from '../../../src/wire/wireParser.ts'
import { cut, type Heard, hex, RecordingHandler } from '../../unit/wire/recordingHandler.ts'

const u32 = fc.nat({ max: 0xffffffff })
const payload = fc.uint8Array({ maxLength: 300 })
const block = fc.uint8Array({ minLength: 1, maxLength: 300 })

/** A message: how it is written, and what must be heard. */
interface Message {
  readonly write: (writer: MessageWriter) => void
  readonly body?: Uint8Array
  readonly heard: Heard
}

const bare = (['keepAlive', 'choke', 'unchoke', 'interested', 'notInterested', 'haveAll', 'haveNone'] as const).map(
  (name): Message => ({ write: (writer) => writer[name](), heard: [name] }),
)
const messages: fc.Arbitrary<Message> = fc.oneof(
  fc.constantFrom(...bare),
  fc
    .tuple(fc.constantFrom('have', 'suggest', 'allowedFast'), u32)
    .map(([name, piece]): Message => ({ write: (writer) => writer[name](piece), heard: [name, piece] })),
  fc
    .tuple(fc.constantFrom('request', 'cancel', 'reject'), u32, u32, u32)
    .map(([name, ...range]): Message => ({ write: (writer) => writer[name](...range), heard: [name, ...range] })),
  fc
    .nat({ max: 0xffff })
    .map((port): Message => ({ write: (writer) => writer.dhtPort(port), heard: ['dhtPort', port] })),
  payload.map((bits): Message => ({ write: (writer) => writer.bitfield(bits), heard: ['bitfield', hex(bits)] })),
  fc
    .tuple(fc.nat({ max: 255 }), payload)
    .map(
      ([id, body]): Message => ({ write: (writer) => writer.extended(id, body), heard: ['extended', id, hex(body)] }),
    ),
  fc.tuple(u32, u32, block).map(
    ([piece, begin, body]): Message => ({
      write: (writer) => writer.pieceHeader(piece, begin, body.length),
      body,
      heard: ['piece', piece, begin, hex(body)],
    }),
  ),
)
const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 })

function streamOf(list: readonly Message[]): Uint8Array {
  const writer = new MessageWriter()
  const parts: Uint8Array[] = []
  for (const message of list) {
    message.write(writer)
    if (message.body === undefined) continue
    const before = writer.take()!
    parts.push(before.slice(), message.body)
    writer.recycle(before)
  }
  const rest = writer.take()
  if (rest !== null) parts.push(rest)
  return new Uint8Array(Buffer.concat(parts))
}

describe('wire codec', () => {
  test('any messages, cut into any chunks, are heard as they were written', () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 30 }), cuts, (list, sizes) => {
        const handler = new RecordingHandler()
        const parser = new WireParser(handler)
        for (const chunk of cut(streamOf(list), sizes)) expect(parser.push(chunk)).toBe(chunk.length)
        expect(handler.heard).toEqual(list.map((message) => message.heard))
        expect(parser.payloadBytes).toBe(list.reduce((sum, message) => sum + (message.body?.length ?? 0), 0))
      }),
    )
  })

  test('blocks refused a few times and pushed again change nothing in what is heard', () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 20 }), cuts, fc.integer({ min: 1, max: 3 }), (list, sizes, every) => {
        const handler = new RecordingHandler()
        const accept = handler.onPieceBegin.bind(handler)
        let asked = 0
        handler.onPieceBegin = (...header) => ++asked % every === 0 && accept(...header)
        const parser = new WireParser(handler)
        let rest: Uint8Array = new Uint8Array(0)
        for (const chunk of cut(streamOf(list), sizes)) {
          const pushed: Uint8Array = new Uint8Array(Buffer.concat([rest, chunk]))
          rest = pushed.subarray(parser.push(pushed))
        }
        while (parser.isRefused) rest = rest.subarray(parser.push(rest))
        expect(rest).toHaveLength(0)
        expect(handler.heard).toEqual(list.map((message) => message.heard))
      }),
    )
  })

  test('no bytes at all make the parser throw, and how they are cut makes no difference', () => {
    const hostile = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc
          .tuple(fc.nat({ max: 40 }), fc.nat({ max: 24 }), fc.uint8Array({ maxLength: 40 }))
          .map(([length, id, body]) => Uint8Array.of(0, 0, 0, length, id, ...body)),
      ),
      { maxLength: 10 },
    )
    fc.assert(
      fc.property(hostile, cuts, (parts, sizes) => {
        const stream = new Uint8Array(Buffer.concat(parts))
        const whole = new RecordingHandler()
        const wholeParser = new WireParser(whole)
        wholeParser.push(stream)
        const pieces = new RecordingHandler()
        const parser = new WireParser(pieces)
        for (const chunk of cut(stream, sizes)) parser.push(chunk)
        expect(pieces.heard).toEqual(whole.heard)
        expect(parser.isDead).toBe(wholeParser.isDead)
        expect(parser.payloadBytes).toBe(wholeParser.payloadBytes)
        expect(whole.heard.filter(([name]) => name === 'invalid').length).toBe(wholeParser.isDead ? 1 : 0)
      }),
      { numRuns: 300 },
    )
  })
})
