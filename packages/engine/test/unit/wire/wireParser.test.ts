import { describe, expect, test } from 'vitest'
import { MessageWriter } from '../../../src/wire/messageWriter.ts'
import { WireParser } from '../../../src/wire/wireParser.ts'
import { bytes, type Heard, RecordingHandler } from './recordingHandler.ts'

function parse(hexText: string): readonly Heard[] {
  const handler = new RecordingHandler()
  new WireParser(handler).push(bytes(hexText))
  return handler.heard
}

function written(write: (writer: MessageWriter) => void): Uint8Array {
  const writer = new MessageWriter()
  write(writer)
  return writer.take()!
}

describe('messages as the BEPs write them', () => {
  test.each<[string, string, Heard]>([
    ['BEP 3 keep-alive', '00000000', ['keepAlive']],
    ['BEP 3 choke', '00000001 00', ['choke']],
    ['BEP 3 unchoke', '00000001 01', ['unchoke']],
    ['BEP 3 interested', '00000001 02', ['interested']],
    ['BEP 3 not interested', '00000001 03', ['notInterested']],
    ['BEP 3 have', '00000005 04 00000102', ['have', 258]],
    ['BEP 3 bitfield', '00000003 05 ff80', ['bitfield', 'ff80']],
    ['BEP 3 request', '0000000d 06 00000001 00004000 00004000', ['request', 1, 16384, 16384]],
    ['BEP 3 piece', '0000000c 07 00000001 00004000 aabbcc', ['piece', 1, 16384, 'aabbcc']],
    ['BEP 3 cancel', '0000000d 08 00000001 00004000 00004000', ['cancel', 1, 16384, 16384]],
    ['BEP 5 port', '00000003 09 1ae1', ['dhtPort', 6881]],
    ['BEP 6 suggest piece', '00000005 0d 00000007', ['suggest', 7]],
    ['BEP 6 have all', '00000001 0e', ['haveAll']],
    ['BEP 6 have none', '00000001 0f', ['haveNone']],
    ['BEP 6 reject request', '0000000d 10 00000001 00004000 00004000', ['reject', 1, 16384, 16384]],
    ['BEP 6 allowed fast', '00000005 11 00000007', ['allowedFast', 7]],
    ['BEP 10 extended', '00000004 14 03 6465', ['extended', 3, '6465']],
  ])('%s', (_, hexText, expected) => {
    expect(parse(hexText)).toEqual([expected])
  })

  test('numbers are unsigned: an index of 2^31 or 2^32 - 1 arrives as such', () => {
    expect(parse('00000005 04 80000000 00000005 04 ffffffff')).toEqual([
      ['have', 2 ** 31],
      ['have', 2 ** 32 - 1],
    ])
  })

  test('an empty bitfield and an empty extension payload are messages', () => {
    expect(parse('00000001 05 00000002 14 00')).toEqual([
      ['bitfield', ''],
      ['extended', 0, ''],
    ])
  })
})

test('what a handler copies out of a Buffer stays when the socket reads into the same memory again', () => {
  const handler = new RecordingHandler()
  const kept: Uint8Array[] = []
  handler.onBitfield = (bits) => void kept.push(bits.slice())
  handler.onExtended = (_, payload) => void kept.push(payload.slice())
  const readBuffer = Buffer.from(bytes('00000003 05 ff80 00000004 14 03 6465'))
  new WireParser(handler).push(readBuffer)
  readBuffer.fill(0)
  expect(kept).toEqual([bytes('ff80'), bytes('6465')])
})

