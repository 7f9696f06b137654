import { expect } from 'vitest'
import { SimRouter } from '../../sim/simRouter.ts'
import { simIdentity, simRootCertificate } from '../../sim/simTls.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import type { TlsIdentity } from '../../src/platform/tls.ts'
import type { UdpSocket } from '../../src/platform/udp.ts'
import { ProxyType } from '../../src/settings/proxyType.ts'
import { EncPolicy } from '../../src/settings/settingEnums.ts'
import { PeerFlags } from '../../src/torrent/peerInfo.ts'
import { utf8 } from '../../src/util/bytes.ts'
import { type ClientOptions, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const HTTP = 'http://tracker.example/announce'
const PUBLISHER = 'publisher'
const STAR = simIdentity(PUBLISHER, ['*'])

function sslTorrent(...trackers: string[]): TestTorrent {
  return new TestTorrent({ size: 100_000, trackers, sslCert: simRootCertificate(PUBLISHER) })
}

interface Member extends ClientOptions {
  readonly identity?: TlsIdentity | null
}

/** A client with a certificate for the torrent, unless `identity` is null. */
function member(
  world: SimWorld,
  name: string,
  torrent: TestTorrent,
  { identity = STAR, ...options }: Member = {},
): SimClient {
  const client = new SimClient(world, name, torrent, options)
  if (identity !== null) give(client, identity)
  return client
}

function give(client: SimClient, { certificate, privateKey }: TlsIdentity): void {
  client.torrent.setSslCertificateBuffer(certificate, privateKey)
}

const sslEndpoint = ({ host, session }: SimClient) => ({ address: host.address, port: session.sslListenPort })

scenario('peers of an SSL torrent find each other by the tracker, which is told the port for TLS', (world) => {
  const tracker = world.tracker(HTTP)
  const torrent = sslTorrent(HTTP)
  member(world, 'seed', torrent, { has: 'all' })
  world.run({ seconds: 10 })
  const client = member(world, 'client', torrent)
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
  expect(new Set(tracker.announces.map(({ peer }) => peer.port))).toEqual(new Set([4433]))
  expect(client.session.listenPort).toBe(6881)
  expect(client.torrent.getPeerInfo().every(({ flags }) => (flags & PeerFlags.sslSocket) !== 0)).toBe(true)
})

scenario('the port for TLS is open only where there is an SSL torrent, or a port was asked for', (world) => {
  const plain = new SimClient(world, 'plain', new TestTorrent())
  const asked = new SimClient(world, 'asked', new TestTorrent(), { settings: { sslListen: 5000 } })
  const never = new SimClient(world, 'never', sslTorrent(), { settings: { sslListen: 0 } })
  const ssl = new SimClient(world, 'ssl', sslTorrent())
  world.run({ seconds: 10 })
  expect([plain, asked, never, ssl].map(({ session }) => session.sslListenPort)).toEqual([0, 5000, 0, 4433])
  world.settle(plain.session.applySettings({ sslListen: 6000 }))
  world.run({ seconds: 1 })
  expect([plain.session.listenPort, plain.session.sslListenPort]).toEqual([6881, 6000])
})

scenario('a torrent without certificate dials nobody until it gets one', (world) => {
  const torrent = sslTorrent()
  const seed = member(world, 'seed', torrent, { has: 'all' })
  world.run({ seconds: 10 })
  const client = member(world, 'client', torrent, { identity: null })
  client.torrent.connectPeer(sslEndpoint(seed))
  world.run({ minutes: 10 })
  expect(client.alerts('torrentNeedCert')).toHaveLength(1)
  expect(client.alerts('peerConnect')).toEqual([])
  expect(seed.endings).toEqual([])
  give(client, STAR)
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
})

scenario('who has a certificate for another torrent is refused, whoever opens the connection', (world) => {
  const torrent = sslTorrent()
  const seed = member(world, 'seed', torrent, { has: 'all', identity: simIdentity(PUBLISHER, [], 'content') })
  world.run({ seconds: 10 })
  const named = member(world, 'named', torrent, { identity: simIdentity(PUBLISHER, ['x', 'content']) })
  named.torrent.connectPeer(sslEndpoint(seed))
  world.runUntil(() => named.torrent.isSeed, { minutes: 5 })
  expect(() => give(seed, simIdentity(PUBLISHER, ['Content']))).toThrow('another torrent')
  expect(() => give(seed, simIdentity('somebody', ['*']))).toThrow()
})

scenario(
  'a magnet link turns out to be an SSL torrent: plain peers go, and the tracker learns the other port',
  (world) => {
    const tracker = world.tracker(HTTP, { interval: 600 })
    const torrent = sslTorrent(HTTP)
    const peer = world.peer('peer', { torrent, has: 'all' })
    const client = member(world, 'client', torrent, { magnet: true, identity: null, add: { trackers: [HTTP] } })
    client.torrent.connectPeer(peer.listen())
    world.runUntil(() => client.numPeers === 1 && tracker.announces.length === 1)
    client.torrent.setMetadata(torrent.infoSection)
    expect(client.numPeers).toBe(0)
    world.run({ minutes: 1 })
    expect(client.endCodes).toEqual(['requiresSslConnection'])
    expect(client.alerts('torrentNeedCert')).toHaveLength(1)
    expect(tracker.announces.map(({ peer: { port } }) => port)).toEqual([6881, 4433])
    // A plain peer may knock again: it is not let in.
    peer.connect(client.endpoint)
    world.run({ minutes: 1 })
    expect(client.endCodes).toEqual(['requiresSslConnection', 'requiresSslConnection'])
  },
)

scenario(
  'who accepts the connection and says nothing is given up after the time to connect and ten seconds',
  (world) => {
    const torrent = sslTorrent()
    const silent = world.peer('silent', { torrent, greets: 'silence' })
    const client = member(world, 'client', torrent, { settings: { peerConnectTimeout: 15 } })
    client.torrent.connectPeer(silent.listen())
    world.run({ minutes: 1 })
    expect(client.endings).toEqual([{ address: silent.host.address, code: 'timedOut', second: expect.any(Number) }])
    expect(client.endings[0].second).toBeGreaterThanOrEqual(25)
    expect(client.endings[0].second).toBeLessThanOrEqual(27)
  },
)

scenario('neighbours are told the port for TLS', (world) => {
  const torrent = sslTorrent()
  const settings = { enableLsd: true }
  const seed = member(world, 'seed', torrent, { has: 'all', address: '10.0.0.1', settings })
  const client = member(world, 'client', torrent, { address: '10.0.0.2', settings })
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
  expect(new Set(client.alerts('lsdPeer').map(({ endpoint }) => endpoint.port))).toEqual(new Set([4433]))
  expect(seed.alerts('peerError')).toEqual([])
})

scenario(
  'a connection of an SSL torrent that ends early is not tried at once as if encryption by MSE were missing',
  (world) => {
    const torrent = sslTorrent()
    const seed = member(world, 'seed', torrent, { has: 'all', add: { paused: true } })
    const client = member(world, 'client', torrent, { settings: { outEncPolicy: EncPolicy.enabled } })
    world.run({ seconds: 1 })
    client.torrent.connectPeer(sslEndpoint(seed))
    world.run({ seconds: 20 })
    expect(client.endCodes).toEqual(['EOF'])
  },
)

const UTP = { enableOutgoingUtp: true, enableIncomingUtp: true }
const ONLY_UTP = { ...UTP, enableOutgoingTcp: false, enableIncomingTcp: false }

/** How others came in, and how a client went out. */
const cameBy = (client: SimClient) => client.alerts('incomingConnection').map(({ socketType }) => socketType)
const wentBy = (client: SimClient) => client.alerts('peerConnect').map(({ socketType }) => socketType)

for (const [family, listenInterfaces, addresses] of [
  ['IPv4', '0.0.0.0:6881', ['1.0.0.1', '1.0.0.2']],
  ['IPv6', '[::]:6881', ['2001:db8::1', '2001:db8::2']],
] as const) {
  scenario(`where TCP is off an SSL torrent goes by uTP, over ${family}`, (world) => {
    const torrent = sslTorrent()
    const settings = { ...ONLY_UTP, listenInterfaces }
    const seed = member(world, 'seed', torrent, { has: 'all', settings, address: addresses[0] })
    const client = member(world, 'client', torrent, { settings, address: addresses[1] })
    world.run({ seconds: 1 })
    client.torrent.connectPeer(sslEndpoint(seed))
    world.runUntil(() => client.numPeers === 1 && seed.numPeers === 1, { minutes: 1 })
    const both = PeerFlags.utpSocket | PeerFlags.sslSocket
    for (const { torrent } of [seed, client]) expect(torrent.getPeerInfo()[0].flags & both).toBe(both)
    world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
    expect([cameBy(seed), wentBy(client)]).toEqual([['utpSsl'], ['utpSsl']])
    // It left from the port where peers of SSL torrents reach us.
    expect(seed.alerts('incomingConnection')[0].endpoint.port).toBe(4433)
  })
}

scenario('an SSL peer that takes no uTP is reached by TCP in the same attempt, and by TCP from then on', (world) => {
  const torrent = sslTorrent()
  const settings = { ...UTP, enableIncomingUtp: false }
  const seed = member(world, 'seed', torrent, { has: 'all', settings })
  const client = member(world, 'client', torrent, { settings: UTP })
  world.run({ seconds: 1 })
  client.torrent.connectPeer(sslEndpoint(seed))
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect([cameBy(seed), wentBy(client)]).toEqual([['tcpSsl'], ['utpSsl', 'tcpSsl']])
})

scenario('a certificate that is refused by uTP is not shown by TCP as well', (world) => {
  const torrent = sslTorrent()
  const seed = member(world, 'seed', torrent, { has: 'all', settings: UTP })
  const other = new TestTorrent({ name: 'content', size: 100_000, sslCert: simRootCertificate('somebody') })
  const client = member(world, 'client', other, { settings: UTP, identity: simIdentity('somebody', ['*']) })
  world.run({ seconds: 1 })
  client.torrent.connectPeer(sslEndpoint(seed))
  world.run({ seconds: 30 })
  expect(wentBy(client)).toEqual(['utpSsl'])
  expect(cameBy(seed)).toEqual([])
})

scenario('without a port for TLS of our own we still connect by uTP', (world) => {
  const torrent = sslTorrent()
  const seed = member(world, 'seed', torrent, { has: 'all', settings: ONLY_UTP })
  const client = member(world, 'client', torrent, { settings: { ...ONLY_UTP, sslListen: 0 } })
  world.run({ seconds: 1 })
  client.torrent.connectPeer(sslEndpoint(seed))
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
  expect(wentBy(client)).toEqual(['utpSsl'])
})

scenario('an SSL torrent by uTP through a SOCKS5 proxy', (world) => {
  const proxy = world.proxy('proxy', { kind: 'socks5' })
  const torrent = sslTorrent()
  const seed = member(world, 'seed', torrent, { has: 'all', settings: ONLY_UTP })
  const settings = {
    ...ONLY_UTP,
    proxyType: ProxyType.socks5,
    proxyHostname: proxy.host.address,
    proxyPort: proxy.port,
  }
  const client = member(world, 'client', torrent, { settings })
  world.run({ seconds: 1 })
  client.torrent.connectPeer(sslEndpoint(seed))
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
  expect(seed.alerts('incomingConnection').map(({ endpoint }) => endpoint.address)).toEqual([proxy.host.address])
})

scenario('plain uTP gets nothing at the port for TLS, and TLS nothing at the plain port', (world) => {
  const torrent = sslTorrent()
  const seed = member(world, 'seed', torrent, { has: 'all', settings: ONLY_UTP })
  const plain = new SimClient(world, 'plain', new TestTorrent({ name: 'other' }), { settings: ONLY_UTP })
  const client = member(world, 'client', torrent, { settings: ONLY_UTP })
  world.run({ seconds: 1 })
  plain.torrent.connectPeer(sslEndpoint(seed))
  client.torrent.connectPeer(seed.endpoint)
  world.run({ seconds: 40 })
  expect(cameBy(seed)).toEqual([])
  expect([plain.numPeers, client.numPeers]).toEqual([0, 0])
})

scenario('the DHT has nothing to do with the UDP port for TLS, which a router forwards while uTP comes in', (world) => {
  const router = new SimRouter(world, { igd: null, speaks: ['natpmp'] })
  const line = { address: '192.168.1.2', gateway: '192.168.1.1', latency: 1 }
  const settings = { ...UTP, enableDht: true, enableNatpmp: true }
  const client = member(world, 'client', sslTorrent(), { ...line, settings })
  world.run({ seconds: 30 })
  const forwards = (port: number) => ['tcp', 'udp'].map((kind) => `${kind} ${port} -> 192.168.1.2:${port}`)
  expect([...router.forwards].sort()).toEqual([...forwards(4433), ...forwards(6881)].sort())
  expect(client.session.status().dhtNodes).toBe(0)
  const node = world.start(world.host('node', { address: '192.168.1.3', latency: 1 }))
  const answers: number[] = []
  let opened: UdpSocket | null = null
  node.platform.udp.bind(
    { address: '192.168.1.3', port: 5000 },
    { onPacket: (_, from) => answers.push(from.port), onError: () => {} },
    (socket) => {
      if (socket instanceof LibtorrentError) throw socket
      const ping = utf8('d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe')
      opened = socket
      for (const port of [4433, 6881]) socket.send(ping, { address: '192.168.1.2', port })
    },
  )
  world.run({ seconds: 5 })
  expect(answers).toContain(6881)
  expect(answers).not.toContain(4433)
  ;(opened as UdpSocket | null)?.close()
  world.settle(client.session.applySettings({ enableIncomingUtp: false }))
  world.run({ seconds: 30 })
  expect([...router.forwards].sort()).toEqual(
    ['tcp 4433', 'tcp 6881', 'udp 6881'].map((each) => `${each} -> 192.168.1.2:${each.slice(4)}`),
  )
})
