import { expect } from 'vitest'
import { SeededRandom } from '../../sim/seededRandom.ts'
import type { CrashKeep } from '../../sim/simFileSystem.ts'
import type { SimHost } from '../../sim/simHost.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { readResumeData } from '../../src/resume/readResumeData.ts'
import type { ResumeState } from '../../src/resume/resumeState.ts'
import { writeResumeData } from '../../src/resume/writeResumeData.ts'
import { SaveResumeFlags } from '../../src/torrent/diskOperations.ts'
import { equalBytes } from '../../src/util/bytes.ts'
import { BLOCK_SIZE_BYTES, type PieceIndex } from '../../src/util/flavored.ts'
import { type ClientOptions, SAVE, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024

function seedOf(world: SimWorld, content: TestTorrent, options: ClientOptions = {}): SimClient {
  return new SimClient(world, 'seed', content, { has: 'all', ...options })
}

function stateOf(resumeData: Uint8Array): ResumeState {
  const state = readResumeData(resumeData)
  if (state instanceof LibtorrentError) throw state
  return state
}

/** The blocks that resume data says are on disk, as `piece:offset`. */
function savedBlocks(state: ResumeState, content: TestTorrent): Set<string> {
  const blocks = new Set<string>()
  for (let piece = 0; piece < content.pieceCount; piece++) {
    const unfinished = state.unfinished.find((each) => each.piece === piece)
    for (let block = 0; block * BLOCK_SIZE_BYTES < content.piece(piece).length; block++) {
      if (state.have?.get(piece) || unfinished?.blocks.get(block)) blocks.add(`${piece}:${block}`)
    }
  }
  return blocks
}

/** The pieces that are on disk, byte for byte. */
function piecesOnDisk(world: SimWorld, host: SimHost, content: TestTorrent): Set<PieceIndex> {
  const found = new Uint8Array(content.totalSize)
  const known = new Uint8Array(content.totalSize)
  for (const file of content.files) {
    const bytes = world.filesOf(host).readFile(`${SAVE}/${file.path}`)?.subarray(0, file.size)
    if (bytes === undefined) continue
    found.set(bytes, file.offset)
    known.fill(1, file.offset, file.offset + bytes.length)
  }
  const pieces = new Set<PieceIndex>()
  for (let piece = 0; piece < content.pieceCount; piece++) {
    const start = piece * content.pieceLength
    const bytes = content.piece(piece)
    const isThere = !known.subarray(start, start + bytes.length).includes(0)
    if (isThere && equalBytes(found.subarray(start, start + bytes.length), bytes)) pieces.add(piece)
  }
  return pieces
}

/** The pieces a client says it has. */
function claimed(client: SimClient, content: TestTorrent): PieceIndex[] {
  return Array.from({ length: content.pieceCount }, (_, piece) => piece).filter((piece) =>
    client.torrent.havePiece(piece),
  )
}

function hasStarted(client: SimClient): boolean {
  return client.alerts('torrentChecked').length > 0
}

/**
 * A downloader that dies over and over: `die` is how. It saves resume data every second, and each time it comes back
 * with what was saved last.
 */
function dieUntilComplete(world: SimWorld, content: TestTorrent, die: (host: SimHost) => void, deaths: number): void {
  const seed = seedOf(world, content, { up: 150_000 })
  world.runUntil(() => seed.torrent.isSeed, { minutes: 1 })
  const random = new SeededRandom(world.seed).fork('deaths')
  const host = world.host('client', { disk: { bytesPerSecond: random.chance(0.5) ? 0 : 400_000 } })
  let resumeData: Uint8Array | undefined
  for (let death = 0; ; death++) {
    const saved = resumeData === undefined ? null : stateOf(resumeData)
    const client = new SimClient(world, host, content, { add: { resumeData, peers: [seed.endpoint] } })
    world.runUntil(() => hasStarted(client), { minutes: 1 })
    const onDisk = piecesOnDisk(world, host, content)
    expect(claimed(client, content).filter((piece) => !onDisk.has(piece))).toEqual([])
    expect(client.alerts('fastresumeRejected')).toEqual([])
    const end = world.time.elapsed + (death < deaths ? random.below(4000) : 60_000)
    while (world.time.elapsed < end && !client.torrent.isSeed) {
      client.torrent.saveResumeData(SaveResumeFlags.flushDiskCache).catch(() => {})
      world.time.runUntil(() => client.torrent.isSeed, Math.max(1, Math.min(1000, end - world.time.elapsed)))
    }
    // What was saved is not asked for again.
    const before = saved === null ? new Set<string>() : savedBlocks(saved, content)
    const again = client
      .alerts('blockFinished')
      .filter((alert) => before.has(`${alert.pieceIndex}:${alert.blockIndex}`))
    expect(again).toEqual([])
    expect(client.alerts('hashFailed')).toEqual([])
    if (client.torrent.isSeed) break
    resumeData = client.alerts('saveResumeData').at(-1)?.resumeData ?? resumeData
    die(host)
    world.run(random.below(3000))
  }
  expect(content.isOn(world.filesOf(host), SAVE)).toBe(true)
}

const DEATHS = 15

scenario(
  'killed again and again in the middle of a download, it claims only what is on disk and asks for nothing twice',
  (world) => {
    const content = new TestTorrent({
      files: [
        { path: 'one', size: 11 * PIECE + 77 },
        { path: 'two', size: 3 },
        { path: 'three', size: 30 * PIECE },
      ],
      pieceLength: world.seed % 2 === 0 ? PIECE : 8 * PIECE,
    })
    dieUntilComplete(world, content, (host) => world.kill(host), DEATHS)
  },
  { seeds: 24 },
)

const CRASHES: readonly CrashKeep[] = ['nothing', 'prefix', 'some']

for (const keep of CRASHES) {
  scenario(
    `power failures that keep ${keep} of what was not synced lose no more than what came after the last save`,
    (world) => {
      const content = new TestTorrent({ size: 41 * PIECE + 77, pieceLength: world.seed % 2 === 0 ? PIECE : 8 * PIECE })
      dieUntilComplete(world, content, (host) => world.crash(host, keep), DEATHS)
    },
    { seeds: 12 },
  )
}

scenario(
  'without resume data, a killed download is found by a check: every whole piece, and no other',
  (world) => {
    const content = new TestTorrent({ size: 40 * PIECE })
    const seed = seedOf(world, content, { up: 300_000 })
    const host = world.host('client')
    const first = new SimClient(world, host, content, { add: { peers: [seed.endpoint] } })
    world.run({ ms: 500 + world.random.below(3000) })
    const had = claimed(first, content)
    world.kill(host)
    const second = new SimClient(world, host, content)
    world.runUntil(() => hasStarted(second), { minutes: 1 })
    expect(claimed(second, content)).toEqual([...piecesOnDisk(world, host, content)])
    expect(claimed(second, content)).toEqual(expect.arrayContaining(had))
    second.torrent.connectPeer(seed.endpoint)
    world.runUntil(() => second.torrent.isSeed, { minutes: 1 })
    expect(content.isOn(world.filesOf(host), SAVE)).toBe(true)
  },
  { seeds: 6 },
)

scenario('blocks of an unfinished piece that were saved are not asked for again', async (world) => {
  const content = new TestTorrent({ size: 2 * 1024 * 1024, pieceLength: 1024 * 1024 })
  const seed = seedOf(world, content, { up: 100_000 })
  const host = world.host('client')
  const first = new SimClient(world, host, content, { add: { peers: [seed.endpoint] } })
  world.run({ seconds: 8 })
  expect(first.torrent.status().numPieces).toBe(0)
  const resumeData = await world.settle(first.torrent.saveResumeData())
  world.kill(host)
  const blocks = savedBlocks(stateOf(resumeData), content)
  expect(blocks.size).toBeGreaterThan(10)
  const second = new SimClient(world, host, content, { add: { resumeData, peers: [seed.endpoint] } })
  world.runUntil(() => hasStarted(second), { minutes: 1 })
  expect(second.torrent.status()).toMatchObject({ numPieces: 0, totalDone: blocks.size * BLOCK_SIZE_BYTES })
  world.runUntil(() => second.torrent.isSeed, { minutes: 2 })
  expect(second.torrent.status().totalPayloadDownload).toBe(content.totalSize - blocks.size * BLOCK_SIZE_BYTES)
  expect(content.isOn(world.filesOf(host), SAVE)).toBe(true)
})

scenario(
  'an unfinished piece that is complete, but damaged on disk, fails its hash and is downloaded',
  async (world) => {
    const content = new TestTorrent({ size: 4 * PIECE })
    const host = world.host('client')
    const first = new SimClient(world, host, content)
    world.run({ seconds: 1 })
    for (const piece of [0, 1, 2]) first.torrent.addPiece(piece, content.piece(piece))
    world.runUntil(() => first.torrent.status().numPieces === 3, { seconds: 10 })
    const saved = stateOf(await world.settle(first.torrent.saveResumeData()))
    await world.settle(first.session.abort())
    // As if it had been saved while the hash of piece 1 was still to come.
    const have = saved.have
    const blocks = have?.clone()
    if (!have || !blocks) throw new Error('nothing was saved')
    have.clear(1)
    blocks.resize(2)
    blocks.setAll()
    const resumeData = writeResumeData({ ...saved, have, unfinished: [{ piece: 1, blocks }] })
    world.filesOf(host).corrupt(`${SAVE}/content`, PIECE + 5, 1)
    const seed = seedOf(world, content)
    const second = new SimClient(world, host, content, { add: { resumeData, peers: [seed.endpoint] } })
    world.runUntil(() => second.torrent.isSeed, { minutes: 1 })
    expect(second.alerts('hashFailed').map((alert) => alert.pieceIndex)).toEqual([1])
    expect(content.isOn(world.filesOf(host), SAVE)).toBe(true)
  },
)

scenario('a clean end and a new start go on with every block', async (world) => {
  const content = new TestTorrent({ size: 40 * PIECE })
  const seed = seedOf(world, content, { up: 200_000 })
  const host = world.host('client')
  let resumeData: Uint8Array | undefined
  let downloaded = 0
  for (let run = 0; run < 4; run++) {
    const client = new SimClient(world, host, content, { add: { resumeData, peers: [seed.endpoint] } })
    world.time.runUntil(() => client.torrent.isSeed, run < 3 ? 1500 : 60_000)
    // No more is taken in, so that what was saved is all there is.
    client.torrent.pause()
    world.run({ seconds: 1 })
    resumeData = await world.settle(client.torrent.saveResumeData())
    downloaded += client.torrent.status().totalPayloadDownload
    expect(client.torrent.status().allTimeDownload).toBe(downloaded)
    await world.settle(client.session.abort())
    const state = stateOf(resumeData)
    resumeData = writeResumeData({ ...state, paused: false })
  }
  expect(content.isOn(world.filesOf(host), SAVE)).toBe(true)
  // Blocks of which a part had come when it was paused are lost; whole ones are not.
  expect(downloaded).toBeLessThanOrEqual(content.totalSize + 3 * BLOCK_SIZE_BYTES)
})

interface Tampering {
  readonly what: string
  readonly tamper: (world: SimWorld, host: SimHost) => void
  readonly code: string
}

const TAMPERINGS: readonly Tampering[] = [
  {
    what: 'a file that is gone',
    tamper: (world, host) => world.filesOf(host).remove(`${SAVE}/content/two`),
    code: 'mismatchingFilesSize',
  },
  {
    what: 'a file that is shorter',
    tamper: (world, host) => world.filesOf(host).cut(`${SAVE}/content/two`, 1000),
    code: 'mismatchingFilesSize',
  },
  {
    what: 'a file changed an hour later',
    tamper: (world, host) => {
      world.run({ hours: 1 })
      world.filesOf(host).writeFile(`${SAVE}/content/two`, new Uint8Array(10 * PIECE))
    },
    code: 'mismatchingFileTimestamp',
  },
]

for (const { what, tamper, code } of TAMPERINGS) {
  scenario(
    `${what} rejects the resume data; a check finds what is there, and the rest is downloaded`,
    async (world) => {
      const content = new TestTorrent({
        files: [
          { path: 'one', size: 10 * PIECE },
          { path: 'two', size: 10 * PIECE },
        ],
      })
      const host = world.host('client')
      content.putOn(world.filesOf(host), SAVE)
      const first = new SimClient(world, host, content)
      world.runUntil(() => first.torrent.isSeed, { minutes: 1 })
      const resumeData = await world.settle(first.torrent.saveResumeData())
      await world.settle(first.session.abort())
      tamper(world, host)
      const second = new SimClient(world, host, content, { add: { resumeData } })
      world.runUntil(() => hasStarted(second), { minutes: 1 })
      expect(second.alerts('fastresumeRejected').map((alert) => alert.error.code)).toEqual([code])
      expect(second.torrent.status()).toMatchObject({ state: 'downloading', numPieces: 10 })
      const seed = seedOf(world, content)
      second.torrent.connectPeer(seed.endpoint)
      world.runUntil(() => second.torrent.isSeed, { minutes: 1 })
      expect(content.isOn(world.filesOf(host), SAVE)).toBe(true)
    },
  )
}

scenario('resume data that is rejected counts as nothing there, where files are not to be rechecked', async (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const host = world.host('client')
  content.putOn(world.filesOf(host), SAVE)
  const first = new SimClient(world, host, content)
  world.runUntil(() => first.torrent.isSeed, { minutes: 1 })
  const resumeData = await world.settle(first.torrent.saveResumeData())
  await world.settle(first.session.abort())
  world.filesOf(host).truncate(`${SAVE}/content`, 10 * PIECE)
  const settings = { noRecheckIncompleteResume: true }
  const second = new SimClient(world, host, content, { add: { resumeData }, settings })
  world.runUntil(() => hasStarted(second), { minutes: 1 })
  expect(second.alerts('fastresumeRejected').map((alert) => alert.error.code)).toEqual(['mismatchingFilesSize'])
  expect(second.alerts('stateChanged').map((alert) => alert.state)).not.toContain('checkingFiles')
  expect(second.torrent.status()).toMatchObject({ state: 'downloading', numPieces: 0 })
})

scenario(
  'resume data that is damaged anywhere is never an error, nor a claim that is not true of the files',
  async (world) => {
    const content = new TestTorrent({ size: 20 * PIECE })
    const host = world.host('client')
    content.putOn(world.filesOf(host), SAVE, (piece) => piece % 2 === 0)
    const first = new SimClient(world, host, content)
    world.runUntil(() => hasStarted(first), { minutes: 1 })
    const resumeData = await world.settle(first.torrent.saveResumeData())
    await world.settle(first.session.abort())
    const random = world.random.fork('damage')
    for (let round = 0; round < 15; round++) {
      const damaged = random.chance(0.3) ? resumeData.slice(0, random.below(resumeData.length)) : resumeData.slice()
      // Not the have bits themselves: whoever forges those may claim what he likes.
      if (damaged.length === resumeData.length) {
        const text = Buffer.from(damaged).toString('latin1')
        const pieces = text.indexOf('6:pieces') + 8
        let at = random.below(damaged.length)
        if (at >= pieces - 1 && at < pieces + 25) at = 0
        damaged[at] ^= 1 << random.below(8)
      }
      const client = new SimClient(world, host, content, { add: { resumeData: damaged } })
      // A flag may say that it is paused.
      client.torrent.resume()
      world.runUntil(() => hasStarted(client), { minutes: 1 })
      for (let piece = 0; piece < 20; piece++) {
        if (client.torrent.havePiece(piece)) expect(piece % 2).toBe(0)
      }
      await world.settle(client.session.abort())
    }
  },
  { seeds: 5 },
)

scenario('what a user had set comes back with the resume data', async (world) => {
  const content = new TestTorrent({
    files: [
      { path: 'one', size: 10 * PIECE },
      { path: 'two', size: 10 * PIECE },
      { path: 'three', size: 10 * PIECE },
    ],
    trackers: ['http://one.example/announce'],
  })
  const host = world.host('client')
  const first = new SimClient(world, host, content, { settings: { stopTrackerTimeout: 1 } })
  world.run({ seconds: 1 })
  const { torrent } = first
  torrent.prioritizeFiles([7, 0, 1])
  torrent.setSequentialDownload(true)
  torrent.setMaxConnections(17)
  torrent.setMaxUploads(5)
  torrent.addTracker({ url: 'http://two.example/announce', tier: 3 })
  await world.settle(torrent.renameFile(2, 'elsewhere/third'))
  torrent.pause()
  const resumeData = await world.settle(torrent.saveResumeData())
  await world.settle(first.session.abort())
  const second = new SimClient(world, host, content, { add: { resumeData } })
  world.runUntil(() => hasStarted(second), { minutes: 1 })
  expect(second.torrent.status()).toMatchObject({
    paused: true,
    sequentialDownload: true,
    connectionsLimit: 17,
    uploadsLimit: 5,
  })
  expect(second.torrent.filePriorities()).toEqual([7, 0, 1])
  expect(second.torrent.trackers().map(({ url }) => url)).toEqual([
    'http://one.example/announce',
    'http://two.example/announce',
  ])
  const seed = seedOf(world, content)
  second.torrent.resume()
  second.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => second.torrent.isFinished, { minutes: 1 })
  expect(world.filesOf(host).paths()).toEqual([`${SAVE}/content/one`, `${SAVE}/elsewhere/third`])
})

