import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { ConnectionType } from '../../src/torrent/peerInfo.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'
import { FileServer } from './webServer.ts'

const ORIGIN = 'http://web.example'
const URL_SEED = `${ORIGIN}/pub/`

const ODD_FILES = [
  { path: 'a.bin', size: 100_001 },
  { path: '.pad/1', size: 31_071, pad: true },
  { path: 'sub/ä b.bin', size: 1 },
  { path: 'empty', size: 0 },
  { path: 'sub/c.bin', size: 70_000 },
  { path: '.pad/2', size: 200_000, pad: true },
  { path: 'd.bin', size: 333_333 },
]

scenario('a web seed alone gives a torrent of odd files, pads among them', (world) => {
  const torrent = new TestTorrent({ files: ODD_FILES, webSeeds: [URL_SEED] })
  const server = new FileServer(world, world.host('web', { up: 1_000_000 }), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent)
  world.runUntil(() => leech.torrent.isSeed, { minutes: 2 })
  expect(torrent.isOn(world.filesOf(leech.host), SAVE)).toBe(true)
  expect(server.paths.filter((path) => path.includes('.pad'))).toEqual([])
  const { totalPayloadDownload, totalRedundantBytes, totalFailedBytes } = leech.torrent.status()
  expect({ totalRedundantBytes, totalFailedBytes }).toEqual({ totalRedundantBytes: 0, totalFailedBytes: 0 })
  expect(totalPayloadDownload).toBe(100_001 + 1 + 70_000 + 333_333)
  // Nothing is asked of it by a seed.
  expect(leech.torrent.getPeerInfo()).toEqual([])
})

scenario('a private torrent may use its web seeds', (world) => {
  const torrent = new TestTorrent({ size: 300_000, webSeeds: [URL_SEED], private: true })
  new FileServer(world, world.host('web'), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent)
  world.runUntil(() => leech.torrent.isSeed, { minutes: 1 })
})

scenario('a web seed is a peer among others to whoever looks', (world) => {
  const torrent = new TestTorrent({ size: 2_000_000, webSeeds: [URL_SEED] })
  new FileServer(world, world.host('web', { up: 100_000 }), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent)
  world.run({ seconds: 8 })
  const [info] = leech.torrent.getPeerInfo()
  expect(info.connectionType).toBe(ConnectionType.webSeed)
  expect(info.client).toBe('URL seed @ web.example (simserver/1.0)')
  expect(info.payloadDownSpeed).toBeGreaterThan(70_000)
  const status = leech.torrent.status()
  expect(status.downloadPayloadRate).toBeGreaterThan(70_000)
  expect([status.numPeers, status.numSeeds, status.numConnections]).toEqual([1, 1, 1])
  expect(status.distributedFullCopies).toBe(1)
})

scenario('a web seed and a peer share the work', (world) => {
  const torrent = new TestTorrent({ size: 3_000_000, webSeeds: [URL_SEED] })
  const server = new FileServer(world, world.host('web', { up: 100_000 }), torrent, ORIGIN)
  const seed = seedOf(world, torrent, { up: 100_000 })
  const began = world.time.elapsed
  const leech = new SimClient(world, 'leech', torrent, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => leech.torrent.isSeed, { minutes: 2 })
  expect(torrent.isOn(world.filesOf(leech.host), SAVE)).toBe(true)
  // Either alone would need 30 s.
  expect(world.time.elapsed - began).toBeLessThan(24_000)
  expect(server.sentBytes).toBeGreaterThan(800_000)
  expect(leech.torrent.status().totalRedundantBytes).toBeLessThan(800_000)
})

scenario('a server that asks for a pause is left alone until then', (world) => {
  const torrent = new TestTorrent({ size: 500_000, webSeeds: [URL_SEED] })
  const server = new FileServer(world, world.host('web'), torrent, ORIGIN, () => {
    return world.time.elapsed < 60_000 ? { status: 503, headers: { 'retry-after': '70' } } : null
  })
  const leech = new SimClient(world, 'leech', torrent)
  world.run({ seconds: 60 })
  expect(leech.alerts('urlSeed').map(({ url, error }) => [url, error.code])).toEqual([
    [`${URL_SEED}content`, 'serviceUnavailable'],
  ])
  expect(server.requests.length).toBeLessThan(10)
  world.runUntil(() => leech.torrent.isSeed, { seconds: 20 })
})

scenario('a server that dies in the middle is used again when it is back', (world) => {
  const torrent = new TestTorrent({ size: 2_000_000, webSeeds: [URL_SEED] })
  const server = new FileServer(world, world.host('web', { up: 100_000 }), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent)
  world.run({ seconds: 10 })
  server.stop()
  world.run({ seconds: 20 })
  expect(leech.alerts('urlSeed').length).toBeGreaterThan(0)
  expect(leech.torrent.getPeerInfo()).toEqual([])
  server.start()
  world.runUntil(() => leech.torrent.isSeed, { minutes: 3 })
  expect(torrent.isOn(world.filesOf(leech.host), SAVE)).toBe(true)
})

