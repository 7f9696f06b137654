import { expect } from 'vitest'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { emptyResumeState } from '../../src/resume/resumeState.ts'
import { writeResumeData } from '../../src/resume/writeResumeData.ts'
import { BandwidthMixedAlgo, ChokingAlgorithm } from '../../src/settings/settingEnums.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { BwState } from '../../src/torrent/peerInfo.ts'
import { type ClientOptions, SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'
import { FileServer } from './webServer.ts'

const KB = 1000
const content = new TestTorrent({ size: 8_000_000, pieceLength: 64 * 1024 })

function seeds(world: SimWorld, count: number, options: ClientOptions = {}, of = content): SimClient[] {
  const found = Array.from(
    { length: count },
    (_, i) => new SimClient(world, `seed${i}`, of, { has: 'all', ...options }),
  )
  world.runUntil(() => found.every(({ torrent }) => torrent.isSeed), { minutes: 1 })
  return found
}

function leeches(world: SimWorld, count: number, seed: SimClient, options: ClientOptions = {}, of = content) {
  return Array.from(
    { length: count },
    (_, i) => new SimClient(world, `leech${i}`, of, { ...options, add: { peers: [seed.endpoint], ...options.add } }),
  )
}

/** Payload that a client receives, or sends, in the next `seconds`, bytes a second. */
function rateOf(world: SimWorld, client: SimClient, direction: 'download' | 'upload', seconds: number): number {
  const total = () => {
    const { totalPayloadDownload, totalPayloadUpload } = client.session.status()
    return direction === 'download' ? totalPayloadDownload : totalPayloadUpload
  }
  // What is counted is complete once a second.
  const before = total()
  world.run({ seconds })
  return (total() - before) / seconds
}

/** Within 10 % of `limit`; headers, which count, are part of that. */
function expectNear(rate: number, limit: number): void {
  expect(rate).toBeGreaterThan(limit * 0.9)
  expect(rate).toBeLessThan(limit * 1.05)
}

function troubles(client: SimClient): string[] {
  return [
    ...client.alerts('peerSnubbed').map(() => 'snubbed'),
    ...client.alerts('blockTimeout').map(() => 'timeout'),
    ...client.endCodes.filter((code) => code.startsWith('timedOut')),
  ]
}

scenario('the download limit of a session holds over all its peers, who get equal shares', (world) => {
  const all = seeds(world, 4)
  const peers = all.map(({ endpoint }) => endpoint)
  const leech = new SimClient(world, 'leech', content, { settings: { downloadRateLimit: 200 * KB }, add: { peers } })
  world.run({ seconds: 5 })
  expectNear(rateOf(world, leech, 'download', 20), 200 * KB)
  for (const { payloadDownSpeed } of leech.torrent.getPeerInfo()) {
    expect(Math.abs(payloadDownSpeed - 50 * KB)).toBeLessThan(15 * KB)
  }
  expect(leech.session.status().downBandwidthQueue).toBeGreaterThan(0)
})

scenario('the upload limit of a session holds over all its peers, who get equal shares', (world) => {
  const seed = seedOf(world, content, { settings: { uploadRateLimit: 100 * KB } })
  leeches(world, 4, seed)
  world.run({ seconds: 10 })
  expectNear(rateOf(world, seed, 'upload', 30), 100 * KB)
  for (const { totalUpload } of seed.torrent.getPeerInfo()) {
    expect(Math.abs(totalUpload / 40 - 25 * KB)).toBeLessThan(3 * KB)
  }
  expect(seed.torrent.getPeerInfo().filter(({ writeState }) => writeState === BwState.limit).length).toBeGreaterThan(1)
  expect(seed.session.status().upBandwidthBytesQueue).toBeGreaterThan(0)
})

scenario('who begins slowly has its equal share of a high limit after a few seconds', (world) => {
  const large = new TestTorrent({ size: 30_000_000, pieceLength: 256 * 1024 })
  const seed = seedOf(world, large, { settings: { uploadRateLimit: 1000 * KB } })
  leeches(world, 4, seed, { add: { disablePex: true } }, large)
  world.run({ seconds: 5 })
  const before = seed.torrent.getPeerInfo().map(({ totalUpload }) => totalUpload)
  world.run({ seconds: 10 })
  const rates = seed.torrent.getPeerInfo().map(({ totalUpload }, i) => (totalUpload - before[i]) / 10)
  for (const rate of rates) expect(Math.abs(rate - 250 * KB)).toBeLessThan(40 * KB)
})

scenario('a torrent and a peer have limits of their own, in both directions', (world) => {
  const [first, second] = seeds(world, 2)
  const peers = [first.endpoint, second.endpoint]
  const leech = new SimClient(world, 'leech', content, { add: { peers, downloadLimit: 100 * KB } })
  world.run({ seconds: 5 })
  expect([leech.torrent.downloadLimit, leech.torrent.uploadLimit]).toEqual([100 * KB, -1])
  expectNear(rateOf(world, leech, 'download', 10), 100 * KB)
  expect(leech.torrent.status().downBandwidthQueue).toBeGreaterThan(0)
  leech.torrent.setPeerDownloadLimit(first.endpoint, 20 * KB)
  expect(leech.torrent.getPeerDownloadLimit(first.endpoint)).toBe(20 * KB)
  world.run({ seconds: 3 })
  const before = first.session.status().totalPayloadUpload
  expectNear(rateOf(world, leech, 'download', 10), 100 * KB)
  expect((first.session.status().totalPayloadUpload - before) / 10).toBeLessThan(24 * KB)
  leech.torrent.setDownloadLimit(-1)
  leech.torrent.setPeerDownloadLimit(first.endpoint, 0)
  first.torrent.setUploadLimit(30 * KB)
  // Whom they serve knows the leech by the port it came from.
  second.torrent.setPeerUploadLimit(second.torrent.getPeerInfo()[0].ip, 10 * KB)
  expect(second.torrent.getPeerInfo()[0].uploadLimit).toBe(10 * KB)
  world.run({ seconds: 6 })
  expectNear(rateOf(world, leech, 'download', 20), 40 * KB)
})

scenario('limits that change while bytes flow hold from then on', (world) => {
  const seed = seedOf(world, content)
  const [leech] = leeches(world, 1, seed, { settings: { downloadRateLimit: 20 * KB } })
  world.run({ seconds: 5 })
  expectNear(rateOf(world, leech, 'download', 10), 20 * KB)
  leech.session.setDownloadRateLimit(200 * KB)
  world.run({ seconds: 3 })
  expectNear(rateOf(world, leech, 'download', 10), 200 * KB)
  leech.session.setDownloadRateLimit(0)
  seed.session.setUploadRateLimit(50 * KB)
  world.run({ seconds: 3 })
  expectNear(rateOf(world, leech, 'download', 10), 50 * KB)
  seed.session.setUploadRateLimit(-1)
  world.runUntil(() => leech.torrent.isSeed, { seconds: 20 })
  expect([leech.session.downloadRateLimit, seed.session.uploadRateLimit]).toEqual([0, 0])
})

scenario('20 kB/s are 20 kB/s in every stretch of a few seconds', (world) => {
  const seed = seedOf(world, content)
  const [leech] = leeches(world, 1, seed, { settings: { downloadRateLimit: 20 * KB } })
  world.run({ seconds: 8 })
  // A block more or less.
  for (let i = 0; i < 10; i++) expect(Math.abs(rateOf(world, leech, 'download', 4) - 20 * KB)).toBeLessThan(3 * KB)
})

scenario(
  "what a download limit holds back is asked for evenly: the seed never sends many seconds' worth at once",
  (world) => {
    const large = new TestTorrent({ size: 8_000_000, pieceLength: 256 * 1024 })
    const seed = seedOf(world, large)
    for (const limit of [20 * KB, 100 * KB]) {
      const settings = { downloadRateLimit: limit }
      const leech = new SimClient(world, `leech${limit}`, large, { settings, add: { peers: [seed.endpoint] } })
      world.run({ seconds: 3 })
      let most = 0
      for (let i = 0; i < 200; i++) {
        world.run({ seconds: 0.1 })
        most = Math.max(most, leech.torrent.getPeerInfo()[0].downloadQueueLength)
      }
      // Three seconds' worth, `request_queue_time`, and what is left of the first burst.
      expect(most * 16_384).toBeLessThan(limit * 5)
      expectNear(rateOf(world, leech, 'download', 10), limit)
      leech.torrent.pause()
    }
  },
)

scenario('a download slowed by our own limit blames nobody, and completes', (world) => {
  const small = new TestTorrent({ size: 300_000, pieceLength: 32 * 1024 })
  const all = seeds(world, 3, {}, small)
  const peers = all.map(({ endpoint }) => endpoint)
  // With less our requests would be so far apart that the seeds, with reason, take the slots back.
  const leech = new SimClient(world, 'leech', small, { settings: { downloadRateLimit: 2 * KB }, add: { peers } })
  world.run({ seconds: 10 })
  const began = world.time.elapsed
  expect(leech.numPeers).toBe(3)
  world.runUntil(() => leech.torrent.status().progress >= 0.7, { minutes: 10 })
  expect([leech.numPeers, troubles(leech)]).toEqual([3, []])
  world.runUntil(() => leech.torrent.isSeed, { minutes: 5 })
  expect((world.time.elapsed - began) / 1000).toBeGreaterThan(130)
  expect(small.isOn(world.filesOf(leech.host), SAVE)).toBe(true)
  expect(leech.torrent.status().totalRedundantBytes).toBeLessThan(40_000)
})

scenario('1 kB/s up is enough to give somebody a whole torrent', (world) => {
  const small = new TestTorrent({ size: 100_000, pieceLength: 32 * 1024 })
  const seed = seedOf(world, small, { settings: { uploadRateLimit: 1 * KB } })
  const [leech] = leeches(world, 1, seed, {}, small)
  world.runUntil(() => leech.torrent.isSeed, { minutes: 5 })
  expect(world.time.elapsed).toBeGreaterThan(95_000)
  expect(troubles(leech).filter((code) => code !== 'timeout')).toEqual([])
})

scenario('a limit that no line reaches costs no time', (world) => {
  const seed = seedOf(world, content, { up: 2_000_000, settings: { uploadRateLimit: 10_000_000_000 } })
  const began = world.time.elapsed
  const [leech] = leeches(world, 1, seed, { settings: { downloadRateLimit: 10_000_000_000 } })
  world.runUntil(() => leech.torrent.isSeed, { seconds: 20 })
  expect(world.time.elapsed - began).toBeLessThan(6500)
})

scenario('the metadata a seed gives away is held to its upload limit, beside blocks, and arrives', (world) => {
  // Its info section is about 90 kB.
  const many = new TestTorrent({ size: 4500 * 16, pieceLength: 16, name: 'many' })
  const seed = seedOf(world, content, { settings: { uploadRateLimit: 20 * KB } })
  const [leech] = leeches(world, 1, seed)
  const second = seed.session.addTorrent({ ti: many.info(), savePath: SAVE, autoManaged: false })
  world.run({ seconds: 10 })
  const began = world.time.elapsed
  const magnets = [0, 1].map(
    (i) => new SimClient(world, `magnet${i}`, many, { magnet: true, add: { disablePex: true } }),
  )
  const before = leech.torrent.status().totalPayloadDownload
  for (const magnet of magnets) magnet.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => magnets.every(({ torrent }) => torrent.hasMetadata), { minutes: 2 })
  const seconds = (world.time.elapsed - began) / 1000
  const blocks = leech.torrent.status().totalPayloadDownload - before
  expect((2 * many.infoSection.length + blocks) / seconds).toBeLessThan(20 * KB * 1.1)
  // Three who want equally much.
  expect(blocks / seconds).toBeGreaterThan(5 * KB)
  expect(magnets.map(({ torrent }) => torrent.status().totalFailedBytes)).toEqual([0, 0])
  expect(second.status().numPeers).toBe(2)
})

