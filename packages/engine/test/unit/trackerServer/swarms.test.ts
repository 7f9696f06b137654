import { expect, test } from 'vitest'
import { infoHash, peerId, peersIn, TrackerScene } from './scene.ts'

test('peers of a torrent are told of one another, and not of themselves', () => {
  const scene = new TrackerScene()
  expect(scene.udpAnnounce({ from: '9.0.0.1', port: 1 })).toMatchObject({ complete: 0, incomplete: 1, peers: [] })
  expect(peersIn(scene.udpAnnounce({ from: '9.0.0.2', port: 2 }))).toEqual(['9.0.0.1:1'])
  expect(peersIn(scene.udpAnnounce({ from: '9.0.0.1', port: 1 }))).toEqual(['9.0.0.2:2'])
  expect(peersIn(scene.udpAnnounce({ from: '9.0.0.3', port: 3, infoHash: infoHash(1) }))).toEqual([])
})

test('seeds are told of downloaders only', () => {
  const scene = new TrackerScene()
  scene.udpAnnounce({ from: '9.0.0.1', port: 1, left: 0 })
  scene.udpAnnounce({ from: '9.0.0.2', port: 2, left: 5 })
  expect(peersIn(scene.udpAnnounce({ from: '9.0.0.3', port: 3, left: 0 }))).toEqual(['9.0.0.2:2'])
  expect(peersIn(scene.udpAnnounce({ from: '9.0.0.4', port: 4 }))).toEqual(['9.0.0.1:1', '9.0.0.2:2', '9.0.0.3:3'])
  expect(scene.udpScrape()).toMatchObject({ complete: 2, incomplete: 2, downloaded: 0 })
})

test('who starts with nothing left where nobody downloads is told of seeds: it may have a magnet link only', () => {
  const scene = new TrackerScene()
  scene.udpAnnounce({ from: '9.0.0.1', port: 1, left: 0, event: 'started' })
  const asking = { from: '9.0.0.2', port: 2, left: 0 } as const
  expect(peersIn(scene.udpAnnounce({ ...asking, event: 'started' }))).toEqual(['9.0.0.1:1'])
  expect(peersIn(scene.udpAnnounce({ ...asking, event: 'none' }))).toEqual([])
  scene.udpAnnounce({ from: '9.0.0.3', port: 3, left: 5, event: 'started' })
  expect(peersIn(scene.udpAnnounce({ ...asking, event: 'started' }))).toEqual(['9.0.0.3:3'])
})

test('who has completed is a seed from then on, and counted once however often it says so', () => {
  const scene = new TrackerScene()
  scene.udpAnnounce({ left: 5 })
  for (let i = 0; i < 3; i++) scene.udpAnnounce({ left: 0, event: 'completed' })
  expect(scene.udpScrape()).toMatchObject({ complete: 1, incomplete: 0, downloaded: 1 })
})

test('who stops is forgotten at once and gets no peers; another port of its address stays', () => {
  const scene = new TrackerScene()
  scene.udpAnnounce({ port: 1 })
  scene.udpAnnounce({ port: 2 })
  expect(scene.udpAnnounce({ port: 1, event: 'stopped' })).toMatchObject({ incomplete: 1, peers: [] })
  expect(peersIn(scene.udpAnnounce({ port: 3 }))).toEqual(['9.0.0.1:2'])
  expect(scene.udpAnnounce({ port: 9, event: 'stopped', infoHash: infoHash(5) })).toMatchObject({ incomplete: 0 })
  expect(scene.core.stats()).toMatchObject({ torrents: 1, peers: 2 })
})

test('a peer that is silent for longer than peerTimeout is forgotten, without any announce', () => {
  const scene = new TrackerScene({ interval: 100, minInterval: 10, peerTimeout: 150 })
  scene.udpAnnounce({ port: 1 })
  scene.pass(100)
  scene.udpAnnounce({ port: 2, left: 0 })
  scene.pass(49)
  expect(scene.core.stats()).toMatchObject({ peers: 2, seeds: 1 })
  scene.pass(1)
  expect(scene.core.stats()).toMatchObject({ peers: 1, seeds: 1 })
  scene.pass(100)
  expect(scene.core.stats()).toMatchObject({ peers: 0, seeds: 0, torrents: 1 })
})

