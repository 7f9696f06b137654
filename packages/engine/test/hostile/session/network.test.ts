import { expect } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { SimClient } from '../../sim/client.ts'
import { scenario } from '../../sim/scenario.ts'

// Hostile inputs, line 56: the network changes under a running session.

const ONCE = { seeds: 1 }
const HTTP = 'http://tracker.example/announce'
const UDP = 'udp://tracker.example:6969'

for (const url of [HTTP, UDP]) {
  scenario(
    `name servers that fail at the start, in the middle, and for longer than names are remembered (${url})`,
    (world) => {
      const tracker = world.tracker(url, { interval: 300 })
      const addresses = world.network.hostNamed('tracker tracker.example')!.addresses
      const dnsDown = () => world.names.fail('tracker.example')
      const dnsUp = () => world.names.set('tracker.example', addresses, { ttl: 0 })
      dnsDown()
      const client = new SimClient(world, 'client', new TestTorrent({ size: 1000, trackers: [url] }))
      world.run({ minutes: 3 })
      expect(tracker.announces).toEqual([])
      expect(client.torrent.trackers()[0]).toMatchObject({ lastError: { code: 'EAI_AGAIN' } })
      dnsUp()
      world.run({ minutes: 4 })
      expect(tracker.events).toEqual(['started'])

      // An outage of 15 minutes goes unnoticed: names are remembered for 20.
      dnsDown()
      world.run({ minutes: 15 })
      expect(tracker.announces.length).toBe(4)
      expect(client.torrent.trackers()[0].fails).toBe(0)
      world.run({ minutes: 15 })
      expect(client.torrent.trackers()[0].fails).toBeGreaterThan(0)
      dnsUp()
      const before = tracker.announces.length
      world.run({ minutes: 10 })
      expect(tracker.announces.length).toBeGreaterThan(before)
      expect(tracker.events.filter((event) => event === 'started').length).toBe(1)
    },
    ONCE,
  )
}

scenario(
  'the machine gets another address: those who know the old one are told as soon as we know, peers are found again',
  (world) => {
    const urls = ['http://one.example/announce', 'http://two.example/announce', 'http://three.example/announce']
    const [one, two, three] = urls.map((url) => world.tracker(url, { interval: 900 }))
    three.interval = 7200
    const torrent = new TestTorrent({ size: 1_000_000, trackers: [urls] })
    const seed = world.peer('seed', { torrent, has: 'all', serves: true, up: 200 })
    const there = seed.listen()
    for (const tracker of [one, two, three]) tracker.addPeer(torrent.infoHash, there, { seed: true })
    const client = new SimClient(world, 'client', torrent, { settings: { announceToAllTrackers: true } })
    const old = client.host.address
    for (const tracker of [one, two]) tracker.seesAddresses = true
    world.run({ minutes: 2 })
    expect(client.alerts('externalIp').map(({ externalAddress }) => externalAddress)).toEqual([old])
    expect(client.numPeers).toBe(1)

    world.network.renumber(client.host, '50.9.9.9')
    world.run({ minutes: 20 })
    expect(client.alerts('externalIp').at(-1)?.externalAddress).toBe('50.9.9.9')
    // It would have been told after two hours.
    expect(three.announces.at(-1)?.peer.address).toBe('50.9.9.9')
    expect(client.numPeers).toBe(1)
    for (const tracker of [one, two, three]) {
      expect(tracker.events.filter((event) => event === 'started').length).toBe(1)
      expect(tracker.announces.length).toBeLessThan(8)
    }
  },
  ONCE,
)

scenario(
  'trackers that make us believe in another address every time do not make us storm the others',
  (world) => {
    const urls = ['http://one.example/announce', 'http://two.example/announce', 'http://honest.example/announce']
    const [one, two, honest] = urls.map((url) => world.tracker(url, { interval: 300, minInterval: 30 }))
    honest.interval = 7200
    for (const tracker of [one, two]) {
      tracker.answerNext(...Array.from({ length: 500 }, (_, i) => ({ externalAddress: `99.0.0.${1 + (i % 200)}` })))
    }
    const torrent = new TestTorrent({ size: 1000, trackers: [urls] })
    const client = new SimClient(world, 'client', torrent, { settings: { announceToAllTrackers: true } })
    world.run({ hours: 4 })
    expect(client.alerts('externalIp').length).toBeGreaterThan(20)
    expect(honest.announces.length).toBeLessThanOrEqual(1 + (4 * 3600) / 300)
  },
  ONCE,
)

scenario(
  'an address to listen on that comes later, goes, and comes again',
  (world) => {
    const tracker = world.tracker(HTTP, { interval: 600 })
    const vpn = '10.8.0.2'
    const torrent = new TestTorrent({ size: 1000, trackers: [HTTP] })
    const client = new SimClient(world, 'client', torrent, {
      address: '60.0.0.1',
      settings: { listenInterfaces: `${vpn}:7000` },
    })
    const announcers = () => [...new Set(tracker.announces.map(({ peer }) => peer.address))]
    world.run({ minutes: 30 })
    expect(tracker.announces).toEqual([])
    expect(client.alerts('listenFailed').length).toBe(1)

    world.network.renumber(client.host, ['60.0.0.1', vpn])
    world.run({ minutes: 6 })
    expect(tracker.events).toEqual(['started'])
    expect(client.session.isListening).toBe(true)
    expect(client.alerts('listenSucceeded').length).toBe(1)

    world.network.renumber(client.host, '60.0.0.1')
    world.run({ hours: 1 })
    expect(client.torrent.trackers()[0].lastError?.code).toBe('EADDRNOTAVAIL')
    world.network.renumber(client.host, ['60.0.0.1', vpn])
    world.run({ hours: 1 })
    expect(client.torrent.trackers()[0]).toMatchObject({ fails: 0, lastError: null })
    // Whatever happened, nothing left from the other address.
    expect(announcers()).toEqual([vpn])
  },
  ONCE,
)