describe('blocks', () => {
  test('the ranges handed over are those of the chunk itself, without a copy', () => {
    const handler = new RecordingHandler()
    const seen: [Uint8Array, number, number, number][] = []
    handler.onPieceBytes = (...range) => void seen.push(range)
    handler.onPieceEnd = () => {}
    const parser = new WireParser(handler)
    const first = bytes('0000000d 07 00000001 00000000 aabb')
    const second = bytes('ccdd 00000000')
    expect(parser.push(first)).toBe(first.length)
    expect(parser.push(second)).toBe(second.length)
    expect(seen).toEqual([
      [first, 13, 15, 0],
      [second, 0, 2, 2],
    ])
    expect(seen[0][0]).toBe(first)
    expect(handler.heard).toEqual([['keepAlive']])
    expect(parser.payloadBytes).toBe(4)
  })

  test('a refused block stops the parser before its first byte, and is offered again at the next push', () => {
    const handler = new RecordingHandler()
    handler.acceptBlocks = false
    const parser = new WireParser(handler)
    const stream = bytes('00000001 01 0000000b 07 00000001 00000000 aabb 00000001 00')
    const consumed = parser.push(stream)
    expect(consumed).toBe(5 + 13)
    expect(parser.isRefused).toBe(true)
    expect(parser.push(stream.subarray(consumed))).toBe(0)
    handler.acceptBlocks = true
    expect(parser.push(stream.subarray(consumed))).toBe(stream.length - consumed)
    expect(parser.isRefused).toBe(false)
    expect(handler.heard).toEqual([
      ['unchoke'],
      ['refused', 1, 0, 2],
      ['refused', 1, 0, 2],
      ['piece', 1, 0, 'aabb'],
      ['choke'],
    ])
  })

  test('a refusal at the very end of a chunk shows in isRefused, and an empty push asks again', () => {
    const handler = new RecordingHandler()
    handler.acceptBlocks = false
    const parser = new WireParser(handler)
    const header = bytes('0000000b 07 00000001 00000000')
    expect(parser.push(header)).toBe(header.length)
    expect(parser.isRefused).toBe(true)
    handler.acceptBlocks = true
    expect(parser.push(new Uint8Array(0))).toBe(0)
    expect(parser.isRefused).toBe(false)
    parser.push(bytes('aabb'))
    expect(handler.heard.at(-1)).toEqual(['piece', 1, 0, 'aabb'])
  })
})

describe('stop', () => {
  test('called inside a callback, it ends parsing after that message', () => {
    const handler = new RecordingHandler()
    const parser = new WireParser(handler)
    handler.onHeard = ([name]) => name === 'have' && parser.stop()
    const stream = bytes('00000001 01 00000005 04 00000001 00000001 00')
    expect(parser.push(stream)).toBe(5 + 9)
    expect(parser.push(stream)).toBe(0)
    expect(handler.heard).toEqual([['unchoke'], ['have', 1]])
    expect(parser.isDead).toBe(true)
  })

  test('called while the bytes of a block are handed over, the end of the block is not reported', () => {
    const handler = new RecordingHandler()
    const parser = new WireParser(handler)
    handler.onHeard = ([name]) => name === 'pieceBytes' && parser.stop()
    parser.push(bytes('0000000b 07 00000001 00000000 aabb'))
    expect(handler.heard).toEqual([])
  })

  test('called when a block is offered, nothing of it is handed over, whatever the answer', () => {
    for (const answer of [true, false]) {
      const handler = new RecordingHandler()
      const parser = new WireParser(handler)
      handler.onPieceBegin = () => {
        parser.stop()
        return answer
      }
      parser.push(bytes('0000000b 07 00000001 00000000 aabb'))
      expect(parser.isDead).toBe(true)
      expect(parser.isRefused).toBe(false)
      expect(handler.heard).toEqual([])
    }
  })
})

