import { expect } from 'vitest'
import type { SimTracker } from '../../sim/simTracker.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { isV6 } from '../../src/address/endpoint.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

// Each listen socket announces for itself; a tracker that is reached by one family is announced to by that one only.

const HTTP = 'http://tracker.example/announce'
const UDP = 'udp://tracker.example:6969'
const V4 = '50.0.0.1'
const V6 = ['2001:db8::10', '2001:db8::11', '2001:db8::12']
const TRACKER = ['30.0.0.1', '2001:db8:1::1']
/** The default. */
const ALL = '0.0.0.0:6881,[::]:6881'

function torrentOf(...urls: string[]): TestTorrent {
  return new TestTorrent({ size: 100_000, trackers: urls })
}

function clientAt(
  world: SimWorld,
  address: readonly string[],
  torrent: TestTorrent,
  settings: Partial<Settings> = {},
): SimClient {
  return new SimClient(world, 'client', torrent, { address, settings })
}

/** Who announced, as address and port, first to last. */
function announcers(tracker: SimTracker): string[] {
  return tracker.announces.map(({ peer }) => `${peer.address} ${peer.port}`)
}

for (const url of [HTTP, UDP]) {
  for (const [listenInterfaces, expected] of [
    [ALL, [`${V4} 6881`, `${V6[0]} 6881`]],
    ['[::]:6881', [`${V6[0]} 6881`]],
    ['0.0.0.0:7000', [`${V4} 7000`]],
    [`${V4}:7000,[${V6[1]}]:7001`, [`${V4} 7000`, `${V6[1]} 7001`]],
    [`[${V6[1]}]:7001,${V4}:7000`, [`${V6[1]} 7001`, `${V4} 7000`]],
    [V6.map((address, i) => `[${address}]:${7000 + i}`).join(), V6.map((address, i) => `${address} ${7000 + i}`)],
    ['', []],
  ] as const) {
    scenario(
      `started and stopped are announced once from each of ${listenInterfaces || 'no listen sockets'} (${url})`,
      async (world) => {
        const tracker = world.tracker(url, { address: TRACKER })
        const client = clientAt(world, [V4, ...V6], torrentOf(url), { listenInterfaces })
        world.run({ seconds: 10 })
        expect(announcers(tracker).sort()).toEqual([...expected].sort())
        expect(client.alerts('trackerReply').length).toBe(expected.length)
        expect(client.alerts('trackerError')).toEqual([])
        await world.settle(client.session.abort())
        expect(announcers(tracker).slice(expected.length).sort()).toEqual([...expected].sort())
        expect(tracker.events.filter((event) => event === 'stopped').length).toBe(expected.length)
      },
      { seeds: 1 },
    )
  }

  for (const [what, ours, theirs, from] of [
    ['a tracker that has only IPv4, of a client that has both', [V4, V6[0]], [TRACKER[0]], '0.0.0.0'],
    ['a tracker that has only IPv6, of a client that has both', [V4, V6[0]], [TRACKER[1]], '::'],
    ['a tracker that has both, of a client that has only IPv4', [V4], TRACKER, '0.0.0.0'],
    ['a tracker and a client that have only IPv4', [V4], [TRACKER[0]], '0.0.0.0'],
  ] as const) {
    scenario(
      `${what}, is announced to once, and nobody complains (${url})`,
      async (world) => {
        const tracker = world.tracker(url, { address: theirs, interval: 600 })
        const client = clientAt(world, ours, torrentOf(url))
        world.run({ minutes: 25 })
        expect(tracker.events).toEqual(['started', 'none', 'none'])
        const replies = client.alerts('trackerReply')
        expect(replies.map(({ localEndpoint }) => localEndpoint)).toEqual(Array(3).fill({ address: from, port: 6881 }))
        for (const type of ['trackerError', 'udpError', 'trackerWarning'] as const)
          expect(client.alerts(type)).toEqual([])
        expect(client.torrent.trackers()[0]).toMatchObject({ fails: 0, lastError: null, verified: true })
        await world.settle(client.session.abort())
        expect(tracker.events.at(-1)).toBe('stopped')
        expect(tracker.announces.length).toBe(4)
      },
      { seeds: 1 },
    )
  }

  scenario(`what a tracker says of either family is heard, and its download is counted once (${url})`, (world) => {
    const tracker = world.tracker(url, { address: TRACKER, interval: 600 })
    const torrent = torrentOf(url)
    const seeds = [world.peer('four', { torrent, has: 'all', serves: true, address: '40.0.0.1' })]
    seeds.push(world.peer('six', { torrent, has: 'all', serves: true, address: '2001:db8:2::1' }))
    for (const seed of seeds) tracker.addPeer(torrent.infoHash, seed.listen(), { seed: true })
    const client = clientAt(world, [V4, V6[0]], torrent)
    world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
    world.run({ seconds: 10 })
    const connected = client.alerts('peerConnect').map(({ endpoint }) => endpoint.address)
    expect(connected).toEqual(expect.arrayContaining(['2001:db8:2::1', '40.0.0.1']))
    expect(tracker.events.filter((event) => event === 'completed').length).toBe(1)
    // The other listen socket tells, too, that nothing is left.
    expect(tracker.announces.filter(({ left }) => left === 0).length).toBe(2)
  })
}

