import { expect } from 'vitest'
import type { NatKind } from '../../sim/simNat.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { WebSocketClient, WebSocketService } from '../../src/platform/webSocketServer.ts'
import { ProxyType } from '../../src/settings/proxyType.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { type ClientOptions, SimClient } from './client.ts'
import { scenario } from './scenario.ts'
import { openTracker, TRACKER_PORT, trackerHost } from './simTrackerServer.ts'

const ORIGIN = `ws://tracker.example:${TRACKER_PORT}`
const torrent = new TestTorrent({ size: 300_000, trackers: [`${ORIGIN}/announce`] })
/** Nobody can be connected to: what happens, happens by WebRTC. */
const ONLY_RTC = { enableIncomingTcp: false, enableOutgoingTcp: false }

type Json = Record<string, unknown>

function clientOf(world: SimWorld, name: string, options: ClientOptions = {}): SimClient {
  return new SimClient(world, name, torrent, { ...options, settings: { ...ONLY_RTC, ...options.settings } })
}

/** A seed that has announced. */
function seedOf(world: SimWorld, options: ClientOptions = {}): SimClient {
  const seed = clientOf(world, 'seed', { has: 'all', ...options })
  world.runUntil(() => seed.alerts('trackerReply').length > 0, { minutes: 1 })
  return seed
}

const rtcPeers = (world: SimWorld, client: SimClient) => world.programOn(client.host).process.held('rtc peer')

/** A WebSocket tracker that is played by the test. */
class ScriptedTracker implements WebSocketService {
  readonly isFull = false
  readonly maxMessageBytes = 1 << 20
  readonly clients: WebSocketClient[] = []
  readonly heard: Json[] = []
  left = 0

  constructor(
    world: SimWorld,
    private readonly respond: (message: Json, say: (answer: unknown) => void) => void,
  ) {
    world.rtc.serve(ORIGIN, trackerHost(world), this)
  }

  serves(): boolean {
    return true
  }

  accept(client: WebSocketClient) {
    this.clients.push(client)
    return {
      onMessage: (text: string) => {
        const message = JSON.parse(text) as Json
        this.heard.push(message)
        this.respond(message, (answer) => client.send(typeof answer === 'string' ? answer : JSON.stringify(answer)))
      },
      onClosed: () => this.left++,
    }
  }
}

const replyTo = ({ info_hash }: Json) => ({ action: 'announce', info_hash, interval: 60, complete: 1, incomplete: 1 })

const offerFor = ({ info_hash }: Json, n: number, address = '203.0.113.9') => ({
  action: 'announce',
  info_hash,
  peer_id: `-XX0000-${String(n).padStart(12, '0')}`,
  offer_id: String(n).padStart(20, '0'),
  offer: {
    type: 'offer',
    sdp: [
      'v=0',
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      'a=fingerprint:sha-256 00',
      `a=ice-ufrag:stranger${n}`,
      `a=candidate:1 1 UDP 2000 ${address} 4000 typ host`,
      '',
    ].join('\r\n'),
  },
})

scenario('sessions meet at our own tracker by WebSocket, and the file moves over WebRTC', async (world) => {
  const tracker = await openTracker(world, trackerHost(world))
  const seed = seedOf(world)
  const leechers = ['a', 'b', 'c'].map((name) => clientOf(world, name))
  world.runUntil(() => leechers.every((each) => each.torrent.isSeed), { minutes: 30 })
  world.run({ seconds: 5 })
  expect(leechers[0].alerts('peerConnect')[0] ?? leechers[0].alerts('incomingConnection')[0]).toMatchObject({
    socketType: 'rtc',
  })
  expect(tracker.stats()).toMatchObject({ webPeers: 4, webSeeds: 4, peers: 0, refused: 0 })
  await world.settle(seed.session.abort())
  world.run({ seconds: 5 })
  expect(tracker.stats()).toMatchObject({ webPeers: 3 })
  await world.shutDown()
  world.run({ seconds: 5 })
  expect(tracker.stats()).toMatchObject({ webClients: 0, webPeers: 0 })
  await world.settle(tracker.close())
})

