import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { PauseFlags } from '../../src/api/torrentHandle.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { BLOCK_SIZE_BYTES } from '../../src/util/flavored.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024
const HUGE = 0x7fff_ffff

for (const address of [undefined, ['2001:db8::1', '2001:db8::2']]) {
  scenario(`over ${address ? 'IPv6' : 'IPv4'}, a downloader connected by hand becomes a seed`, (world) => {
    const content = new TestTorrent({ size: 20 * PIECE + 777 })
    const seed = seedOf(world, content, { address: address?.[0] })
    const client = new SimClient(world, 'client', content, { address: address?.[1] })
    world.run({ seconds: 1 })
    client.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => client.torrent.isSeed, { seconds: 80 })
    expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    expect(client.alerts('torrentFinished')).toHaveLength(1)
    expect(client.alerts('stateChanged').map((alert) => alert.state)).toEqual(['downloading', 'seeding'])
    expect(client.torrent.status()).toMatchObject({ progress: 1, totalDone: content.totalSize, numPieces: 21 })
    // Totals are added up once a second.
    world.run({ seconds: 1 })
    expect(seed.torrent.status().totalPayloadUpload).toBe(content.totalSize)
  })
}

for (const { peers, pieces, share, seeds } of [
  { peers: 3, pieces: 30, share: 0.75, seeds: 3 },
  { peers: 10, pieces: 30, share: 0.4, seeds: 1 },
  // Most of what this costs are the packets of the simulator.
  { peers: 50, pieces: 15, share: 0.2, seeds: 1 },
]) {
  scenario(
    `a slow seed feeds ${peers} downloaders that help each other`,
    (world) => {
      const tracker = world.tracker('http://tracker.example/announce')
      const content = new TestTorrent({ size: pieces * PIECE, trackers: [tracker.url] })
      const seed = seedOf(world, content, { up: 100_000 })
      const clients = Array.from(
        { length: peers },
        (_, i) => new SimClient(world, `client${i}`, content, { up: 100_000, down: 1_000_000 }),
      )
      world.runUntil(() => clients.every((client) => client.torrent.isSeed), { minutes: 5 })
      for (const client of clients) expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
      expect(seed.torrent.status().totalPayloadUpload).toBeLessThan(share * peers * content.totalSize)
      for (const client of clients) expect(client.alerts('hashFailed')).toHaveLength(0)
    },
    { seeds },
  )
}

scenario('every file is reported complete once, before the torrent is', (world) => {
  const content = new TestTorrent({
    files: [
      { path: 'spanning', size: 3 * PIECE + 5 },
      { path: 'tiny', size: 10 },
      { path: 'inside', size: PIECE - 15 },
      { path: 'empty', size: 0 },
      { path: 'pad', size: PIECE, pad: true },
      { path: 'last', size: 5 * PIECE + 1 },
    ],
  })
  const seed = seedOf(world, content)
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(
    client
      .alerts('fileCompleted')
      .map((alert) => alert.index)
      .sort(),
  ).toEqual([0, 1, 2, 5])
  const last = client.secondsOf('fileCompleted').at(-1) ?? Number.NaN
  expect(last).toBeLessThanOrEqual(client.secondsOf('torrentFinished')[0])
  expect(client.torrent.fileProgress()).toEqual(content.files.map((file) => file.size))
})

// --- settings --------------------------------------------------------------------------------------------------------

const EDGE_SETTINGS: readonly Partial<Settings>[] = [
  { connectionsLimit: HUGE },
  { connectionsLimit: 2 },
  { unchokeSlotsLimit: -1 },
  { unchokeSlotsLimit: HUGE },
  { unchokeSlotsLimit: 1 },
  { sendRedundantHave: true },
  { prioritizePartialPieces: true },
  { maxOutRequestQueue: 2 },
  { maxAllowedInRequestQueue: 1 },
  { sendBufferWatermark: 1, sendBufferLowWatermark: 1 },
  { strictEndGameMode: false },
  { allowedFastSetSize: 0 },
  { wholePiecesThreshold: 0 },
  { initialPickerThreshold: 0 },
  { maxQueuedDiskBytes: 1 },
  { useParoleMode: false },
]