scenario('while one server is down another takes its place', (world) => {
  const other = 'http://other.example'
  const torrent = new TestTorrent({ size: 500_000, webSeeds: [URL_SEED, `${other}/pub/`] })
  const leech = new SimClient(world, 'leech', torrent, { settings: { maxWebSeedConnections: 1 } })
  new FileServer(world, world.host('web'), torrent, ORIGIN, () => 'refuse')
  new FileServer(world, world.host('other'), torrent, other)
  world.runUntil(() => leech.torrent.isSeed, { seconds: 20 })
})

scenario('no more web seeds than allowed are used at once', (world) => {
  const origins = ['http://w1.example', 'http://w2.example', 'http://w3.example']
  const torrent = new TestTorrent({ size: 3_000_000, webSeeds: origins.map((origin) => `${origin}/pub/`) })
  const servers = origins.map((o) => new FileServer(world, world.host(o, { up: 100_000 }), torrent, o))
  const leech = new SimClient(world, 'leech', torrent, { settings: { maxWebSeedConnections: 2 } })
  world.run({ seconds: 5 })
  expect(servers.filter(({ requests }) => requests.length > 0)).toHaveLength(2)
  leech.session.setSettings({ maxWebSeedConnections: 3 })
  world.run({ seconds: 2 })
  expect(servers.filter(({ requests }) => requests.length > 0)).toHaveLength(3)
  world.runUntil(() => leech.torrent.isSeed, { minutes: 1 })
})

scenario('a web seed with wrong bytes is banned, and peers bring the rest', (world) => {
  const torrent = new TestTorrent({ size: 1_000_000, webSeeds: [URL_SEED] })
  const wrong = new TestTorrent({ size: 1_000_000, seed: 99 })
  const server = new FileServer(world, world.host('web'), wrong, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent)
  world.run({ seconds: 20 })
  expect(leech.alerts('hashFailed').length).toBeGreaterThan(0)
  expect(leech.alerts('urlSeed').map(({ error }) => error.code)).toEqual(['failedHashCheck'])
  expect(leech.alerts('peerBan')).toEqual([])
  expect(leech.torrent.getPeerInfo()).toEqual([])
  const asked = server.requests.length
  const seed = seedOf(world, torrent)
  leech.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => leech.torrent.isSeed, { minutes: 2 })
  expect(server.requests).toHaveLength(asked)
  expect(torrent.isOn(world.filesOf(leech.host), SAVE)).toBe(true)
})

scenario('of a web seed with one wrong file the others are used', (world) => {
  const files = [
    { path: 'good', size: 10 * 32 * 1024 },
    { path: 'bad', size: 10 * 32 * 1024 },
  ]
  const torrent = new TestTorrent({ files, webSeeds: [URL_SEED] })
  const wrong = new TestTorrent({ files, seed: 99 })
  new FileServer(world, world.host('web'), torrent, ORIGIN, ({ path, headers }) => {
    if (!path.endsWith('bad')) return null
    const [from, to] = (headers.range ?? '').replace('bytes=', '').split('-').map(Number)
    return {
      status: 206,
      headers: { 'content-range': `bytes ${from}-${to}/${files[1].size}`, 'content-length': String(to + 1 - from) },
      body: wrong.fileContent(wrong.files[1]).subarray(from, to + 1),
    }
  })
  const leech = new SimClient(world, 'leech', torrent)
  world.run({ seconds: 30 })
  expect(leech.torrent.fileProgress()).toEqual([files[0].size, 0])
  const seed = seedOf(world, torrent)
  leech.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => leech.torrent.isSeed, { minutes: 2 })
})

