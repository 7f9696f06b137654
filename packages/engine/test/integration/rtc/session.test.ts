import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { AlertCategory } from '../../../src/alerts/alert.ts'
import type { SessionAlert } from '../../../src/api/alertingSession.ts'
import { Session } from '../../../src/api/session.ts'
import type { TorrentHandle } from '../../../src/api/torrentHandle.ts'
import { IpFilter } from '../../../src/filter/ipFilter.ts'
import { ProxyType } from '../../../src/settings/proxyType.ts'
import type { Settings } from '../../../src/settings/settings.ts'
import type { AddTorrentParams } from '../../../src/torrent/addTorrentParams.ts'
import { ALONE } from '../../alone.ts'
import { Authority } from '../ssl/authority.ts'
import { afterThisTest } from '../tracker/servers.ts'
import { openTracker } from '../trackerServer/servers.ts'
import { WebTrackerServer } from './webTrackerServer.ts'

/** Those who wait for another introduction announce again soon. */
const SOON = { minWebsocketAnnounceInterval: 3, webtorrentConnectionTimeout: 5 }

/** WebRTC between sessions on loopback; no STUN server is asked. */
class Client {
  readonly alerts: SessionAlert[] = []
  readonly session: Session
  readonly savePath: string

  constructor(name: string, settings: Partial<Settings> = {}) {
    this.savePath = mkdtempSync(join(tmpdir(), `lt-rtc-${name}-`))
    this.session = new Session({
      settings: {
        ...ALONE,
        listenInterfaces: '127.0.0.1:0',
        webtorrentStunServer: '',
        stopTrackerTimeout: 2,
        alertMask: AlertCategory.all,
        ...settings,
      },
    })
    this.session.setAlertDispatch((alert) => this.alerts.push(alert))
    afterThisTest(async () => {
      await this.session.abort()
      rmSync(this.savePath, { recursive: true })
    })
  }

  add(params: Partial<AddTorrentParams>): TorrentHandle {
    return this.session.addTorrent({ savePath: this.savePath, autoManaged: false, ...params })
  }

  seed(torrent: TestTorrent): TorrentHandle {
    mkdirSync(this.savePath, { recursive: true })
    for (const file of torrent.files) writeFileSync(join(this.savePath, file.path), torrent.fileContent(file))
    return this.add({ ti: torrent.info() })
  }