scenario('resume data of a seed in seed mode says so, and it starts in seed mode again', async (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const host = world.host('client')
  content.putOn(world.filesOf(host), SAVE)
  const first = new SimClient(world, host, content, { add: { seedMode: true } })
  world.run({ seconds: 1 })
  expect(first.torrent.status()).toMatchObject({ seedMode: true, state: 'seeding', numPieces: 20 })
  const other = new SimClient(world, 'other', content, { add: { peers: [first.endpoint], filePriorities: [1] } })
  other.torrent.prioritizePieces(Array.from({ length: 20 }, (_, piece) => (piece < 3 ? 1 : 0)))
  world.runUntil(() => other.torrent.isFinished, { minutes: 1 })
  const resumeData = await world.settle(first.torrent.saveResumeData())
  await world.settle(first.session.abort())
  expect(stateOf(resumeData)).toMatchObject({ seedMode: true })
  expect(stateOf(resumeData).have?.isAllSet).toBe(true)
  const second = new SimClient(world, host, content, { add: { resumeData } })
  world.runUntil(() => hasStarted(second), { minutes: 1 })
  expect(second.torrent.status()).toMatchObject({ seedMode: true, state: 'seeding' })
  const verified = second.torrent.status().verifiedPieces
  expect([0, 1, 2, 3].map((piece) => verified?.get(piece))).toEqual([true, true, true, false])
})