/** How often each tracker was announced to by IPv4 and IPv6. */
function families(trackers: readonly SimTracker[]): [v4: number, v6: number][] {
  return trackers.map(({ announces }) => {
    const v6 = announces.filter(({ peer }) => isV6(peer.address)).length
    return [announces.length - v6, v6]
  })
}

for (const [tiers, allTrackers, allTiers, second] of [
  ['one tier', false, false, [1, 0]],
  ['two tiers', false, false, [1, 0]],
  ['one tier', true, false, [1, 1]],
  ['two tiers', true, false, [1, 0]],
  ['two tiers', false, true, [1, 1]],
] as const) {
  scenario(
    `an IPv6 tracker and one of both families in ${tiers}, all of a tier: ${allTrackers}, all tiers: ${allTiers}`,
    (world) => {
      const urls = ['http://six.example/announce', 'http://both.example/announce']
      const trackers = [
        world.tracker(urls[0], { address: TRACKER[1], interval: 600 }),
        world.tracker(urls[1], { address: ['30.0.0.2', '2001:db8:1::2'], interval: 600 }),
      ]
      const torrent = torrentOf()
      const client = clientAt(world, [V4, V6[0]], torrent, {
        announceToAllTrackers: allTrackers,
        announceToAllTiers: allTiers,
      })
      client.torrent.replaceTrackers(urls.map((url, i) => ({ url, tier: tiers === 'one tier' ? 0 : i })))
      world.run({ seconds: 30 })
      expect(families(trackers)).toEqual([[0, 1], second])
      expect(client.alerts('trackerError')).toEqual([])
      // And so it stays.
      world.run({ minutes: 50 })
      expect(families(trackers)).toEqual([[0, 6], second.map((count) => count * 6)])
    },
  )
}

for (const allTrackers of [false, true]) {
  for (const allTiers of [false, true]) {
    scenario(
      `two tiers of two IPv4 trackers with two addresses of our own, all of a tier: ${allTrackers}, all tiers: ${allTiers}`,
      (world) => {
        const urls = [1, 2, 3, 4].map((n) => `http://30.0.0.${n}/announce`)
        const trackers = urls.map((url) => world.tracker(url))
        const torrent = new TestTorrent({ size: 1000, trackers: [urls.slice(0, 2), urls.slice(2)] })
        const settings = { announceToAllTrackers: allTrackers, announceToAllTiers: allTiers }
        clientAt(world, [V4, V6[0]], torrent, settings)
        world.run({ minutes: 20 })
        const [a, b, c, d] = trackers.map(({ announces }) => announces.length)
        const perTier = allTrackers ? 2 : 1
        expect([a + b, c + d]).toEqual([perTier, allTiers ? perTier : 0])
        expect(Math.max(a, b, c, d)).toBe(1)
      },
    )
  }
}