for (const settings of EDGE_SETTINGS) {
  scenario(
    `a transfer completes with ${JSON.stringify(settings)} on both sides`,
    (world) => {
      const content = new TestTorrent({ size: 10 * PIECE + 1 })
      const seed = seedOf(world, content, { settings })
      const client = new SimClient(world, 'client', content, { settings, add: { peers: [seed.endpoint] } })
      world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
      expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    },
    { seeds: 1 },
  )
}

scenario(
  'settings changed all the time never break a transfer',
  (world) => {
    const content = new TestTorrent({ size: 60 * PIECE })
    const seed = seedOf(world, content, { up: 200_000 })
    const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
    const random = world.random.fork('settings')
    const changes: readonly (() => Partial<Settings>)[] = [
      () => ({ connectionsLimit: [2, 10, HUGE][random.below(3)] }),
      () => ({ unchokeSlotsLimit: [-1, 0, 1, HUGE][random.below(4)] }),
      () => ({ maxOutRequestQueue: [2, 3, 500][random.below(3)] }),
      () => ({ maxQueuedDiskBytes: [1, 100_000, HUGE][random.below(3)] }),
      () => ({ strictEndGameMode: random.chance(0.5) }),
      () => ({ prioritizePartialPieces: random.chance(0.5) }),
      () => ({ sendBufferWatermark: [1, 500_000][random.below(2)] }),
      () => ({ requestQueueTime: [1, 3, 100][random.below(3)] }),
      () => ({ unchokeInterval: [1, 15][random.below(2)] }),
      () => ({ optimisticUnchokeInterval: [1, 30][random.below(2)] }),
    ]
    for (let second = 0; second < 20; second++) {
      world.run({ seconds: 1 })
      for (const session of [seed.session, client.session]) {
        void session.applySettings(changes[random.below(changes.length)]())
      }
    }
    for (const session of [seed.session, client.session]) void session.applySettings({ unchokeSlotsLimit: 4 })
    world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
    expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  },
  { seeds: 5 },
)

// --- bad peers and bad lines -----------------------------------------------------------------------------------------

scenario(
  'of the peers that share pieces the one that lies is found out and banned, and everything arrives',
  (world) => {
    const content = new TestTorrent({ size: 240 * BLOCK_SIZE_BYTES, pieceLength: 4 * BLOCK_SIZE_BYTES })
    const client = new SimClient(world, 'client', content)
    world.run({ seconds: 1 })
    const sharing = { torrent: content, has: 'all', serves: true, answerDelay: 200 } as const
    const honest = ['honest', 'another'].map((name) => world.peer(name, sharing))
    const liar = world.peer('liar', { ...sharing, corrupts: () => true })
    for (const peer of [...honest, liar]) client.torrent.connectPeer(peer.listen())
    world.runUntil(() => client.torrent.isSeed, { minutes: 10 })
    expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    expect(client.alerts('peerBan').map((alert) => alert.endpoint.address)).toEqual([liar.host.address])
    const failures = client.alerts('hashFailed').length
    expect(failures).toBeGreaterThan(0)
    expect(client.torrent.status().totalFailedBytes).toBe(failures * content.pieceLength)
  },
  { seeds: 10 },
)