scenario('a magnet link killed in the middle of its download goes on from its resume data alone', async (world) => {
  const content = new TestTorrent({ size: 30 * PIECE })
  const seed = seedOf(world, content, { up: 200_000 })
  const host = world.host('client')
  const first = new SimClient(world, host, content, { magnet: true, add: { peers: [seed.endpoint] } })
  world.runUntil(() => first.torrent.status().numPieces >= 5, { minutes: 1 })
  const resumeData = await world.settle(
    first.torrent.saveResumeData(SaveResumeFlags.flushDiskCache | SaveResumeFlags.saveInfoDict),
  )
  world.kill(host)
  const saved = savedBlocks(stateOf(resumeData), content).size
  const second = new SimClient(world, host, content, { magnet: true, add: { resumeData, infoHash: undefined } })
  world.runUntil(() => hasStarted(second), { seconds: 10 })
  expect(second.torrent.hasMetadata).toBe(true)
  second.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => second.torrent.isSeed, { minutes: 1 })
  expect(second.alerts('metadataReceived')).toHaveLength(0)
  expect(second.torrent.status().totalPayloadDownload).toBe(content.totalSize - saved * BLOCK_SIZE_BYTES)
  expect(content.isOn(world.filesOf(host), SAVE)).toBe(true)
})