scenario('web seeds come and go at run time, and resume data knows which are there', async (world) => {
  const torrent = new TestTorrent({ size: 2_000_000, webSeeds: ['http://gone.example/'] })
  const server = new FileServer(world, world.host('web', { up: 100_000 }), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent)
  leech.torrent.removeUrlSeed('http://gone.example/')
  expect(leech.torrent.urlSeeds()).toEqual([])
  leech.torrent.addUrlSeed(server.url)
  leech.torrent.addUrlSeed(server.url)
  leech.torrent.addHttpSeed('http://script.example/seed')
  expect([leech.torrent.urlSeeds(), leech.torrent.httpSeeds()]).toEqual([[URL_SEED], ['http://script.example/seed']])
  world.run({ seconds: 5 })
  expect(leech.torrent.status().downloadPayloadRate).toBeGreaterThan(10_000)
  leech.torrent.removeUrlSeed(server.url)
  leech.torrent.removeHttpSeed('http://script.example/seed')
  const asked = server.requests.length
  world.run({ seconds: 60 })
  expect(server.requests).toHaveLength(asked)
  expect(leech.torrent.isSeed).toBe(false)
  const none = await world.settle(leech.torrent.saveResumeData())
  leech.torrent.addUrlSeed(server.url)
  const one = await world.settle(leech.torrent.saveResumeData())
  await world.settle(leech.session.abort())
  const idle = new SimClient(world, world.host('idle'), torrent, { add: { resumeData: none } })
  expect(idle.torrent.urlSeeds()).toEqual([])
  const again = new SimClient(world, leech.host, torrent, { add: { resumeData: one } })
  expect(again.torrent.urlSeeds()).toEqual([URL_SEED])
  world.runUntil(() => again.torrent.isSeed, { minutes: 1 })
  const both = new SimClient(world, world.host('both'), torrent, {
    add: { resumeData: one, mergeResumeHttpSeeds: true, paused: true },
  })
  expect(both.torrent.urlSeeds()).toEqual([URL_SEED, 'http://gone.example/'])
})

scenario('a paused torrent and one in upload mode ask nothing of web seeds, and go on later', (world) => {
  const torrent = new TestTorrent({ size: 2_000_000, webSeeds: [URL_SEED] })
  const server = new FileServer(world, world.host('web', { up: 100_000 }), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent, { add: { paused: true } })
  world.run({ seconds: 10 })
  expect(server.requests).toEqual([])
  leech.torrent.resume()
  world.run({ seconds: 5 })
  leech.torrent.setUploadMode(true)
  const { totalPayloadDownload } = leech.torrent.status()
  const asked = server.requests.length
  expect(asked).toBeGreaterThan(0)
  world.run({ seconds: 30 })
  expect(server.requests).toHaveLength(asked)
  leech.torrent.setUploadMode(false)
  world.run({ seconds: 5 })
  expect(leech.torrent.status().totalPayloadDownload).toBeGreaterThan(totalPayloadDownload)
  leech.session.pause()
  world.run({ seconds: 30 })
  const before = server.requests.length
  leech.session.resume()
  world.runUntil(() => leech.torrent.isSeed, { minutes: 1 })
  expect(server.requests.length).toBeGreaterThan(before)
})

scenario('a graceful pause waits for what the web seed was asked for', (world) => {
  const torrent = new TestTorrent({ size: 3_000_000, webSeeds: [URL_SEED] })
  new FileServer(world, world.host('web', { up: 100_000 }), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent)
  world.run({ seconds: 3 })
  leech.torrent.pause(1)
  expect(leech.torrent.isPaused).toBe(false)
  world.runUntil(() => leech.torrent.isPaused, { minutes: 1 })
  expect(leech.torrent.status().totalRedundantBytes).toBe(0)
})

scenario('a magnet link names a web seed, which is used when a peer has given the metadata', (world) => {
  const torrent = new TestTorrent({ size: 2_000_000 })
  const server = new FileServer(world, world.host('web'), torrent, ORIGIN)
  const seed = seedOf(world, torrent, { up: 20_000 })
  const url = `magnet:?xt=urn:btih:${torrent.infoHash.toHex()}&ws=${encodeURIComponent(`${URL_SEED}content`)}`
  const leech = new SimClient(world, 'leech', torrent, { magnet: true, add: { url, peers: [seed.endpoint] } })
  world.runUntil(() => leech.torrent.isSeed, { seconds: 60 })
  expect(server.sentBytes).toBeGreaterThan(1_000_000)
  expect(leech.torrent.makeMagnetUri()).toContain('&ws=http')
})

scenario('files that are not wanted are not asked for, until they are', (world) => {
  const files = [
    { path: 'one', size: 5 * 32 * 1024 },
    { path: 'two', size: 5 * 32 * 1024 },
  ]
  const torrent = new TestTorrent({ files, webSeeds: [URL_SEED] })
  const server = new FileServer(world, world.host('web'), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent, { add: { filePriorities: [0, 4] } })
  world.runUntil(() => leech.torrent.isFinished, { seconds: 20 })
  world.run({ seconds: 20 })
  expect(new Set(server.paths)).toEqual(new Set(['/pub/content/two']))
  leech.torrent.filePriority(0, 4)
  world.runUntil(() => leech.torrent.isSeed, { seconds: 20 })
})

scenario('what web seeds gave can be kept out of the statistics of the torrent', (world) => {
  const torrent = new TestTorrent({ size: 300_000, webSeeds: [URL_SEED] })
  new FileServer(world, world.host('web'), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent, { settings: { reportWebSeedDownloads: false } })
  world.runUntil(() => leech.torrent.isSeed, { seconds: 20 })
  expect(leech.torrent.status().totalPayloadDownload).toBe(0)
})

