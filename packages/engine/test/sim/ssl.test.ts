import { expect } from 'vitest'
import { simIdentity, simRootCertificate } from '../../sim/simTls.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { TlsIdentity } from '../../src/platform/tls.ts'
import { EncPolicy } from '../../src/settings/settingEnums.ts'
import { PeerFlags } from '../../src/torrent/peerInfo.ts'
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

scenario('where TCP is off an SSL torrent, which no peer takes uTP connections for, dials nobody', (world) => {
  const torrent = sslTorrent()
  const seed = member(world, 'seed', torrent, { has: 'all' })
  const settings = { enableOutgoingTcp: false, enableOutgoingUtp: true, enableIncomingUtp: true }
  const client = member(world, 'client', torrent, { settings })
  world.run({ seconds: 1 })
  client.torrent.connectPeer(sslEndpoint(seed))
  world.run({ seconds: 20 })
  expect(client.alerts('peerConnect')).toEqual([])
  expect(client.torrent.status().connectCandidates).toBe(1)
})
