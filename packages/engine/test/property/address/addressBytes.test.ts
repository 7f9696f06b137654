import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressToBytes, bytesToAddress, isMappedV4 } from '../../../src/address/addressBytes.ts'
import { decodeCompactEndpoint, encodeCompactEndpoint } from '../../../src/address/compactEndpoint.ts'
import { peerPriority } from '../../../src/address/peerPriority.ts'

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 })
/** Zeros are frequent, so that runs of them are. */
const v6 = fc
  .array(fc.oneof(fc.constant(0), fc.nat({ max: 255 })), { minLength: 16, maxLength: 16 })
  .map((bytes) => Uint8Array.from(bytes))
  .filter((bytes) => !isMappedV4(bytes))
const endpoint = fc.record({ address: fc.oneof(v4, v6).map(bytesToAddress), port: fc.nat({ max: 0xffff }) })

describe('addresses', () => {
  test('any bytes survive as text, and the text is what RFC 5952 makes of them', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (bytes) => {
        const text = bytesToAddress(bytes)
        expect(addressToBytes(text)).toEqual(bytes)
        // Node's URL parser writes IPv6 hosts as RFC 5952 wants them.
        if (bytes.length === 16) expect(new URL(`http://[${text}]`).hostname).toBe(`[${text}]`)
      }),
    )
  })

  test('any endpoint survives its compact form', () => {
    fc.assert(
      fc.property(endpoint, (e) => {
        expect(decodeCompactEndpoint(encodeCompactEndpoint(e))).toEqual(e)
      }),
    )
  })

  test('no text makes the parser throw', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:.%]{0,40}$/))
    fc.assert(fc.property(texts, (text) => [null, 4, 16].includes(addressToBytes(text)?.length ?? null)))
  })

  test('BEP 40: both ends of a connection compute the same priority', () => {
    fc.assert(
      fc.property(endpoint, endpoint, (a, b) => {
        expect(peerPriority(a, b)).toBe(peerPriority(b, a))
      }),
    )
  })
})
