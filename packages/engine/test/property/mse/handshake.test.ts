import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MseAgreement, MseHandshake } from '../../../src/mse/mseHandshake.ts'
import { EncLevel } from '../../../src/settings/settingEnums.ts'
import { concatBytes } from '../../../src/util/bytes.ts'
import { initiator, responder, resultOf, Wire } from '../../unit/mse/pair.ts'

const level = fc.constantFrom(EncLevel.plaintext, EncLevel.rc4, EncLevel.both)

/** Feeds `bytes` in parts of the given sizes, again and again; returns those that were not taken. */
function feed(side: MseHandshake, bytes: Uint8Array, cuts: readonly number[]): Uint8Array {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    if (side.outcome !== null) return bytes.subarray(at)
    const part = bytes.subarray(at, at + cuts[i % cuts.length])
    at += side.receive(part)
  }
  return new Uint8Array(0)
}

test('however the bytes are cut and padded, both sides agree, and read what the other writes', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(
      fc.record({ a: fc.integer(), b: fc.integer(), cuts, prefer: fc.boolean(), ours: level, theirs: level }),
      fc.uint8Array({ maxLength: 68 }),
      fc.uint8Array({ maxLength: 300 }),
      ({ a, b, cuts, prefer, ours, theirs }, payload, message) => {
        const [out, back] = [new Wire(), new Wire()]
        const caller = initiator(out, { seed: a, allowedEncLevel: ours }, payload)
        const called = responder(back, { seed: b, allowedEncLevel: theirs, preferRc4: prefer })
        feed(called, out.take(), cuts)
        feed(caller, back.take(), cuts)
        const left = feed(called, out.take(), cuts)
        const common = ours & theirs
        if (common === 0) {
          expect(resultOf(called.outcome)).toBe(theirs === EncLevel.rc4 ? 'noRc4Mode' : 'noPlaintextMode')
          return
        }
        const wanted = common === EncLevel.both ? (prefer ? EncLevel.rc4 : EncLevel.plaintext) : common
        feed(caller, back.take(), cuts)
        expect([resultOf(caller.outcome), resultOf(called.outcome)]).toEqual([wanted, wanted])
        const [sender, receiver] = [caller.outcome as MseAgreement, called.outcome as MseAgreement]

        // The initial payload is encrypted whatever the level is, and comes out first.
        const first = concatBytes(called.rest(), left)
        expect(first).toHaveLength(payload.length)
        receiver.decrypt.turn(first)
        expect(first).toEqual(payload)
        if (wanted === EncLevel.plaintext) expect(receiver.encryptedBytes).toBe(payload.length)

        for (const [from, to] of [
          [sender, receiver],
          [receiver, sender],
        ]) {
          const sent = message.slice()
          from.encrypt.turn(sent)
          to.decrypt.turn(sent)
          expect(sent).toEqual(message)
        }
      },
    ),
    { numRuns: 150 },
  )
})

test('no bytes at all make either side throw, or take more than a handshake has', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 5000 }), fc.boolean(), (bytes, isCaller) => {
      const wire = new Wire()
      const side = isCaller ? initiator(wire) : responder(wire)
      feed(side, bytes, [1000])
      if (bytes.length > 96 + 512 + 20) expect(resultOf(side.outcome)).toBeTypeOf('string')
    }),
    { numRuns: 100 },
  )
})
