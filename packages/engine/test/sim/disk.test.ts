import { expect } from 'vitest'
import type { SimErrorCode } from '../../sim/simErrors.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { RemoveFlags } from '../../src/api/session.ts'
import type { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { AddPieceFlags } from '../../src/torrent/diskOperations.ts'
import { equalBytes } from '../../src/util/bytes.ts'
import { BLOCK_SIZE_BYTES } from '../../src/util/flavored.ts'
import { type ClientOptions, SAVE, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024

function seedOf(world: SimWorld, content: TestTorrent, options: ClientOptions = {}): SimClient {
  return new SimClient(world, `seed of ${content.name}`, content, { has: 'all', ...options })
}

/** The error a promise was rejected with, or null. */
async function rejection(promise: Promise<unknown>): Promise<LibtorrentError | null> {
  try {
    await promise
    return null
  } catch (error) {
    return error as LibtorrentError
  }
}

// --- writing ---------------------------------------------------------------------------------------------------------

scenario('a full disk stops the download, not the torrent: what is there is still given', (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const seed = seedOf(world, content)
  const client = new SimClient(world, 'client', content, { disk: { capacity: 5 * BLOCK_SIZE_BYTES } })
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => client.torrent.status().uploadMode, { minutes: 1 })
  world.run({ minutes: 5 })
  expect(client.alerts('fileError')).toHaveLength(1)
  expect(client.alerts('fileError')[0].error.code).toBe('ENOSPC')
  expect(client.alerts('fileError')[0].file).toBe(`${SAVE}/content`)
  expect(client.torrent.status()).toMatchObject({ state: 'downloading', uploadMode: true, paused: false, error: null })
  // With five blocks at most two pieces can be whole.
  const had = client.torrent.status().numPieces
  expect(had).toBeLessThanOrEqual(2)
  const other = new SimClient(world, 'other', content)
  other.torrent.connectPeer(client.endpoint)
  world.runUntil(() => other.torrent.status().numPieces === had, { minutes: 1 })
})

for (const pieceLength of [PIECE, 1024 * 1024]) {
  scenario(
    `once there is room again the download goes on by itself, with pieces of ${pieceLength / 1024} KiB`,
    (world) => {
      const content = new TestTorrent({ size: 3 * 1024 * 1024 + 17, pieceLength })
      const seed = seedOf(world, content)
      const client = new SimClient(world, 'client', content, {
        disk: { capacity: 1_300_000 },
        settings: { optimisticDiskRetry: 60 },
        add: { autoManaged: true, peers: [seed.endpoint] },
      })
      world.runUntil(() => client.torrent.status().uploadMode, { minutes: 1 })
      world.run({ seconds: 30 })
      const { totalPayloadDownload } = client.torrent.status()
      world.filesOf(client.host).capacity = Number.POSITIVE_INFINITY
      world.run({ seconds: 20 })
      expect(client.torrent.status().uploadMode).toBe(true)
      expect(client.torrent.status().totalPayloadDownload).toBe(totalPayloadDownload)
      world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
      expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
      expect(client.alerts('fileError')).toHaveLength(1)
      expect(client.alerts('hashFailed')).toHaveLength(0)
    },
  )
}

scenario('a torrent that is not auto-managed waits for somebody to end upload mode', (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const seed = seedOf(world, content)
  const client = new SimClient(world, 'client', content, {
    disk: { capacity: 3 * PIECE },
    settings: { optimisticDiskRetry: 10 },
    add: { peers: [seed.endpoint] },
  })
  world.runUntil(() => client.torrent.status().uploadMode, { minutes: 1 })
  world.filesOf(client.host).capacity = Number.POSITIVE_INFINITY
  world.run({ minutes: 5 })
  expect(client.torrent.status().uploadMode).toBe(true)
  client.torrent.setUploadMode(false)
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
})

const WRITE_FAULTS: readonly SimErrorCode[] = ['EIO', 'EROFS', 'EMFILE', 'ENAMETOOLONG', 'EACCES']

for (const code of WRITE_FAULTS) {
  scenario(
    `${code} while writing ends in upload mode; nothing is claimed that was not written, and other torrents go on`,
    (world) => {
      const content = new TestTorrent({ size: 20 * PIECE })
      const other = new TestTorrent({ size: 20 * PIECE, name: 'other', seed: 2 })
      const seeds = [content, other].map((each) => seedOf(world, each, { up: 300_000 }))
      const client = new SimClient(world, 'client', content, { add: { peers: [seeds[0].endpoint] } })
      const good = client.session.addTorrent({
        ti: other.info(),
        savePath: SAVE,
        autoManaged: false,
        peers: [seeds[1].endpoint],
      })
      const repair = world.filesOf(client.host).fail({
        operation: 'write',
        path: `${SAVE}/content`,
        code,
        after: 500 + world.random.below(1500),
      })
      world.runUntil(() => client.torrent.status().uploadMode, { minutes: 1 })
      world.runUntil(() => good.isSeed, { minutes: 1 })
      expect(client.alerts('fileError').map((alert) => alert.error.code)).toEqual([code])
      const written = world.filesOf(client.host).readFile(`${SAVE}/content`) ?? new Uint8Array()
      for (let piece = 0; piece < content.pieceCount; piece++) {
        if (!client.torrent.havePiece(piece)) continue
        expect(equalBytes(written.subarray(piece * PIECE, (piece + 1) * PIECE), content.piece(piece))).toBe(true)
      }
      repair()
      client.torrent.setUploadMode(false)
      world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
      expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    },
    { seeds: 2 },
  )
}

scenario('a slow disk slows the peers, not the memory, and no block is lost', (world) => {
  const content = new TestTorrent({ size: 60 * PIECE })
  const seed = seedOf(world, content, { up: 10_000_000 })
  const limit = 256 * 1024
  const client = new SimClient(world, 'client', content, {
    down: 10_000_000,
    disk: { bytesPerSecond: 200_000, poolSlots: 64, maxQueuedDiskBytes: limit },
    settings: { maxQueuedDiskBytes: limit },
    add: { peers: [seed.endpoint] },
  })
  const disk = world.diskOf(client.host)
  let mostQueued = 0
  let mostSlots = 0
  world.runUntil(
    () => {
      mostQueued = Math.max(mostQueued, disk.queuedWriteBytes)
      mostSlots = Math.max(mostSlots, disk.pool.inUse)
      return client.torrent.isSeed
    },
    { minutes: 1 },
  )
  // A block that was being received when the limit was reached is still taken.
  expect(mostQueued).toBeLessThanOrEqual(limit + BLOCK_SIZE_BYTES)
  expect(mostQueued).toBeGreaterThan(limit / 2)
  expect(mostSlots).toBeLessThanOrEqual(limit / BLOCK_SIZE_BYTES + 1)
  // 1,966,080 bytes at 200,000 per second, and the disk was never idle for long.
  expect(world.time.elapsed).toBeGreaterThan(9_800)
  expect(world.time.elapsed).toBeLessThan(11_500)
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  expect(client.torrent.status()).toMatchObject({ totalPayloadDownload: content.totalSize, totalRedundantBytes: 0 })
})

scenario('a pool of a few slots is enough to download and upload at the same time', (world) => {
  const content = new TestTorrent({ size: 30 * PIECE })
  const small = { poolSlots: 8, bytesPerSecond: 1_000_000 }
  const seed = seedOf(world, content, { disk: small, up: 500_000 })
  const clients = Array.from(
    { length: 4 },
    (_, i) =>
      new SimClient(world, `client${i}`, content, { disk: small, up: 500_000, add: { peers: [seed.endpoint] } }),
  )
  for (const a of clients) for (const b of clients) if (a !== b) a.torrent.connectPeer(b.endpoint)
  world.runUntil(() => clients.every((client) => client.torrent.isSeed), { minutes: 3 })
  for (const client of clients) expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
})

// --- reading ---------------------------------------------------------------------------------------------------------

for (const code of ['EIO', 'ENOENT'] as const) {
  scenario(
    `${code} while reading stops a seed with the error, until it is cleared; other torrents go on`,
    (world) => {
      const content = new TestTorrent({ size: 20 * PIECE })
      const other = new TestTorrent({ size: 20 * PIECE, name: 'other', seed: 2 })
      const host = world.host('server', { up: 200_000 })
      for (const each of [content, other]) each.putOn(world.filesOf(host), SAVE)
      const server = new SimClient(world, host, content)
      const good = server.session.addTorrent({ ti: other.info(), savePath: SAVE, autoManaged: false })
      world.runUntil(() => server.torrent.isSeed && good.isSeed, { minutes: 1 })
      const clients = [content, other].map(
        (each) => new SimClient(world, `client of ${each.name}`, each, { add: { peers: [server.endpoint] } }),
      )
      world.runUntil(() => clients[0].torrent.status().numPieces >= 3, { minutes: 1 })
      const repair = world.filesOf(host).fail({ operation: 'read', path: `${SAVE}/content`, code })
      world.runUntil(() => clients[1].torrent.isSeed, { minutes: 1 })
      world.run({ minutes: 5 })
      expect(server.alerts('fileError')).toHaveLength(1)
      expect(server.alerts('torrentError')).toHaveLength(1)
      expect(server.torrent.status().error?.code).toBe(code)
      expect(server.torrent.status().paused).toBe(true)
      expect(server.alerts('torrentPaused')).toHaveLength(1)
      expect(server.torrent.getPeerInfo()).toHaveLength(0)
      expect(clients[0].torrent.isSeed).toBe(false)
      repair()
      server.torrent.clearError()
      clients[0].torrent.connectPeer(server.endpoint)
      world.runUntil(() => clients[0].torrent.isSeed, { minutes: 5 })
      expect(content.isOn(world.filesOf(clients[0].host), SAVE)).toBe(true)
      expect(server.torrent.status()).toMatchObject({ error: null, state: 'seeding', paused: false })
      expect(server.alerts('torrentResumed')).toHaveLength(1)
    },
    { seeds: 2 },
  )
}

/** A seed that cannot read its file any more; what it returns makes the disk whole again. */
function failedSeed(world: SimWorld, content: TestTorrent): { seed: SimClient; repair: () => void } {
  const seed = seedOf(world, content)
  world.runUntil(() => seed.torrent.isSeed, { minutes: 1 })
  const repair = world.filesOf(seed.host).fail({ operation: 'read' })
  new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => seed.torrent.status().error !== null, { minutes: 1 })
  return { seed, repair }
}

