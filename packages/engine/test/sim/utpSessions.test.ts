import { expect } from 'vitest'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { Endpoint } from '../../src/address/endpoint.ts'
import type { UdpSocket } from '../../src/platform/udp.ts'
import { ProxyType } from '../../src/settings/proxyType.ts'
import { EncPolicy } from '../../src/settings/settingEnums.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { PeerFlags } from '../../src/torrent/peerInfo.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'
import { utpOn } from './utp/utpScene.ts'

const UTP = { enableOutgoingUtp: true, enableIncomingUtp: true, closeRedundantConnections: false }
const ONLY_UTP = { ...UTP, enableOutgoingTcp: false, enableIncomingTcp: false }
const content = new TestTorrent({ size: 600_000, pieceLength: 64 * 1024 })
const large = new TestTorrent({ size: 6_000_000, pieceLength: 64 * 1024 })

function pair(world: SimWorld, settings: Partial<Settings>, torrent = content, rate = 0) {
  const seed = new SimClient(world, 'seed', torrent, { has: 'all', settings, up: rate })
  const leecher = new SimClient(world, 'leecher', torrent, { settings })
  world.run({ seconds: 1 })
  leecher.torrent.connectPeer(seed.endpoint)
  return { seed, leecher }
}

/** Flags of the only peer. */
function flagsAt(client: SimClient): number {
  return client.torrent.getPeerInfo()[0]?.flags ?? 0
}

/** How one connected to the other, each time. */
function socketTypes(client: SimClient, to: SimClient): string[] {
  return client
    .alerts('peerConnect')
    .filter(({ endpoint }) => endpoint.address === to.host.address)
    .map(({ socketType }) => socketType)
}

scenario('uTP over IPv6 only', (world) => {
  const settings = { ...ONLY_UTP, listenInterfaces: '[::]:6881' }
  const seed = new SimClient(world, 'seed', content, { has: 'all', settings, address: '2001:db8::1' })
  const leecher = new SimClient(world, 'leecher', content, { settings, address: '2001:db8::2' })
  world.run({ seconds: 1 })
  leecher.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 2 })
  expect(flagsAt(leecher) & PeerFlags.utpSocket).not.toBe(0)
})

scenario(
  'a peer that answers to uTP and then says nothing is left when the time for the handshake is over',
  (world) => {
    const client = new SimClient(world, 'client', content, { settings: { ...ONLY_UTP, handshakeTimeout: 10 } })
    const silent = utpOn(world, world.host('silent'))
    world.run({ seconds: 1 })
    client.torrent.connectPeer(silent.at)
    world.runUntil(() => silent.accepted.length > 0, { seconds: 5 })
    world.runUntil(() => client.numPeers === 0, { seconds: 15 })
    expect(client.endCodes).toEqual(['timedOutNoHandshake'])
    world.run({ seconds: 5 })
    expect(silent.accepted[0].closed).toBeDefined()
    silent.close()
  },
)

scenario('a peer that connects by uTP and then says nothing is left, too', (world) => {
  const client = new SimClient(world, 'client', content, { settings: { ...ONLY_UTP, handshakeTimeout: 10 } })
  const silent = utpOn(world, world.host('silent'))
  world.run({ seconds: 1 })
  let closed = false
  silent.utp.connect(client.endpoint, {
    onConnected: () => {},
    onData: () => {},
    onDrain: () => {},
    onClosed: () => {
      closed = true
    },
  })
  world.run({ seconds: 8 })
  expect(closed).toBe(false)
  world.run({ seconds: 12 })
  expect(closed).toBe(true)
  silent.close()
})

scenario('another listen port ends the connections by uTP for both sides', async (world) => {
  const { seed, leecher } = pair(world, ONLY_UTP, large, 100_000)
  world.runUntil(() => leecher.torrent.status().totalPayloadDownload > 100_000, { minutes: 2 })
  await world.settle(seed.session.applySettings({ listenInterfaces: '0.0.0.0:7000' }))
  world.runUntil(() => leecher.numPeers === 0 && seed.numPeers === 0, { seconds: 5 })
  leecher.torrent.connectPeer({ ...seed.endpoint, port: 7000 })
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 5 })
})

