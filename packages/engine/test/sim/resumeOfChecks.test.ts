import { expect } from 'vitest'
import type { SimHost } from '../../sim/simHost.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { readResumeData } from '../../src/resume/readResumeData.ts'
import { writeResumeData } from '../../src/resume/writeResumeData.ts'
import { SaveResumeFlags } from '../../src/torrent/diskOperations.ts'
import type { PieceIndex } from '../../src/util/flavored.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024
const PIECES = 640
const SLOW_DISK = { bytesPerSecond: 10_000_000 }
/** What a check of all pieces takes: two seconds. */
const CHECK_MS = (PIECES * PIECE) / 10_000
/** So many pieces are hashed at once. Resume data waits for them, and when it was saved before, they are hashed again. */
const WINDOW_MS = (256 * PIECE) / 10_000

interface Scene {
  readonly content: TestTorrent
  readonly host: SimHost
  /** The pieces that are on disk. */
  readonly good: readonly PieceIndex[]
}

/** A download on a slow disk, with some pieces damaged, and no resume data. */
function damagedDownload(world: SimWorld): Scene {
  const content = new TestTorrent({ size: PIECES * PIECE })
  const host = world.host('client', { disk: SLOW_DISK })
  content.putOn(world.filesOf(host), SAVE)
  const random = world.random.fork('damage')
  const good: PieceIndex[] = []
  for (let piece = 0; piece < PIECES; piece++) {
    if (random.chance(0.3)) world.filesOf(host).corrupt(`${SAVE}/content`, piece * PIECE + random.below(PIECE), 1)
    else good.push(piece)
  }
  // What was damaged was so long ago.
  world.run({ hours: 1 })
  return { content, host, good }
}

function isChecked(client: SimClient): boolean {
  return client.alerts('torrentChecked').length > 0
}

function claimed(client: SimClient): PieceIndex[] {
  return Array.from({ length: PIECES }, (_, piece) => piece).filter((piece) => client.torrent.havePiece(piece))
}

function statesOf(client: SimClient): string[] {
  return client.alerts('stateChanged').map((alert) => alert.state)
}

/** Runs until the check is done, and says how long that took. */
function msUntilChecked(world: SimWorld, client: SimClient): number {
  const before = world.time.elapsed
  world.runUntil(() => isChecked(client), { minutes: 1 })
  return world.time.elapsed - before
}

scenario(
  'a check killed at any moment goes on where its resume data was saved, and finds every piece and no other',
  async (world) => {
    const { content, host, good } = damagedDownload(world)
    const first = new SimClient(world, host, content)
    const ran = 100 + world.random.below(CHECK_MS - WINDOW_MS - 200)
    world.run(ran)
    const resumeData = await world.settle(first.torrent.saveResumeData(0))
    world.kill(host)
    const second = new SimClient(world, host, content, { add: { resumeData } })
    const rest = CHECK_MS - ran
    expect(Math.abs(msUntilChecked(world, second) - rest)).toBeLessThan(100)
    expect(second.alerts('fastresumeRejected')).toEqual([])
    expect(statesOf(second).slice(0, 2)).toEqual(['queuedForChecking', 'checkingFiles'])
    expect(claimed(second)).toEqual(good)
  },
  { seeds: 12 },
)

scenario(
  'a session that never lives as long as a check takes completes it all the same',
  (world) => {
    const { content, host, good } = damagedDownload(world)
    let resumeData: Uint8Array | undefined
    for (let life = 0; life < 6; life++) {
      const client = new SimClient(world, host, content, { add: { resumeData } })
      world.time.runUntil(() => isChecked(client), 600 + world.random.below(200))
      if (isChecked(client)) {
        expect(claimed(client)).toEqual(good)
        return
      }
      client.torrent.saveResumeData(0).catch(() => {})
      world.run({ ms: WINDOW_MS + 50 })
      resumeData = client.alerts('saveResumeData').at(-1)?.resumeData ?? resumeData
      world.kill(host)
    }
    expect.unreachable('the check never came to its end')
  },
  { seeds: 6 },
)

scenario('what was checked is not believed when a file was changed since', async (world) => {
  const { content, host } = damagedDownload(world)
  const first = new SimClient(world, host, content)
  world.run({ ms: 800 })
  const resumeData = await world.settle(first.torrent.saveResumeData(0))
  world.kill(host)
  world.run({ hours: 1 })
  world.filesOf(host).writeFile(`${SAVE}/content`, new Uint8Array(content.totalSize))
  const second = new SimClient(world, host, content, { add: { resumeData } })
  world.runUntil(() => isChecked(second), { minutes: 1 })
  expect(second.alerts('fastresumeRejected').map((alert) => alert.error.code)).toEqual(['mismatchingFileTimestamp'])
  expect(claimed(second)).toEqual([])
})

scenario('a forced recheck killed in its middle does not bring back what was believed before', async (world) => {
  const content = new TestTorrent({ size: PIECES * PIECE })
  const host = world.host('client', { disk: SLOW_DISK })
  content.putOn(world.filesOf(host), SAVE)
  const first = new SimClient(world, host, content)
  world.runUntil(() => first.torrent.isSeed, { minutes: 1 })
  world.filesOf(host).corrupt(`${SAVE}/content`, 2 * PIECE, 1)
  world.filesOf(host).corrupt(`${SAVE}/content`, 600 * PIECE, 1)
  first.torrent.forceRecheck()
  world.run({ seconds: 1 })
  const resumeData = await world.settle(first.torrent.saveResumeData(0))
  world.kill(host)
  const second = new SimClient(world, host, content, { add: { resumeData } })
  world.runUntil(() => isChecked(second), { minutes: 1 })
  expect(second.alerts('fastresumeRejected')).toEqual([])
  expect(claimed(second)).toHaveLength(PIECES - 2)
  expect(second.torrent.havePiece(2) || second.torrent.havePiece(600)).toBe(false)
})

