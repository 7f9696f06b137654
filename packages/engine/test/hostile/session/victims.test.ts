import { expect } from 'vitest'
import type { SimHost } from '../../../sim/simHost.ts'
import type { SimWorld } from '../../../sim/simWorld.ts'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { type Endpoint, endpointText } from '../../../src/address/endpoint.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { FORGIVEN_FAILURES, MAX_ATTEMPTS_AT_ONCE } from '../../../src/peers/attemptBook.ts'
import type { Stream, StreamHandler, TcpListener } from '../../../src/platform/tcp.ts'
import { EncPolicy } from '../../../src/settings/settingEnums.ts'
import { MAX_TRACKERS_PER_HOST } from '../../../src/tracker/trackersPerHost.ts'
import { SimClient } from '../../sim/client.ts'
import { scenario } from '../../sim/scenario.ts'

// Hostile inputs, line 38: trackers and torrents name victims as peers and as trackers. A session must not be made to
// knock at their doors.

const ONCE = { seeds: 1 }
const HTTP = 'http://tracker.example/announce'

/** A server that is no peer, at as many ports as anybody likes. */
class Victim {
  readonly host: SimHost
  readonly visits: { readonly at: number; readonly port: number }[] = []

  constructor(
    private readonly world: SimWorld,
    ports: readonly number[],
    does: 'nothing' | 'hangs up' | 'speaks HTTP',
  ) {
    this.host = world.host('victim', { address: '60.0.0.1' })
    for (const port of ports) {
      const visited = () => this.visits.push({ at: world.time.elapsed, port })
      world.platformOf(this.host).tcp.listen(
        { address: '0.0.0.0', port },
        (stream) => {
          visited()
          stream.setHandler(QUIET)
          if (does === 'hangs up') stream.destroy()
          if (does === 'speaks HTTP') stream.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
        },
        () => {},
      )
    }
  }

  /** Visits since `from` seconds of the simulation. */
  since(from: number): number {
    return this.visits.filter(({ at }) => at >= from * 1000).length
  }

  leave(): void {
    this.world.kill(this.host)
  }
}

const QUIET: StreamHandler = { onConnected() {}, onData() {}, onDrain() {}, onClosed() {} }

/** Visits that the rule allows in `seconds`: some at once, those forgiven, and one after each pause. */
function allowedVisits(seconds: number): number {
  let pauses = 0
  for (let at = 0, rest = 60; at + rest <= seconds; rest = Math.min(3600, rest * 2)) {
    at += rest
    pauses++
  }
  return MAX_ATTEMPTS_AT_ONCE + FORGIVEN_FAILURES + pauses
}

scenario(
  'a magnet link that names hundreds of services of our own machine has four of them knocked at',
  (world) => {
    const content = new TestTorrent({ size: 100_000 })
    // A torrent takes several ports of one address for one peer; this machine has millions of addresses.
    const services = Array.from({ length: 900 }, (_, i) => ({ address: `127.0.${i >> 8}.${i & 255}`, port: 1000 + i }))
    const link = [
      `magnet:?xt=urn:btih:${content.infoHash.toHex()}`,
      ...services.map((service) => `x.pe=${endpointText(service)}`),
    ].join('&')
    const client = new SimClient(world, 'careful', content, {
      address: '60.0.0.3',
      magnet: true,
      add: { paused: true },
    })
    const visited = new Set<number>()
    const listeners: TcpListener[] = []
    for (const service of services) {
      const visit = (stream: Stream) => {
        visited.add(service.port)
        stream.setHandler(QUIET)
        stream.destroy()
      }
      world.platformOf(client.host).tcp.listen(service, visit, (listener) => {
        if (!(listener instanceof LibtorrentError)) listeners.push(listener)
      })
    }
    world.settle(client.session.removeTorrent(client.torrent))
    client.session.addTorrent({ url: link, savePath: '/save', autoManaged: false })
    world.run({ minutes: 15 })
    for (const listener of listeners) listener.close()
    expect(visited.size).toBe(4)
  },
  ONCE,
)

for (const does of ['nothing', 'hangs up', 'speaks HTTP'] as const) {
  scenario(
    `a hundred torrents whose tracker names one victim again and again, which ${does}, do not storm it`,
    (world) => {
      const victim = new Victim(world, [80], does)
      const peers: Endpoint[] = [{ address: victim.host.address, port: 80 }]
      const tracker = world.tracker(HTTP, { interval: 300, answers: Array(5000).fill({ peers }) })
      const first = new TestTorrent({ name: 't0', size: 1000, seed: 1000, trackers: [HTTP] })
      const client = new SimClient(world, 'client', first)
      for (let i = 1; i < 100; i++) {
        const torrent = new TestTorrent({ name: `t${i}`, size: 1000, seed: 1000 + i, trackers: [HTTP] })
        client.session.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
      }
      world.run({ hours: 4 })
      expect(tracker.announces.length).toBeGreaterThan(4000)
      expect(victim.visits.length).toBeGreaterThan(FORGIVEN_FAILURES)
      expect(victim.visits.length).toBeLessThanOrEqual(allowedVisits(4 * 3600))
      expect(victim.since(3 * 3600)).toBeLessThanOrEqual(1)
      victim.leave()
    },
    ONCE,
  )
}

