import { describe, expect, test } from 'vitest'
import { WireParser } from '../../../src/wire/wireParser.ts'
import { bytes, RecordingHandler } from '../../unit/wire/recordingHandler.ts'

describe('a stranger lies about lengths', () => {
  test.each(['7fffffff', '80000000', 'ffffffff', '00200001'])('a frame of 0x%s bytes is refused at once', (length) => {
    const handler = new RecordingHandler()
    const parser = new WireParser(handler)
    expect(parser.push(bytes(length))).toBe(0)
    expect(handler.heard).toEqual([['invalid', 'packetTooLarge']])
    expect(parser.push(new Uint8Array(1000))).toBe(0)
  })

  test('a length prefix that drips in byte by byte is refused with its fourth byte', () => {
    const handler = new RecordingHandler()
    const parser = new WireParser(handler)
    for (const byte of [0x7f, 0xff, 0xff]) parser.push(Uint8Array.of(byte))
    expect(handler.heard).toEqual([])
    parser.push(Uint8Array.of(0xff))
    expect(handler.heard).toEqual([['invalid', 'packetTooLarge']])
  })

  test('a claimed 2 MiB message reserves no memory until it comes', () => {
    const parsers: WireParser[] = []
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 1000; i++) {
      const parser = new WireParser(new RecordingHandler())
      parser.push(bytes('00200000 14 01 00 00'))
      parsers.push(parser)
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024)
    expect(parsers.every((parser) => !parser.isDead)).toBe(true)
  })

  test('a 2 MiB message in 10-byte chunks is gathered in linear time', () => {
    const handler = new RecordingHandler()
    let heard = 0
    handler.onExtended = (_, payload) => {
      heard = payload.length
    }
    const parser = new WireParser(handler)
    parser.push(bytes('00200000 14 01'))
    const chunk = new Uint8Array(10)
    for (let sent = 0; sent < 2 * 1024 * 1024 - 2; sent += 10) parser.push(chunk)
    expect(heard).toBe(2 * 1024 * 1024 - 2)
  })

  test('a block beyond a megabyte is refused before anyone is asked for room', () => {
    const handler = new RecordingHandler()
    new WireParser(handler).push(bytes('0010000a 07 00000000 00000000'))
    expect(handler.heard).toEqual([['invalid', 'packetTooLarge']])
  })

  test('requests of any numbers come through as they are, for the owner to refuse', () => {
    const handler = new RecordingHandler()
    new WireParser(handler).push(bytes('0000000d 06 ffffffff ffffffff ffffffff 0000000d 06 00000000 00000000 00000000'))
    expect(handler.heard).toEqual([
      ['request', 0xffffffff, 0xffffffff, 0xffffffff],
      ['request', 0, 0, 0],
    ])
  })
})