scenario('resuming a torrent that an error paused clears the error', (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const { seed, repair } = failedSeed(world, content)
  world.run({ seconds: 1 })
  expect(seed.torrent.isPaused).toBe(true)
  repair()
  seed.torrent.resume()
  expect(seed.torrent.status()).toMatchObject({ paused: false, error: null, state: 'seeding' })
  const other = new SimClient(world, 'other', content, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => other.torrent.isSeed, { minutes: 1 })
})

scenario('a piece that cannot be read for its user is an error of the torrent, too', async (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const seed = seedOf(world, content)
  world.runUntil(() => seed.torrent.isSeed, { minutes: 1 })
  world.filesOf(seed.host).fail({ operation: 'read', times: 1 })
  const error = await world.settle(rejection(seed.torrent.readPiece(3)))
  expect(error?.code).toBe('EIO')
  expect(seed.alerts('readPiece').map((alert) => alert.buffer)).toEqual([null])
  expect(seed.alerts('fileError')).toHaveLength(1)
  expect(seed.torrent.status()).toMatchObject({ paused: true, error: { code: 'EIO' } })
})

scenario('clearing the error of a torrent somebody had paused leaves it paused', (world) => {
  const { seed, repair } = failedSeed(world, new TestTorrent({ size: 10 * PIECE }))
  seed.torrent.pause()
  world.run({ seconds: 1 })
  repair()
  seed.torrent.clearError()
  expect(seed.torrent.status()).toMatchObject({ paused: true, error: null })
  world.run({ minutes: 1 })
  expect(seed.alerts('torrentPaused')).toHaveLength(1)
  expect(seed.alerts('torrentResumed')).toHaveLength(0)
  seed.torrent.resume()
  expect(seed.torrent.isPaused).toBe(false)
})