scenario('who may hardly upload still downloads as fast as the line: requests do not wait', (world) => {
  const seed = seedOf(world, content, { up: 1_000_000 })
  const settings = { uploadRateLimit: 1 * KB, rateLimitIpOverhead: false }
  const began = world.time.elapsed
  const [leech] = leeches(world, 1, seed, { settings })
  world.runUntil(() => leech.torrent.isSeed, { seconds: 30 })
  expect(world.time.elapsed - began).toBeLessThan(12_000)
})

scenario('an upload limit below what acknowledgements take is warned of', (world) => {
  const seed = seedOf(world, content, { up: 1_000_000 })
  const [leech] = leeches(world, 1, seed, { settings: { uploadRateLimit: 5 * KB } })
  world.run({ seconds: 7 })
  const warnings = leech.alerts('performance').map(({ warningCode }) => warningCode)
  expect(warnings).toContain('uploadLimitTooLow')
})

scenario('headers count as long as the setting says so', (world) => {
  const seed = seedOf(world, content)
  const [leech] = leeches(world, 1, seed, { settings: { downloadRateLimit: 100 * KB } })
  world.run({ seconds: 8 })
  const counted = rateOf(world, leech, 'download', 20)
  leech.session.applySettings({ rateLimitIpOverhead: false })
  world.run({ seconds: 3 })
  const uncounted = rateOf(world, leech, 'download', 20)
  // 40 bytes of 1,500.
  expect(counted / uncounted).toBeGreaterThan(0.96)
  expect(counted / uncounted).toBeLessThan(0.985)
})

