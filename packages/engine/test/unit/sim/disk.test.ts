import { describe, expect, test } from 'vitest'
import type { SimDisk, SimDiskOptions } from '../../../sim/simDisk.ts'
import { SimWorld } from '../../../sim/simWorld.ts'
import { TestTorrent, type TestTorrentOptions } from '../../../sim/testTorrent.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { FileStat, StorageHandler, TorrentStorage } from '../../../src/platform/disk.ts'
import { MoveFlags } from '../../../src/platform/moveFlags.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'

const SAVE = '/save'

/** Everything a storage reports, and blocks moved with one call. */
class Client implements StorageHandler {
  readonly events: string[] = []
  readonly digests = new Map<number, Uint8Array | null>()
  readonly blocks = new Map<number, Uint8Array>()
  storage!: TorrentStorage
  releaseReads = true

  constructor(
    readonly disk: SimDisk,
    readonly torrent: TestTorrent,
  ) {
    this.open()
  }

  open(): void {
    this.storage = this.disk.openStorage(
      {
        savePath: SAVE,
        files: this.torrent.files,
        totalSize: this.torrent.totalSize,
        pieceLength: this.torrent.pieceLength,
        allocation: 'sparse',
      },
      this,
    )
  }

  onBlockWritten(piece: number, offset: number, length: number, error: LibtorrentError | null): void {
    this.events.push(`written ${piece}/${offset}+${length} ${error?.code ?? 'ok'}`)
  }

  onPieceHashed(piece: number, digest: Uint8Array | null, error: LibtorrentError | null): void {
    this.events.push(`hashed ${piece} ${error?.code ?? 'ok'}`)
    this.digests.set(piece, digest)
  }

  onBlockRead(token: number, slot: number, length: number, error: LibtorrentError | null): void {
    this.events.push(`read ${token} ${error?.code ?? 'ok'}`)
    if (error !== null) return expect(slot).toBe(-1)
    this.blocks.set(token, this.disk.pool.bytes(slot).slice(0, length))
    if (this.releaseReads) this.disk.pool.release(slot)
  }

  writePiece(piece: number, bytes = this.torrent.piece(piece)): void {
    for (let offset = 0; offset < bytes.length; offset += BLOCK_SIZE_BYTES) {
      const block = bytes.subarray(offset, offset + BLOCK_SIZE_BYTES)
      const slot = this.disk.pool.acquire()
      expect(slot).toBeGreaterThanOrEqual(0)
      this.disk.pool.bytes(slot).set(block)
      this.storage.writeBlock(piece, offset, block.length, slot)
    }
  }

  codes(prefix: string): string[] {
    return this.events.filter((event) => event.startsWith(prefix)).map((event) => event.split(' ').at(-1) as string)
  }
}

function scene(torrentOptions: TestTorrentOptions = {}, diskOptions: SimDiskOptions & { capacity?: number } = {}) {
  const world = new SimWorld()
  const host = world.host('a', { disk: diskOptions })
  const torrent = new TestTorrent(torrentOptions)
  const client = new Client(world.diskOf(host), torrent)
  return { world, host, torrent, client, disk: client.disk, files: world.filesOf(host) }
}

