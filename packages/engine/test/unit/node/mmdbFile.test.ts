import { describe, expect, test } from 'vitest'
import { openMmdb } from '../../../src/node/mmdbFile.ts'
import { PeerOrigins } from '../../../src/session/peerOrigins.ts'
import { mmdb } from './mmdbWriter.ts'

const COUNTRIES = {
  '1.2.0.0/16': { country: { iso_code: 'DE', names: { en: 'Germany' } } },
  '1.3.0.0/16': { registered_country: { iso_code: 'FR' } },
  '1.4.0.0/16': { country: { iso_code: 'Atlantis' } },
  '1.5.0.0/16': { continent: { code: 'EU' } },
  '1.6.0.0/16': { country_code: 'US', country: 'United States' },
  '1.7.0.0/16': 'no record',
  '2001:db8::/32': { country: { iso_code: 'JP' } },
}
const NETWORKS = {
  '1.2.0.0/16': { autonomous_system_number: 64_512, autonomous_system_organization: 'Example' },
  '1.3.0.0/16': { asn: 'AS4200000000', as_name: 'Other' },
  '1.4.0.0/16': { autonomous_system_number: 'many', autonomous_system_organization: 7 },
  '2001:db8::/32': { autonomous_system_number: 64_513, autonomous_system_organization: 'Six' },
}

async function origins(options: Partial<Parameters<typeof mmdb>[1]> = {}) {
  const result = new PeerOrigins()
  result.countries = await openMmdb(mmdb(COUNTRIES, { type: 'GeoLite2-Country', ...options }), 'countries')
  result.networks = await openMmdb(mmdb(NETWORKS, { type: 'GeoLite2-ASN', ...options }), 'networks')
  return result
}

describe.each([24, 28, 32] as const)('a database with records of %i bits', (recordSize) => {
  test('tells the country and the network of an address', async () => {
    const found = await origins({ recordSize })
    expect(found.country('1.2.3.4')).toBe('DE')
    expect(found.country('1.3.3.4')).toBe('FR')
    expect(found.country('2001:db8::1')).toBe('JP')
    expect(found.network('1.2.255.255')).toEqual({ inetAs: 64_512, inetAsName: 'Example' })
    expect(found.network('1.3.0.0')).toEqual({ inetAs: 4_200_000_000, inetAsName: 'Other' })
    expect(found.network('2001:db8::1')).toEqual({ inetAs: 64_513, inetAsName: 'Six' })
  })
})

test('what is not known is "--", what makes no sense "!!", and without a database nothing is said', async () => {
  const found = await origins()
  expect(
    ['1.4.0.1', '1.5.0.1', '1.6.0.1', '1.7.0.1', '9.9.9.9', '::1'].map((address) => found.country(address)),
  ).toEqual(['!!', '--', 'US', '--', '--', '--'])
  for (const address of ['1.4.0.1', '9.9.9.9', '::1']) {
    expect(found.network(address)).toEqual({ inetAs: 0, inetAsName: '' })
  }
  const none = new PeerOrigins()
  expect([none.country('1.2.3.4'), none.network('1.2.3.4')]).toEqual(['', { inetAs: 0, inetAsName: '' }])
})

test('a database of IPv4 alone says nothing of IPv6', async () => {
  const { '2001:db8::/32': _, ...v4 } = COUNTRIES
  const found = new PeerOrigins()
  found.countries = await openMmdb(mmdb(v4, { type: 'GeoLite2-Country', ipVersion: 4 }), 'countries')
  expect([found.country('1.2.3.4'), found.country('102::')]).toEqual(['DE', '--'])
})

test('a database of the other kind is refused', async () => {
  const asn = mmdb(NETWORKS, { type: 'GeoLite2-ASN' })
  const country = mmdb(COUNTRIES, { type: 'DBIP-Country-Lite' })
  await expect(openMmdb(asn, 'countries')).rejects.toThrow(/GeoLite2-ASN.*countries/)
  await expect(openMmdb(country, 'networks')).rejects.toThrow(/DBIP-Country-Lite.*networks/)
  await openMmdb(mmdb(COUNTRIES, { type: 'ipinfo country_asn' }), 'countries')
  await openMmdb(mmdb(NETWORKS, { type: 'GeoIP2-Enterprise' }), 'networks')
})

test('what is no database, or not there, is refused', async () => {
  for (const bytes of [
    new Uint8Array(0),
    new Uint8Array(1000),
    new Uint8Array(1000).fill(0xff),
    Buffer.from('<html>'),
  ]) {
    await expect(openMmdb(bytes, 'countries')).rejects.toMatchObject({ code: 'EINVAL', message: /MaxMind/ })
  }
  await expect(openMmdb('/no/such.mmdb', 'countries')).rejects.toMatchObject({ code: 'ENOENT', path: '/no/such.mmdb' })
})