  /** The alert of this type, past or to come. */
  async alert<Type extends SessionAlert['type']>(
    type: Type,
    which = (_: Extract<SessionAlert, { type: Type }>) => true,
  ) {
    type Wanted = Extract<SessionAlert, { type: Type }>
    for (;;) {
      const found = this.alerts.find((alert): alert is Wanted => alert.type === type && which(alert as Wanted))
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

async function scene(settings: Partial<Settings> = {}, seedSettings: Partial<Settings> = {}, interval?: number) {
  const tracker = await WebTrackerServer.start(interval)
  const torrent = new TestTorrent({ size: 3_000_000, pieceLength: 64 * 1024, trackers: [tracker.url] })
  const seed = new Client('seed', seedSettings)
  seed.seed(torrent)
  await seed.alert('trackerReply')
  const leecher = new Client('leecher', settings)
  return { tracker, torrent, seed, leecher }
}

test('two sessions that know nothing but a WebSocket tracker meet, and the file moves over WebRTC', async () => {
  const { tracker, torrent, seed, leecher } = await scene(SOON, SOON, 3)
  leecher.add({ ti: torrent.info() })
  const { endpoint, socketType } = await leecher.alert('peerConnect')
  expect(socketType).toBe('rtc')
  expect(await seed.alert('incomingConnection')).toMatchObject({ socketType: 'rtc' })
  await leecher.alert('torrentFinished')
  expect(endpoint.address).toBe('127.0.0.1')
  const path = join(leecher.savePath, torrent.files[0].path)
  await leecher.session.getTorrents()[0].flushCache()
  expect(Buffer.compare(readFileSync(path), torrent.content)).toBe(0)
  // A goodbye goes by the same connection.
  await leecher.session.abort()
  expect(tracker.events).toEqual(['started', 'started', 'completed', 'stopped'])
  await seed.alert('peerDisconnected')
  await seed.session.abort()
  await expect.poll(() => tracker.connections).toBe(0)
}, 30_000)

test('two sessions meet at our own tracker', async () => {
  const tracker = await openTracker({ udp: false, ws: true })
  const url = tracker.urls('127.0.0.1').find((each) => each.startsWith('ws:')) ?? ''
  const torrent = new TestTorrent({ size: 1_000_000, pieceLength: 64 * 1024, trackers: [url] })
  const seed = new Client('seed')
  seed.seed(torrent)
  await seed.alert('trackerReply')
  const leecher = new Client('leecher')
  leecher.add({ ti: torrent.info() })
  expect(await leecher.alert('peerConnect')).toMatchObject({ socketType: 'rtc' })
  await leecher.alert('torrentFinished')
  expect(tracker.stats()).toMatchObject({ webPeers: 2, offers: 1, answers: 1, peers: 0 })
  await leecher.session.abort()
  await expect.poll(() => tracker.stats()).toMatchObject({ webPeers: 1, webSeeds: 1 })
}, 30_000)

test('a magnet link is enough, and peers of WebRTC are told to nobody', async () => {
  const keep = { ...SOON, closeRedundantConnections: false }
  const { torrent, seed, leecher } = await scene(keep, keep, 3)
  const tracker = encodeURIComponent(torrent.info().trackers[0].url)
  const handle = leecher.add({ url: `magnet:?xt=urn:btih:${torrent.infoHash.toHex()}&tr=${tracker}` })
  await leecher.alert('torrentFinished')
  const [peer] = handle.getPeerInfo()
  expect(peer.ip.port).not.toBe(seed.session.listenPort)
  expect(handle.status().connectCandidates).toBe(0)
}, 30_000)

test('a tracker that loses us is told anew', async () => {
  const { tracker, seed } = await scene({})
  seed.session.getTorrents()[0].forceReannounce(0, -1, true)
  await expect.poll(() => tracker.messages.length).toBe(2)
  expect(tracker.connections).toBe(1)
}, 30_000)

test('with WebRTC switched off a WebSocket tracker is not announced to', async () => {
  const { tracker, torrent, leecher } = await scene({ maxWebtorrentOffers: 0 })
  const handle = leecher.add({ ti: torrent.info() })
  await leecher.alert('torrentChecked')
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(tracker.connections).toBe(1)
  expect(handle.trackers()[0]).toMatchObject({ updating: false, fails: 0, verified: false })
}, 30_000)

test('who has trackers asked through a proxy announces to no WebSocket tracker, which would not go through it', async () => {
  const { tracker, torrent, leecher } = await scene({
    proxyType: ProxyType.socks5,
    proxyHostname: '127.0.0.1',
    proxyPort: 1,
    proxyPeerConnections: false,
  })
  leecher.add({ ti: torrent.info() })
  await leecher.alert('torrentChecked')
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(tracker.connections).toBe(1)
}, 30_000)

test('who begins to hide leaves WebSocket trackers and those they introduced', async () => {
  const { tracker, torrent, leecher } = await scene({ closeRedundantConnections: false })
  const handle = leecher.add({ ti: torrent.info() })
  await leecher.alert('peerConnect')
  await leecher.session.applySettings({ proxyType: ProxyType.socks5, proxyHostname: '127.0.0.1', proxyPort: 1 })
  expect(handle.getPeerInfo()).toEqual([])
  await expect.poll(() => tracker.connections).toBe(1)
}, 30_000)

test('anonymous mode without a proxy leaves WebSocket trackers, and keeps those who know us already', async () => {
  const { tracker, torrent, leecher } = await scene({ closeRedundantConnections: false })
  const handle = leecher.add({ ti: torrent.info() })
  await leecher.alert('peerConnect')
  await leecher.session.applySettings({ anonymousMode: true })
  await expect.poll(() => tracker.connections).toBe(1)
  expect(handle.getPeerInfo()).toHaveLength(1)
  expect(leecher.alerts.filter(({ type }) => type === 'peerDisconnected')).toEqual([])
}, 30_000)

test('an SSL torrent has nothing to do with WebRTC peers, who show no certificate', async () => {
  const authority = new Authority()
  const tracker = await WebTrackerServer.start()
  const torrent = new TestTorrent({ size: 300_000, trackers: [tracker.url], sslCert: authority.rootCert })
  const clients = [new Client('seed'), new Client('leecher')]
  for (const client of clients) {
    const { certificate, privateKey } = authority.issue()
    client.seed(torrent).setSslCertificateBuffer(certificate, privateKey)
    await client.alert('trackerReply')
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(tracker.messages.map(({ offers }) => (offers as object[]).length)).toEqual([0, 0])
  expect(clients.flatMap(({ session }) => session.getTorrents().map((each) => each.getPeerInfo()))).toEqual([[], []])
}, 30_000)

test('the IP filter keeps WebRTC peers away', async () => {
  const { torrent, leecher } = await scene({ applyIpFilterToTrackers: false })
  const filter = new IpFilter()
  filter.addRule('127.0.0.0', '127.255.255.255', IpFilter.blocked)
  leecher.session.setIpFilter(filter)
  const handle = leecher.add({ ti: torrent.info() })
  await leecher.alert('trackerReply')
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(handle.getPeerInfo()).toEqual([])
  expect(leecher.alerts.filter(({ type }) => type === 'peerConnect')).toEqual([])
}, 30_000)
