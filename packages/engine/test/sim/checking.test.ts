import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { PieceIndex } from '../../src/util/flavored.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024
/** Reads a piece in about 33 ms: a check of 32 pieces takes a second. */
const SLOW_DISK = { bytesPerSecond: 1_000_000 }

function isSettled(client: SimClient): boolean {
  return client.alerts('torrentChecked').some((alert) => alert.handle.equals(client.torrent))
}

/** The pieces a client says it has. */
function claimed(client: SimClient, content: TestTorrent): PieceIndex[] {
  return allPieces(content).filter((piece) => client.torrent.havePiece(piece))
}

function allPieces(content: TestTorrent): PieceIndex[] {
  return Array.from({ length: content.pieceCount }, (_, piece) => piece)
}

scenario('a complete download without resume data is found complete', (world) => {
  const content = new TestTorrent({ size: 32 * PIECE })
  const client = new SimClient(world, 'client', content, { has: 'all', disk: SLOW_DISK })
  world.runUntil(() => isSettled(client), { seconds: 10 })
  expect(client.alerts('stateChanged').map((alert) => alert.state)).toEqual([
    'queuedForChecking',
    'checkingFiles',
    'seeding',
  ])
  expect(client.torrent.status().numPieces).toBe(32)
  // Every byte was read once: 1 MiB at 1 MB/s.
  expect(world.time.elapsed).toBeGreaterThan(1000)
  expect(world.time.elapsed).toBeLessThan(1200)
  expect(client.alerts('torrentFinished')).toHaveLength(1)
  expect(client.alerts('fileCompleted')).toHaveLength(0)
})

scenario('without resume data a torrent that is not to be rechecked downloads everything at once', (world) => {
  const content = new TestTorrent({ size: 32 * PIECE })
  const seed = seedOf(world, content)
  const client = new SimClient(world, 'client', content, {
    has: (piece) => piece < 20,
    disk: SLOW_DISK,
    settings: { noRecheckIncompleteResume: true },
  })
  world.runUntil(() => isSettled(client), { seconds: 10 })
  expect(client.alerts('stateChanged').map((alert) => alert.state)).toEqual(['downloading'])
  expect(client.torrent.status().numPieces).toBe(0)
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
  expect(client.torrent.status().totalPayloadDownload).toBe(content.totalSize)
})

scenario('a recheck that somebody asks for is done all the same', (world) => {
  const content = new TestTorrent({ size: 32 * PIECE })
  const client = new SimClient(world, 'client', content, { has: 'all', settings: { noRecheckIncompleteResume: true } })
  world.runUntil(() => isSettled(client), { seconds: 10 })
  client.torrent.forceRecheck()
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
})

scenario('checking a file that is too long leaves its size alone', (world) => {
  const content = new TestTorrent({ size: 10 * PIECE + 5 })
  const host = world.host('client')
  const longer = new Uint8Array(content.totalSize + 100)
  longer.set(content.content)
  world.filesOf(host).writeFile(`${SAVE}/content`, longer)
  const client = new SimClient(world, host, content)
  world.runUntil(() => isSettled(client), { seconds: 10 })
  expect(client.torrent.isSeed).toBe(true)
  expect(world.filesOf(host).stat(`${SAVE}/content`)?.size).toBe(content.totalSize + 100)
})

scenario('a forced recheck finds the damaged piece, and only it', (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const client = seedOf(world, content)
  world.filesOf(client.host).corrupt(`${SAVE}/content`, 1000, 4)
  client.torrent.forceRecheck()
  world.runUntil(() => client.alerts('torrentChecked').length === 2, { seconds: 10 })
  expect(client.torrent.isFinished).toBe(false)
  expect(claimed(client, content)).toEqual(allPieces(content).slice(1))
  // Nobody paused it.
  expect(client.alerts('torrentPaused')).toEqual([])
  expect(client.alerts('torrentResumed')).toEqual([])
})

