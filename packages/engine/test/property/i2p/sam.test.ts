import fc from 'fast-check'
import { expect, test } from 'vitest'
import { i2pAddressOf, isI2pName, isI2pUrl, normalizeI2pAddress } from '../../../src/address/i2pAddress.ts'
import { addressOfDestination } from '../../../src/i2p/destination.ts'
import { SamConnect } from '../../../src/i2p/samConnect.ts'
import { parseSamMessage, SamLines, samLine } from '../../../src/i2p/samMessage.ts'
import { decodeAnnounceReply } from '../../../src/tracker/httpResponse.ts'
import { concatBytes, fromLatin1, latin1 } from '../../../src/util/bytes.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('the address of a destination survives its way through any case', () => {
  fc.assert(
    fc.property(hash, fc.boolean(), (bytes, isUpper) => {
      const address = i2pAddressOf(bytes)
      expect(normalizeI2pAddress(isUpper ? address.toUpperCase() : address)).toBe(address)
      expect(isI2pName(address)).toBe(true)
      expect(isI2pUrl(`http://${address}/announce`)).toBe(true)
    }),
  )
})

test('what is sent is read as it was meant', () => {
  const value = fc.stringMatching(/^[\x21\x23-\x7e]{1,40}$/)
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[A-Z]{1,9}$/), value, { maxKeys: 9 }), (values) => {
      const line = latin1(samLine('STREAM CONNECT', values)).slice(0, -1)
      expect(Object.fromEntries(parseSamMessage(line)?.values ?? [])).toEqual(values)
    }),
  )
})

test('lines come out whole however they are cut', () => {
  const line = fc.stringMatching(/^[ -~]{0,30}$/)
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(9), { minLength: 1 }), (lines, cuts) => {
      const bytes = concatBytes(...lines.map((each) => fromLatin1(`${each}\n`)))
      const reader = new SamLines()
      const found: string[] = []
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const length = 1 + cuts[turn % cuts.length]
        let rest = bytes.subarray(at, at + length)
        at += length
        for (;;) {
          const read = reader.read(rest)
          if (read === null || read === 'tooLong') break
          found.push(read.line)
          rest = read.rest
        }
      }
      expect(found).toEqual(lines)
    }),
  )
})

test('nothing a bridge, a tracker or a peer says throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const handshake = new SamConnect('id', 'bob.i2p')
      handshake.start()
      handshake.push(bytes)
      parseSamMessage(latin1(bytes))
      addressOfDestination(latin1(bytes))
      decodeAnnounceReply(bytes, true)
    }),
  )
})

test('a tracker in I2P names peers there, and none elsewhere', () => {
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 9 }), (hashes) => {
      const peers = concatBytes(...hashes)
      const body = concatBytes(fromLatin1(`d5:peers${peers.length}:`), peers, fromLatin1('6:peers66:abcdefe'))
      const reply = decodeAnnounceReply(body, true)
      expect(reply.kind === 'reply' && reply.peers.map(({ address }) => address)).toEqual(hashes.map(i2pAddressOf))
    }),
  )
})
