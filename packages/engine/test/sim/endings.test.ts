import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { RemoveFlags } from '../../src/api/session.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024

scenario(
  'sessions ended in the middle of a swarm leave nothing',
  async (world) => {
    const tracker = world.tracker('http://tracker.example/announce')
    const content = new TestTorrent({ size: 40 * PIECE, trackers: [tracker.url] })
    seedOf(world, content, { up: 300_000 })
    const disk = { bytesPerSecond: 1_000_000 }
    const clients = Array.from(
      { length: 4 },
      (_, i) => new SimClient(world, `client${i}`, content, { up: 200_000, disk, magnet: i % 2 === 0 }),
    )
    world.run(world.random.below(6000))
    for (const client of clients) {
      world.run(world.random.below(500))
      await world.settle(client.session.abort(), { seconds: 15 })
      expect(world.programOn(client.host).leftovers()).toEqual([])
    }
  },
  { seeds: 10 },
)

scenario(
  'a session ended at the moment something is asked of it answers all the same',
  async (world) => {
    const content = new TestTorrent({ size: 20 * PIECE })
    const seed = seedOf(world, content, { up: 300_000 })
    const client = new SimClient(world, 'client', content, {
      disk: { bytesPerSecond: 500_000 },
      add: { peers: [seed.endpoint] },
    })
    world.run(500 + world.random.below(2000))
    const { torrent, session } = client
    const settled = [
      torrent.readPiece(0),
      torrent.saveResumeData(),
      torrent.renameFile(0, 'renamed'),
      torrent.moveStorage('/elsewhere'),
      torrent.flushCache(),
      session.removeTorrent(torrent, world.random.chance(0.3) ? RemoveFlags.deleteFiles : 0),
    ].map((promise) => promise.catch(() => null))
    world.run(world.random.below(50))
    const ended = session.abort()
    await world.settle(Promise.all(settled), { minutes: 1 })
    await world.settle(ended, { minutes: 1 })
    expect(world.programOn(client.host).leftovers()).toEqual([])
    expect(() => session.addTorrent({ ti: content.info(), savePath: SAVE })).toThrow()
  },
  { seeds: 8 },
)

type MagnetMoment = (client: SimClient) => unknown

const METADATA_MOMENTS: Readonly<Record<string, MagnetMoment>> = {
  removed: (client) => client.session.removeTorrent(client.torrent),
  'removed with its files': (client) => client.session.removeTorrent(client.torrent, RemoveFlags.deleteFiles),
  ended: (client) => client.session.abort(),
  paused: (client) => client.torrent.pause(),
  rechecked: (client) => client.torrent.forceRecheck(),
  'paused and rechecked': (client) => {
    client.torrent.pause()
    client.torrent.forceRecheck()
  },
  saved: (client) => client.torrent.saveResumeData(),
  moved: (client) => client.torrent.moveStorage('/elsewhere'),
  prioritized: (client) => client.torrent.prioritizeFiles([7]),
}

for (const [what, act] of Object.entries(METADATA_MOMENTS)) {
  scenario(
    `a torrent ${what} at the moment its metadata arrives`,
    async (world) => {
      const content = new TestTorrent({ size: 10 * PIECE })
      const seed = seedOf(world, content)
      // Half of them find files there that are to be checked.
      const has = world.seed % 2 === 0 ? (piece: number) => piece < 3 : 'none'
      const client = new SimClient(world, 'client', content, { has, magnet: true, add: { peers: [seed.endpoint] } })
      world.runUntil(() => client.torrent.hasMetadata, { minutes: 1 })
      world.run(world.random.below(3))
      await world.settle(Promise.resolve(act(client)), { minutes: 1 })
      if (!client.torrent.isValid) return
      client.torrent.resume()
      world.run({ seconds: 1 })
      client.torrent.connectPeer(seed.endpoint)
      world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
      expect(content.isOn(world.filesOf(client.host), client.torrent.savePath)).toBe(true)
    },
    { seeds: 4 },
  )
}