scenario(
  'both begin at the same moment, and offer each other connections: they are connected all the same',
  async (world) => {
    const tracker = await openTracker(world, trackerHost(world))
    const pair = [clientOf(world, 'seed', { has: 'all' }), clientOf(world, 'leecher')]
    world.run({ seconds: 30 })
    // Both announce again, with nobody connected to anybody.
    for (const { host } of pair) world.network.dropConnections(host)
    world.run({ seconds: 1 })
    for (const client of pair) client.torrent.forceReannounce(0, -1, true)
    world.runUntil(() => pair[1].torrent.isSeed, { minutes: 2 })
    await world.shutDown()
    await world.settle(tracker.close())
  },
)

scenario('introductions that get lost are made again with the next announce', async (world) => {
  let lost = 0
  const forgetful = (service: WebSocketService): WebSocketService => ({
    isFull: false,
    maxMessageBytes: service.maxMessageBytes,
    serves: (path) => service.serves(path),
    accept: (client) => {
      const handler = service.accept(client)
      const onMessage = (text: string) => {
        if (text.includes('"answer"') && lost < 3) lost++
        else handler.onMessage(text)
      }
      return { onMessage, onClosed: () => handler.onClosed() }
    },
  })
  const tracker = await openTracker(world, trackerHost(world), { webInterval: 60 }, forgetful)
  seedOf(world)
  const leecher = clientOf(world, 'leecher')
  world.run({ seconds: 30 })
  expect(leecher.numPeers).toBe(0)
  world.runUntil(() => leecher.torrent.isSeed, { minutes: 20 })
  expect(lost).toBe(3)
  await world.shutDown()
  await world.settle(tracker.close())
})

for (const kind of ['fullCone', 'addressRestricted', 'portRestricted'] satisfies NatKind[]) {
  scenario(`peers behind routers (${kind}) reach each other by what a STUN server told them`, async (world) => {
    const tracker = await openTracker(world, trackerHost(world))
    seedOf(world, { address: '10.0.0.2', nat: { kind, externalAddress: '51.0.0.1' } })
    const leecher = clientOf(world, 'leecher', { address: '10.0.1.2', nat: { kind, externalAddress: '51.0.0.2' } })
    world.runUntil(() => leecher.torrent.isSeed, { minutes: 10 })
    await world.shutDown()
    await world.settle(tracker.close())
  })
}

scenario('peers behind symmetric routers do not, give up in time, and hold nothing', async (world) => {
  const tracker = await openTracker(world, trackerHost(world), { webInterval: 3600, interval: 3600 })
  const nat = (externalAddress: string) => ({ kind: 'symmetric' as const, externalAddress })
  const settings = { webtorrentConnectionTimeout: 60 }
  const seed = seedOf(world, { address: '10.0.0.2', nat: nat('51.0.0.1'), settings })
  const leecher = clientOf(world, 'leecher', { address: '10.0.1.2', nat: nat('51.0.0.2'), settings })
  world.run({ seconds: 5 })
  expect(rtcPeers(world, seed)).toBeGreaterThan(0)
  world.run({ minutes: 2 })
  expect([leecher.numPeers, rtcPeers(world, seed), rtcPeers(world, leecher)]).toEqual([0, 0, 0])
  await world.shutDown()
  await world.settle(tracker.close())
})

scenario('a channel that breaks is made up for by another introduction', async (world) => {
  const tracker = await openTracker(world, trackerHost(world), { webInterval: 60 })
  const seed = seedOf(world, { up: 2000 })
  const leecher = clientOf(world, 'leecher')
  world.runUntil(() => leecher.numPeers === 1, { minutes: 5 })
  world.network.dropConnections(leecher.host, seed.host)
  world.run({ seconds: 1 })
  expect(leecher.endCodes).toEqual(['ECONNRESET'])
  world.runUntil(() => leecher.torrent.isSeed, { hours: 1 })
  await world.shutDown()
  await world.settle(tracker.close())
})

