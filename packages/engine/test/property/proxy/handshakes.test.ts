import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesToAddress } from '../../../src/address/addressBytes.ts'
import { HttpConnectHandshake } from '../../../src/proxy/httpConnectHandshake.ts'
import type { HandshakeStep, ProxyHandshake, ProxyTarget } from '../../../src/proxy/proxyHandshake.ts'
import { Socks4Handshake } from '../../../src/proxy/socks4Handshake.ts'
import { Socks5Handshake } from '../../../src/proxy/socks5Handshake.ts'
import { decodeSocksAddress, encodeSocksAddress } from '../../../src/proxy/socksAddress.ts'
import { unwrapPacket, wrapPacket } from '../../../src/proxy/udpHeader.ts'
import { concatBytes, fromLatin1 } from '../../../src/util/bytes.ts'

const target: ProxyTarget = { host: '10.1.2.3', port: 6881 }
const login = { username: 'alice', password: 'secret' }
const makers: Readonly<Record<string, () => ProxyHandshake>> = {
  socks4: () => new Socks4Handshake(target, ''),
  socks5: () => new Socks5Handshake(target, login),
  http: () => new HttpConnectHandshake(target, login),
}

const hosts = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map(bytesToAddress),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytesToAddress),
  fc.stringMatching(/^[a-z][a-z0-9.-]{0,200}$/),
)
const targets = fc.record({ host: hosts, port: fc.nat(0xffff) })
const payloads = fc.uint8Array({ minLength: 1, maxLength: 1500 })

/** Feeds `bytes` in pieces of the lengths given, until it is decided. */
function feed(handshake: ProxyHandshake, bytes: Uint8Array, lengths: readonly number[]): HandshakeStep[] {
  const steps: HandshakeStep[] = []
  handshake.start()
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]
    const step = handshake.push(bytes.subarray(at, at + length))
    at += length
    steps.push(step)
    if (step.name !== 'wait') break
  }
  return steps
}

const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 })

test.each(Object.keys(makers))(
  'a %s proxy that sends anything is waited for, refused or believed, never worse',
  (kind) => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.uint8Array({ maxLength: 300 }).map((rest) => concatBytes(Uint8Array.of(5, 2), rest)),
      fc.string({ maxLength: 300 }).map((text) => fromLatin1(`HTTP/1.1 ${text}`)),
    )
    fc.assert(
      fc.property(anything, cuts, (bytes, lengths) => {
        for (const step of feed(makers[kind](), bytes, lengths)) {
          if (step.name === 'failed') expect(['proxy', 'connect']).toContain(step.error.operation)
        }
      }),
      { numRuns: 300 },
    )
  },
)

test('however a SOCKS5 proxy cuts its answers, the bytes behind them are those of the peer', () => {
  fc.assert(
    fc.property(targets, payloads, cuts, (bound, payload, lengths) => {
      const handshake = new Socks5Handshake(target, login)
      handshake.start()
      for (const answer of [Uint8Array.of(5, 2), Uint8Array.of(1, 0)]) {
        for (const byte of answer) handshake.push(Uint8Array.of(byte))
      }
      const reply = concatBytes(Uint8Array.of(5, 0, 0), encodeSocksAddress(bound))
      const stream = concatBytes(reply, payload)
      let taken = 0
      for (let i = 0; taken < stream.length; i++) {
        const chunk = stream.subarray(taken, taken + lengths[i % lengths.length])
        taken += chunk.length
        const step = handshake.push(chunk)
        if (step.name === 'wait') continue
        expect(step).toMatchObject({ name: 'done', bound })
        if (step.name === 'done') expect([...step.rest, ...stream.subarray(taken)]).toEqual([...payload])
        return
      }
      throw new Error('never done')
    }),
  )
})

test('an address survives the way of SOCKS5, and a truncated one is none', () => {
  fc.assert(
    fc.property(targets, (given) => {
      const bytes = encodeSocksAddress(given)
      expect(decodeSocksAddress(bytes, 0)).toEqual({ target: given, end: bytes.length })
      for (let length = 0; length < bytes.length; length++) {
        expect(decodeSocksAddress(bytes.subarray(0, length), 0)).toBeNull()
      }
    }),
  )
})

test('a packet survives the way through a relay', () => {
  fc.assert(
    fc.property(targets, payloads, (to, packet) => {
      const wrapped = wrapPacket(packet, to, new Uint8Array(2000))
      const unwrapped = wrapped === null ? null : unwrapPacket(wrapped)
      expect(unwrapped?.from).toEqual(to)
      expect([...(unwrapped?.packet ?? [])]).toEqual([...packet])
    }),
  )
})

test('whatever a relay sends is a packet or nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const unwrapped = unwrapPacket(bytes)
      if (unwrapped !== null) expect(unwrapped.packet.length).toBeGreaterThan(0)
      const fragment = bytes.slice()
      if (fragment.length > 2) fragment[2] = 1
      expect(unwrapPacket(fragment)).toBeNull()
    }),
    { numRuns: 1000 },
  )
})
