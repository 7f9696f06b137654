import { expect, test } from 'vitest'
import { DH_KEY_BYTES, DH_PRIME, KeyExchange } from '../../../src/crypto/keyExchange.ts'
import type { Rc4 } from '../../../src/crypto/rc4.ts'
import { MAX_PAD_BYTES, type MseAgreement } from '../../../src/mse/mseHandshake.ts'
import { maskedStreamKey, streamCipher, streamKeyHash, syncHash } from '../../../src/mse/mseKeys.ts'
import { EncLevel } from '../../../src/settings/settingEnums.ts'
import { concatBytes, readU16, writeU16, writeU32 } from '../../../src/util/bytes.ts'
import { INFO_HASH, initiator, responder, resultOf, type SideOptions, Wire } from './pair.ts'

const OTHER = new Uint8Array(20).fill(9)
const pad = (length: number) => new Uint8Array(length).fill(0x77)

/** The other end of a handshake, written down step by step. */
class ByHand {
  private readonly exchange = new KeyExchange(new Uint8Array(20).fill(3))
  readonly secret: Uint8Array
  readonly encrypt: Rc4
  readonly decrypt: Rc4

  constructor(remote: Uint8Array, side: 'initiator' | 'responder', infoHash = INFO_HASH) {
    this.secret = this.exchange.secret(remote.subarray(0, DH_KEY_BYTES)) as Uint8Array
    const [sends, receives] = side === 'initiator' ? (['keyA', 'keyB'] as const) : (['keyB', 'keyA'] as const)
    this.encrypt = streamCipher(sends, this.secret, infoHash)
    this.decrypt = streamCipher(receives, this.secret, infoHash)
  }

  static readonly publicKey = new KeyExchange(new Uint8Array(20).fill(3)).publicKey

  /** Verification, level, length of the padding, the padding; then `more`. Encrypted. */
  choice(level: number, padLength: number, more: Uint8Array = new Uint8Array(0), verification = 0): Uint8Array {
    const bytes = new Uint8Array(14 + Math.min(padLength, 2000))
    bytes[3] = verification
    writeU32(bytes, 8, level)
    writeU16(bytes, 12, padLength)
    const all = concatBytes(bytes, more)
    this.encrypt.turn(all)
    return all
  }
}

/** A responder that has our key, and the other end of it. */
function called(options: SideOptions = {}, infoHash = INFO_HASH) {
  const wire = new Wire()
  const side = responder(wire, options, [OTHER, INFO_HASH])
  side.receive(ByHand.publicKey)
  const hand = new ByHand(wire.take(), 'initiator', infoHash)
  const names = concatBytes(syncHash(hand.secret), maskedStreamKey(streamKeyHash(infoHash), hand.secret))
  return { side, wire, hand, names }
}

/** An initiator that has sent its offer, and the other end of it. */
function calling(options: SideOptions = {}) {
  const wire = new Wire()
  const side = initiator(wire, options, pad(68))
  const hand = new ByHand(wire.take(), 'responder')
  side.receive(ByHand.publicKey)
  return { side, wire, hand }
}

const NO_PAYLOAD = new Uint8Array(2)

test('MSE, step 3: what the one who connects offers can be read with the keys of the protocol', () => {
  const { wire, hand } = calling({ allowedEncLevel: EncLevel.rc4 })
  const offer = wire.take()
  expect(offer.subarray(0, 20)).toEqual(syncHash(hand.secret))
  expect(offer.subarray(20, 40)).toEqual(maskedStreamKey(streamKeyHash(INFO_HASH), hand.secret))
  const rest = offer.slice(40)
  hand.decrypt.turn(rest)
  expect(rest.subarray(0, 12)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, EncLevel.rc4))
  const padding = readU16(rest, 12)
  expect(padding).toBeLessThanOrEqual(MAX_PAD_BYTES)
  expect(readU16(rest, 14 + padding)).toBe(68)
  expect(rest.subarray(16 + padding)).toEqual(pad(68))
})

test('paddings are of all lengths from 0 to 512', () => {
  const lengths = Array.from({ length: 400 }, (_, seed) => {
    const wire = new Wire()
    initiator(wire, { seed })
    return wire.take().length - DH_KEY_BYTES
  })
  expect(Math.min(...lengths)).toBeLessThan(20)
  expect(Math.max(...lengths)).toBeGreaterThan(492)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(MAX_PAD_BYTES)
})

for (const padding of [0, 1, MAX_PAD_BYTES]) {
  test(`${padding} bytes of padding everywhere are what may be`, () => {
    const { side, hand, names } = called()
    const bytes = concatBytes(
      pad(padding),
      names,
      hand.choice(EncLevel.both, padding, concatBytes(NO_PAYLOAD, pad(10))),
    )
    const taken = side.receive(bytes)
    expect(resultOf(side.outcome)).toBe(EncLevel.plaintext)
    expect((side.outcome as MseAgreement).infoHash).toEqual(INFO_HASH)
    expect(side.rest().length + bytes.length - taken).toBe(10)
    const caller = calling()
    caller.side.receive(concatBytes(pad(padding), caller.hand.choice(EncLevel.rc4, padding)))
    expect(resultOf(caller.side.outcome)).toBe(EncLevel.rc4)
  })
}

