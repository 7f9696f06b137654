import { expect } from 'vitest'
import type { AnnounceRecord } from '../../sim/simTracker.ts'
import { TestTorrent, type TestTorrentOptions } from '../../sim/testTorrent.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const HTTP = 'http://tracker.example/announce'
const UDP = 'udp://tracker.example:6969'

function listed(...trackers: NonNullable<TestTorrentOptions['trackers']>): TestTorrent {
  return new TestTorrent({ size: 200_000, trackers })
}

/** Whole seconds between announces. */
function pauses(announces: readonly AnnounceRecord[]): number[] {
  return announces.slice(1).map(({ time }, i) => Math.round((time - announces[i].time) / 1000))
}

for (const url of [HTTP, UDP]) {
  scenario(`started first, completed once in between, stopped last (${url})`, async (world) => {
    const tracker = world.tracker(url, { interval: 600 })
    const torrent = listed(url)
    const client = new SimClient(world, 'client', torrent)
    world.run({ minutes: 25 })
    const seed = world.peer('seed', { torrent, has: 'all', serves: true })
    client.torrent.connectPeer(seed.listen())
    world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
    world.run({ minutes: 30 })
    await world.settle(client.session.abort())
    const { events } = tracker
    expect(events[0]).toBe('started')
    expect(events.at(-1)).toBe('stopped')
    expect(events.filter((event) => event !== 'none')).toEqual(['started', 'completed', 'stopped'])
    const of = (event: string) => tracker.announces.find((announce) => announce.event === event)!
    expect(of('started')).toMatchObject({ left: torrent.totalSize, downloaded: 0, uploaded: 0 })
    expect(of('completed')).toMatchObject({ left: 0, downloaded: torrent.totalSize })
    expect(of('stopped').left).toBe(0)
    expect(new Set(tracker.announces.map(({ key }) => key)).size).toBe(1)
    expect(of('started').peer.port).toBe(6881)
  })

  for (const reportTrueDownloaded of [false, true]) {
    scenario(
      `what came twice is ${reportTrueDownloaded ? '' : 'not '}told as downloaded, what was bad never (${url})`,
      async (world) => {
        const tracker = world.tracker(url, { interval: 600 })
        const torrent = new TestTorrent({ size: 6 * 32_768, trackers: [url] })
        const settings = { reportTrueDownloaded, closeRedundantConnections: false }
        const client = new SimClient(world, 'client', torrent, { settings })
        let bad = 1
        const corrupts = (piece: number, begin: number) => piece === 2 && begin === 0 && bad-- > 0
        const peer = world.peer('peer', { torrent, has: 'all', serves: true, corrupts })
        client.torrent.connectPeer(peer.listen())
        world.runUntil(() => client.alerts('hashFailed').length > 0, { seconds: 10 })
        world.run({ seconds: 5 })
        // The peer that sent bad data is not let in again; another brings the rest, and something twice.
        const other = world.peer('other', { torrent, has: 'all', serves: true })
        client.torrent.connectPeer(other.listen())
        world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
        for (let i = 0; i < 3; i++) other.connection.sendBlock(0, 0, 16_384)
        world.run({ seconds: 5 })
        const status = client.torrent.status()
        expect(status.totalFailedBytes).toBe(32_768)
        expect(status.totalRedundantBytes).toBeGreaterThanOrEqual(3 * 16_384)
        await world.settle(client.session.abort())
        const last = tracker.announces.at(-1)!
        expect(last.event).toBe('stopped')
        expect(last.downloaded).toBe(torrent.totalSize + (reportTrueDownloaded ? status.totalRedundantBytes : 0))
        expect(status.totalPayloadDownload).toBe(torrent.totalSize + 32_768 + status.totalRedundantBytes)
      },
      { seeds: 1 },
    )
  }

  scenario(`a torrent that is paused and resumed counts from nothing again (${url})`, (world) => {
    const tracker = world.tracker(url, { interval: 600 })
    const torrent = listed(url)
    const client = new SimClient(world, 'client', torrent)
    const peer = world.peer('peer', { torrent, has: 'all', serves: true })
    const bad = world.peer('bad', { torrent, has: 'all', serves: true, corrupts: () => true })
    client.torrent.connectPeer(bad.listen())
    world.runUntil(() => client.alerts('hashFailed').length > 0, { seconds: 10 })
    client.torrent.connectPeer(peer.listen())
    world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
    world.run({ seconds: 5 })
    client.torrent.pause()
    world.run({ seconds: 30 })
    client.torrent.resume()
    world.run({ seconds: 30 })
    const last = tracker.announces.at(-1)!
    expect(last).toMatchObject({ event: 'started', downloaded: 0, uploaded: 0 })
    if (url === HTTP) expect(last.parameters).toMatchObject({ corrupt: '0', redundant: '0' })
  })

  scenario(`what is still arriving when everything is there is not told as downloaded (${url})`, (world) => {
    const tracker = world.tracker(url, { interval: 600 })
    const torrent = new TestTorrent({ size: 32_768, trackers: [url] })
    const client = new SimClient(world, 'client', torrent, { settings: { closeRedundantConnections: false } })
    const slow = world.peer('slow', { torrent, has: 'all' })
    slow.onMessage = ({ name }, connection) => {
      if (name === 'interested') connection.send((to) => to.unchoke())
    }
    client.torrent.connectPeer(slow.listen())
    world.run({ seconds: 2 })
    slow.connection.send((to) => to.pieceHeader(0, 0, 16_384))
    slow.connection.sendRaw(torrent.piece(0).slice(0, 5000))
    world.run({ seconds: 2 })
    const fast = world.peer('fast', { torrent, has: 'all', serves: true })
    client.torrent.connectPeer(fast.listen())
    world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
    world.run({ seconds: 3 })
    expect(client.torrent.status().totalPayloadDownload).toBe(torrent.totalSize + 5000)
    client.torrent.forceReannounce(0, -1, true)
    world.run({ seconds: 3 })
    expect(tracker.announces.at(-1)).toMatchObject({ left: 0, downloaded: torrent.totalSize })
  })

  scenario(`a seed never says completed (${url})`, async (world) => {
    const tracker = world.tracker(url, { interval: 600 })
    const client = new SimClient(world, 'client', listed(url), { has: 'all' })
    world.run({ minutes: 25 })
    await world.settle(client.session.abort())
    expect(tracker.events).toEqual(['started', 'none', 'none', 'stopped'])
    expect(tracker.announces.every(({ left }) => left === 0)).toBe(true)
  })

  for (const interval of [440, 1800, 3600]) {
    scenario(
      `announces keep an interval of ${interval} s (${url})`,
      (world) => {
        const tracker = world.tracker(url, { interval })
        new SimClient(world, 'client', listed(url))
        world.run({ seconds: 5 * interval + 100 })
        expect(tracker.announces.length).toBe(6)
        for (const pause of pauses(tracker.announces)) expect(Math.abs(pause - interval)).toBeLessThanOrEqual(1)
      },
      { seeds: 1 },
    )
  }

  scenario(
    `an outage of a day: tried less and less, at least every hour, and found again (${url})`,
    (world) => {
      const tracker = world.tracker(url, { interval: 1800 })
      const client = new SimClient(world, 'client', listed(url))
      world.run({ hours: 1 })
      expect(client.torrent.trackers()[0]).toMatchObject({ fails: 0, verified: true })
      tracker.isDown = true
      const before = tracker.announces.length
      world.run({ hours: 23 })
      const { fails, lastError } = client.torrent.trackers()[0]
      // The 32nd failure in a row would come after ten hours; from then on one an hour.
      expect(fails).toBeGreaterThan(20)
      expect(fails).toBeLessThan(60)
      expect(lastError).not.toBeNull()
      const gaps = client.secondsOf('trackerAnnounce').slice(before + 1)
      const waits = gaps.slice(1).map((at, i) => at - gaps[i])
      for (let i = 2; i < waits.length; i++) expect(waits[i]).toBeGreaterThanOrEqual(waits[i - 1] - 2)
      expect(Math.max(...waits)).toBeLessThanOrEqual(3600 + 120)
      tracker.isDown = false
      world.run({ hours: 1, minutes: 2 })
      expect(client.torrent.trackers()[0]).toMatchObject({ fails: 0, lastError: null })
    },
    { seeds: 1 },
  )

  scenario(`a scrape fills the counts (${url})`, (world) => {
    const tracker = world.tracker(url)
    const torrent = listed(url)
    for (let i = 1; i <= 3; i++)
      tracker.addPeer(torrent.infoHash, { address: `60.0.0.${i}`, port: 6881 }, { seed: i < 3 })
    const client = new SimClient(world, 'client', torrent, { add: { paused: true } })
    world.run({ seconds: 5 })
    expect(tracker.announces).toEqual([])
    client.torrent.scrapeTracker()
    world.run({ seconds: 5 })
    expect(client.alerts('scrapeReply').map(({ complete, incomplete }) => [complete, incomplete])).toEqual([[2, 1]])
    expect(client.torrent.status()).toMatchObject({ numComplete: 2, numIncomplete: 1 })
  })

  scenario(`a tracker that does not answer holds the end up no longer than its timeout (${url})`, async (world) => {
    const tracker = world.tracker(url)
    const client = new SimClient(world, 'client', listed(url), { settings: { stopTrackerTimeout: 5 } })
    world.run({ seconds: 5 })
    tracker.isDown = true
    const begin = world.time.elapsed
    await world.settle(client.session.abort())
    expect(world.time.elapsed - begin).toBeGreaterThan(4000)
    expect(world.time.elapsed - begin).toBeLessThan(7000)
  })

  scenario(`without a stop timeout the tracker is not even told (${url})`, async (world) => {
    const tracker = world.tracker(url)
    const client = new SimClient(world, 'client', listed(url), { settings: { stopTrackerTimeout: 0 } })
    world.run({ seconds: 5 })
    await world.settle(client.session.abort())
    expect(tracker.events).toEqual(['started'])
  })

  scenario(`a tracker that never answered is not told stopped (${url})`, async (world) => {
    const tracker = world.tracker(url)
    tracker.isDown = true
    const client = new SimClient(world, 'client', listed(url))
    world.run({ minutes: 2 })
    await world.settle(client.session.abort())
    expect(tracker.events.filter((event) => event === 'stopped')).toEqual([])
  })
}

