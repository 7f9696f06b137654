import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeUtPex, encodeUtPex } from '../../../src/wire/utPexMessage.ts'

const address = fc.oneof(
  fc.ipV4(),
  fc
    .tuple(fc.integer({ min: 0x2000, max: 0x3fff }), fc.integer({ min: 1, max: 0xffff }))
    .map(([a, b]) => `${a.toString(16)}::${b.toString(16)}`),
)
const endpoint = fc.record({ address, port: fc.integer({ min: 0, max: 65535 }) })
const pexPeer = fc.record({
  address,
  port: fc.integer({ min: 0, max: 65535 }),
  flags: fc.integer({ min: 0, max: 255 }),
})

test('BEP 11: what is encoded is read back, IPv4 before IPv6', () => {
  fc.assert(
    fc.property(fc.array(pexPeer), fc.array(endpoint), (added, dropped) => {
      const message = decodeUtPex(encodeUtPex({ added, dropped }))
      const v4First = <E extends { address: string }>(list: E[]) => [
        ...list.filter((e) => !e.address.includes(':')),
        ...list.filter((e) => e.address.includes(':')),
      ]
      expect(message).toEqual({ added: v4First(added), dropped: v4First(dropped) })
    }),
  )
})

test('no bytes make the decoder throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      decodeUtPex(bytes)
    }),
  )
})