test('padding that never ends is given up after 512 bytes, byte by byte or all at once', () => {
  for (const size of [1, 2000]) {
    const taking = (side: { receive(bytes: Uint8Array): number; readonly outcome: unknown }) => {
      let taken = 0
      for (let i = 0; i < 2000 && side.outcome === null; i += size) taken += side.receive(pad(size))
      return size === 1 ? taken : 0
    }
    const responding = called()
    const taken = taking(responding.side)
    expect(resultOf(responding.side.outcome)).toBe('syncHashNotFound')
    if (size === 1) expect(taken).toBe(MAX_PAD_BYTES + 20)
    const initiating = calling()
    taking(initiating.side)
    expect(resultOf(initiating.side.outcome)).toBe('invalidEncryptionConstant')
  }
})

test('a sync hash one byte too late is none', () => {
  const { side, names } = called()
  side.receive(concatBytes(pad(MAX_PAD_BYTES + 1), names))
  expect(resultOf(side.outcome)).toBe('syncHashNotFound')
})

test('a verification one byte too late is none', () => {
  const { side, hand } = calling()
  side.receive(concatBytes(pad(MAX_PAD_BYTES + 1), hand.choice(EncLevel.rc4, 0)))
  expect(resultOf(side.outcome)).toBe('invalidEncryptionConstant')
})

test('a torrent we do not have is not known, and nothing is said about it', () => {
  const { side, wire, names } = called({}, new Uint8Array(20).fill(5))
  side.receive(names)
  expect(resultOf(side.outcome)).toBe('invalidInfoHash')
  expect(wire.take()).toHaveLength(0)
})

test('of several torrents the one that was named is found', () => {
  const { side, hand, names } = called({}, OTHER)
  side.receive(concatBytes(names, hand.choice(EncLevel.rc4, 0, NO_PAYLOAD)))
  expect((side.outcome as MseAgreement).infoHash).toEqual(OTHER)
})

test('zeros that are none end it as invalidEncryptionConstant', () => {
  const { side, hand, names } = called()
  side.receive(concatBytes(names, hand.choice(EncLevel.both, 0, NO_PAYLOAD, 1)))
  expect(resultOf(side.outcome)).toBe('invalidEncryptionConstant')
})

for (const length of [MAX_PAD_BYTES + 1, 0x7fff, 0xffff]) {
  test(`padding of ${length} bytes is too long, on both sides`, () => {
    const { side, hand, names } = called()
    side.receive(concatBytes(names, hand.choice(EncLevel.both, length)))
    expect(resultOf(side.outcome)).toBe('invalidPadSize')
    const caller = calling()
    caller.side.receive(caller.hand.choice(EncLevel.rc4, length))
    expect(resultOf(caller.side.outcome)).toBe('invalidPadSize')
  })
}

for (const [allowed, provided, result] of [
  [EncLevel.both, 3, EncLevel.plaintext],
  [EncLevel.both, 0xffff_ffff, EncLevel.plaintext],
  [EncLevel.both, 2, EncLevel.rc4],
  [EncLevel.both, 0, 'unsupportedEncryptionMode'],
  [EncLevel.both, 4, 'unsupportedEncryptionMode'],
  [EncLevel.plaintext, 2, 'noPlaintextMode'],
  [EncLevel.rc4, 1, 'noRc4Mode'],
  [EncLevel.rc4, 3, EncLevel.rc4],
] as const) {
  test(`of the levels ${provided} one that allows ${allowed} selects ${result}`, () => {
    const { side, wire, hand, names } = called({ allowedEncLevel: allowed })
    side.receive(concatBytes(names, hand.choice(provided, 0, NO_PAYLOAD)))
    expect(resultOf(side.outcome)).toBe(result)
    // Nobody is answered whom we do not agree with.
    expect(wire.take().length > 0).toBe(typeof result === 'number')
  })
}

for (const [allowed, selected] of [
  [EncLevel.rc4, 1],
  [EncLevel.plaintext, 2],
  [EncLevel.both, 0],
  [EncLevel.both, 3],
  [EncLevel.both, 4],
] as const) {
  test(`who provides ${allowed} does not take the answer ${selected}`, () => {
    const { side, hand } = calling({ allowedEncLevel: allowed })
    side.receive(hand.choice(selected, 0))
    expect(resultOf(side.outcome)).toBe('unsupportedEncryptionModeSelected')
  })
}

test('keys that are none are refused by both sides, before anything is sent', () => {
  const end = DH_PRIME.slice()
  end[95] -= 1
  const one = new Uint8Array(96)
  one[95] = 1
  for (const key of [new Uint8Array(96), one, end, DH_PRIME, new Uint8Array(96).fill(255)]) {
    const wire = new Wire()
    const side = responder(wire)
    side.receive(key)
    expect(resultOf(side.outcome)).toBe('invalidEncryptHandshake')
    expect(wire.take()).toHaveLength(0)
    const caller = initiator(wire)
    wire.take()
    caller.receive(key)
    expect(resultOf(caller.outcome)).toBe('invalidEncryptHandshake')
    expect(wire.take()).toHaveLength(0)
  }
})

test('an initial payload of any length is let through, and never collected', () => {
  const { side, hand, names } = called()
  const length = Uint8Array.of(0xff, 0xff)
  const bytes = concatBytes(names, hand.choice(EncLevel.plaintext, 0, length))
  side.receive(bytes)
  expect(side.outcome).toMatchObject({ level: EncLevel.plaintext, encryptedBytes: 0xffff })
})
