import fc from 'fast-check'
import { expect, test } from 'vitest'
import { I2P_PORT, i2pAddressOf } from '../../../src/address/i2pAddress.ts'
import { bencode } from '../../../src/bencode/bencode.ts'
import { decodeI2pPex, encodeI2pPex } from '../../../src/wire/i2pPexMessage.ts'

const peer = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((hash) => ({ address: i2pAddressOf(hash), port: I2P_PORT }))
const added = peer.map((endpoint) => ({ ...endpoint, flags: 0 }))

test('i2p_pex: what is encoded is read back', () => {
  fc.assert(
    fc.property(fc.array(added), fc.array(peer), (came, left) => {
      expect(decodeI2pPex(encodeI2pPex({ added: came, dropped: left }))).toEqual({ added: came, dropped: left })
    }),
  )
})

test('no bytes make the decoder throw, and lists of broken length count as not there', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      decodeI2pPex(bytes)
      const message = decodeI2pPex(bencode({ added: bytes, dropped: bytes }))
      const expected = bytes.length % 32 === 0 ? bytes.length / 32 : 0
      expect([message?.added.length, message?.dropped.length]).toEqual([expected, expected])
    }),
  )
})