scenario('who takes no uTP is reached by TCP, and speaks uTP to others itself', (world) => {
  const closedUp = { ...UTP, enableIncomingUtp: false }
  const seed = new SimClient(world, 'seed', content, { has: 'all', settings: closedUp })
  const leecher = new SimClient(world, 'leecher', content, { settings: UTP })
  world.run({ seconds: 1 })
  leecher.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 2 })
  expect(socketTypes(leecher, seed)).toEqual(['utp', 'tcp'])
  const third = new SimClient(world, 'third', content, { settings: UTP })
  world.run({ seconds: 1 })
  seed.torrent.connectPeer(third.endpoint)
  world.runUntil(() => third.torrent.isSeed, { minutes: 2 })
  expect(socketTypes(seed, third)).toEqual(['utp'])
})

scenario('who takes no uTP while other connections stand keeps those', async (world) => {
  const { seed, leecher } = pair(world, ONLY_UTP, large, 200_000)
  world.runUntil(() => leecher.torrent.status().totalPayloadDownload > 100_000, { minutes: 2 })
  await world.settle(seed.session.applySettings({ enableIncomingUtp: false, enableIncomingTcp: true }))
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 2 })
  expect(leecher.endings.filter(({ address }) => address === seed.host.address)).toEqual([])
  const late = new SimClient(world, 'late', content, { settings: ONLY_UTP })
  world.run({ seconds: 1 })
  late.torrent.connectPeer(seed.endpoint)
  world.run({ seconds: 30 })
  expect(late.numPeers).toBe(0)
})

scenario('outgoing uTP can be turned on and off at any time', async (world) => {
  const { seed, leecher } = pair(world, { ...UTP, enableOutgoingUtp: false })
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 2 })
  await world.settle(seed.session.applySettings({ enableOutgoingUtp: true }))
  const third = new SimClient(world, 'third', content, { settings: UTP })
  world.run({ seconds: 1 })
  seed.torrent.connectPeer(third.endpoint)
  world.runUntil(() => third.torrent.isSeed, { minutes: 2 })
  await world.settle(seed.session.applySettings({ enableOutgoingUtp: false, enableIncomingUtp: false }))
  const fourth = new SimClient(world, 'fourth', content, { settings: UTP })
  world.run({ seconds: 1 })
  seed.torrent.connectPeer(fourth.endpoint)
  world.runUntil(() => fourth.torrent.isSeed, { minutes: 2 })
  expect(socketTypes(leecher, seed)).toEqual(['tcp'])
  expect(socketTypes(seed, third)).toEqual(['utp'])
  expect(socketTypes(seed, fourth)).toEqual(['tcp'])
})

scenario('the DHT answers on the socket that uTP fills', (world) => {
  const dht = { ...ONLY_UTP, enableDht: true, dhtBootstrapNodes: '' }
  const { seed, leecher } = pair(world, dht, large, 300_000)
  world.runUntil(() => leecher.torrent.status().totalPayloadDownload > 100_000, { minutes: 2 })
  let answers = 0
  const { platform } = world.start(world.host('node'))
  const ping = Buffer.from('d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe', 'latin1')
  let socket: UdpSocket | null = null
  platform.udp.bind(
    { address: '0.0.0.0', port: 7000 },
    {
      onPacket: (packet) => {
        if (Buffer.from(packet).toString('latin1').includes('1:y1:r')) answers++
      },
      onError: () => {},
    },
    (result) => {
      if (!('code' in result)) socket = result
    },
  )
  for (let i = 0; i < 10; i++) {
    world.run({ ms: 500 })
    const bound = socket as UdpSocket | null
    bound?.send(ping, seed.endpoint)
  }
  world.run({ seconds: 1 })
  expect(answers).toBeGreaterThanOrEqual(8)
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 2 })
  const bound = socket as UdpSocket | null
  bound?.close()
})

