import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { mmdb } from '../unit/node/mmdbWriter.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const content = new TestTorrent({ size: 300_000 })
const countries = mmdb({ '70.0.0.0/8': { country: { iso_code: 'NZ' } } }, { type: 'GeoLite2-Country' })
const networks = mmdb(
  { '70.0.0.0/8': { autonomous_system_number: 64_512, autonomous_system_organization: 'Example' } },
  { type: 'GeoLite2-ASN' },
)

scenario(
  'peers have a country when the torrent resolves it, and a network, once databases are loaded',
  async (world) => {
    const client = new SimClient(world, 'client', content)
    const peer = world.peer('peer', { torrent: content, has: 'none', address: '70.1.2.3' })
    client.torrent.connectPeer(peer.listen())
    world.run({ seconds: 5 })
    const info = () => {
      const [{ country, inetAs, inetAsName }] = client.torrent.getPeerInfo()
      return { country, inetAs, inetAsName }
    }
    expect(info()).toEqual({ country: '', inetAs: 0, inetAsName: '' })
    expect(client.session.asForIp('70.1.2.3')).toBe(0)
    await client.session.loadCountryDb(countries)
    await client.session.loadAsnumDb(networks)
    expect(client.torrent.resolveCountries()).toBe(false)
    expect(info()).toEqual({ country: '', inetAs: 64_512, inetAsName: 'Example' })
    client.torrent.resolveCountries(true)
    expect(client.torrent.resolveCountries()).toBe(true)
    expect(info().country).toBe('NZ')
    expect(client.session.asForIp('70.1.2.3')).toBe(64_512)
    expect(client.session.asForIp('::ffff:70.1.2.3')).toBe(64_512)
    expect(client.session.asForIp('9.9.9.9')).toBe(0)
    expect(client.session.asForIp('nowhere')).toBe(0)
    await expect(client.session.loadCountryDb(new Uint8Array(5))).rejects.toThrow(/MaxMind/)
    // The one before is still there.
    expect(info().country).toBe('NZ')
  },
)