scenario('a torrent an error had paused tries again in the next session', async (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const { seed, repair } = failedSeed(world, content)
  const resumeData = await world.settle(seed.torrent.saveResumeData(0))
  await world.settle(seed.session.abort())
  repair()
  const again = new SimClient(world, seed.host, content, { add: { resumeData } })
  world.runUntil(() => again.torrent.isSeed, { minutes: 1 })
  expect(again.torrent.status()).toMatchObject({ paused: false, error: null })
})

scenario('a file cut short under a seed is an error of the seed, not wrong data for the peer', (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const server = seedOf(world, content, { up: 200_000 })
  world.runUntil(() => server.torrent.isSeed, { minutes: 1 })
  world.filesOf(server.host).cut(`${SAVE}/content`, 5 * PIECE)
  const client = new SimClient(world, 'client', content, { add: { peers: [server.endpoint] } })
  world.runUntil(() => server.torrent.status().error !== null, { minutes: 1 })
  world.run({ minutes: 1 })
  expect(client.alerts('hashFailed')).toHaveLength(0)
  server.torrent.clearError()
  server.torrent.forceRecheck()
  world.runUntil(() => server.alerts('torrentChecked').length === 2, { minutes: 1 })
  expect(server.torrent.status().numPieces).toBe(5)
})