scenario('a paused session says stopped, is silent, and says started on resume', (world) => {
  const tracker = world.tracker(HTTP, { interval: 600 })
  const client = new SimClient(world, 'client', listed(HTTP))
  world.run({ minutes: 5 })
  client.session.pause()
  world.run({ hours: 1 })
  expect(tracker.events).toEqual(['started', 'stopped'])
  client.session.resume()
  world.run({ minutes: 1 })
  expect(tracker.events).toEqual(['started', 'stopped', 'started'])
})

scenario('pausing ends an announce in flight, and nothing seems to be going on afterwards', (world) => {
  const tracker = world.tracker(HTTP, { answers: [{ delay: 8000 }] })
  const client = new SimClient(world, 'client', listed(HTTP))
  world.run({ seconds: 2 })
  expect(client.torrent.trackers()[0].updating).toBe(true)
  client.session.pause()
  world.run({ minutes: 1 })
  expect(client.torrent.trackers()[0].updating).toBe(false)
  expect(tracker.events).toEqual(['started'])
})

scenario('reasons of failure and warnings are kept with the tracker, until an announce goes well', (world) => {
  world.tracker(HTTP, {
    interval: 600,
    answers: [
      { failureReason: 'not today' },
      { warning: 'soon no more' },
      'ok',
      { status: 410 },
      { raw: Buffer.from('<html>') },
      'refuse',
    ],
  })
  const client = new SimClient(world, 'client', listed(HTTP))
  const steps = [
    { fails: 1, message: 'not today', lastError: { code: 'trackerFailure' } },
    { fails: 0, message: 'soon no more', lastError: null },
    { fails: 0, message: '', lastError: null },
    { fails: 1, lastError: { category: 'http', value: 410 } },
  ]
  world.run({ seconds: 5 })
  expect(client.torrent.trackers()[0]).toMatchObject(steps[0])
  for (const step of steps.slice(1)) {
    client.torrent.forceReannounce(0, -1, true)
    world.run({ seconds: 5 })
    expect(client.torrent.trackers()[0]).toMatchObject(step)
  }
  expect(client.alerts('trackerWarning').map(({ msg }) => msg)).toEqual(['soon no more'])
})

