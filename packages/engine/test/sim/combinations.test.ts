import { describe, expect } from 'vitest'
import type { ProxyServerOptions } from '../../sim/proxyServer.ts'
import { simIdentity, simRootCertificate } from '../../sim/simTls.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { IpFilter } from '../../src/filter/ipFilter.ts'
import { isSslSocket } from '../../src/platform/socketType.ts'
import { ProxyType } from '../../src/settings/proxyType.ts'
import { EncLevel, EncPolicy } from '../../src/settings/settingEnums.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { PeerFlags } from '../../src/torrent/peerInfo.ts'
import { type ClientOptions, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

/** Ways to connect that are parts of their own, used together. */

const UTP = { enableOutgoingUtp: true, enableIncomingUtp: true }
const ONLY_UTP = { ...UTP, enableOutgoingTcp: false, enableIncomingTcp: false }
const RC4 = { outEncPolicy: EncPolicy.forced, inEncPolicy: EncPolicy.forced, allowedEncLevel: EncLevel.rc4 }
const content = new TestTorrent({ size: 600_000, pieceLength: 64 * 1024 })
const TYPE_OF = { socks4: ProxyType.socks4, socks5: ProxyType.socks5, http: ProxyType.http } as const

function through(world: SimWorld, kind: ProxyServerOptions['kind']): Partial<Settings> {
  const proxy = world.proxy('proxy', { kind })
  return { proxyType: TYPE_OF[kind], proxyHostname: proxy.host.address, proxyPort: proxy.port }
}

/** The flags of the one connection by which the whole torrent came. */
function flagsOf(client: SimClient): number {
  return client.torrent.getPeerInfo()[0]?.flags ?? 0
}

function download(world: SimWorld, seed: SimClient, options: ClientOptions): { client: SimClient; flags: number } {
  const client = new SimClient(world, 'client', content, options)
  world.run({ seconds: 1 })
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => (flagsOf(client) & (PeerFlags.handshake | PeerFlags.connecting)) === 0 && client.numPeers > 0, {
    minutes: 1,
  })
  const flags = flagsOf(client)
  world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
  return { client, flags }
}

describe('encrypted connections', () => {
  scenario('go over uTP', (world) => {
    const seed = seedOf(world, content, { settings: { ...ONLY_UTP, ...RC4 }, up: 50_000 })
    const { flags } = download(world, seed, { settings: { ...ONLY_UTP, ...RC4 } })
    expect(flags & (PeerFlags.utpSocket | PeerFlags.rc4Encrypted)).toBe(PeerFlags.utpSocket | PeerFlags.rc4Encrypted)
  })

  for (const kind of ['socks4', 'socks5', 'http'] as const) {
    scenario(`go through a ${kind} proxy`, (world) => {
      const seed = seedOf(world, content, { settings: RC4, up: 50_000 })
      const { client, flags } = download(world, seed, { settings: { ...through(world, kind), ...RC4 } })
      expect(flags & PeerFlags.rc4Encrypted).toBe(PeerFlags.rc4Encrypted)
      expect(client.session.isListening).toBe(false)
    })
  }

  scenario('go by uTP through a socks5 proxy', (world) => {
    const seed = seedOf(world, content, { settings: { ...ONLY_UTP, ...RC4 }, up: 50_000 })
    const { flags } = download(world, seed, { settings: { ...through(world, 'socks5'), ...ONLY_UTP, ...RC4 } })
    expect(flags & (PeerFlags.utpSocket | PeerFlags.rc4Encrypted)).toBe(PeerFlags.utpSocket | PeerFlags.rc4Encrypted)
  })
})