scenario('a disk that does not even tell the sizes of files stops the torrent, until the error is cleared', (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const host = world.host('client')
  const repair = world.filesOf(host).fail({ operation: 'stat', code: 'EACCES' })
  const seed = seedOf(world, content)
  const client = new SimClient(world, host, content, { add: { peers: [seed.endpoint] } })
  world.run({ minutes: 5 })
  expect(client.torrent.status().error?.code).toBe('EACCES')
  expect(client.alerts('torrentError')).toHaveLength(1)
  expect(client.torrent.getPeerInfo()).toHaveLength(0)
  repair()
  client.torrent.clearError()
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
})

// --- what users ask of the disk while a download runs ----------------------------------------------------------------

scenario(
  'files moved in the middle of a download arrive whole at the new place',
  async (world) => {
    const content = new TestTorrent({
      files: [
        { path: 'a/one', size: 10 * PIECE + 5 },
        { path: 'b/two', size: 10 * PIECE },
      ],
    })
    const seed = seedOf(world, content, { up: 300_000 })
    const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
    world.run(world.random.below(2500))
    await world.settle(client.torrent.moveStorage('/elsewhere'), { minutes: 1 })
    expect(client.torrent.savePath).toBe('/elsewhere')
    world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
    expect(content.isOn(world.filesOf(client.host), '/elsewhere')).toBe(true)
    expect(
      world
        .filesOf(client.host)
        .paths()
        .filter((path) => path.startsWith(SAVE)),
    ).toEqual([])
    expect(client.alerts('storageMoved').map((alert) => alert.path)).toEqual(['/elsewhere'])
    expect(client.torrent.status().totalRedundantBytes).toBe(0)
  },
  { seeds: 5 },
)

scenario('a move that fails leaves everything where it was, and the download goes on', async (world) => {
  const content = new TestTorrent({
    files: [
      { path: 'one', size: 10 * PIECE },
      { path: 'two', size: 10 * PIECE },
    ],
  })
  const seed = seedOf(world, content, { up: 300_000 })
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => client.torrent.status().numPieces > 12, { minutes: 1 })
  world.filesOf(client.host).fail({ operation: 'rename', path: `${SAVE}/content/two`, times: 1, code: 'EACCES' })
  const error = await world.settle(rejection(client.torrent.moveStorage('/elsewhere')))
  expect(error?.code).toBe('EACCES')
  expect(client.alerts('storageMovedFailed')).toHaveLength(1)
  expect(client.torrent.savePath).toBe(SAVE)
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
})

scenario(
  'a file renamed in the middle of a download arrives whole under its new name',
  async (world) => {
    const content = new TestTorrent({
      files: [
        { path: 'one', size: 10 * PIECE + 5 },
        { path: 'two', size: 10 * PIECE },
      ],
    })
    const seed = seedOf(world, content, { up: 300_000 })
    const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
    world.run(world.random.below(2500))
    await world.settle(client.torrent.renameFile(1, 'other/name'))
    world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
    const files = world.filesOf(client.host)
    expect(files.paths()).toEqual([`${SAVE}/content/one`, `${SAVE}/other/name`])
    const renamed = files.readFile(`${SAVE}/other/name`) ?? new Uint8Array()
    expect(equalBytes(renamed, content.fileContent(content.files[1]))).toBe(true)
    expect(client.alerts('fileRenamed')).toHaveLength(1)
    const outside = await world.settle(rejection(client.torrent.renameFile(0, '../outside')))
    expect(outside).not.toBe(null)
    expect(files.paths()).toHaveLength(2)
  },
  { seeds: 5 },
)