for (const [what, answer] of [
  ['no bencoding', { raw: Buffer.from('<html>sorry</html>') }],
  ['nobody listening', 'refuse'],
  ['an empty body', { raw: new Uint8Array(0) }],
] as const) {
  scenario(
    `${what} is a failure that is tried again`,
    (world) => {
      const tracker = world.tracker(HTTP, { answers: [answer] })
      const client = new SimClient(world, 'client', listed(HTTP))
      world.run({ seconds: 5 })
      expect(client.torrent.trackers()[0].fails).toBe(1)
      expect(client.alerts('trackerError').length).toBe(1)
      world.run({ seconds: 30 })
      expect(client.torrent.trackers()[0]).toMatchObject({ fails: 0, lastError: null })
      expect(tracker.announces.length).toBe(2)
    },
    { seeds: 1 },
  )
}

scenario('a tracker id is sent back, and a URL without a path works', (world) => {
  const url = 'http://tracker.example'
  const tracker = world.tracker(url, { interval: 600, answers: [{ trackerId: 'blue' }] })
  new SimClient(world, 'client', listed(url))
  world.run({ minutes: 11 })
  expect(tracker.announces.map(({ parameters }) => parameters.trackerid)).toEqual([undefined, 'blue'])
})

scenario('a tracker id given with the torrent is told until the tracker gives another', (world) => {
  const url = 'http://tracker.example'
  const tracker = world.tracker(url, { interval: 600, answers: ['ok', { trackerId: 'blue' }] })
  new SimClient(world, 'client', listed(url), { add: { trackerid: 'red' } })
  world.run({ minutes: 21 })
  expect(tracker.announces.map(({ parameters }) => parameters.trackerid)).toEqual(['red', 'red', 'blue'])
})