for (const kind of ['socks4', 'socks5', 'http'] as const) {
  scenario(`an SSL torrent goes through a ${kind} proxy, and not by uTP`, (world) => {
    const torrent = new TestTorrent({ size: 300_000, sslCert: simRootCertificate('publisher') })
    const seed = new SimClient(world, 'seed', torrent, { has: 'all', settings: UTP, up: 50_000 })
    const settings = through(world, kind)
    const client = new SimClient(world, 'client', torrent, { settings: { ...settings, ...UTP, ...RC4 } })
    for (const each of [seed, client]) {
      const { certificate, privateKey } = simIdentity('publisher', ['*'])
      each.torrent.setSslCertificateBuffer(certificate, privateKey)
    }
    world.run({ seconds: 2 })
    client.torrent.connectPeer({ address: seed.host.address, port: seed.session.sslListenPort })
    world.runUntil(() => seed.numPeers > 0, { minutes: 1 })
    expect(seed.torrent.getPeerInfo().every(({ ip }) => ip.address === settings.proxyHostname)).toBe(true)
    expect(client.alerts('peerConnect').every(({ socketType }) => isSslSocket(socketType))).toBe(true)
    world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
  })
}

scenario('with an HTTP proxy there is no uTP, and where TCP is off nobody is dialled', (world) => {
  const seed = seedOf(world, content, { settings: UTP })
  const client = new SimClient(world, 'client', content, { settings: { ...through(world, 'http'), ...ONLY_UTP } })
  world.run({ seconds: 1 })
  client.torrent.connectPeer(seed.endpoint)
  world.run({ minutes: 1 })
  expect(seed.numPeers).toBe(0)
})

scenario('the IP filter keeps away those who come by uTP, and enableIncomingTcp does not', (world) => {
  const settings = { ...UTP, enableIncomingTcp: false }
  const seed = seedOf(world, content, { settings, up: 50_000 })
  const client = new SimClient(world, 'client', content, { settings: ONLY_UTP })
  const filter = new IpFilter()
  filter.addRule(client.host.address, client.host.address, IpFilter.blocked)
  seed.session.setIpFilter(filter)
  world.run({ seconds: 1 })
  client.torrent.connectPeer(seed.endpoint)
  world.run({ seconds: 10 })
  expect(seed.alerts('peerBlocked').map(({ ip }) => ip)).toContain(client.host.address)
  expect(client.torrent.status().totalDone).toBe(0)
  seed.session.setIpFilter(new IpFilter())
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
})

scenario(
  'a proxy for all but peers, turned on while peers are connected by uTP, ends what it has no way for',
  (world) => {
    const seed = seedOf(world, content, { settings: UTP, up: 20_000 })
    const client = new SimClient(world, 'client', content, { settings: { ...UTP, enableDht: true } })
    world.run({ seconds: 1 })
    client.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => flagsOf(client) !== 0 && (flagsOf(client) & PeerFlags.utpSocket) !== 0, { seconds: 10 })
    world.run({ seconds: 2 })
    client.forget()
    world.settle(client.session.applySettings({ ...through(world, 'socks5'), proxyPeerConnections: false }))
    world.run({ seconds: 1 })
    expect(client.torrent.getPeerInfo().filter(({ flags }) => (flags & PeerFlags.utpSocket) !== 0)).toEqual([])
    world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
  },
)

scenario('uTP turned off, and on again, while a session runs', (world) => {
  const seed = seedOf(world, content, { settings: { ...UTP, enableDht: false }, up: 20_000 })
  const client = new SimClient(world, 'client', content, { settings: { ...ONLY_UTP, enableDht: false } })
  world.run({ seconds: 1 })
  const off = { enableOutgoingUtp: false, enableIncomingUtp: false, enableOutgoingTcp: true, enableIncomingTcp: true }
  world.settle(client.session.applySettings(off))
  client.torrent.connectPeer(seed.endpoint)
  world.run({ seconds: 5 })
  expect(flagsOf(client) & PeerFlags.utpSocket).toBe(0)
  expect(client.numPeers).toBe(1)
  world.settle(client.session.applySettings(ONLY_UTP))
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
})