describe('a simulated disk', () => {
  test('writes and hashes a torrent of odd files and pads, leaving pad files out', () => {
    const { world, torrent, client, files } = scene({
      pieceLength: 32_768,
      files: [
        { path: 'empty', size: 0 },
        { path: 'd/small', size: 7 },
        { path: '.pad/1', size: 32_761, pad: true },
        { path: 'd/large', size: 100_001 },
        { path: 'd/none', size: 0 },
        { path: 'last', size: 3 },
      ],
    })
    client.storage.initialize((error) => expect(error).toBeNull())
    for (let piece = torrent.pieceCount - 1; piece >= 0; piece--) {
      client.writePiece(piece)
      client.storage.hashPiece(piece)
    }
    expect(client.events).toEqual([])
    world.run({ seconds: 1 })
    for (const [piece, hash] of torrent.pieceHashes.entries()) expect(client.digests.get(piece)).toEqual(hash)
    expect(torrent.isOn(files, SAVE)).toBe(true)
    expect(files.paths()).not.toContain('/save/content/.pad/1')
    expect(files.paths()).toContain('/save/content/empty')
  })

  test('a read or a hash after a write on the same piece sees what was written', () => {
    const { world, torrent, client } = scene({ size: 400_000 }, { workers: 4 })
    for (let piece = 0; piece < torrent.pieceCount; piece++) {
      client.writePiece(piece)
      const length = Math.min(BLOCK_SIZE_BYTES, torrent.piece(piece).length)
      client.storage.readBlock(piece, 0, length, piece)
      client.storage.hashPiece(piece)
    }
    world.run({ seconds: 1 })
    for (let piece = 0; piece < torrent.pieceCount; piece++) {
      expect(client.blocks.get(piece)).toEqual(torrent.piece(piece).slice(0, BLOCK_SIZE_BYTES))
      expect(client.digests.get(piece)).toEqual(torrent.pieceHashes[piece])
    }
  })

  test('missing and short files fail reads and hashes with their own codes', () => {
    const { world, torrent, client, files } = scene({ size: 65_536 })
    client.storage.readBlock(0, 0, 100, 1)
    client.storage.hashPiece(1)
    world.run({ seconds: 1 })
    torrent.putOn(files, SAVE)
    files.cut(`${SAVE}/content`, 40_000)
    client.storage.hashPiece(0)
    client.storage.hashPiece(1)
    client.storage.readBlock(1, 16_384, 16_384, 2)
    world.run({ seconds: 1 })
    expect(client.codes('read')).toEqual(['ENOENT', 'fileTooShort'])
    expect(client.events).toEqual(expect.arrayContaining(['hashed 1 ENOENT', 'hashed 0 ok', 'hashed 1 fileTooShort']))
    expect(client.disk.pool.inUse).toBe(0)
  })

  test('takes the time of its latency and throughput', () => {
    const { world, client } = scene({ size: 1_048_576 }, { latency: 0, bytesPerSecond: 1_048_576 })
    for (let piece = 0; piece < 32; piece++) client.writePiece(piece)
    world.run({ ms: 250 })
    expect(client.codes('written').length).toBe(16)
    world.run({ ms: 750 })
    expect(client.codes('written').length).toBe(64)
  })

  test('a full disk and a bad sector are reported block by block, and slots come back', () => {
    const { world, client, files, disk } = scene({ size: 131_072 }, { capacity: 65_536 })
    for (let piece = 0; piece < 4; piece++) client.writePiece(piece)
    world.run({ seconds: 1 })
    expect(client.codes('written').sort()).toEqual([...Array(4).fill('ENOSPC'), ...Array(4).fill('ok')])
    files.capacity = Number.POSITIVE_INFINITY
    files.fail({ operation: 'read', times: 1 })
    client.storage.readBlock(0, 0, 100, 1)
    client.storage.readBlock(0, 0, 100, 2)
    world.run({ seconds: 1 })
    expect(client.codes('read')).toEqual(['EIO', 'ok'])
    expect([disk.pool.inUse, disk.queuedWriteBytes, disk.pendingJobs]).toEqual([0, 0, 0])
  })

  test('stored bytes that rot change the hash', () => {
    const { world, torrent, client, files } = scene({ size: 65_536 })
    torrent.putOn(files, SAVE)
    files.corrupt(`${SAVE}/content`, 40_000, 1)
    client.storage.hashPiece(0)
    client.storage.hashPiece(1)
    world.run({ seconds: 1 })
    expect(client.digests.get(0)).toEqual(torrent.pieceHashes[0])
    expect(client.digests.get(1)).not.toEqual(torrent.pieceHashes[1])
  })
})

