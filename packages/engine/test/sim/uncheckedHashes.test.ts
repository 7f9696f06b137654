import { expect } from 'vitest'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { readResumeData } from '../../src/resume/readResumeData.ts'
import { writeResumeData } from '../../src/resume/writeResumeData.ts'
import { Bitfield } from '../../src/util/bitfield.ts'
import { equalBytes } from '../../src/util/bytes.ts'
import { type ClientOptions, SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024
const settings = { disableHashChecks: true }

/** A client that checks no hashes, on a disk that cannot be read: nothing can be hashed on it. */
function unreadable(world: SimWorld, content: TestTorrent, options: ClientOptions = {}): SimClient {
  const host = world.host('client', { disk: options.disk })
  if (options.has === 'all') content.putOn(world.filesOf(host), SAVE)
  world.filesOf(host).fail({ operation: 'read' })
  return new SimClient(world, host, content, { ...options, has: 'none', settings })
}

scenario('without hash checks a download reads nothing back, and claims no block before it is on disk', (world) => {
  const content = new TestTorrent({ size: 20 * PIECE, pieceLength: 4 * PIECE })
  const seed = seedOf(world, content)
  const client = unreadable(world, content, {
    disk: { bytesPerSecond: 200_000 },
    add: { peers: [seed.endpoint] },
  })
  while (!client.torrent.isSeed && world.time.elapsed < 60_000) {
    world.run({ ms: 50 })
    const written = world.filesOf(client.host).readFile(`${SAVE}/content`) ?? new Uint8Array()
    for (let piece = 0; piece < content.pieceCount; piece++) {
      if (!client.torrent.havePiece(piece)) continue
      const start = piece * content.pieceLength
      expect(equalBytes(written.subarray(start, start + content.pieceLength), content.piece(piece))).toBe(true)
    }
  }
  expect(client.torrent.isSeed).toBe(true)
  expect(client.alerts('pieceFinished')).toHaveLength(5)
  expect(client.alerts('torrentFinished')).toHaveLength(1)
  expect(client.torrent.status().error).toBe(null)
})

scenario('without hash checks files are believed that are long enough', (world) => {
  const content = new TestTorrent({
    files: [
      { path: 'there', size: 10 * PIECE },
      { path: 'short', size: 10 * PIECE },
    ],
  })
  const host = world.host('client')
  content.putOn(world.filesOf(host), SAVE)
  world.filesOf(host).corrupt(`${SAVE}/content/there`, 5 * PIECE, 1)
  world.filesOf(host).cut(`${SAVE}/content/short`, 4 * PIECE)
  world.filesOf(host).fail({ operation: 'read' })
  const client = new SimClient(world, host, content, { settings })
  world.runUntil(() => client.alerts('torrentChecked').length > 0, { seconds: 10 })
  expect(client.torrent.status()).toMatchObject({ state: 'downloading', numPieces: 14, error: null })
})

scenario('without hash checks a piece that resume data completes is believed', async (world) => {
  const content = new TestTorrent({ size: 3 * PIECE })
  const host = world.host('client')
  content.putOn(world.filesOf(host), SAVE)
  const first = new SimClient(world, host, content)
  world.runUntil(() => first.torrent.isSeed, { seconds: 10 })
  const state = readResumeData(await world.settle(first.torrent.saveResumeData()))
  if (state instanceof LibtorrentError) throw state
  await world.settle(first.session.abort())
  const blocks = new Bitfield(2, true)
  const unfinished = [0, 1, 2].map((piece) => ({ piece, blocks }))
  const resumeData = writeResumeData({ ...state, have: new Bitfield(3), unfinished })
  world.filesOf(host).fail({ operation: 'read' })
  const second = new SimClient(world, host, content, { settings, add: { resumeData } })
  world.runUntil(() => second.torrent.isSeed, { seconds: 10 })
  expect(second.alerts('torrentChecked')).toHaveLength(1)
  expect(second.alerts('torrentFinished')).toHaveLength(1)
})

scenario('without hash checks seed mode verifies nothing before it uploads', (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const seed = new SimClient(world, 'seed', content, { has: 'all', settings, add: { seedMode: true } })
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(seed.torrent.status().seedMode).toBe(true)
  expect(seed.torrent.status().verifiedPieces?.count).toBe(0)
})

scenario('hash checks switched off and on in the middle of a download leave no piece behind', async (world) => {
  const content = new TestTorrent({ size: 40 * PIECE })
  const seed = seedOf(world, content, { up: 200_000 })
  const client = new SimClient(world, 'client', content, {
    disk: { bytesPerSecond: 300_000 },
    add: { peers: [seed.endpoint] },
  })
  for (let i = 0; i < 30; i++) {
    world.run(20 + world.random.below(200))
    await world.settle(client.session.applySettings({ disableHashChecks: i % 2 === 0 }))
  }
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
})