scenario('a piece can be read as soon as it is had, and not before', async (world) => {
  const content = new TestTorrent({ size: 20 * PIECE, pieceLength: 4 * PIECE })
  const seed = seedOf(world, content, { up: 200_000 })
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  const early = await world.settle(rejection(client.torrent.readPiece(0)))
  expect(early).not.toBe(null)
  world.runUntil(() => client.alerts('pieceFinished').length > 0, { minutes: 1 })
  const { pieceIndex } = client.alerts('pieceFinished')[0]
  const bytes = await world.settle(client.torrent.readPiece(pieceIndex))
  expect(equalBytes(bytes, content.piece(pieceIndex))).toBe(true)
  expect(client.alerts('readPiece')).toHaveLength(2)
  expect(client.alerts('readPiece')[1].buffer).toBe(bytes)
})

scenario(
  'everything asked of a torrent is answered even if it is removed at that moment',
  async (world) => {
    const content = new TestTorrent({ size: 20 * PIECE, pieceLength: 4 * PIECE })
    const client = seedOf(world, content, { disk: { bytesPerSecond: 500_000 } })
    world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
    const { torrent } = client
    const asked = [
      torrent.readPiece(0),
      torrent.readPiece(3),
      torrent.flushCache(),
      torrent.renameFile(0, 'renamed'),
      torrent.readPiece(1),
      torrent.moveStorage('/elsewhere'),
      torrent.saveResumeData(),
      torrent.readPiece(2),
    ]
    world.run(world.random.below(400))
    const removed = client.session.removeTorrent(torrent, world.random.chance(0.5) ? RemoveFlags.deleteFiles : 0)
    const answers = await world.settle(Promise.all(asked.map(rejection)), { minutes: 1 })
    await world.settle(removed, { minutes: 1 })
    for (const answer of answers)
      if (answer !== null) expect(['torrentAborted', 'destructingTorrent']).toContain(answer.code)
    expect((await rejection(torrent.readPiece(0)))?.code).toBe('invalidTorrentHandle')
  },
  { seeds: 10 },
)

scenario('pieces the user brings are taken as if peers had sent them', (world) => {
  const content = new TestTorrent({ size: 9 * PIECE + 100 })
  const client = new SimClient(world, 'client', content)
  world.run({ seconds: 1 })
  for (let piece = 0; piece < content.pieceCount; piece++) client.torrent.addPiece(piece, content.piece(piece))
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  expect(client.alerts('torrentFinished')).toHaveLength(1)
})

scenario(
  'a piece the user brings in the middle of a download is not downloaded again; a wrong one is',
  (world) => {
    const content = new TestTorrent({ size: 20 * PIECE })
    const seed = seedOf(world, content, { up: 200_000 })
    const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
    world.run({ ms: 300 + world.random.below(1000) })
    const missing = Array.from({ length: 20 }, (_, piece) => piece).filter((piece) => !client.torrent.havePiece(piece))
    const good = missing[0]
    const bad = missing[missing.length - 1]
    client.torrent.addPiece(good, content.piece(good))
    client.torrent.addPiece(bad, new Uint8Array(PIECE).fill(7))
    world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
    expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
    expect(client.alerts('hashFailed').map((alert) => alert.pieceIndex)).toEqual([bad])
    // Blocks on their way when the user came may still arrive.
    expect(client.torrent.status().totalPayloadDownload).toBeLessThanOrEqual(content.totalSize + PIECE)
  },
  { seeds: 5 },
)

scenario('a piece had already is left alone by addPiece, whatever the bytes', (world) => {
  const content = new TestTorrent({ size: 4 * PIECE })
  const client = new SimClient(world, 'client', content, { has: (piece) => piece !== 2 })
  world.runUntil(() => client.torrent.status().numPieces === 3, { seconds: 10 })
  client.torrent.addPiece(1, new Uint8Array(PIECE), AddPieceFlags.overwriteExisting)
  client.torrent.addPiece(2, content.piece(2))
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
})