describe('back-pressure', () => {
  test('the disk is congested above its limit, and says once when half of it is done', () => {
    const { world, client, disk } = scene(
      { size: 1_048_576 },
      { latency: 0, bytesPerSecond: 1_048_576, maxQueuedDiskBytes: 524_288 },
    )
    expect(disk.isCongested).toBe(false)
    for (let piece = 0; piece < 20; piece++) client.writePiece(piece)
    expect(disk.isCongested).toBe(true)
    const woken: number[] = []
    disk.whenWritable(() => woken.push(disk.queuedWriteBytes))
    const cancel = disk.whenWritable(() => expect.unreachable())
    cancel()
    world.run({ seconds: 5 })
    expect(woken).toEqual([262_144])
  })

  test('who asks an idle disk is called at the next turn, not at once', () => {
    const { world, disk } = scene()
    let called = 0
    disk.whenWritable(() => called++)
    expect(called).toBe(0)
    world.run(0)
    expect(called).toBe(1)
  })

  test('the limit can be changed while writes wait', () => {
    const { client, disk } = scene()
    client.writePiece(0)
    expect(disk.isCongested).toBe(false)
    disk.configure({ maxQueuedDiskBytes: 1024, filePoolSize: 10 })
    expect(disk.isCongested).toBe(true)
  })

  test('reads wait for a slot, and leave half of the pool to others', () => {
    const { world, torrent, client, files, disk } = scene({ size: 262_144 }, { poolSlots: 8 })
    torrent.putOn(files, SAVE)
    client.releaseReads = false
    for (let token = 0; token < 6; token++) client.storage.readBlock(0, 0, 16_384, token)
    world.run({ seconds: 1 })
    expect(client.codes('read').length).toBe(4)
    expect(disk.pool.inUse).toBe(4)
    disk.pool.release(0)
    world.run({ seconds: 1 })
    expect(client.codes('read').length).toBe(5)
  })
})

describe('the block pool', () => {
  test('notices a slot released twice, and spoils what was released', () => {
    const { disk } = scene({}, { poolSlots: 2 })
    const slot = disk.pool.acquire()
    const view = disk.pool.bytes(slot).fill(1)
    expect(disk.pool.bytes(slot)).toBe(view)
    expect([disk.pool.acquire(), disk.pool.acquire()]).toEqual([1, -1])
    disk.pool.release(slot)
    expect(view[0]).toBe(0xdd)
    expect(() => disk.pool.release(slot)).toThrow(/released twice/)
    expect(disk.pool.inUse).toBe(1)
  })
})

describe('operations on all files', () => {
  const done = (log: string[], name: string) => (error: LibtorrentError | null) =>
    log.push(`${name} ${error?.code ?? 'ok'}`)

  test('wait for what was asked before, and hold back what is asked after', () => {
    const { world, torrent, client } = scene({ size: 65_536 })
    const log = client.events
    client.writePiece(0)
    client.storage.flush(done(log, 'flush'))
    client.writePiece(1)
    client.storage.move('/other', MoveFlags.alwaysReplaceFiles, done(log, 'move'))
    client.storage.readBlock(1, 0, 100, 5)
    world.run({ seconds: 1 })
    expect(log.map((event) => event.split(' ')[0])).toEqual([
      'written',
      'written',
      'flush',
      'written',
      'written',
      'move',
      'read',
    ])
    expect(client.blocks.get(5)).toEqual(torrent.piece(1).slice(0, 100))
  })

  test('statFiles tells sizes and times, pads in full, missing files as -1', () => {
    const { world, client } = scene({
      files: [
        { path: 'a', size: 10 },
        { path: 'pad', size: 16_374, pad: true },
        { path: 'b', size: 20_000 },
      ],
      pieceLength: 16_384,
    })
    client.writePiece(0)
    let stats: readonly FileStat[] | LibtorrentError = []
    client.storage.statFiles((result) => {
      stats = result
    })
    world.run({ seconds: 1 })
    expect(stats).toEqual([
      { size: 10, mtime: world.time.unixTime() - 1 },
      { size: 16_374, mtime: 0 },
      { size: -1, mtime: 0 },
    ])
  })

  test('move takes everything along; a failing one leaves everything where it was', () => {
    const { world, torrent, client, files } = scene({
      files: [
        { path: 'a', size: 20_000 },
        { path: 'd/b', size: 30_000 },
      ],
    })
    for (let piece = 0; piece < torrent.pieceCount; piece++) client.writePiece(piece)
    const end = files.fail({ operation: 'rename', path: '/save/content/d/b', code: 'EACCES' })
    client.storage.move('/other', MoveFlags.alwaysReplaceFiles, done(client.events, 'move'))
    world.run({ seconds: 1 })
    expect(client.events.at(-1)).toBe('move EACCES')
    expect(torrent.isOn(files, SAVE)).toBe(true)
    end()
    client.storage.move('/other', MoveFlags.alwaysReplaceFiles, done(client.events, 'move'))
    world.run({ seconds: 1 })
    expect(client.events.at(-1)).toBe('move ok')
    expect(torrent.isOn(files, '/other')).toBe(true)
    expect(files.directoryPaths()).toEqual(['/other', '/other/content', '/other/content/d', '/save'])
  })

  test('a renamed file is found under its new name, and deleteFiles removes it with its directories', () => {
    const { world, torrent, client, files } = scene({ files: [{ path: 'a', size: 20_000 }] })
    client.writePiece(0)
    files.writeFile('/save/other', new Uint8Array(1))
    client.storage.renameFile(0, 'new/name', done(client.events, 'rename'))
    client.storage.hashPiece(0)
    world.run({ seconds: 1 })
    expect(client.digests.get(0)).toEqual(torrent.pieceHashes[0])
    expect(files.paths()).toEqual(['/save/new/name', '/save/other'])
    client.storage.deleteFiles(done(client.events, 'delete'))
    world.run({ seconds: 1 })
    expect(files.paths()).toEqual(['/save/other'])
    expect(files.directoryPaths()).toEqual(['/save'])
  })
})