scenario('peers of the local network are exempt, unless they have limits of their own or are not to be', (world) => {
  const seed = seedOf(world, content, { address: '192.168.7.1' })
  const settings = { downloadRateLimit: 10 * KB }
  const local = { settings, address: '192.168.7.2' }
  const [leech] = leeches(world, 1, seed, { ...local, add: { downloadLimit: 10 * KB } })
  leech.session.setLocalDownloadRateLimit(300 * KB)
  world.run({ seconds: 4 })
  expectNear(rateOf(world, leech, 'download', 8), 300 * KB)
  seed.session.setLocalUploadRateLimit(100 * KB)
  // What the systems had taken already arrives first.
  world.run({ seconds: 10 })
  expectNear(rateOf(world, leech, 'download', 8), 100 * KB)
  leech.session.applySettings({ ignoreLimitsOnLocalNetwork: false })
  world.run({ seconds: 3 })
  expectNear(rateOf(world, leech, 'download', 10), 10 * KB)
  expect([leech.session.localDownloadRateLimit, seed.session.localUploadRateLimit]).toEqual([300 * KB, 100 * KB])
})

scenario('peers of the local network need no upload slot', (world) => {
  const settings = { unchokeSlotsLimit: 1 }
  const seed = seedOf(world, content, { address: '192.168.7.1', settings, up: 100 * KB })
  const all = Array.from({ length: 4 }, (_, i) => {
    const add = { peers: [seed.endpoint] }
    return new SimClient(world, `local${i}`, content, { address: `192.168.7.1${i}`, add })
  })
  world.run({ seconds: 3 })
  expect(all.map(({ torrent }) => torrent.status().totalPayloadDownload > 0)).toEqual([true, true, true, true])
  expect(seed.session.numUploads).toBe(4)
  seed.session.applySettings({ ignoreLimitsOnLocalNetwork: false })
  world.run({ seconds: 31 })
  expect(seed.session.numUploads).toBe(1)
  seed.session.applySettings({ ignoreLimitsOnLocalNetwork: true })
  world.run({ seconds: 31 })
  expect(seed.session.numUploads).toBe(4)
})