scenario('pieces a recheck found missing are downloaded, and no others', (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const source = seedOf(world, content)
  const client = new SimClient(world, 'client', content, { has: 'all' })
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
  for (const piece of [0, 7, 19]) world.filesOf(client.host).corrupt(`${SAVE}/content`, piece * PIECE + 9, 3)
  client.torrent.forceRecheck()
  world.runUntil(() => client.alerts('torrentChecked').length === 2, { seconds: 10 })
  client.torrent.connectPeer(source.endpoint)
  world.runUntil(() => client.torrent.isSeed, { seconds: 30 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  expect(client.torrent.status().totalPayloadDownload).toBe(3 * PIECE)
  expect(
    client
      .alerts('pieceFinished')
      .map((alert) => alert.pieceIndex)
      .sort((a, b) => a - b),
  ).toEqual([0, 7, 19])
})

scenario(
  'a recheck in the middle of a download keeps every piece that is on disk, and the download completes',
  (world) => {
    const content = new TestTorrent({ size: 24 * PIECE })
    const seed = seedOf(world, content, { up: 200_000 })
    const client = new SimClient(world, 'client', content, { disk: { bytesPerSecond: 2_000_000 } })
    client.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => client.torrent.status().numPieces >= 6, { minutes: 1 })
    // Not at the moment a piece was finished, so that hashes and writes are under way.
    world.run(world.random.below(300))
    const had = claimed(client, content)
    client.torrent.forceRecheck()
    world.runUntil(() => client.alerts('torrentChecked').length === 2, { minutes: 1 })
    expect(claimed(client, content)).toEqual(expect.arrayContaining(had))
    client.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
    expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    expect(client.alerts('hashFailed')).toHaveLength(0)
  },
  { seeds: 10 },
)

scenario(
  'a recheck asked for again while it runs begins anew and loses no piece',
  (world) => {
    const content = new TestTorrent({ size: 40 * PIECE })
    const client = new SimClient(world, 'client', content, { has: 'all', disk: SLOW_DISK })
    for (let round = 0; round < 5; round++) {
      world.run(world.random.below(500))
      client.torrent.forceRecheck()
    }
    world.runUntil(() => isSettled(client), { minutes: 1 })
    expect(client.torrent.isSeed).toBe(true)
    world.run({ seconds: 5 })
    expect(client.alerts('torrentChecked')).toHaveLength(1)
    expect(client.torrent.isSeed).toBe(true)
  },
  { seeds: 5 },
)

scenario('a missing file that is not wanted is no obstacle when no piece reaches into it', (world) => {
  const content = new TestTorrent({
    files: [
      { path: 'wanted', size: 4 * PIECE },
      { path: 'unwanted', size: 4 * PIECE },
    ],
  })
  const client = new SimClient(world, 'client', content, { has: (piece) => piece < 4, add: { filePriorities: [1, 0] } })
  world.filesOf(client.host).remove(`${SAVE}/content/unwanted`)
  world.runUntil(() => isSettled(client), { seconds: 10 })
  world.run({ seconds: 10 })
  expect(client.torrent.status()).toMatchObject({ state: 'finished', isFinished: true, isSeeding: false, progress: 1 })
  expect(world.filesOf(client.host).paths()).toEqual([`${SAVE}/content/wanted`])
})

scenario('a piece shared with a missing file that is not wanted is missing, and is downloaded', (world) => {
  const content = new TestTorrent({
    files: [
      { path: 'wanted', size: 3 * PIECE + 100 },
      { path: 'unwanted', size: 4 * PIECE },
    ],
  })
  const seed = seedOf(world, content)
  const host = world.host('client')
  content.putOn(world.filesOf(host), SAVE)
  world.filesOf(host).remove(`${SAVE}/content/unwanted`)
  const client = new SimClient(world, host, content, { add: { filePriorities: [1, 0] } })
  world.runUntil(() => isSettled(client), { seconds: 10 })
  expect(client.torrent.status().state).toBe('downloading')
  expect(claimed(client, content)).toEqual([0, 1, 2])
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => client.torrent.isFinished, { minutes: 1 })
  expect(claimed(client, content)).toEqual([0, 1, 2, 3])
  expect(client.torrent.status().totalPayloadDownload).toBe(PIECE)
})

scenario(
  'checking goes on steadily while reads are slow, and other torrents transfer meanwhile',
  (world) => {
    const content = new TestTorrent({ size: 24 * 1024 * 1024, pieceLength: 256 * 1024 })
    const other = new TestTorrent({ size: 10 * PIECE, name: 'other', seed: 2 })
    const seed = seedOf(world, other)
    const client = new SimClient(world, 'client', content, { has: 'all', disk: { bytesPerSecond: 8_000_000 } })
    const download = client.session.addTorrent({ ti: other.info(), savePath: SAVE, autoManaged: false })
    download.connectPeer(seed.endpoint)
    let last = 0
    for (let second = 0; !download.isSeed && second < 10; second++) {
      world.run({ seconds: 1 })
      expect(client.torrent.status().progress).toBeGreaterThan(last)
      last = client.torrent.status().progress
    }
    expect(download.isSeed).toBe(true)
    expect(client.torrent.status().state).toBe('checkingFiles')
    world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  },
  { seeds: 1 },
)

scenario('torrents check their files one after another', (world) => {
  const first = new TestTorrent({ size: 20 * PIECE, name: 'first' })
  const second = new TestTorrent({ size: 20 * PIECE, name: 'second', seed: 2 })
  const host = world.host('client', { disk: SLOW_DISK })
  second.putOn(world.filesOf(host), SAVE)
  first.putOn(world.filesOf(host), SAVE)
  const client = new SimClient(world, host, first)
  const later = client.session.addTorrent({ ti: second.info(), savePath: SAVE, autoManaged: false })
  world.run({ ms: 300 })
  expect(client.torrent.status().state).toBe('checkingFiles')
  expect(later.status().state).toBe('queuedForChecking')
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
  world.run({ ms: 100 })
  expect(later.status().state).toBe('checkingFiles')
  world.runUntil(() => later.isSeed, { seconds: 10 })
})