scenario('resume data saved before the files were looked at says what it was given', async (world) => {
  const content = new TestTorrent({ size: PIECES * PIECE })
  const host = world.host('client', { disk: SLOW_DISK })
  content.putOn(world.filesOf(host), SAVE, (piece) => piece % 3 === 0)
  const first = new SimClient(world, host, content)
  world.runUntil(() => isChecked(first), { minutes: 1 })
  let resumeData = await world.settle(first.torrent.saveResumeData())
  await world.settle(first.session.abort())
  for (let round = 0; round < 3; round++) {
    const hasty = new SimClient(world, host, content, { add: { resumeData } })
    const saved = hasty.torrent.saveResumeData(0)
    expect(hasty.torrent.status().state).toBe('checkingResumeData')
    resumeData = await world.settle(saved)
    world.kill(host)
  }
  const last = new SimClient(world, host, content, { add: { resumeData } })
  world.runUntil(() => isChecked(last), { minutes: 1 })
  expect(statesOf(last)).toEqual(['downloading'])
  expect(claimed(last)).toEqual(Array.from({ length: 214 }, (_, i) => 3 * i))
})

scenario('nor does saving it early make believable what was not', async (world) => {
  const content = new TestTorrent({ size: PIECES * PIECE })
  const host = world.host('client')
  content.putOn(world.filesOf(host), SAVE)
  const first = new SimClient(world, host, content)
  world.runUntil(() => first.torrent.isSeed, { minutes: 1 })
  const state = readResumeData(await world.settle(first.torrent.saveResumeData()))
  if (state instanceof LibtorrentError) throw state
  await world.settle(first.session.abort())
  world.run({ hours: 1 })
  world.filesOf(host).writeFile(`${SAVE}/content`, new Uint8Array(content.totalSize))
  let resumeData = writeResumeData(state)
  const hasty = new SimClient(world, host, content, { add: { resumeData } })
  resumeData = await world.settle(hasty.torrent.saveResumeData(0))
  world.kill(host)
  const last = new SimClient(world, host, content, { add: { resumeData } })
  world.runUntil(() => isChecked(last), { minutes: 1 })
  expect(claimed(last)).toEqual([])
})

scenario('a torrent paused in the middle of its check goes on there when it is resumed', (world) => {
  const { content, host, good } = damagedDownload(world)
  const client = new SimClient(world, host, content)
  world.run({ ms: 1200 })
  const { progress } = client.torrent.status()
  client.torrent.pause()
  world.run({ seconds: 10 })
  expect(client.torrent.status()).toMatchObject({ state: 'queuedForChecking', paused: true })
  expect(client.torrent.status().progress).toBeCloseTo(progress, 2)
  client.torrent.resume()
  expect(msUntilChecked(world, client)).toBeLessThan(CHECK_MS - 1200 + 100)
  expect(claimed(client)).toEqual(good)
})

scenario('a check that goes on is something new to save, and to show', async (world) => {
  const { content, host } = damagedDownload(world)
  const client = new SimClient(world, host, content)
  world.run({ ms: 200 })
  await world.settle(client.torrent.saveResumeData(0))
  client.session.postTorrentUpdates()
  world.run({ ms: 100 })
  expect(client.torrent.needSaveResumeData).toBe(true)
  client.session.postTorrentUpdates()
  expect(client.alerts('stateUpdate').at(-1)?.status).toMatchObject([{ state: 'checkingFiles' }])
})

scenario('what resume data said of a magnet link is not forgotten while its metadata is fetched', async (world) => {
  const content = new TestTorrent({ size: PIECES * PIECE })
  const seed = seedOf(world, content)
  const host = world.host('client')
  content.putOn(world.filesOf(host), SAVE, (piece) => piece < 20)
  const first = new SimClient(world, host, content)
  world.runUntil(() => isChecked(first), { minutes: 1 })
  first.torrent.prioritizePieces(Array.from({ length: PIECES }, (_, piece) => (piece < 638 ? 4 : 0)))
  await world.settle(first.torrent.renameFile(0, 'other name'))
  let resumeData = await world.settle(first.torrent.saveResumeData())
  await world.settle(first.session.abort())
  const early = new SimClient(world, host, content, { magnet: true, add: { resumeData } })
  world.run({ seconds: 10 })
  expect(early.torrent.hasMetadata).toBe(false)
  resumeData = await world.settle(early.torrent.saveResumeData())
  await world.settle(early.session.abort())
  const last = new SimClient(world, host, content, { magnet: true, add: { resumeData } })
  last.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => isChecked(last), { minutes: 1 })
  expect(statesOf(last)).toEqual(['checkingResumeData', 'downloading'])
  expect(claimed(last)).toEqual(Array.from({ length: 20 }, (_, piece) => piece))
  expect(last.torrent.piecePriorities().filter((priority) => priority === 0)).toHaveLength(2)
  world.runUntil(() => last.torrent.isFinished, { minutes: 1 })
  expect(world.filesOf(host).paths()).toEqual([`${SAVE}/other name`])
})

scenario('saving only what has changed fails with resumeDataNotModified when nothing has', async (world) => {
  const client = seedOf(world, new TestTorrent({ size: PIECES * PIECE }))
  await world.settle(client.torrent.saveResumeData())
  const again = client.torrent.saveResumeData(SaveResumeFlags.onlyIfModified).catch((error: unknown) => error)
  expect(await world.settle(again)).toMatchObject({ code: 'resumeDataNotModified', value: 143 })
  expect(client.alerts('saveResumeDataFailed')).toHaveLength(1)
})
