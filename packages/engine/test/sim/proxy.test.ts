import { describe, expect } from 'vitest'
import type { ProxyServerOptions } from '../../sim/proxyServer.ts'
import type { SimProxy } from '../../sim/simProxy.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { AlertCategory } from '../../src/alerts/alert.ts'
import type { SessionAlert } from '../../src/api/alertingSession.ts'
import { Session } from '../../src/api/session.ts'
import type { TorrentHandle } from '../../src/api/torrentHandle.ts'
import { ProxyType } from '../../src/settings/proxyType.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { latin1 } from '../../src/util/bytes.ts'
import { encodeReserved } from '../../src/wire/reservedBits.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { recordedPlatform } from './recordedPlatform.ts'
import { scenario } from './scenario.ts'
import { FileServer } from './webServer.ts'

const HTTP = 'http://tracker.example/announce'
const UDP = 'udp://udp.example:6969'
const WEB = 'http://web.example'
const ROUTER = 'router.example'
const LOGIN = 'alice:secret'
const EXTENDED = encodeReserved({ supportsFast: true, supportsExtensions: true })

const TYPE_OF = { socks4: ProxyType.socks4, socks5: ProxyType.socks5Pw, http: ProxyType.httpPw } as const

function through(
  proxy: SimProxy,
  kind: ProxyServerOptions['kind'],
  settings: Partial<Settings> = {},
): Partial<Settings> {
  const [proxyUsername, proxyPassword] = LOGIN.split(':')
  return {
    proxyType: TYPE_OF[kind],
    proxyHostname: 'proxy.example',
    proxyPort: proxy.port,
    proxyUsername,
    proxyPassword,
    ...settings,
  }
}

function proxyIn(world: SimWorld, options: ProxyServerOptions): SimProxy {
  const login = options.kind === 'socks4' ? LOGIN.split(':')[0] : LOGIN
  const proxy = world.proxy('proxy', { login, ...options })
  world.names.set('proxy.example', proxy.host.address)
  return proxy
}

/** A session that looks for peers in every way there is, and a record of all it did with the world. */
class WatchedClient {
  readonly log: string[]
  readonly session: Session
  readonly alerts: SessionAlert[] = []

  constructor(world: SimWorld, settings: Partial<Settings>) {
    const host = world.host('watched', { gateway: '9.9.9.9' })
    const program = world.start(host)
    const { platform, log } = recordedPlatform(program.platform)
    this.log = log
    const dhtBootstrapNodes = `${ROUTER}:6881`
    this.session = new Session({
      platform,
      disk: program.disk,
      settings: { alertMask: AlertCategory.all, dhtBootstrapNodes, ...settings },
    })
    this.session.setAlertDispatch((alert) => this.alerts.push(alert))
  }

  add(torrent: TestTorrent): TorrentHandle {
    return this.session.addTorrent({ ti: torrent.info(), savePath: SAVE, autoManaged: false })
  }

  /** What was done, each once, in order of the alphabet. */
  get done(): string[] {
    return [...new Set(this.log)].sort()
  }

  of(type: SessionAlert['type']): SessionAlert[] {
    return this.alerts.filter((alert) => alert.type === type)
  }
}