test('an empty torrent keeps its count of downloads until torrentTimeout', () => {
  const scene = new TrackerScene({ interval: 10, minInterval: 1, torrentTimeout: 500 })
  scene.udpAnnounce({ event: 'completed', left: 0 })
  scene.pass(499)
  expect(scene.udpScrape()).toMatchObject({ complete: 0, downloaded: 1 })
  scene.pass(1)
  expect(scene.core.stats().torrents).toBe(0)
})

test('many that expire at once are forgotten a part at a time', () => {
  const scene = new TrackerScene({ interval: 10, peerTimeout: 60, minInterval: 1, maxPeersPerTorrent: 100_000 })
  scene.fill(30_000)
  scene.now += 100_000
  scene.core.tick(scene.now)
  expect(scene.core.stats().peers).toBe(10_000)
  scene.pass(1)
  expect(scene.core.stats().peers).toBe(0)
})

test('numwant is a limit: asked for, by default, and at most', () => {
  const scene = new TrackerScene({ defaultNumWant: 10, maxNumWant: 30 })
  scene.fill(60)
  const count = (numWant: number) => peersIn(scene.udpAnnounce({ from: '9.0.0.1', numWant })).length
  expect([0, 1, 25, 30, 31, 1_000_000].map(count)).toEqual([0, 1, 25, 30, 30, 30])
  expect(count(-1 >>> 0)).toBe(10)
})

test('all peers are told of about equally often, whoever asks', () => {
  const scene = new TrackerScene()
  scene.fill(40, (n) => ({ left: n % 4 === 0 ? 0 : 1 }))
  const told = new Map<string, number>()
  const rounds = 4000
  for (let i = 0; i < rounds; i++) {
    for (const peer of peersIn(scene.udpAnnounce({ from: '9.0.0.1', numWant: 10 }))) {
      told.set(peer, (told.get(peer) ?? 0) + 1)
    }
  }
  expect(told.size).toBe(40)
  // Ten of forty each time: a mean of 1000 with a deviation of 27.
  for (const count of told.values()) expect(Math.abs(count - rounds / 4)).toBeLessThan(150)
})

test('a torrent that is full loses a random peer for each new one', () => {
  const scene = new TrackerScene({ maxPeersPerTorrent: 20 })
  scene.fill(100)
  expect(scene.core.stats().peers).toBe(20)
  const left = peersIn(scene.udpAnnounce({ from: '9.0.0.1', numWant: 50 }))
  expect(left.some((peer) => Number(peer.split(/[.:]/)[3]) < 50)).toBe(true)
  expect(left.some((peer) => Number(peer.split(/[.:]/)[3]) >= 80)).toBe(true)
})

test('when there is no room for more peers or torrents, those silent longest make it', () => {
  const peers = new TrackerScene({ maxPeers: 10 })
  peers.fill(25, (n) => ({ infoHash: infoHash(n) }))
  expect(peers.core.stats()).toMatchObject({ peers: 10, torrents: 25 })
  expect(peers.udpScrape(infoHash(14))).toMatchObject({ incomplete: 0 })
  expect(peers.udpScrape(infoHash(15))).toMatchObject({ incomplete: 1 })

  const torrents = new TrackerScene({ maxTorrents: 10 })
  torrents.fill(25, (n) => ({ infoHash: infoHash(n), left: n % 2 }))
  expect(torrents.core.stats()).toMatchObject({ peers: 10, torrents: 10, seeds: 5 })
  expect(torrents.udpScrape(infoHash(14))).toMatchObject({ complete: 0, incomplete: 0 })
})

test('peers on private networks and on this machine are for those who can reach them', () => {
  const scene = new TrackerScene()
  const addresses = { loopback: '127.0.0.1', lan: '192.168.1.5', carrier: '100.64.1.1', public: '9.0.0.1' }
  for (const [n, from] of Object.values(addresses).entries()) scene.udpAnnounce({ from, port: n + 1 })
  const told = (from: string) => peersIn(scene.udpAnnounce({ from, port: 99 }))
  expect(told('8.8.8.8')).toEqual(['9.0.0.1:4'])
  expect(told('10.1.1.1')).toEqual(['100.64.1.1:3', '192.168.1.5:2', '8.8.8.8:99', '9.0.0.1:4'])
  expect(told('127.0.0.2')).toContain('127.0.0.1:1')
  const v6 = ['::1', 'fd00::1', 'fe80::1', '2001:db8::1']
  for (const from of v6) scene.udpAnnounce({ from, port: 5 })
  expect(peersIn(scene.udpAnnounce({ from: '2001:db8::9', port: 6 }))).toEqual(['2001:db8::1:5'])
  expect(peersIn(scene.udpAnnounce({ from: 'fd00::9', port: 6 }))).toHaveLength(4)
})

