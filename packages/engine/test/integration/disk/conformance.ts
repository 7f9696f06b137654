import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WorkerDiskIo } from '../../../src/disk/workerDiskIo.ts'
import type { StorageParams, TorrentStorage } from '../../../src/platform/disk.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { contentOf, expectBytes, paramsFor, pieceOf, StorageDriver, sha1Of } from './storageDriver.ts'

const BLOCK = BLOCK_SIZE_BYTES

export interface Backend {
  readonly disk: WorkerDiskIo
  /** Where files may be made; removed by `end`. */
  readonly directory: string
  open(params: StorageParams, driver: StorageDriver): TorrentStorage
  /** Stops the disk and removes what it left. */
  end(): Promise<void>
}

/** What every storage must do, whatever keeps its bytes. */
export function storageConformance(name: string, start: () => Backend): void {
  describe(`storage: ${name}`, () => {
    let backend: Backend

    beforeEach(() => {
      backend = start()
    })

    afterEach(async () => {
      const { pool } = backend.disk
      const queued = backend.disk.queuedWriteBytes
      await backend.end()
      expect(pool.inUse).toBe(0)
      expect(queued).toBe(0)
    })

    function open(...[files, pieceLength]: [Parameters<typeof paramsFor>[1], number]): StorageDriver {
      const params = paramsFor(backend.directory, files, pieceLength)
      const driver = new StorageDriver(backend.disk.pool, params)
      driver.storage = backend.open(params, driver)
      return driver
    }

    const oneFile = (size: number) => [{ path: 'file', size }]

    test('a block that was written is read back, over all offsets and lengths in it', async () => {
      const content = contentOf(2 * BLOCK)
      const driver = open(oneFile(content.length), 2 * BLOCK)
      await driver.writePiece(content, 0)
      expectBytes(await driver.read(0, 0, BLOCK), content.subarray(0, BLOCK))
      expectBytes(await driver.read(0, BLOCK - 5, 10), content.subarray(BLOCK - 5, BLOCK + 5))
      expectBytes(await driver.read(0, 2 * BLOCK - 1, 1), content.subarray(2 * BLOCK - 1))
    })

    test('a piece written in order hashes to the SHA-1 of its bytes', async () => {
      const content = contentOf(4 * BLOCK)
      const driver = open(oneFile(content.length), 4 * BLOCK)
      await driver.writePiece(content, 0)
      expect(await driver.hash(0)).toEqual(sha1Of(content))
    })

    test('a piece written out of order hashes to the SHA-1 of its bytes', async () => {
      const content = contentOf(6 * BLOCK)
      const driver = open(oneFile(content.length), 6 * BLOCK)
      await driver.writePiece(content, 0, [3, 0, 1, 5, 4, 2])
      expect(await driver.hash(0)).toEqual(sha1Of(content))
    })

    test('a hash asked for with its writes still queued sees what they write', async () => {
      const content = contentOf(3 * BLOCK)
      const driver = open(oneFile(content.length), 3 * BLOCK)
      const writes = driver.writePiece(content, 0, [2, 1, 0])
      expect(await driver.hash(0)).toEqual(sha1Of(content))
      await writes
    })

    test('a check of a piece gives its hash, and keeps its place among what is asked of the piece', async () => {
      const content = contentOf(5 * BLOCK)
      const later = contentOf(2 * BLOCK, 7)
      const driver = open(oneFile(content.length), 2 * BLOCK)
      const written = Promise.all([0, 1, 2].map((piece) => driver.writePiece(content, piece)))
      const checks = [0, 1, 2].map((piece) => driver.check(piece))
      const rewritten = driver.writePiece(later, 0)
      const again = driver.check(0)
      const hashes = await Promise.all(checks)
      hashes.forEach((hash, piece) => {
        expect(hash).toEqual(sha1Of(content.subarray(piece * 2 * BLOCK, (piece + 1) * 2 * BLOCK)))
      })
      await Promise.all([written, rewritten])
      expect(await again).toEqual(sha1Of(later))
    })

    test('a read asked for right after a write of the same bytes sees them, and a later write does not disturb it', async () => {
      const driver = open(oneFile(BLOCK), BLOCK)
      const before = driver.write(0, 0, contentOf(BLOCK, 1))
      const read = driver.read(0, 0, BLOCK)
      const after = driver.write(0, 0, contentOf(BLOCK, 2))
      const again = driver.read(0, 0, BLOCK)
      expectBytes(await read, contentOf(BLOCK, 1))
      expectBytes(await again, contentOf(BLOCK, 2))
      expect([await before, await after]).toEqual([null, null])
    })

    test('a block that is replaced before the hash counts with its new bytes', async () => {
      const content = contentOf(3 * BLOCK)
      const driver = open(oneFile(content.length), 3 * BLOCK)
      await driver.write(0, 0, contentOf(BLOCK, 99))
      await driver.write(0, BLOCK, content.subarray(BLOCK, 2 * BLOCK))
      await driver.write(0, 0, content.subarray(0, BLOCK))
      await driver.write(0, 2 * BLOCK, content.subarray(2 * BLOCK))
      expect(await driver.hash(0)).toEqual(sha1Of(content))
    })

    test('a piece that failed its hash is cleared, downloaded again and then passes', async () => {
      const content = contentOf(2 * BLOCK)
      const driver = open(oneFile(content.length), 2 * BLOCK)
      await driver.writePiece(contentOf(2 * BLOCK, 7), 0)
      expect(await driver.hash(0)).not.toEqual(sha1Of(content))
      driver.storage.clearPiece(0)
      await driver.writePiece(content, 0)
      expect(await driver.hash(0)).toEqual(sha1Of(content))
      expect(await driver.hash(0)).toEqual(sha1Of(content))
    })

    test('the hash of a block is that of its bytes before those written later, whatever else is asked of the piece', async () => {
      const [wrong, right] = [contentOf(3 * BLOCK, 7), contentOf(3 * BLOCK)]
      const driver = open(oneFile(3 * BLOCK), 3 * BLOCK)
      const blockOf = (bytes: Uint8Array, block: number) => sha1Of(bytes.subarray(block * BLOCK, (block + 1) * BLOCK))
      const ask = () => Promise.all([0, 1, 2].map((block) => driver.hashBlock(0, block * BLOCK, BLOCK)))
      const writes = [driver.writePiece(wrong, 0)]
      const whole = [driver.hash(0)]
      const before = ask()
      driver.storage.clearPiece(0)
      writes.push(driver.writePiece(right, 0))
      whole.push(driver.hash(0))
      const after = ask()
      await Promise.all(writes)
      expect(await before).toEqual([0, 1, 2].map((block) => blockOf(wrong, block)))
      expect(await after).toEqual([0, 1, 2].map((block) => blockOf(right, block)))
      expect(await Promise.all(whole)).toEqual([sha1Of(wrong), sha1Of(right)])
      const hashes = driver.calls.filter((call) => call.startsWith('hashed'))
      const round = ['hashed 0', ...[0, 1, 2].map((block) => `hashed 0:${block * BLOCK}`)]
      expect(hashes).toEqual([...round, ...round])
      expect(await driver.hashBlock(0, 5, 10)).toEqual(sha1Of(right.subarray(5, 15)))
    })

    test('the hash of a block does not disturb that of its piece, which goes on being written', async () => {
      const content = contentOf(3 * BLOCK)
      const driver = open(oneFile(3 * BLOCK), 3 * BLOCK)
      await driver.write(0, 0, content.subarray(0, BLOCK))
      expect(await driver.hashBlock(0, 0, BLOCK)).toEqual(sha1Of(content.subarray(0, BLOCK)))
      await driver.writePiece(content, 0, [1, 2])
      expect(await driver.hash(0)).toEqual(sha1Of(content))
    })

    test('the hash of a block across small files and the short end of the last piece', async () => {
      const sizes = [5, 0, BLOCK - 100, 300, 0, 700]
      const content = contentOf(sizes.reduce((a, b) => a + b))
      const driver = open(
        sizes.map((size, i) => ({ path: `dir/file${i}`, size })),
        BLOCK,
      )
      await driver.writeAll(content)
      expect(await driver.hashBlock(0, 0, BLOCK)).toEqual(sha1Of(content.subarray(0, BLOCK)))
      const end = content.subarray(BLOCK)
      expect(await driver.hashBlock(1, 0, end.length)).toEqual(sha1Of(end))
    })

    test('the last, short piece is written, read and hashed at its own size', async () => {
      const content = contentOf(2 * BLOCK + 1234)
      const driver = open(oneFile(content.length), 2 * BLOCK)
      await driver.writeAll(content)
      expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(2 * BLOCK)))
      expectBytes(await driver.read(1, 1000, 234), content.subarray(2 * BLOCK + 1000))
    })

    test('pieces across many files, empty ones and files smaller than a block included, survive', async () => {
      const sizes = [5, 0, BLOCK - 5, 1, 0, 3 * BLOCK + 17, 0, 2, 700]
      const files = sizes.map((size, i) => ({ path: `dir/${i % 2}/file${i}`, size }))
      const content = contentOf(sizes.reduce((a, b) => a + b))
      const driver = open(files, 2 * BLOCK)
      expect(await driver.initialize()).toBeNull()
      await driver.writeAll(content)
      for (let piece = 0; piece * 2 * BLOCK < content.length; piece++) {
        expect(await driver.hash(piece)).toEqual(sha1Of(pieceOf(content, 2 * BLOCK, piece)))
      }
      expect(await driver.sizes()).toEqual(sizes)
    })

    test('a pad file reads as zeros, whatever is written to it, and counts as zeros in the hash', async () => {
      const files = [
        { path: 'a', size: 1000 },
        { path: '.pad/1', size: 2 * BLOCK - 1000, pad: true },
        { path: 'b', size: BLOCK },
      ]
      const expected = contentOf(3 * BLOCK)
      expected.fill(0, 1000, 2 * BLOCK)
      const driver = open(files, 3 * BLOCK)
      await driver.writePiece(contentOf(3 * BLOCK), 0)
      expect(await driver.hash(0)).toEqual(sha1Of(expected))
      expectBytes(await driver.read(0, 0, BLOCK), expected.subarray(0, BLOCK))
      expectBytes(await driver.read(0, BLOCK, BLOCK), new Uint8Array(BLOCK))
      expect(await driver.hash(0)).toEqual(sha1Of(expected))
      expect((await driver.sizes())[1]).toBe(2 * BLOCK - 1000)
    })

    test('padding that was never written still counts as zeros', async () => {
      const files = [
        { path: 'a', size: BLOCK },
        { path: '.pad/1', size: BLOCK, pad: true },
      ]
      const driver = open(files, 2 * BLOCK)
      await driver.write(0, 0, contentOf(BLOCK))
      const expected = new Uint8Array(2 * BLOCK)
      expected.set(contentOf(BLOCK))
      expect(await driver.hash(0)).toEqual(sha1Of(expected))
    })

    test('reading and hashing a piece of which nothing is there fails, and the slots come back', async () => {
      const driver = open(oneFile(4 * BLOCK), 2 * BLOCK)
      expect(await driver.hash(1)).toMatchObject({ name: 'LibtorrentError' })
      expect(await driver.check(1)).toMatchObject({ name: 'LibtorrentError' })
      expect(await driver.read(1, 0, BLOCK)).toMatchObject({ name: 'LibtorrentError' })
      expect(backend.disk.pool.inUse).toBe(0)
    })

    test('more reads than there are slots are all answered, in time', async () => {
      const pieces = backend.disk.pool.capacity
      const content = contentOf(pieces * BLOCK)
      const driver = open(oneFile(content.length), BLOCK)
      await driver.writeAll(content)
      const reads = Array.from({ length: 3 * pieces }, (_, i) => driver.read(i % pieces, 0, BLOCK))
      const results = await Promise.all(reads)
      results.forEach((bytes, i) => {
        expectBytes(bytes, pieceOf(content, BLOCK, i % pieces))
      })
    })

    test('flush, release and use again: nothing is lost, and a half-written piece is still hashed right', async () => {
      const content = contentOf(4 * BLOCK)
      const driver = open(oneFile(content.length), 4 * BLOCK)
      await driver.write(0, 0, content.subarray(0, BLOCK))
      expect(await driver.flush()).toBeNull()
      await driver.write(0, BLOCK, content.subarray(BLOCK, 2 * BLOCK))
      expect(await driver.release()).toBeNull()
      await driver.writePiece(content, 0, [2, 3])
      expect(await driver.hash(0)).toEqual(sha1Of(content))
      expect(await driver.release()).toBeNull()
      expect(await driver.hash(0)).toEqual(sha1Of(content))
    })

    test('a move and a rename in the midst of a download lose nothing', async () => {
      const content = contentOf(4 * BLOCK)
      const driver = open(
        [
          { path: 'top/a', size: BLOCK + 9 },
          { path: 'top/b', size: 3 * BLOCK - 9 },
        ],
        2 * BLOCK,
      )
      const writes = [driver.writePiece(content, 0)]
      const moved = driver.move(`${backend.directory}/elsewhere`)
      const renamed = driver.rename(1, 'other/c')
      writes.push(driver.writePiece(content, 1))
      const hash = driver.hash(0)
      expect(await moved).toBeNull()
      expect(await renamed).toBeNull()
      await Promise.all(writes)
      expect(await hash).toEqual(sha1Of(pieceOf(content, 2 * BLOCK, 0)))
      expect(await driver.hash(1)).toEqual(sha1Of(pieceOf(content, 2 * BLOCK, 1)))
      expect(await driver.sizes()).toEqual([BLOCK + 9, 3 * BLOCK - 9])
    })

    test('deleted files are gone, and can be downloaded anew', async () => {
      const content = contentOf(2 * BLOCK)
      const driver = open(oneFile(content.length), 2 * BLOCK)
      await driver.writePiece(content, 0)
      expect(await driver.delete()).toBeNull()
      expect(await driver.sizes()).toEqual([-1])
      expect(await driver.hash(0)).toMatchObject({ name: 'LibtorrentError' })
      await driver.writePiece(content, 0)
      expect(await driver.hash(0)).toEqual(sha1Of(content))
    })

    test('closing carries out queued writes, drops queued reads and hashes, and is followed by silence', async () => {
      const content = contentOf(2 * BLOCK)
      const driver = open(oneFile(content.length), 2 * BLOCK)
      void driver.writePiece(content, 0)
      void driver.hash(0)
      for (let i = 0; i < 2 * backend.disk.pool.capacity; i++) void driver.read(0, 0, BLOCK)
      await driver.close()
      expect(driver.calls).toEqual([])
      expect(backend.disk.pool.inUse).toBe(0)
      expect(await driver.flush()).toMatchObject({ code: 'destructingTorrent' })
    })

    test('no answer comes from inside the call that asked', async () => {
      const driver = open(oneFile(BLOCK), BLOCK)
      const write = driver.write(0, 0, contentOf(BLOCK))
      const hash = driver.hash(0)
      const read = driver.read(0, 0, BLOCK)
      const missing = driver.read(0, 5, 6)
      expect(driver.calls).toEqual([])
      await Promise.all([write, hash, read, missing])
      expect(driver.calls).toHaveLength(4)
    })

    test('a block outside its piece is a programming error', () => {
      const driver = open(oneFile(3 * BLOCK), 2 * BLOCK)
      const slot = backend.disk.pool.acquire()
      expect(() => driver.storage.writeBlock(1, BLOCK, 1, slot)).toThrow(RangeError)
      expect(() => driver.storage.writeBlock(0, 0, BLOCK + 1, slot)).toThrow(RangeError)
      expect(() => driver.storage.readBlock(2, 0, 1, 0)).toThrow(RangeError)
      expect(() => driver.storage.readBlock(0, -1, 10, 0)).toThrow(RangeError)
      expect(() => driver.storage.hashPiece(2)).toThrow(RangeError)
      expect(() => driver.storage.checkPiece(2)).toThrow(RangeError)
      backend.disk.pool.release(slot)
    })

    test('two torrents do not see each other', async () => {
      const first = open([{ path: 'one', size: BLOCK }], BLOCK)
      const second = open([{ path: 'two', size: BLOCK }], BLOCK)
      await Promise.all([first.write(0, 0, contentOf(BLOCK, 1)), second.write(0, 0, contentOf(BLOCK, 2))])
      expect(await first.hash(0)).toEqual(sha1Of(contentOf(BLOCK, 1)))
      expect(await second.hash(0)).toEqual(sha1Of(contentOf(BLOCK, 2)))
    })

    test('stopping the disk finishes the writes of every torrent', async () => {
      const drivers = ['x', 'y', 'z'].map((path) => open([{ path, size: BLOCK }], BLOCK))
      for (const driver of drivers) void driver.write(0, 0, contentOf(BLOCK))
      await new Promise<void>((resolve) => backend.disk.stop(resolve))
      expect(backend.disk.queuedWriteBytes).toBe(0)
      expect(backend.disk.pool.inUse).toBe(0)
    })
  })
}