describe('peers', () => {
  for (const kind of ['socks4', 'socks5', 'http'] as const) {
    scenario(`content comes and goes through a ${kind} proxy`, (world) => {
      const torrent = new TestTorrent({ size: 1_000_000 })
      const proxy = proxyIn(world, { kind })
      const seed = seedOf(world, torrent)
      const leech = new SimClient(world, 'leech', torrent, { settings: through(proxy, kind) })
      world.run({ seconds: 1 })
      leech.torrent.connectPeer(seed.endpoint)
      world.runUntil(() => leech.numPeers === 1 && leech.torrent.getPeerInfo()[0].client !== '')
      expect(leech.alerts('peerConnect').map(({ socketType }) => socketType)).toEqual([
        kind === 'http' ? 'http' : 'socks5',
      ])
      expect(leech.torrent.getPeerInfo()[0].ip).toEqual(seed.endpoint)
      world.runUntil(() => seed.numPeers === 1)
      expect(seed.torrent.getPeerInfo()[0].ip.address).toBe(proxy.host.address)
      world.runUntil(() => leech.torrent.isSeed, { minutes: 2 })
      expect(proxy.targets).toEqual([`${seed.host.address}:6881`])
      expect(leech.session.isListening).toBe(false)
    })
  }

  scenario('what the proxy says of a peer counts against the peer, what the proxy does not do does not', (world) => {
    const torrent = new TestTorrent({ size: 100_000 })
    const proxy = proxyIn(world, { kind: 'socks5' })
    const leech = new SimClient(world, 'leech', torrent, { settings: through(proxy, 'socks5', { maxFailcount: 2 }) })
    const nobody = world.host('nobody')
    world.run({ seconds: 1 })
    leech.torrent.connectPeer({ address: nobody.address, port: 6881 })
    world.runUntil(() => leech.endCodes.length === 1)
    expect(leech.endCodes).toEqual(['ECONNREFUSED'])
    expect(leech.alerts('socks5')).toEqual([])
    // From here on the password is wrong.
    void leech.session.applySettings({ proxyPassword: 'wrong' })
    leech.forget()
    leech.torrent.connectPeer({ address: nobody.address, port: 6882 })
    world.run({ minutes: 10 })
    expect(new Set(leech.endCodes)).toEqual(new Set(['authenticationError']))
    expect(leech.endCodes.length).toBeGreaterThan(2)
    const news = leech.alerts('socks5')
    expect(news[0]).toMatchObject({ ip: proxy.endpoint, error: { category: 'socks', code: 'authenticationError' } })
    expect(news.length).toBeLessThanOrEqual(10)
  })

  scenario('a proxy that is not there, and one whose name nobody knows', (world) => {
    const torrent = new TestTorrent({ size: 100_000 })
    const empty = world.host('empty')
    const settings = { proxyType: ProxyType.socks5, proxyHostname: empty.address, proxyPort: 1080 }
    const leech = new SimClient(world, 'leech', torrent, { settings })
    const unnamed = new SimClient(world, 'unnamed', torrent, { settings: { ...settings, proxyHostname: 'no.example' } })
    const unset = new SimClient(world, 'unset', torrent, { settings: { ...settings, proxyHostname: '' } })
    world.run({ seconds: 1 })
    for (const client of [leech, unnamed, unset]) client.torrent.connectPeer({ address: '7.7.7.7', port: 6881 })
    world.run({ seconds: 5 })
    expect([leech.endCodes[0], unnamed.endCodes[0], unset.endCodes[0]]).toEqual([
      'ECONNREFUSED',
      'ENOTFOUND',
      'invalidHostname',
    ])
  })

  scenario(
    'turning the proxy on ends connections past it and closes the port; turning it off opens it',
    async (world) => {
      const torrent = new TestTorrent({ size: 3_000_000 })
      const proxy = proxyIn(world, { kind: 'socks5' })
      const seed = seedOf(world, torrent, { up: 50_000 })
      const leech = new SimClient(world, 'leech', torrent)
      world.run({ seconds: 1 })
      leech.torrent.connectPeer(seed.endpoint)
      world.runUntil(() => leech.numPeers === 1)
      world.run({ seconds: 5 })
      await world.settle(
        leech.session.setProxy({
          type: ProxyType.socks5Pw,
          hostname: 'proxy.example',
          port: 1080,
          username: 'alice',
          password: 'secret',
        }),
      )
      expect([leech.session.isListening, leech.numPeers]).toEqual([false, 0])
      world.runUntil(() => leech.numPeers === 1, { minutes: 5 })
      world.runUntil(() => proxy.targets.length === 1, { minutes: 5 })
      expect(leech.session.proxy).toMatchObject({ hostname: 'proxy.example', port: 1080, proxyHostnames: true })
      await world.settle(leech.session.setPeerProxy({}))
      expect([leech.session.isListening, leech.numPeers, leech.session.dhtProxy.type]).toEqual([
        true,
        0,
        ProxyType.none,
      ])
    },
  )
})

