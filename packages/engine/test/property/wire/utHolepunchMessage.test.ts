import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeUtHolepunch, encodeUtHolepunch, HolepunchType } from '../../../src/wire/utHolepunchMessage.ts'

const address = fc.oneof(
  fc.ipV4(),
  fc
    .tuple(fc.integer({ min: 0x2000, max: 0x3fff }), fc.integer({ min: 1, max: 0xffff }))
    .map(([a, b]) => `${a.toString(16)}::${b.toString(16)}`),
)
const endpoint = fc.record({ address, port: fc.integer({ min: 1, max: 65535 }) })
const message = fc.oneof(
  fc.record({
    type: fc.constantFrom(HolepunchType.rendezvous, HolepunchType.connect),
    endpoint,
    error: fc.constant(0),
  }),
  fc.record({ type: fc.constant(HolepunchType.failed), endpoint, error: fc.nat(0xffff_ffff) }),
)

test('BEP 55: what is encoded is read back, with the error code and, as libtorrent sends it, without', () => {
  fc.assert(
    fc.property(message, (sent) => {
      const payload = encodeUtHolepunch(sent)
      expect(decodeUtHolepunch(payload)).toEqual(sent)
      expect(decodeUtHolepunch(payload.subarray(0, -4))).toEqual({ ...sent, error: 0 })
    }),
  )
})

test('no bytes make the decoder throw, and port 0 is nobody, whom one may ask for in vain', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      const read = decodeUtHolepunch(bytes)
      if (read !== null && read.type !== HolepunchType.rendezvous) expect(read.endpoint.port).toBeGreaterThan(0)
    }),
  )
})

test('BEP 55: a rendezvous as it lies on the wire', () => {
  const payload = encodeUtHolepunch({ type: 0, endpoint: { address: '10.1.2.3', port: 0x1ae1 }, error: 0 })
  expect([...payload]).toEqual([0, 0, 10, 1, 2, 3, 0x1a, 0xe1, 0, 0, 0, 0])
})