scenario(
  'trackers of a private torrent are told our addresses of both families, those of others are not',
  (world) => {
    const tracker = world.tracker(HTTP, { address: TRACKER })
    const torrents = [true, false].map(
      (priv) => new TestTorrent({ name: `${priv}`, size: 100, trackers: [HTTP], private: priv }),
    )
    const client = clientAt(world, [V4, V6[0], '192.168.1.5'], torrents[0], {
      listenInterfaces: `${V4}:7000,[${V6[0]}]:7000,192.168.1.5:7000`,
    })
    client.session.addTorrent({ ti: torrents[1].info(), savePath: '/save', autoManaged: false })
    world.run({ seconds: 5 })
    expect(tracker.announces.length).toBe(6)
    for (const { infoHash, parameters } of tracker.announces) {
      const isPrivate = Buffer.from(infoHash).equals(Buffer.from(torrents[0].infoHash.bytes))
      expect([parameters.ipv4, parameters.ipv6]).toEqual(isPrivate ? [V4, V6[0]] : [undefined, undefined])
    }
  },
  { seeds: 1 },
)

for (const url of [HTTP, UDP]) {
  scenario(
    `with one address to listen on nothing leaves from another (${url})`,
    async (world) => {
      const tracker = world.tracker(url, { address: TRACKER })
      const client = clientAt(world, ['60.0.0.1', V4, V6[0]], torrentOf(url), { listenInterfaces: `${V4}:7000` })
      world.run({ seconds: 5 })
      client.torrent.scrapeTracker()
      world.run({ seconds: 5 })
      expect(client.alerts('scrapeReply').length).toBe(1)
      await world.settle(client.session.abort())
      expect(announcers(tracker)).toEqual([`${V4} 7000`, `${V4} 7000`])
    },
    { seeds: 1 },
  )

  scenario(
    `with an address to listen on that is not there nothing leaves at all (${url})`,
    async (world) => {
      const tracker = world.tracker(url, { address: TRACKER })
      const client = clientAt(world, ['60.0.0.1', V6[0]], torrentOf(url), { listenInterfaces: '10.8.0.2:7000' })
      world.run({ seconds: 5 })
      client.torrent.forceReannounce(0, 0, true)
      client.torrent.scrapeTracker()
      world.run({ minutes: 5 })
      expect(client.alerts('listenFailed').length).toBe(1)
      expect(client.alerts('scrapeFailed').map(({ error }) => error.code)).toEqual(['EADDRNOTAVAIL'])
      expect([...tracker.announces, ...tracker.scrapes]).toEqual([])
    },
    { seeds: 1 },
  )
}

scenario(
  'other listen sockets are announced as soon as they are open, those that stay are not announced anew',
  (world) => {
    const tracker = world.tracker(HTTP, { address: TRACKER })
    const client = clientAt(world, [V4, V6[0]], torrentOf(HTTP), { listenInterfaces: `${V4}:7000,[::]:7000` })
    world.run({ seconds: 5 })
    client.session.applySettings({ listenInterfaces: `${V4}:8000,[::]:7000` })
    world.run({ seconds: 5 })
    expect(announcers(tracker).sort()).toEqual([`${V6[0]} 7000`, `${V4} 7000`, `${V4} 8000`])
    expect(new Set(tracker.events)).toEqual(new Set(['started']))
    client.session.applySettings({ listenInterfaces: `[::]:7000` })
    world.run({ hours: 1 })
    expect(announcers(tracker).slice(3)).toEqual([`${V6[0]} 7000`, `${V6[0]} 7000`])
  },
)

scenario(
  'IPv6 that leads nowhere does not keep IPv4 waiting, however many torrents there are',
  (world) => {
    const tracker = world.tracker(HTTP, { address: TRACKER[0] })
    world.names.set('tracker.example', TRACKER)
    world.network.blackHole(TRACKER[1])
    const client = clientAt(world, [V4, V6[0]], torrentOf(HTTP))
    for (let seed = 2; seed <= 300; seed++) {
      const torrent = new TestTorrent({ name: `t${seed}`, size: 100, seed, trackers: [HTTP] })
      client.session.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
    }
    // Half of the fifty places at a time are lost for ten seconds each.
    world.run({ seconds: 15 })
    expect(tracker.announces.length).toBe(300)
    expect(client.torrent.trackers()[0]).toMatchObject({ fails: 0, lastError: null, verified: true })
  },
  { seeds: 1 },
)