describe('nothing goes past the proxy', () => {
  const hunted = () => new TestTorrent({ size: 200_000, trackers: [[HTTP], [UDP]], webSeeds: [`${WEB}/`] })

  /** Everything a torrent can lead to: trackers of both kinds that name peers, a web seed, a DHT router. */
  function surroundings(world: SimWorld, torrent: TestTorrent) {
    const peer = world.peer('peer', { torrent, serves: true })
    const peers = [peer.listen()]
    const http = world.tracker(HTTP, { answers: [{ peers }] })
    const udp = world.tracker(UDP, { answers: [{ peers }] })
    const server = new FileServer(world, world.host('web', { up: 20_000 }), torrent, WEB)
    world.names.set(ROUTER, '8.8.4.4')
    return { peer, peers, http, udp, server }
  }

  for (const proxyHostnames of [true, false]) {
    scenario(
      `socks5 carries peers, trackers of both kinds, web seeds and the DHT (names told: ${proxyHostnames})`,
      async (world) => {
        const torrent = hunted()
        const { http, udp, peers, server } = surroundings(world, torrent)
        const proxy = proxyIn(world, { kind: 'socks5' })
        const settings = through(proxy, 'socks5', { proxyHostnames, announceToAllTiers: true })
        const client = new WatchedClient(world, settings)
        client.add(torrent)
        world.run({ minutes: 5 })
        const at = proxy.host.address
        const relay = client.done.filter((line) => line.startsWith('udp to'))
        expect(new Set(relay.map((line) => line.split(':')[0]))).toEqual(new Set([`udp to ${at}`]))
        const names = proxyHostnames
          ? []
          : [`look up ${ROUTER}`, 'look up tracker.example', 'look up udp.example', 'look up web.example']
        expect(client.done.filter((line) => !line.startsWith('udp to'))).toEqual(
          [
            'bind 0.0.0.0',
            'look up proxy.example',
            'proxied http http://tracker.example',
            'proxied http http://web.example',
            `tcp to ${at}:1080`,
            ...names.filter((line) => !line.endsWith('web.example') && !line.endsWith('tracker.example')),
          ].sort(),
        )
        expect(proxy.targets).toContain(`${peers[0].address}:${peers[0].port}`)
        expect(proxy.packetsTo.some(({ host }) => host === 'udp.example')).toBe(proxyHostnames)
        for (const tracker of [http, udp]) {
          expect(tracker.announces.length).toBeGreaterThan(0)
          // Trackers refuse port 0.
          expect(tracker.announces.map((announce) => announce.peer)[0]).toEqual({ address: at, port: 1 })
        }
        expect(server.paths.length).toBeGreaterThan(0)
        expect(client.of('anonymousMode')).toEqual([])
        await world.settle(client.session.abort())
      },
    )
  }

  for (const forced of ['forceProxy', 'anonymousMode'] as const) {
    scenario(`with ${forced} no name but the proxy's is looked up, although it is told addresses`, async (world) => {
      const torrent = hunted()
      const { http, udp } = surroundings(world, torrent)
      const proxy = proxyIn(world, { kind: 'socks5' })
      const settings = through(proxy, 'socks5', { proxyHostnames: false, announceToAllTiers: true, [forced]: true })
      const client = new WatchedClient(world, settings)
      client.add(torrent)
      world.run({ minutes: 5 })
      expect(client.done.filter((line) => line.startsWith('look up'))).toEqual(['look up proxy.example'])
      for (const tracker of [http, udp]) expect(tracker.announces.length).toBeGreaterThan(0)
      await world.settle(client.session.abort())
    })
  }

  for (const kind of ['socks4', 'http'] as const) {
    scenario(`with a ${kind} proxy there is no UDP, and whoever reads alerts knows`, async (world) => {
      const torrent = hunted()
      const { http, udp } = surroundings(world, torrent)
      const proxy = proxyIn(world, { kind })
      const client = new WatchedClient(world, through(proxy, kind, { announceToAllTiers: true }))
      client.add(torrent)
      world.run({ minutes: 5 })
      expect(client.done).toEqual([
        'bind 0.0.0.0',
        'look up proxy.example',
        'proxied http http://tracker.example',
        'proxied http http://web.example',
        `tcp to ${proxy.host.address}:1080`,
      ])
      expect([http.announces.length > 0, udp.announces.length]).toEqual([true, 0])
      expect(client.session.isDhtRunning).toBe(false)
      expect(client.of('anonymousMode')[0]).toMatchObject({ kind: 'trackerNotAnonymous', str: UDP })
      await world.settle(client.session.abort())
    })
  }

  scenario('trackers of both kinds are scraped through the proxy, although nothing is listened on', async (world) => {
    const torrent = new TestTorrent({ size: 100_000, trackers: [[HTTP], [UDP]] })
    const { http, udp } = surroundings(world, torrent)
    const proxy = proxyIn(world, { kind: 'socks5' })
    const client = new WatchedClient(world, through(proxy, 'socks5'))
    const handle = client.session.addTorrent({ ti: torrent.info(), savePath: SAVE, autoManaged: false, paused: true })
    world.run({ seconds: 1 })
    for (const tracker of [0, 1]) handle.scrapeTracker(tracker)
    world.runUntil(() => http.scrapes.length === 1 && udp.scrapes.length === 1, { minutes: 1 })
    const { address } = proxy.host
    expect(client.log.filter((line) => / to /.test(line) && !line.includes(` to ${address}`))).toEqual([])
    await world.settle(client.session.abort())
  })

  scenario('forceProxy without a proxy: not a single packet', async (world) => {
    const torrent = hunted()
    const { peers } = surroundings(world, torrent)
    const client = new WatchedClient(world, { forceProxy: true, announceToAllTiers: true })
    const handle = client.add(torrent)
    world.run({ seconds: 1 })
    handle.connectPeer(peers[0])
    world.run({ minutes: 5 })
    expect(client.done).toEqual(['bind 0.0.0.0'])
    expect(new Set(client.of('anonymousMode').map((alert) => alert.type === 'anonymousMode' && alert.str))).toEqual(
      new Set([HTTP, UDP]),
    )
    await world.settle(client.session.abort())
  })

  scenario('what is set to go past the proxy does, unless nothing may', async (world) => {
    const torrent = hunted()
    const { http, udp } = surroundings(world, torrent)
    const proxy = proxyIn(world, { kind: 'socks5' })
    const settings = through(proxy, 'socks5', { proxyTrackerConnections: false, announceToAllTiers: true })
    const client = new WatchedClient(world, settings)
    client.add(torrent)
    world.run({ minutes: 1 })
    expect(client.log).toContain('http http://tracker.example')
    expect([http, udp].map(({ announces }) => announces[0].peer.address)).not.toContain(proxy.host.address)
    const before = client.log.length
    await world.settle(client.session.applySettings({ anonymousMode: true }))
    world.run({ minutes: 60 })
    const tracker = /tracker\.example|udp\.example/
    expect(client.log.slice(before).filter((line) => tracker.test(line))).toEqual([])
    await world.settle(client.session.abort())
  })

  scenario('only trackers through the proxy: peers as ever, and our port is told', async (world) => {
    const torrent = hunted()
    const { http, peer } = surroundings(world, torrent)
    const proxy = proxyIn(world, { kind: 'http' })
    const client = new WatchedClient(world, through(proxy, 'http', { proxyPeerConnections: false }))
    client.add(torrent)
    world.run({ minutes: 1 })
    expect(client.session.isListening).toBe(true)
    expect(http.announces[0].peer).toEqual({ address: proxy.host.address, port: 6881 })
    expect(client.log).toContain(`tcp to ${peer.host.address}:6881`)
    expect(proxy.targets).toEqual([])
    await world.settle(client.session.abort())
  })
})