scenario('of a thousand offers a torrent looks at as many as it may, and lets go of them in time', (world) => {
  const tracker = new ScriptedTracker(world, (message, say) => {
    if (message.event !== 'started') return
    say(replyTo(message))
    for (let n = 0; n < 1000; n++) say(offerFor(message, n))
  })
  const client = clientOf(world, 'client', { settings: { maxWebtorrentOffers: 7, webtorrentConnectionTimeout: 30 } })
  world.run({ seconds: 10 })
  const answers = tracker.heard.filter((message) => 'answer' in message)
  expect(answers).toHaveLength(7)
  // Those, and what it offered itself.
  expect(rtcPeers(world, client)).toBe(14)
  world.run({ seconds: 50 })
  expect(world.programOn(client.host).process.held('udp socket')).toBeLessThanOrEqual(14)
  expect(client.numPeers).toBe(0)
})

scenario('a peer that never comes costs a connection for the time of the setting, and no more', (world) => {
  world.network.blackHole('203.0.113.9')
  new ScriptedTracker(world, (message, say) => {
    if (message.event !== 'started') return
    say({ ...replyTo(message), interval: 3600 })
    say(offerFor(message, 1))
  })
  const client = clientOf(world, 'client', { has: 'all', settings: { webtorrentConnectionTimeout: 40 } })
  world.run({ seconds: 20 })
  const before = rtcPeers(world, client)
  expect(before).toBeGreaterThan(0)
  world.run({ minutes: 2 })
  expect(rtcPeers(world, client)).toBe(0)
})

const lies = [
  '',
  '{',
  '[]',
  'null',
  '{"action":"announce"}',
  '{"action":"scrape","files":7}',
  { action: 'announce', info_hash: 'x'.repeat(20), interval: -1, complete: 'many' },
  { action: 'announce', info_hash: 'x'.repeat(20), offer: { type: 'offer', sdp: 'v=0' } },
  { action: 'announce', info_hash: 'x'.repeat(20), peer_id: 'y'.repeat(20), offer_id: 'z'.repeat(20), answer: {} },
]

scenario('a tracker that talks nonsense is left, and comes to nothing', (world) => {
  const tracker = new ScriptedTracker(world, (message, say) => {
    for (let i = 0; i < 5; i++) for (const lie of lies) say(lie)
    for (const { offer_id } of (message.offers ?? []) as Json[]) {
      const answer = { type: 'answer', sdp: 'v=0\r\nm=audio 9\r\n' }
      say({ action: 'announce', info_hash: message.info_hash, peer_id: 'p'.repeat(20), offer_id, answer })
    }
  })
  const client = clientOf(world, 'client')
  world.run({ minutes: 5 })
  expect(tracker.left).toBeGreaterThan(0)
  expect(client.numPeers).toBe(0)
  expect(client.alerts('trackerError').length).toBeGreaterThan(0)
})

const hiding: [string, Partial<Settings>][] = [
  ['in anonymous mode', { anonymousMode: true }],
  ['with peers behind a proxy', { proxyType: ProxyType.socks5, proxyHostname: '51.0.0.9', proxyPort: 1080 }],
  ['with force_proxy', { proxyType: ProxyType.http, proxyHostname: '51.0.0.9', proxyPort: 80, forceProxy: true }],
]
for (const [how, settings] of hiding) {
  scenario(`${how} no WebSocket tracker is connected to, and no WebRTC connection is made`, (world) => {
    const tracker = new ScriptedTracker(world, (message, say) => say(replyTo(message)))
    const client = clientOf(world, 'client', { settings })
    world.run({ minutes: 10 })
    expect(tracker.clients).toEqual([])
    expect(rtcPeers(world, client)).toBe(0)
  })
}