for (const perIp of [false, true]) {
  scenario(
    `a tracker that names one victim under three thousand ports does not make us scan it (several a host: ${perIp})`,
    (world) => {
      const ports = Array.from({ length: 3000 }, (_, i) => 1000 + i)
      const victim = new Victim(world, ports, 'hangs up')
      const peers = ports.map((port) => ({ address: victim.host.address, port }))
      world.tracker(HTTP, { interval: 300, answers: Array(50).fill({ peers }) })
      const torrent = new TestTorrent({ size: 1000, trackers: [HTTP] })
      new SimClient(world, 'client', torrent, { settings: { allowMultipleConnectionsPerIp: perIp } })
      world.run({ minutes: 10 })
      expect(victim.visits.length).toBeGreaterThan(0)
      expect(victim.visits.length).toBeLessThanOrEqual(allowedVisits(600))
      victim.leave()
    },
    ONCE,
  )
}

scenario(
  'an honest seed that is named for fifty torrents is connected for all of them at once',
  (world) => {
    const seedHost = world.host('seed', { address: '60.0.0.2' })
    const seed = world.session(seedHost)
    const client = new SimClient(world, 'client', new TestTorrent({ size: 1000, seed: 999 }))
    const handles = Array.from({ length: 50 }, (_, i) => {
      const torrent = new TestTorrent({ name: `t${i}`, size: 20_000, seed: i, trackers: [HTTP] })
      torrent.putOn(world.filesOf(seedHost), '/save')
      seed.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
      return client.session.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
    })
    world.tracker(HTTP, { answers: Array(200).fill({ peers: [{ address: seedHost.address, port: 6881 }] }) })
    world.run({ seconds: 20 })
    expect(handles.filter((handle) => handle.isSeed).length).toBe(50)
  },
  ONCE,
)

scenario(
  'somebody a user connects to by name is dialled, whatever came of it before',
  (world) => {
    const victim = new Victim(world, [80], 'hangs up')
    const torrent = new TestTorrent({ size: 1000 })
    const client = new SimClient(world, 'client', torrent, { settings: { outEncPolicy: EncPolicy.disabled } })
    world.run({ seconds: 1 })
    for (let i = 0; i < 10; i++) {
      client.torrent.connectPeer({ address: victim.host.address, port: 80 })
      world.run({ seconds: 2 })
    }
    expect(victim.visits.length).toBe(10)
    victim.leave()
  },
  ONCE,
)

scenario(
  'trying a peer encrypted as well as in plain text is two visits more in its life',
  (world) => {
    const victim = new Victim(world, [80], 'hangs up')
    const client = new SimClient(world, 'client', new TestTorrent({ size: 1000 }))
    world.run({ seconds: 1 })
    for (let i = 0; i < 20; i++) {
      client.torrent.connectPeer({ address: victim.host.address, port: 80 })
      world.run({ seconds: 2 })
    }
    expect(victim.visits.length).toBe(22)
    victim.leave()
  },
  ONCE,
)

scenario(
  'a torrent with a thousand trackers on one server does not make us ask it a thousand times',
  (world) => {
    let asked = 0
    const host = world.host('victim', { address: '60.0.0.1' })
    world.names.set('victim.example', [host.address])
    for (const origin of ['http://victim.example', 'http://victim.example:8080']) {
      world.web.serve(origin, host, () => {
        asked++
        return { status: 404, body: 'no such page' }
      })
    }
    const urls = Array.from({ length: 1000 }, (_, i) => `http://victim.example${i % 2 ? ':8080' : ''}/${i}/announce`)
    const alive = world.tracker(HTTP)
    new SimClient(world, 'client', new TestTorrent({ size: 1000, trackers: [HTTP, ...urls] }), {
      settings: { announceToAllTrackers: true, announceToAllTiers: true },
    })
    world.run({ minutes: 1 })
    // Each is tried anew after 17 and 55 seconds.
    expect(asked).toBeGreaterThan(0)
    expect(asked).toBeLessThanOrEqual(2 * MAX_TRACKERS_PER_HOST)
    expect(alive.announces.length).toBe(1)
  },
  ONCE,
)

scenario(
  'a web server to which a tracker name was diverted, and which says 410, is never asked again',
  (world) => {
    const tracker = world.tracker(HTTP, { answers: Array(100).fill({ status: 410 }) })
    const client = new SimClient(world, 'client', new TestTorrent({ size: 1000, trackers: [HTTP] }))
    world.run({ hours: 100 })
    expect(tracker.announces.length).toBe(1)
    expect(client.torrent.trackers()[0]).toMatchObject({ retired: true, lastError: { category: 'http', value: 410 } })
    // A person may still insist.
    client.torrent.forceReannounce(0, 0, true)
    world.run({ seconds: 5 })
    expect(tracker.announces.length).toBe(2)
  },
  ONCE,
)