describe('UDP through a proxy', () => {
  scenario('a relay whose connection ends is asked for again, later and later while it fails', async (world) => {
    const torrent = new TestTorrent({ size: 100_000, trackers: [UDP] })
    const tracker = world.tracker(UDP, { interval: 300 })
    const proxy = proxyIn(world, { kind: 'socks5' })
    const client = new SimClient(world, 'client', torrent, { settings: through(proxy, 'socks5') })
    world.runUntil(() => tracker.announces.length === 1, { minutes: 1 })
    const asked = () => proxy.requests.filter(({ command }) => command === 'udp').length
    expect(asked()).toBe(1)
    proxy.dropClients()
    world.run({ seconds: 10 })
    expect(asked()).toBe(2)
    expect(client.alerts('socks5').map(({ error }) => error.operation)).toContain('proxy')
    world.network.unplug(proxy.host)
    world.run({ minutes: 30 })
    world.network.plugIn(proxy.host)
    world.runUntil(() => tracker.announces.length >= 2, { hours: 2 })
  })

  scenario('a relay that names an address of its own network is found at the proxy', (world) => {
    for (const relayAddress of ['0.0.0.0', '172.17.0.2', '127.0.0.1']) {
      const url = `udp://t${relayAddress}.example:6969`
      const torrent = new TestTorrent({ size: 100_000, trackers: [url], name: relayAddress })
      const tracker = world.tracker(url)
      const proxy = world.proxy(`proxy ${relayAddress}`, { kind: 'socks5', relayAddress })
      const settings = { proxyType: ProxyType.socks5, proxyHostname: proxy.host.address, proxyPort: 1080 }
      new SimClient(world, `client ${relayAddress}`, torrent, { settings })
      world.runUntil(() => tracker.announces.length === 1, { minutes: 1 })
    }
  })

  scenario('a proxy without UDP fails the tracker with its reason', (world) => {
    const torrent = new TestTorrent({ size: 100_000, trackers: [UDP] })
    world.tracker(UDP)
    const proxy = proxyIn(world, { kind: 'socks5', carriesUdp: false })
    const client = new SimClient(world, 'client', torrent, { settings: through(proxy, 'socks5') })
    world.runUntil(() => client.alerts('trackerError').length > 0, { minutes: 1 })
    expect(client.alerts('trackerError')[0].error.code).toBe('commandNotSupported')
    expect(client.alerts('socks5')[0].error.code).toBe('commandNotSupported')
  })
})