scenario('a torrent paused while it waits or checks gives its turn away, and checks after it is resumed', (world) => {
  const first = new TestTorrent({ size: 20 * PIECE, name: 'first' })
  const second = new TestTorrent({ size: 20 * PIECE, name: 'second', seed: 2 })
  const host = world.host('client', { disk: SLOW_DISK })
  for (const content of [first, second]) content.putOn(world.filesOf(host), SAVE)
  const client = new SimClient(world, host, first)
  const later = client.session.addTorrent({ ti: second.info(), savePath: SAVE, autoManaged: false })
  world.run({ ms: 200 })
  client.torrent.pause()
  world.run({ ms: 200 })
  expect(later.status().state).toBe('checkingFiles')
  expect(client.torrent.status()).toMatchObject({ state: 'queuedForChecking', paused: true })
  world.runUntil(() => later.isSeed, { seconds: 10 })
  // The files were closed after what had been asked of the disk.
  expect(client.alerts('torrentPaused')).toHaveLength(1)
  world.run({ minutes: 1 })
  expect(client.torrent.status().state).toBe('queuedForChecking')
  client.torrent.resume()
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
  expect(client.alerts('torrentResumed')).toHaveLength(1)
})

scenario('a torrent added paused is checked when it is resumed', (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const client = new SimClient(world, 'client', content, { has: 'all', add: { paused: true } })
  world.run({ minutes: 1 })
  expect(client.torrent.isSeed).toBe(false)
  client.torrent.resume()
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
})

scenario('a disk that cannot be read stops the check with an error, until it is cleared', (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const host = world.host('client', { disk: SLOW_DISK })
  content.putOn(world.filesOf(host), SAVE)
  const repair = world.filesOf(host).fail({ operation: 'read', after: 200 })
  const client = new SimClient(world, host, content)
  world.runUntil(() => client.alerts('torrentError').length > 0, { seconds: 10 })
  world.run({ minutes: 10 })
  expect(client.alerts('torrentError')).toHaveLength(1)
  expect(client.torrent.status().error?.code).toBe('EIO')
  expect(isSettled(client)).toBe(false)
  repair()
  client.torrent.clearError()
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
  expect(client.torrent.status().error).toBe(null)
})

scenario('a torrent whose check failed does not keep others from theirs', (world) => {
  const content = new TestTorrent({ size: 20 * PIECE, name: 'bad' })
  const other = new TestTorrent({ size: 20 * PIECE, name: 'good', seed: 2 })
  const host = world.host('client', { disk: SLOW_DISK })
  for (const each of [content, other]) each.putOn(world.filesOf(host), SAVE)
  world.filesOf(host).fail({ operation: 'read', path: `${SAVE}/bad` })
  const client = new SimClient(world, host, content)
  const good = client.session.addTorrent({ ti: other.info(), savePath: SAVE, autoManaged: false })
  world.runUntil(() => good.isSeed, { seconds: 10 })
  expect(client.torrent.status().error?.code).toBe('EIO')
})

scenario(
  'a session ended at any moment of a check leaves nothing',
  async (world) => {
    const content = new TestTorrent({ size: 40 * PIECE })
    const client = new SimClient(world, 'client', content, { has: 'all', disk: SLOW_DISK })
    world.run(world.random.below(1500))
    await world.settle(client.session.abort(), { seconds: 10 })
    expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  },
  { seeds: 10 },
)

scenario(
  'a torrent removed while it is checked and added again at once is checked anew',
  async (world) => {
    const content = new TestTorrent({ size: 40 * PIECE })
    const client = new SimClient(world, 'client', content, { has: 'all', disk: SLOW_DISK })
    world.run(world.random.below(1200))
    const removed = client.session.removeTorrent(client.torrent)
    const again = client.session.addTorrent({ ti: content.info(), savePath: SAVE, autoManaged: false })
    await world.settle(removed, { seconds: 10 })
    world.runUntil(() => again.isSeed, { seconds: 10 })
    expect(client.torrent.isValid).toBe(false)
  },
  { seeds: 5 },
)

scenario(
  'settings, priorities and pauses changed at any moment of a check do not disturb it',
  (world) => {
    const content = new TestTorrent({
      files: [
        { path: 'a', size: 20 * PIECE + 11 },
        { path: 'b', size: 20 * PIECE },
      ],
    })
    const client = new SimClient(world, 'client', content, { has: 'all', disk: SLOW_DISK })
    const { torrent } = client
    const changes = [
      () => torrent.filePriority(world.random.below(2), world.random.below(8)),
      () => torrent.piecePriority(world.random.below(40), 0),
      () => torrent.pause(),
      () => torrent.resume(),
      () => torrent.setUploadMode(world.random.chance(0.5)),
      () => torrent.setSequentialDownload(true),
      () => torrent.addPiece(3, content.piece(3)),
      () => client.session.pause(),
      () => client.session.resume(),
    ]
    for (let round = 0; round < 12; round++) {
      world.run(world.random.below(200))
      changes[world.random.below(changes.length)]()
    }
    client.session.resume()
    torrent.resume()
    world.runUntil(() => isSettled(client) && torrent.isFinished, { minutes: 1 })
    expect(claimed(client, content)).toEqual(allPieces(content))
  },
  { seeds: 10 },
)