scenario('a web seed is held to the limits of session and torrent', (world) => {
  const torrent = new TestTorrent({ size: 8_000_000, webSeeds: ['http://web.example/pub/'] })
  new FileServer(world, world.host('web'), torrent, 'http://web.example')
  const leech = new SimClient(world, 'leech', torrent, { settings: { downloadRateLimit: 100 * KB } })
  world.run({ seconds: 5 })
  expectNear(rateOf(world, leech, 'download', 15), 100 * KB)
  expect(leech.torrent.getPeerInfo()[0].readState).toBe(BwState.limit)
  leech.torrent.setDownloadLimit(30 * KB)
  world.run({ seconds: 3 })
  expectNear(rateOf(world, leech, 'download', 15), 30 * KB)
  leech.torrent.setDownloadLimit(0)
  leech.session.setDownloadRateLimit(0)
  world.runUntil(() => leech.torrent.isSeed, { minutes: 1 })
  expect(leech.alerts('urlSeed')).toEqual([])
})

scenario('a web seed and peers share a limit', (world) => {
  const torrent = new TestTorrent({ size: 8_000_000, webSeeds: ['http://web.example/pub/'] })
  const server = new FileServer(world, world.host('web'), torrent, 'http://web.example')
  const [seed] = seeds(world, 1, {}, torrent)
  const settings = { downloadRateLimit: 100 * KB }
  const leech = new SimClient(world, 'leech', torrent, { settings, add: { peers: [seed.endpoint] } })
  world.run({ seconds: 5 })
  expectNear(rateOf(world, leech, 'download', 20), 100 * KB)
  expect(seed.session.status().totalPayloadUpload).toBeGreaterThan(25 * 30 * KB)
  expect(server.requests.length).toBeGreaterThan(0)
})