scenario('the counts of an announce count as a scrape', (world) => {
  const tracker = world.tracker(HTTP)
  const torrent = listed(HTTP)
  tracker.addPeer(torrent.infoHash, { address: '60.0.0.1', port: 1 }, { seed: true })
  const client = new SimClient(world, 'client', torrent)
  world.run({ seconds: 5 })
  expect(client.torrent.status()).toMatchObject({ numComplete: 1, numIncomplete: 1 })
})

scenario('two trackers that agree about our address are believed, one is not', (world) => {
  const urls = ['http://one.example/announce', 'http://two.example/announce']
  for (const url of urls) world.tracker(url, { answers: [{ externalAddress: '99.88.77.66' }] })
  const client = new SimClient(world, 'client', listed(...urls), { settings: { announceToAllTiers: true } })
  world.run({ seconds: 5 })
  expect(client.alerts('externalIp').map(({ externalAddress }) => externalAddress)).toEqual(['99.88.77.66'])
  const alone = new TestTorrent({ size: 1000, seed: 2, trackers: ['http://three.example/announce'] })
  world.tracker('http://three.example/announce', { answers: [{ externalAddress: '1.2.3.4' }] })
  const other = new SimClient(world, 'other', alone)
  world.run({ seconds: 5 })
  expect(other.alerts('externalIp')).toEqual([])
})

scenario(
  'a forced announce overtakes those that wait for their turn',
  (world) => {
    const tracker = world.tracker(HTTP)
    const client = new SimClient(world, 'client', listed(HTTP), { settings: { maxConcurrentHttpAnnounces: 1 } })
    world.run({ seconds: 5 })
    tracker.answerNext({ delay: 8000 })
    for (const seed of [2, 3, 4]) {
      const torrent = new TestTorrent({ name: `t${seed}`, size: 1000, seed, trackers: [HTTP] })
      client.session.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
    }
    world.run({ seconds: 2 })
    // One is stuck, two wait.
    expect(tracker.announces.length).toBe(2)
    client.torrent.forceReannounce(0, 0, true)
    world.run({ seconds: 60 })
    expect(tracker.announces.length).toBe(5)
    expect(Buffer.from(tracker.announces[2].infoHash).toString('hex')).toBe(client.torrent.infoHash.toHex())
  },
  { seeds: 1 },
)

scenario(
  'an announce that waits for its turn is made next when somebody asks for it',
  (world) => {
    const tracker = world.tracker(HTTP, { answers: [{ delay: 8000 }] })
    const client = new SimClient(world, 'client', listed(HTTP), { settings: { maxConcurrentHttpAnnounces: 1 } })
    const others = [2, 3, 4, 5].map((seed) => {
      const torrent = new TestTorrent({ name: `t${seed}`, size: 1000, seed, trackers: [HTTP] })
      return client.session.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
    })
    world.run({ seconds: 2 })
    // One is stuck, four wait; those asked for go in the order they were asked for.
    expect(tracker.announces.length).toBe(1)
    others[3].forceReannounce()
    others[2].forceReannounce(0, 0)
    others[1].forceReannounce(60)
    world.run({ seconds: 20 })
    const order = tracker.announces.map(({ infoHash }) => Buffer.from(infoHash).toString('hex'))
    expect(order).toEqual([client.torrent, others[3], others[2], others[0], others[1]].map((t) => t.infoHash.toHex()))
  },
  { seeds: 1 },
)