scenario(
  'a swarm whose cables are pulled now and then completes',
  (world) => {
    const tracker = world.tracker('http://tracker.example/announce', { interval: 60 })
    const content = new TestTorrent({ size: 60 * PIECE, trackers: [tracker.url] })
    const settings = { minReconnectTime: 2, peerTimeout: 20 }
    const seed = seedOf(world, content, { up: 150_000, settings })
    const clients = Array.from(
      { length: 3 },
      (_, i) => new SimClient(world, `client${i}`, content, { up: 100_000, settings, jitter: 30 }),
    )
    const random = world.random.fork('cables')
    for (let round = 0; round < 8; round++) {
      const { host } = [seed, ...clients][random.below(4)]
      world.run(random.below(3000))
      world.network.unplug(host)
      world.run(random.below(5000))
      world.network.plugIn(host)
    }
    world.runUntil(() => clients.every((client) => client.torrent.isSeed), { minutes: 15 })
    for (const client of clients) {
      expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
      expect(client.alerts('hashFailed')).toEqual([])
    }
  },
  { seeds: 4 },
)

// --- everything at once ----------------------------------------------------------------------------------------------

scenario(
  'a swarm in which everybody does what comes to mind completes in the end',
  (world) => {
    const tracker = world.tracker('http://tracker.example/announce', { interval: 60 })
    const content = new TestTorrent({
      files: Array.from({ length: 5 }, (_, i) => ({ path: `${i}`, size: 9 * PIECE + 100 * i })),
      trackers: [tracker.url],
    })
    const settings = { minReconnectTime: 2 }
    seedOf(world, content, { up: 150_000, settings })
    const clients = Array.from(
      { length: 5 },
      (_, i) =>
        new SimClient(world, `client${i}`, content, {
          up: 100_000,
          disk: { bytesPerSecond: 2_000_000, poolSlots: 40 },
          settings,
        }),
    )
    const random = world.random.fork('whims')
    const whims: readonly ((client: SimClient) => unknown)[] = [
      ({ torrent }) => torrent.pause(),
      ({ torrent }) => torrent.pause(PauseFlags.gracefulPause),
      ({ torrent }) => torrent.resume(),
      ({ session }) => session.pause(),
      ({ session }) => session.resume(),
      ({ torrent }) => torrent.forceRecheck(),
      ({ torrent }) => torrent.setUploadMode(random.chance(0.5)),
      ({ torrent }) => torrent.setSequentialDownload(random.chance(0.5)),
      ({ torrent }) => torrent.prioritizeFiles([0, 1, 4, 7, random.below(8)]),
      ({ torrent }) => torrent.saveResumeData(),
      ({ torrent }) => torrent.moveStorage(`/place${random.below(3)}`),
      ({ torrent }) => torrent.renameFile(random.below(5), `name${random.below(1000)}`),
      ({ torrent }) => torrent.flushCache(),
      ({ torrent }) => torrent.readPiece(random.below(content.pieceCount)),
      ({ torrent }) => {
        const piece = random.below(content.pieceCount)
        torrent.addPiece(piece, content.piece(piece))
      },
      ({ torrent }) => torrent.forceReannounce(),
      ({ torrent }) => torrent.setMaxConnections(2 + random.below(10)),
      ({ torrent }) => torrent.clearError(),
    ]
    for (let round = 0; round < 80; round++) {
      world.run(random.below(200))
      const client = clients[random.below(clients.length)]
      const doing = whims[random.below(whims.length)](client)
      if (doing instanceof Promise) doing.catch(() => {})
    }
    for (const { torrent, session } of clients) {
      session.resume()
      torrent.resume()
      torrent.setUploadMode(false)
      torrent.setMaxConnections(-1)
      torrent.prioritizeFiles([1, 1, 1, 1, 1])
    }
    world.runUntil(() => clients.every(({ torrent }) => torrent.isSeed), { minutes: 15 })
    for (const client of clients) {
      expect(client.torrent.status().error).toBe(null)
      expect(client.alerts('hashFailed')).toEqual([])
      expect(client.alerts('fileError')).toEqual([])
    }
    for (const client of clients) client.torrent.forceRecheck()
    world.runUntil(() => clients.every(({ torrent }) => torrent.isSeed), { minutes: 1 })
  },
  { seeds: 8 },
)
