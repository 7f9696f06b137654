import { describe, expect, test } from 'vitest'
import { decodeHandshake, encodeHandshake, HANDSHAKE_SIZE, HandshakeReader } from '../../../src/wire/handshake.ts'
import { decodeReserved, encodeReserved } from '../../../src/wire/reservedBits.ts'
import { hex } from './recordingHandler.ts'

const infoHash = new Uint8Array(20).fill(0xaa)
const peerId = new Uint8Array(Buffer.from('-LT2100-abcdefghijkl'))
const reserved = encodeReserved({ supportsExtensions: true, supportsFast: true })
const handshake = encodeHandshake({ infoHash, peerId, reserved })

describe('handshake', () => {
  test('BEP 3: a handshake is 0x13, the protocol string, reserved bytes, info-hash and peer id', () => {
    expect(handshake).toHaveLength(HANDSHAKE_SIZE)
    expect(hex(handshake)).toBe(
      `13${hex(Buffer.from('BitTorrent protocol'))}0000000000100004${'aa'.repeat(20)}${hex(peerId)}`,
    )
  })

  test.each([
    ['BEP 10', { supportsExtensions: true }, '0000000000100000'],
    ['BEP 6', { supportsFast: true }, '0000000000000004'],
    ['BEP 5', { supportsDht: true }, '0000000000000001'],
    ['BEP 52', { supportsV2: true }, '0000000000000010'],
  ] as const)('%s has its own reserved bit, and no other', (_, features, expected) => {
    expect(hex(encodeReserved(features))).toBe(expected)
    const none = { supportsExtensions: false, supportsFast: false, supportsDht: false, supportsV2: false }
    expect(decodeReserved(encodeReserved(features))).toEqual({ ...none, ...features })
  })

  test('reserved bits nobody knows are ignored', () => {
    const all = decodeReserved(new Uint8Array(8).fill(0xff))
    expect(all).toEqual({ supportsExtensions: true, supportsFast: true, supportsDht: true, supportsV2: true })
  })

  test('what was encoded is decoded, as copies that do not follow the receive buffer', () => {
    const received = Buffer.from(handshake)
    const decoded = decodeHandshake(received)!
    received.fill(0)
    expect(decoded.infoHash).toEqual(infoHash)
    expect(decoded.peerId).toEqual(peerId)
    expect(decoded).toMatchObject({ supportsExtensions: true, supportsFast: true, supportsDht: false })
  })

  test('fields of a wrong size are a programming error', () => {
    expect(() => encodeHandshake({ infoHash: infoHash.subarray(1), peerId, reserved })).toThrow(RangeError)
    expect(() => encodeHandshake({ infoHash, peerId: peerId.subarray(1), reserved })).toThrow(RangeError)
    expect(() => encodeHandshake({ infoHash, peerId, reserved: reserved.subarray(1) })).toThrow(RangeError)
  })
})

describe('HandshakeReader', () => {
  test('it takes 68 bytes and leaves what follows, however the bytes are cut', () => {
    for (const size of [1, 7, 20, 67, 68, 100]) {
      const reader = new HandshakeReader()
      const stream = new Uint8Array([...handshake, 0, 0, 0, 0])
      let taken = 0
      for (let at = 0; at < stream.length; at += size) taken += reader.push(stream.subarray(at, at + size))
      expect(taken).toBe(HANDSHAKE_SIZE)
      expect(reader.state).toBe('complete')
      expect(reader.handshake?.infoHash).toEqual(infoHash)
    }
  })

  test('the info-hash is known before the peer id has come', () => {
    const reader = new HandshakeReader()
    reader.push(handshake.subarray(0, 47))
    expect(reader.infoHash).toBeNull()
    reader.push(handshake.subarray(47, 48))
    expect(reader.infoHash).toEqual(infoHash)
    expect(reader.state).toBe('collecting')
  })

  test('a wrong protocol string is refused at its first wrong byte, and what came is kept for another protocol', () => {
    const reader = new HandshakeReader()
    reader.push(handshake.subarray(0, 5))
    expect(reader.state).toBe('collecting')
    reader.push(Uint8Array.of(0x00))
    expect(reader.state).toBe('invalid')
    expect(reader.collected).toEqual(new Uint8Array([...handshake.subarray(0, 5), 0]))
    expect(reader.push(handshake)).toBe(0)
  })

  test.each([0, 18, 20, 255])('a protocol string of claimed length %i is refused with the first byte', (length) => {
    const reader = new HandshakeReader()
    reader.push(Uint8Array.of(length))
    expect(reader.state).toBe('invalid')
    expect(reader.handshake).toBeNull()
  })
})