scenario(
  'loopback trackers need a path that says announce, and no URL brings announce parameters along',
  (world) => {
    const urls = [
      'http://localhost:8080/rpc',
      'http://127.0.0.1:8080/admin',
      'http://[::1]:8080/',
      'http://tracker.example/announce?info_hash=x',
      'http://tracker.example/announce?EVENT=started',
    ]
    world.names.set('localhost', ['127.0.0.1', '::1'])
    const allowed = ['http://localhost:8080/announce.php', 'http://127.0.0.1:8080/announce']
    const client = new SimClient(world, 'client', listed(...[...urls, ...allowed].map((url) => [url])), {
      settings: { announceToAllTiers: true, announceToAllTrackers: true },
    })
    const seen: string[] = []
    for (const origin of [
      'http://localhost:8080',
      'http://127.0.0.1:8080',
      'http://[::1]:8080',
      'http://tracker.example',
    ]) {
      world.web.serve(origin, client.host, ({ url }) => {
        seen.push(url.slice(0, url.indexOf('?')))
        return { body: 'd8:intervali1800e5:peers0:e' }
      })
    }
    world.run({ seconds: 10 })
    expect([...new Set(seen)].sort()).toEqual([...allowed].sort())
    for (const url of urls) expect(client.alerts('trackerError').some((alert) => alert.url === url)).toBe(true)
  },
  { seeds: 1 },
)

scenario('the address told to trackers can be set', (world) => {
  const tracker = world.tracker(HTTP)
  new SimClient(world, 'client', listed(HTTP), { settings: { announceIp: '198.51.100.7' } })
  world.run({ seconds: 5 })
  expect(tracker.announces[0].parameters.ip).toBe('198.51.100.7')
})

for (const url of [HTTP, UDP]) {
  scenario(`the port told to trackers can be set (${url})`, async (world) => {
    const tracker = world.tracker(url)
    const client = new SimClient(world, 'client', listed(url), { settings: { announcePort: 1234 } })
    world.run({ seconds: 5 })
    await world.settle(client.session.abort())
    expect(tracker.announces.map(({ event, peer }) => [event, peer.port])).toEqual([
      ['started', 1234],
      ['stopped', 1234],
    ])
    expect(client.session.listenPort).toBe(6881)
  })

  for (const has of ['none', 'all'] as const) {
    scenario(
      `trackers given while running are told the same as those given at first, having ${has} (${url})`,
      async (world) => {
        const tracker = world.tracker(url, { interval: 600 })
        const torrent = new TestTorrent({ size: 200_000 })
        const client = new SimClient(world, 'client', torrent, { has })
        world.run({ seconds: 5 })
        client.torrent.replaceTrackers([{ url }])
        world.run({ minutes: 5 })
        client.torrent.connectPeer(world.peer('seed', { torrent, has: 'all', serves: true }).listen())
        world.run({ minutes: 30 })
        expect(client.torrent.isSeed).toBe(true)
        await world.settle(client.session.abort())
        const told = has === 'none' ? ['started', 'completed', 'stopped'] : ['started', 'stopped']
        expect(tracker.events.filter((event) => event !== 'none')).toEqual(told)
      },
    )
  }
}

scenario('one tracker can be announced to by its URL, whatever the others do', (world) => {
  const urls = ['http://one.example/announce', 'http://two.example/announce']
  const [one, two] = urls.map((url) => world.tracker(url))
  const client = new SimClient(world, 'client', listed(...urls.map((url) => [url])))
  world.run({ seconds: 5 })
  client.torrent.forceReannounce(0, urls[1])
  client.torrent.forceReannounce(0, 'http://three.example/announce', true)
  world.run({ seconds: 5 })
  expect([one.announces.length, two.announces.length]).toEqual([1, 1])
})

for (const allowIdna of [false, true]) {
  scenario(
    `a tracker with an international name is ${allowIdna ? '' : 'not '}announced to, also by a redirect`,
    (world) => {
      const url = 'http://xn--tracker-.example/announce'
      const tracker = world.tracker(url)
      const redirector = 'http://redirector.example/announce'
      const host = world.host('redirector')
      world.names.set('redirector.example', host.addresses)
      world.web.serve('http://redirector.example', host, ({ query }) => ({
        status: 302,
        headers: { location: `${url}?${query}` },
      }))
      const client = new SimClient(world, 'client', listed(url), { settings: { allowIdna } })
      world.run({ seconds: 5 })
      expect(tracker.announces.length).toBe(allowIdna ? 1 : 0)
      const errors = client.alerts('trackerError').map(({ error }) => error.code)
      expect(new Set(errors)).toEqual(new Set(allowIdna ? [] : ['blockedByIdna']))
      client.torrent.replaceTrackers([{ url: redirector }])
      world.run({ seconds: 5 })
      // libtorrent, simulation/test_tracker.cpp: tracker_idna_redirect.
      expect(tracker.announces.length).toBe(allowIdna ? 2 : 0)
    },
    { seeds: 1 },
  )
}