scenario('a session that ends tells its peers', async (world) => {
  const { seed, leecher } = pair(world, ONLY_UTP, large, 100_000)
  world.runUntil(() => leecher.torrent.status().totalPayloadDownload > 100_000, { minutes: 2 })
  await world.settle(seed.session.abort())
  world.runUntil(() => leecher.numPeers === 0, { seconds: 3 })
})

scenario(
  'two hundred peers by uTP on one socket',
  (world) => {
    const small = new TestTorrent({ size: 64 * 1024, pieceLength: 16 * 1024 })
    const settings = { ...ONLY_UTP, connectionsLimit: 500, unchokeSlotsLimit: -1 }
    const seed = new SimClient(world, 'seed', small, { has: 'all', settings })
    const leechers = Array.from(
      { length: 200 },
      (_, i) => new SimClient(world, `leecher ${i}`, small, { settings: ONLY_UTP, add: { disablePex: true } }),
    )
    world.run({ seconds: 1 })
    for (const leecher of leechers) leecher.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => leechers.every(({ torrent }) => torrent.isSeed), { minutes: 10 })
    expect(seed.numPeers).toBe(200)
  },
  { seeds: 1 },
)

scenario('uTP with all of it encrypted', (world) => {
  const forced = { ...ONLY_UTP, outEncPolicy: EncPolicy.forced, inEncPolicy: EncPolicy.forced }
  const { leecher } = pair(world, forced)
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 2 })
  expect(flagsAt(leecher) & PeerFlags.utpSocket).not.toBe(0)
  expect(flagsAt(leecher) & (PeerFlags.rc4Encrypted | PeerFlags.plaintextEncrypted)).not.toBe(0)
})

function proxied(world: SimWorld, kind: 'socks5' | 'http', settings: Partial<Settings>) {
  const proxy = world.proxy('proxy', { kind })
  const through = { proxyType: ProxyType[kind], proxyHostname: proxy.host.address, proxyPort: proxy.port }
  const seed = new SimClient(world, 'seed', content, { has: 'all', settings: UTP })
  const client = new SimClient(world, 'client', content, { settings: { ...settings, ...through } })
  world.run({ seconds: 2 })
  client.torrent.connectPeer(seed.endpoint)
  return { proxy, seed, client }
}

/** Addresses that sent a UDP packet to a client. */
function sendersTo(seed: SimClient): Set<string> {
  return new Set(seed.torrent.getPeerInfo().map(({ ip }: { readonly ip: Endpoint }) => ip.address))
}

scenario('uTP through a SOCKS5 proxy', (world) => {
  const { proxy, seed, client } = proxied(world, 'socks5', ONLY_UTP)
  world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
  expect(flagsAt(client) & PeerFlags.utpSocket).not.toBe(0)
  expect(sendersTo(seed)).toEqual(new Set([proxy.host.address]))
})

scenario('with an HTTP proxy peers are reached by TCP, and no packet leaves', (world) => {
  const { proxy, seed, client } = proxied(world, 'http', UTP)
  const packets: string[] = []
  world.log.onLine((line) => {
    if (/ packet | lost /.test(line)) packets.push(line)
  })
  world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
  expect(proxy.targets).toContain(`${seed.host.address}:6881`)
  expect(packets).toEqual([])
  expect(seed.session.status().utpStats.packetsIn).toBe(0)
})

scenario('with an HTTP proxy and no TCP allowed nobody is connected to', (world) => {
  const { proxy, client } = proxied(world, 'http', ONLY_UTP)
  world.run({ minutes: 5 })
  expect(client.numPeers).toBe(0)
  expect(proxy.targets).toEqual([])
})