test('a UDP answer has peers of its own family only, and is never longer than one packet', () => {
  const scene = new TrackerScene({ maxNumWant: 1000 })
  for (let n = 1; n <= 300; n++) {
    scene.udpAnnounce({ from: `2001:db8::${n.toString(16)}` })
    scene.udpAnnounce({ from: `9.1.${n >> 8}.${n & 255}` })
  }
  const v6 = scene.udpAnnounce({ from: '2001:db8:1::1', numWant: 500 })
  expect(v6).toMatchObject({ incomplete: 601 })
  expect(peersIn(v6)).toHaveLength(Math.floor((1232 - 20) / 18))
  expect(peersIn(scene.udpAnnounce({ from: '9.0.0.1', numWant: 500 }))).toHaveLength(Math.floor((1232 - 20) / 6))
})

test('only the torrents that are allowed are served', () => {
  const scene = new TrackerScene()
  const allowed = new Set([Buffer.from(infoHash(1)).toString('hex')])
  scene.core.allowed = allowed
  expect(scene.udpAnnounce({ infoHash: infoHash(1) })).toMatchObject({ kind: 'announce' })
  expect(scene.udpAnnounce({ infoHash: infoHash(2) })).toMatchObject({
    kind: 'error',
    message: 'this torrent is not served here',
  })
  allowed.add(Buffer.from(infoHash(2)).toString('hex'))
  expect(scene.udpAnnounce({ infoHash: infoHash(2) })).toMatchObject({ kind: 'announce' })
  expect(scene.core.stats()).toMatchObject({ torrents: 2, refused: 1, announces: 2 })
})

test("an address of the peer's own choice counts only where the options say so, and with its key", () => {
  const announce = (scene: TrackerScene, from: string, key = 1) => scene.udpAnnounce({ from, extra: '7.7.7.7', key })
  const asked = (scene: TrackerScene) => peersIn(scene.udpAnnounce({ from: '9.9.9.9', port: 99 }))
  const ignoring = new TrackerScene()
  announce(ignoring, '9.0.0.1')
  expect(asked(ignoring)).toEqual(['9.0.0.1:6881'])

  const local = new TrackerScene({ ipParameter: 'local' })
  announce(local, '9.0.0.1')
  announce(local, '192.168.0.2')
  expect(asked(local)).toEqual(['7.7.7.7:6881', '9.0.0.1:6881'])

  const all = new TrackerScene({ ipParameter: 'all' })
  announce(all, '9.0.0.1', 1)
  expect(announce(all, '9.0.0.2', 2)).toMatchObject({ kind: 'error', message: 'the key does not fit this address' })
  expect(announce(all, '9.0.0.3', 1)).toMatchObject({ kind: 'announce' })
  expect(asked(all)).toEqual(['7.7.7.7:6881'])
})

test('an address has so many requests at once and so many a second; a /64 of IPv6 counts as one', () => {
  const scene = new TrackerScene({ requestsPerSecond: 2, requestBurst: 5 })
  const served = (from: string): number => (scene.udpAnnounce({ from }) === null ? 0 : 1)
  const burst = (from: () => string) => Array.from({ length: 10 }, () => served(from())).reduce((a, b) => a + b)
  expect(burst(() => '9.0.0.1')).toBe(5)
  expect(served('9.0.0.2')).toBe(1)
  let n = 1
  expect(burst(() => `2001:db8::${n++}`)).toBe(5)
  scene.now += 1000
  expect(burst(() => '9.0.0.1')).toBe(2)
  scene.now += 3_600_000
  expect(burst(() => '9.0.0.1')).toBe(5)
  expect(scene.httpAnnounce({ from: '9.0.0.1' })).toEqual({ 'failure reason': 'too many requests', 'retry in': 5 })
  expect(scene.core.stats().rateLimited).toBe(5 + 5 + 8 + 5 + 1)
})

test('a client known by both families is not told of itself', () => {
  const scene = new TrackerScene()
  scene.udpAnnounce({ from: '2001:db8::1', peerId: peerId(1) })
  scene.udpAnnounce({ from: '2001:db8::2', peerId: peerId(2) })
  const answer = scene.httpAnnounce({ from: '9.0.0.1', peerId: peerId(1) })
  expect(Buffer.from(answer.peers6 as Uint8Array).toString('hex')).toBe('20010db80000000000000000000000021ae1')
})