scenario('addPiece with overwriteExisting replaces the wrong block a peer has sent', (world) => {
  const content = new TestTorrent({ size: PIECE, pieceLength: PIECE })
  const liar = world.peer('liar', { torrent: content, has: 'all', corrupts: () => true })
  liar.listen(6881)
  const client = new SimClient(world, 'client', content, {
    add: { peers: [{ address: liar.host.address, port: 6881 }] },
  })
  liar.onMessage = (message, connection) => {
    if (message.name === 'interested') connection.send((writer) => writer.unchoke())
    if (message.name === 'request' && message.begin === 0) connection.sendBlock(0, 0, message.length)
  }
  world.runUntil(() => client.torrent.getDownloadQueue()[0]?.finished === 1, { minutes: 1 })
  client.torrent.addPiece(0, content.piece(0), AddPieceFlags.overwriteExisting)
  world.runUntil(() => client.torrent.isSeed, { seconds: 10 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  expect(client.alerts('hashFailed')).toEqual([])
})

scenario('resume data that could not be saved is still to be saved', async (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const seed = seedOf(world, content, { up: 100_000 })
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  await world.settle(client.torrent.saveResumeData())
  expect(client.torrent.needSaveResumeData).toBe(false)
  client.torrent.setMaxUploads(3)
  world.filesOf(client.host).fail({ operation: 'sync', times: 1 })
  const error = await world.settle(rejection(client.torrent.saveResumeData()))
  expect(error?.code).toBe('EIO')
  expect(client.alerts('saveResumeDataFailed')).toHaveLength(1)
  expect(client.torrent.needSaveResumeData).toBe(true)
})

// --- deleting --------------------------------------------------------------------------------------------------------

scenario(
  'removing a torrent with its files in the middle of a download deletes them and nothing else',
  async (world) => {
    const content = new TestTorrent({
      files: [
        { path: 'a/one', size: 10 * PIECE },
        { path: 'a/b/two', size: 10 * PIECE + 5 },
        { path: 'a/b/empty', size: 0 },
      ],
    })
    const seed = seedOf(world, content, { up: 300_000 })
    const host = world.host('client')
    world.filesOf(host).writeFile(`${SAVE}/content/a/not ours`, Uint8Array.of(1))
    const client = new SimClient(world, host, content, { add: { peers: [seed.endpoint] } })
    world.run(world.random.below(3000))
    const removed = client.session.removeTorrent(client.torrent, RemoveFlags.deleteFiles)
    expect(client.session.getTorrents()).toEqual([])
    await world.settle(removed, { minutes: 1 })
    expect(world.filesOf(host).paths()).toEqual([`${SAVE}/content/a/not ours`])
    expect(world.filesOf(host).directoryPaths()).toEqual([SAVE, `${SAVE}/content`, `${SAVE}/content/a`])
    expect(client.alerts('torrentRemoved')).toHaveLength(1)
    expect(client.alerts('torrentDeleted')).toHaveLength(1)
    world.run({ minutes: 1 })
    expect(world.filesOf(host).paths()).toHaveLength(1)
  },
  { seeds: 8 },
)

scenario('files that cannot be deleted are reported, and the torrent is gone all the same', async (world) => {
  const content = new TestTorrent({ size: 10 * PIECE })
  const client = seedOf(world, content)
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  world.filesOf(client.host).fail({ operation: 'remove', code: 'EACCES' })
  const error = await world.settle(rejection(client.session.removeTorrent(client.torrent, RemoveFlags.deleteFiles)), {
    minutes: 1,
  })
  expect(error?.code).toBe('EACCES')
  expect(client.alerts('torrentDeleteFailed')).toHaveLength(1)
  expect(client.alerts('torrentRemoved')).toHaveLength(1)
  expect(client.torrent.isValid).toBe(false)
})

scenario('a torrent removed and added again at once downloads into the same files', async (world) => {
  const content = new TestTorrent({ size: 20 * PIECE })
  const seed = seedOf(world, content, { up: 300_000 })
  const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
  world.runUntil(() => client.torrent.status().numPieces > 5, { minutes: 1 })
  const removed = client.session.removeTorrent(client.torrent)
  const again = client.session.addTorrent({ ti: content.info(), savePath: SAVE, autoManaged: false })
  await world.settle(removed, { minutes: 1 })
  again.connectPeer(seed.endpoint)
  world.runUntil(() => again.isSeed, { minutes: 2 })
  expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
})