scenario('a session ends at once in the middle of a download from a web seed', async (world) => {
  const torrent = new TestTorrent({ size: 5_000_000, webSeeds: [URL_SEED] })
  new FileServer(world, world.host('web', { up: 100_000 }), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent)
  world.run({ seconds: 5 })
  await world.settle(leech.session.abort(), { seconds: 10 })
})

scenario('a slow disk holds the web seed back, and all arrives', (world) => {
  const torrent = new TestTorrent({ size: 2_000_000, pieceLength: 256 * 1024, webSeeds: [URL_SEED] })
  new FileServer(world, world.host('web'), torrent, ORIGIN)
  const leech = new SimClient(world, 'leech', torrent, {
    disk: { bytesPerSecond: 200_000, poolSlots: 8, maxQueuedDiskBytes: 65_536 },
  })
  world.runUntil(() => leech.torrent.isSeed, { minutes: 2 })
  expect(torrent.isOn(world.filesOf(leech.host), SAVE)).toBe(true)
  expect(world.time.elapsed).toBeGreaterThan(10_000)
})

scenario('a URL that is none is refused when it is added, and reported when a torrent has it', (world) => {
  const torrent = new TestTorrent({ size: 100_000, webSeeds: ['ftp://web.example/a'] })
  const leech = new SimClient(world, 'leech', torrent)
  expect(() => leech.torrent.addUrlSeed('nonsense')).toThrow(expect.objectContaining({ code: 'urlParseError' }))
  world.run({ seconds: 5 })
  expect(leech.alerts('urlSeed').map(({ error }) => error.code)).toEqual(['unsupportedUrlProtocol'])
})

scenario('a script that gives pieces (BEP 17) is enough', (world) => {
  const origin = 'http://script.example'
  const torrent = new TestTorrent({ files: ODD_FILES })
  const web = world.host('web')
  world.names.set('script.example', web.addresses)
  const asked: string[] = []
  world.web.serve(origin, web, ({ query }) => {
    const piece = Number(/(?:^|&)piece=(\d+)/.exec(query)?.[1])
    const [, from, to] = /ranges=(\d+)-(\d+)/.exec(query) ?? ['', '0', String(torrent.pieceLength)]
    asked.push(query)
    const body = torrent.piece(piece).subarray(Number(from), Number(to) + 1)
    return { status: 200, headers: { 'content-length': String(body.length) }, body }
  })
  const leech = new SimClient(world, 'leech', torrent, { add: { httpSeeds: [`${origin}/seed`] } })
  world.runUntil(() => leech.torrent.getPeerInfo()[0]?.totalDownload > 0, { minutes: 1 })
  expect(leech.torrent.getPeerInfo()[0].connectionType).toBe(ConnectionType.httpSeed)
  world.runUntil(() => leech.torrent.isSeed, { minutes: 1 })
  expect(torrent.isOn(world.filesOf(leech.host), SAVE)).toBe(true)
  expect(asked.every((query) => query.startsWith('info_hash='))).toBe(true)
})

scenario('a peer that shares pieces with a web seed of wrong bytes is not banned for it', (world) => {
  const torrent = new TestTorrent({ size: 2_000_000, pieceLength: 128 * 1024, webSeeds: [URL_SEED] })
  const wrong = new TestTorrent({ size: 2_000_000, pieceLength: 128 * 1024, seed: 99 })
  new FileServer(world, world.host('web', { up: 200_000 }), wrong, ORIGIN)
  const seed = seedOf(world, torrent, { up: 200_000 })
  const leech = new SimClient(world, 'leech', torrent, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => leech.torrent.isSeed, { minutes: 5 })
  expect(leech.alerts('peerBan')).toEqual([])
  expect(torrent.isOn(world.filesOf(leech.host), SAVE)).toBe(true)
})

scenario('at the end a fast web seed does not wait for a slow peer, nor a fast peer for a slow web seed', (world) => {
  for (const [web, peer] of [
    [1_000_000, 2000],
    [2000, 1_000_000],
  ]) {
    const origin = `http://web${web}.example`
    const torrent = new TestTorrent({ size: 1_000_000, seed: web, webSeeds: [`${origin}/pub/`] })
    new FileServer(world, world.host(`web${web}`, { up: web }), torrent, origin)
    const seed = new SimClient(world, `seed${web}`, torrent, { has: 'all', up: peer })
    world.runUntil(() => seed.torrent.isSeed, { minutes: 1 })
    const leech = new SimClient(world, `leech${web}`, torrent, { add: { peers: [seed.endpoint] } })
    world.runUntil(() => leech.torrent.isSeed, { seconds: 60 })
  }
})