describe('the end', () => {
  test('close carries out writes, drops reads and hashes, and reports nothing more', () => {
    const { world, torrent, client, files, disk } = scene({ size: 65_536 })
    torrent.putOn(files, SAVE)
    const other = new Uint8Array(32_768).fill(5)
    client.writePiece(0, other)
    client.storage.readBlock(0, 0, 100, 1)
    client.storage.hashPiece(0)
    let closed = false
    client.storage.close(() => {
      closed = true
    })
    world.run({ seconds: 1 })
    expect(closed).toBe(true)
    expect(client.events).toEqual([])
    expect(files.readFile(`${SAVE}/content`)?.slice(0, 32_768)).toEqual(other)
    expect(disk.leftovers()).toEqual([])
  })

  test('stop closes what is open; then nothing is left', () => {
    const { world, client, disk } = scene()
    client.writePiece(0)
    expect(world.leftovers().length).toBeGreaterThan(0)
    let stopped = false
    disk.stop(() => {
      stopped = true
    })
    world.run({ seconds: 1 })
    expect(stopped).toBe(true)
    world.assertNothingLeft()
  })

  test('a killed program loses queued writes but not done ones; the files are there for the next run', () => {
    const { world, host, torrent, client, files, disk } = scene({ size: 65_536 }, { latency: 10 })
    client.writePiece(0)
    world.run({ ms: 100 })
    client.writePiece(1)
    world.kill(host)
    world.run({ seconds: 1 })
    expect(client.codes('written').length).toBe(2)
    expect(files.readFile(`${SAVE}/content`)?.slice(0, 32_768)).toEqual(torrent.piece(0))
    const next = new Client(world.diskOf(host), torrent)
    expect(next.disk).not.toBe(disk)
    next.storage.hashPiece(0)
    world.run({ seconds: 1 })
    expect(next.digests.get(0)).toEqual(torrent.pieceHashes[0])
  })

  test('a power failure takes what was not flushed', () => {
    const { world, host, torrent, client, files } = scene({ size: 65_536 })
    client.writePiece(0)
    client.storage.flush(() => {})
    world.run({ seconds: 1 })
    client.writePiece(1)
    world.run({ seconds: 1 })
    world.crash(host)
    expect(files.readFile(`${SAVE}/content`)).toEqual(torrent.piece(0).slice())
  })
})