const UTP: Partial<Settings> = { enableOutgoingUtp: true, enableIncomingUtp: true }
const ONLY_UTP: Partial<Settings> = { ...UTP, enableOutgoingTcp: false, enableIncomingTcp: false }

scenario('uTP peers are limited like others, or not at all if the setting says so', (world) => {
  const seed = seedOf(world, content, { settings: ONLY_UTP, up: 400 * KB })
  const [leech] = leeches(world, 1, seed, { settings: { ...ONLY_UTP, downloadRateLimit: 60 * KB } })
  world.run({ seconds: 5 })
  expectNear(rateOf(world, leech, 'download', 15), 60 * KB)
  leech.session.applySettings({ rateLimitUtp: false })
  world.run({ seconds: 5 })
  expect(rateOf(world, leech, 'download', 5)).toBeGreaterThan(200 * KB)
  seed.torrent.setUploadLimit(50 * KB)
  world.run({ seconds: 5 })
  expectNear(rateOf(world, leech, 'download', 15), 50 * KB)
})

function mixedShares(world: SimWorld, mixedModeAlgorithm: BandwidthMixedAlgo): { tcp: number; utp: number } {
  const big = new TestTorrent({ size: 30_000_000, pieceLength: 256 * 1024 })
  const settings = { ...UTP, mixedModeAlgorithm, unchokeSlotsLimit: -1 }
  const seed = seedOf(world, big, { settings, up: 300 * KB, queueBytes: 64 * 1024 })
  const add = { peers: [seed.endpoint] }
  const utp = Array.from({ length: 9 }, (_, i) => new SimClient(world, `utp${i}`, big, { settings: ONLY_UTP, add }))
  const tcp = new SimClient(world, 'tcp', big, { add })
  world.run({ seconds: 20 })
  const sum = () => utp.reduce((bytes, { torrent }) => bytes + torrent.status().totalPayloadDownload, 0)
  const before = { tcp: tcp.torrent.status().totalPayloadDownload, utp: sum() }
  world.run({ seconds: 30 })
  return { tcp: tcp.torrent.status().totalPayloadDownload - before.tcp, utp: sum() - before.utp }
}

scenario(
  'mixed mode: beside nine uTP peers one TCP peer is held to its part, or takes what it can get',
  (world) => {
    const { tcp, utp } = mixedShares(world, BandwidthMixedAlgo.peerProportional)
    expect(tcp / (tcp + utp)).toBeLessThan(0.5)
    expect(utp + tcp).toBeGreaterThan(30 * 200 * KB)
  },
  { seeds: 1 },
)

scenario(
  'mixed mode: where TCP is preferred it leaves uTP what it does not want',
  (world) => {
    const { tcp, utp } = mixedShares(world, BandwidthMixedAlgo.preferTcp)
    expect(tcp / (tcp + utp)).toBeGreaterThan(0.6)
  },
  { seeds: 1 },
)

scenario('a torrent with a higher priority gets more of what the session may have', (world) => {
  const other = new TestTorrent({ size: 8_000_000, pieceLength: 64 * 1024, name: 'other' })
  const [first] = seeds(world, 1)
  const second = new SimClient(world, 'second', other, { has: 'all' })
  world.runUntil(() => second.torrent.isSeed, { minutes: 1 })
  const settings = { downloadRateLimit: 100 * KB }
  const leech = new SimClient(world, 'leech', content, { settings, add: { peers: [first.endpoint] } })
  const ti = other.info()
  const favoured = leech.session.addTorrent({ ti, savePath: SAVE, autoManaged: false, peers: [second.endpoint] })
  favoured.setPriority(3)
  expect(favoured.status().priority).toBe(3)
  world.run({ seconds: 5 })
  expectNear(rateOf(world, leech, 'download', 30), 100 * KB)
  const [more, less] = [favoured, leech.torrent].map((torrent) => torrent.status().totalPayloadDownload)
  expect(more / less).toBeGreaterThan(3)
  expect(more / less).toBeLessThan(5)
})