describe('messages that break the protocol', () => {
  test.each([
    ['00000002 00', 'invalidChoke'],
    ['00000002 01', 'invalidUnchoke'],
    ['00000002 02', 'invalidInterested'],
    ['00000002 03', 'invalidNotInterested'],
    ['00000004 04', 'invalidHave'],
    ['0000000c 06', 'invalidRequest'],
    ['00000008 07', 'invalidPiece'],
    ['00000009 07', 'peerSentEmptyPiece'],
    ['0000000e 08', 'invalidCancel'],
    ['00000005 09', 'invalidDhtPort'],
    ['00000006 0d', 'invalidSuggest'],
    ['00000002 0e', 'invalidHaveAll'],
    ['00000002 0f', 'invalidHaveNone'],
    ['00000005 10', 'invalidReject'],
    ['00000001 11', 'invalidAllowFast'],
    ['00000001 14', 'invalidExtended'],
    ['00000001 0a', 'invalidMessage'],
    ['00000031 15', 'invalidMessage'],
    ['00000001 ff', 'invalidMessage'],
  ])('%s is %s, told as soon as length and id are there', (prefix, code) => {
    const handler = new RecordingHandler()
    const parser = new WireParser(handler)
    expect(parser.push(bytes(`00000001 01 ${prefix}`))).toBe(5)
    expect(handler.heard).toEqual([['unchoke'], ['invalid', code]])
    expect(parser.isDead).toBe(true)
  })

  test.each([
    ['00000005 0d 00000001', 'invalidSuggest'],
    ['00000001 0e', 'invalidHaveAll'],
    ['00000001 0f', 'invalidHaveNone'],
    ['0000000d 10 00000001 00004000 00004000', 'invalidReject'],
    ['00000005 11 00000001', 'invalidAllowFast'],
  ])('BEP 6: %s is %s when the fast extension was not negotiated', (message, code) => {
    const handler = new RecordingHandler()
    new WireParser(handler, { supportsFast: false }).push(bytes(message))
    expect(handler.heard).toEqual([['invalid', code]])
  })

  test('the limits are the largest lengths that pass', () => {
    const limits = { maxMessageBytes: 100, maxBlockBytes: 50 }
    const heardOf = (prefix: string): readonly Heard[] => {
      const handler = new RecordingHandler()
      new WireParser(handler, limits).push(bytes(prefix))
      return handler.heard
    }
    expect(heardOf('00000064 05')).toEqual([])
    expect(heardOf('00000065 05')).toEqual([['invalid', 'packetTooLarge']])
    expect(heardOf('00000064 14')).toEqual([])
    expect(heardOf('00000065 14')).toEqual([['invalid', 'packetTooLarge']])
    expect(heardOf('0000003b 07')).toEqual([])
    expect(heardOf('0000003c 07')).toEqual([['invalid', 'packetTooLarge']])
  })
})

describe('MessageWriter', () => {
  test('what is taken stays as it is while more is written', () => {
    const writer = new MessageWriter()
    writer.have(1)
    const first = writer.take()!
    const copy = first.slice()
    writer.have(2)
    expect(first).toEqual(copy)
    expect(writer.take()).toEqual(bytes('00000005 04 00000002'))
    expect(writer.take()).toBeNull()
  })

  test('a recycled buffer is used again', () => {
    const writer = new MessageWriter()
    writer.unchoke()
    const first = writer.take()!
    writer.recycle(first)
    writer.choke()
    expect(writer.take()!.buffer).toBe(first.buffer)
  })

  test('a keep-alive is four zero bytes, also as the first message in a buffer used before', () => {
    const writer = new MessageWriter()
    writer.have(0xffffffff)
    writer.recycle(writer.take()!)
    writer.keepAlive()
    expect(writer.take()).toEqual(new Uint8Array(4))
  })

  test('a buffer too small for the next message, or too large to keep, is not used again', () => {
    const writer = new MessageWriter()
    writer.unchoke()
    writer.recycle(writer.take()!)
    writer.bitfield(new Uint8Array(100_000).fill(1))
    const large = writer.take()!
    expect(large).toHaveLength(100_005)
    writer.recycle(large)
    writer.choke()
    expect(writer.take()!.buffer.byteLength).toBeLessThan(1000)
  })

  test('pendingBytes counts what waits, protocolBytes what was ever written', () => {
    const writer = new MessageWriter()
    writer.keepAlive()
    writer.pieceHeader(0, 0, 16384)
    expect(writer.pendingBytes).toBe(4 + 13)
    writer.take()
    writer.haveAll()
    expect(writer.pendingBytes).toBe(5)
    expect(writer.protocolBytes).toBe(4 + 13 + 5)
  })

  test('a piece header announces its own nine bytes and the block', () => {
    expect(written((writer) => writer.pieceHeader(2, 16384, 16384))).toEqual(bytes('00004009 07 00000002 00004000'))
  })
})