scenario(
  'two hundred torrents of one dead tracker do not keep another tracker waiting',
  (world) => {
    const dead = world.tracker('http://dead.example/announce')
    dead.isDown = true
    const alive = world.tracker('http://alive.example/announce')
    const client = new SimClient(world, 'client', listed('http://alive.example/announce'), { add: { paused: true } })
    for (let i = 0; i < 200; i++) {
      const torrent = new TestTorrent({ name: `t${i}`, size: 100, seed: i, trackers: ['http://dead.example/announce'] })
      client.session.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
    }
    world.run({ seconds: 1 })
    client.torrent.resume()
    world.run({ minutes: 2 })
    expect(alive.announces.length).toBe(1)
  },
  { seeds: 1 },
)

scenario(
  'a jump of the wall clock changes no announce',
  (world) => {
    const tracker = world.tracker(HTTP, { interval: 1800 })
    new SimClient(world, 'client', listed(HTTP))
    world.run({ minutes: 10 })
    world.time.jumpWallClock(86_400)
    world.run({ minutes: 10 })
    world.time.jumpWallClock(-2 * 86_400)
    world.run({ hours: 2 })
    for (const pause of pauses(tracker.announces)) expect(Math.abs(pause - 1800)).toBeLessThanOrEqual(1)
    expect(tracker.announces.length).toBe(5)
  },
  { seeds: 1 },
)

scenario(
  'a tracker is looked up once in resolverCacheTimeout, by all torrents together',
  (world) => {
    for (const url of [HTTP, 'udp://other.example:6969']) {
      const tracker = world.tracker(url, { interval: 300 })
      const { hostname } = new URL(url.replace('udp:', 'http:'))
      world.names.set(hostname, world.network.hostNamed(`tracker ${hostname}`)!.addresses, { ttl: 0 })
      const client = new SimClient(world, `client of ${hostname}`, listed(url), {
        settings: { resolverCacheTimeout: 1000 },
      })
      for (const seed of [2, 3, 4]) {
        const torrent = new TestTorrent({ name: `t${seed}`, size: 1000, seed, trackers: [url] })
        client.session.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
      }
      world.run({ seconds: 950 })
      expect(tracker.announces.length).toBe(16)
      expect(world.names.queries(hostname)).toBe(1)
      world.run({ seconds: 300 })
      expect(world.names.queries(hostname)).toBe(2)
    }
  },
  { seeds: 1 },
)

scenario('a UDP socket that fails is reported and replaced, one that may not send is reported', (world) => {
  const tracker = world.tracker(UDP, { interval: 300 })
  const client = new SimClient(world, 'client', listed(UDP))
  world.run({ seconds: 5 })
  client.host.failUdpSockets('ENETDOWN')
  expect(client.alerts('udpError')).toEqual([
    expect.objectContaining({
      endpoint: { address: '0.0.0.0', port: expect.any(Number) },
      error: expect.objectContaining({ code: 'ENETDOWN' }),
      operation: 'socketRead',
    }),
  ])
  world.run({ seconds: 300 })
  expect(tracker.announces.length).toBe(2)

  client.host.udpFault = 'EPERM'
  world.run({ seconds: 305 })
  const [, refused] = client.alerts('udpError')
  expect(refused).toMatchObject({ endpoint: { port: 6969 }, error: { code: 'EPERM' }, operation: 'socketWrite' })
  // The announce does not wait for an answer to what was never sent.
  expect(client.torrent.trackers()[0].lastError?.code).toBe('EPERM')
  client.host.udpFault = null
  world.run({ minutes: 2 })
  expect(client.torrent.trackers()[0]).toMatchObject({ fails: 0, lastError: null })
})

scenario('a tracker that no route leads to is no error of the UDP socket', (world) => {
  const url = 'udp://six.example:6969'
  world.tracker(url, { address: '2001:db8::1' })
  const client = new SimClient(world, 'client', listed(url))
  world.run({ seconds: 5 })
  expect(client.torrent.trackers()[0].lastError?.code).toBe('ENETUNREACH')
  expect(client.alerts('udpError')).toEqual([])
})
