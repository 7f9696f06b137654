import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { openMmdb } from '../../../src/node/mmdbFile.ts'
import { PeerOrigins } from '../../../src/session/peerOrigins.ts'
import { concatBytes } from '../../../src/util/bytes.ts'
import { mmdb } from '../../unit/node/mmdbWriter.ts'

const whole = mmdb(
  { '1.2.0.0/16': { country: { iso_code: 'DE' } }, '9.0.0.0/8': { country: { iso_code: 'FR' } } },
  { type: 'GeoLite2-Country' },
)
const ADDRESSES = ['1.2.3.4', '9.1.1.1', '8.8.8.8', '0.0.0.0', '255.255.255.255', '::1', '2001:db8::1']

/** Either refused with words, or it can be asked anything. */
async function expectHarmless(bytes: Uint8Array): Promise<void> {
  const database = await openMmdb(bytes, 'countries').catch((error: unknown) => {
    expect(error).toBeInstanceOf(LibtorrentError)
    expect((error as LibtorrentError).message).not.toBe('')
    return null
  })
  const origins = new PeerOrigins()
  origins.countries = database
  for (const address of ADDRESSES) expect(origins.country(address)).toMatch(/^(|--|!!|[A-Z]{2})$/)
}

test('a database that is cut off anywhere, at either end, is refused or harmless', async () => {
  for (let length = 0; length < whole.length; length += 7) {
    await expectHarmless(whole.subarray(0, length))
    await expectHarmless(whole.subarray(length))
  }
})

test('a database with bytes changed anywhere is refused or harmless', async () => {
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(changes, async (list) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, byte] of list) bytes[at] = byte
      await expectHarmless(bytes)
    }),
    { numRuns: 500 },
  )
})

test('a record that contains itself is unknown', async () => {
  const name = Buffer.from(whole).indexOf('iso_code')
  const bytes = Uint8Array.from(whole)
  // The value of `country` becomes a pointer to the record it is in.
  bytes[name - 2] = 0x20
  bytes[name - 1] = 0
  await expectHarmless(bytes)
})

test('a database whose search tree leads nowhere is refused when it is loaded', async () => {
  const bytes = Uint8Array.from(whole)
  bytes.fill(0xee, 0, 200)
  await expect(openMmdb(bytes, 'countries')).rejects.toThrow(/damaged/)
  await expect(openMmdb(concatBytes(new Uint8Array(3), whole.subarray(300)), 'countries')).rejects.toThrow(/damaged/)
})