scenario('with a ratio nobody gets much more than he gives, until we have everything', (world) => {
  const client = new SimClient(world, 'client', content, { has: (piece) => piece < 100 })
  client.torrent.setRatio(1)
  world.run({ seconds: 2 })
  const [leech] = leeches(world, 1, client)
  world.run({ seconds: 60 })
  // Its credit, and next to nothing after that.
  expect(leech.torrent.status().totalPayloadDownload).toBeLessThan(250_000)
  const [seed] = seeds(world, 1)
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => leech.torrent.isSeed, { minutes: 2 })
})

scenario('limits and priority are remembered in resume data', async (world) => {
  const add = { uploadLimit: 12_345, downloadLimit: 54_321 }
  const client = new SimClient(world, 'client', content, { add })
  client.torrent.setPriority(7)
  world.run({ seconds: 2 })
  const resumeData = await world.settle(client.torrent.saveResumeData())
  await world.settle(client.session.abort())
  const again = new SimClient(world, client.host, content, { add: { resumeData } })
  world.run({ seconds: 2 })
  const { torrent } = again
  expect([torrent.uploadLimit, torrent.downloadLimit, torrent.status().priority]).toEqual([12_345, 54_321, 7])
  await world.settle(again.session.abort())
  const third = new SimClient(world, client.host, content, { add: { resumeData, uploadLimit: -1 } })
  expect([third.torrent.uploadLimit, third.torrent.downloadLimit]).toEqual([-1, 54_321])
})

scenario('resume data of a stranger asks for no priority there is not', (world) => {
  for (const [priority, kept] of [
    [-1, 0],
    [100_000, 255],
  ]) {
    const state = { ...emptyResumeState(content.infoHash), priority, uploadRateLimit: -7 }
    const client = new SimClient(world, `client${kept}`, content, { add: { resumeData: writeResumeData(state) } })
    expect([client.torrent.status().priority, client.torrent.uploadLimit]).toEqual([kept, -1])
  }
})

scenario('wrong limits are refused with a reason', (world) => {
  const { torrent, session } = new SimClient(world, 'client', content)
  for (const limit of [-2, 1.5, Number.NaN]) {
    expect(() => torrent.setUploadLimit(limit)).toThrow('a limit is a whole number of bytes a second, or -1 for none')
    expect(() => session.setDownloadRateLimit(limit)).toThrow('setting downloadRateLimit is')
  }
  for (const ratio of [0.5, -1, Number.NaN]) expect(() => torrent.setRatio(ratio)).toThrow('a ratio is 0 for none')
  for (const priority of [-1, 256, 0.5]) expect(() => torrent.setPriority(priority)).toThrow('from 0 to 255')
  // Nobody is there.
  torrent.setPeerUploadLimit({ address: '1.2.3.4', port: 5 }, 1000)
  expect(torrent.getPeerUploadLimit({ address: '1.2.3.4', port: 5 })).toBe(-1)
})

scenario('slots are added while the upload limit is not reached, and taken back when it is', (world) => {
  const chokingAlgorithm = ChokingAlgorithm.autoExpandChoker
  const settings = { chokingAlgorithm, unchokeSlotsLimit: 2, uploadRateLimit: 200 * KB, allowedFastSetSize: 0 }
  // What the systems take is little, so that the rates are those of the lines.
  const line = { socketBuffer: 16 * KB, queueBytes: 16 * KB }
  // Nobody hears of the others: all of them need the seed.
  const seed = seedOf(world, content, { settings, ...line, add: { disablePex: true } })
  leeches(world, 8, seed, { down: 20 * KB, ...line })
  world.run({ seconds: 25 })
  expect(seed.session.status().allowedUploadSlots).toBeGreaterThan(6)
  expect(seed.session.numUploads).toBe(8)
  seed.session.setUploadRateLimit(30 * KB)
  world.run({ seconds: 60 })
  expect(seed.session.numUploads).toBeLessThan(5)
  expectNear(rateOf(world, seed, 'upload', 20), 30 * KB)
})