describe('the DHT through a proxy', () => {
  scenario('routers known by name are found without a name server of ours', async (world) => {
    const torrent = new TestTorrent({ size: 100_000 })
    const router = new SimClient(world, 'router', torrent, { settings: { enableDht: true, dhtBootstrapNodes: '' } })
    world.names.set(ROUTER, router.host.address)
    // Routers enter no table: there is to be somebody they know.
    const node = { enableDht: true, dhtBootstrapNodes: `${router.host.address}:6881` }
    const other = new SimClient(world, 'other', torrent, { settings: node })
    world.runUntil(() => router.session.status().dhtNodes > 0 || other.session.status().dhtNodes > 0, { minutes: 20 })
    const proxy = proxyIn(world, { kind: 'socks5' })
    const client = new WatchedClient(world, { ...through(proxy, 'socks5'), dhtBootstrapNodes: `${ROUTER}:6881` })
    client.add(torrent)
    world.runUntil(() => client.session.status().dhtNodes > 0, { minutes: 5 })
    expect(client.log).not.toContain(`look up ${ROUTER}`)
    expect(proxy.packetsTo).toContainEqual({ host: ROUTER, port: 6881 })
    await world.settle(client.session.abort())
  })
})

describe('anonymous mode', () => {
  scenario(
    'peers and trackers learn nothing that tells who we are, or that two torrents are of one client',
    async (world) => {
      const torrents = [1, 2].map(
        (i) => new TestTorrent({ size: 100_000, name: `t${i}`, trackers: [HTTP, UDP], seed: i }),
      )
      const trackers = [world.tracker(HTTP), world.tracker(UDP)]
      const agents: (string | undefined)[] = []
      const site = world.web.find('http://tracker.example')
      if (site !== null) {
        world.web.serve('http://tracker.example', site.host, (request) => {
          agents.push(request.headers['user-agent'])
          return site.respond(request)
        })
      }
      const settings = {
        anonymousMode: true,
        announceIp: '1.2.3.4',
        announceToAllTrackers: true,
        announceToAllTiers: true,
      }
      const client = new SimClient(world, 'client', torrents[0], { settings })
      const second = client.session.addTorrent({ ti: torrents[1].info(), savePath: '/other', autoManaged: false })
      const peers = torrents.map((torrent, i) => world.peer(`peer ${i}`, { torrent, reserved: EXTENDED }))
      world.run({ seconds: 5 })
      client.torrent.connectPeer(peers[0].listen())
      second.connectPeer(peers[1].listen())
      world.run({ seconds: 5 })
      const ids = peers.map((peer) => latin1(peer.connection.handshake?.subarray(48) ?? new Uint8Array()))
      for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]{20}$/)
      expect(ids[0]).not.toBe(ids[1])
      for (const peer of peers) {
        const said = peer.connection.received('extended').map(({ body }) => latin1(body))
        expect(said.length).toBeGreaterThan(0)
        expect(said.join()).not.toMatch(/libtorrent|1:p|1:v/)
      }
      const announces = trackers.flatMap((tracker) => tracker.announces)
      expect(new Set(announces.map(({ key }) => key)).size).toBe(2)
      expect(new Set(agents)).toEqual(new Set(['curl/7.81.0']))
      // It hides who we are, not that we are there.
      expect(client.session.isListening).toBe(true)
    },
  )
})
