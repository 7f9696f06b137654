import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeFs } from '../../../src/disk/store/storeFs.ts'
import { createDiskIo } from '../../../src/node/diskWorkers.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { contentOf, expectBytes, paramsFor, StorageDriver, sha1Of } from '../../integration/disk/storageDriver.ts'
import { canMount } from './canMount.ts'
import { FakeDisk } from './fakeDisk.ts'

const BLOCK = BLOCK_SIZE_BYTES

describe('a disk that fails', () => {
  let fake: FakeDisk

  beforeEach(() => {
    fake = new FakeDisk()
  })

  afterEach(async () => {
    expect(await fake.end()).toEqual({ slots: 0, queued: 0 })
  })

  test('a full disk fails every block of the write, says where, and is used again once there is room', async () => {
    const driver = fake.open([{ path: 'dir/file', size: 4 * BLOCK }], 4 * BLOCK)
    const content = contentOf(4 * BLOCK)
    fake.fail('writevSync', 'ENOSPC', 28)
    const results = await Promise.all(
      [0, 1, 2, 3].map((block) => driver.write(0, block * BLOCK, content.subarray(block * BLOCK, (block + 1) * BLOCK))),
    )
    for (const error of results) {
      expect(error).toMatchObject({
        name: 'LibtorrentError',
        category: 'system',
        code: 'ENOSPC',
        value: 28,
        operation: 'fileWrite',
        path: join(fake.savePath, 'dir/file'),
      })
    }
    expect(fake.disk.pool.inUse).toBe(0)
    expect(await driver.hash(0)).toMatchObject({ code: 'fileTooShort' })
    fake.heal()
    await driver.writePiece(content, 0)
    expect(await driver.hash(0)).toEqual(sha1Of(content))
  })

  test('a write that fails in the middle of a piece never leaves a hash that says otherwise', async () => {
    const driver = fake.open([{ path: 'file', size: 2 * BLOCK }], 2 * BLOCK)
    const content = contentOf(2 * BLOCK)
    const stale = contentOf(2 * BLOCK, 5)
    await driver.writePiece(stale, 0)
    await driver.hash(0)
    expect(await driver.write(0, 0, content.subarray(0, BLOCK))).toBeNull()
    fake.fail('writevSync', 'EIO', 5, 1)
    expect(await driver.write(0, BLOCK, content.subarray(BLOCK))).toMatchObject({ code: 'EIO' })
    expect(await driver.hash(0)).not.toEqual(sha1Of(content))
  })

  test('only the blocks in the file that fails are reported', async () => {
    const driver = fake.open(
      [
        { path: 'good', size: BLOCK },
        { path: 'bad', size: 2 * BLOCK },
        { path: 'fine', size: BLOCK },
      ],
      4 * BLOCK,
    )
    mkdirSync(join(fake.savePath, 'bad'), { recursive: true })
    const results = await Promise.all([0, 1, 2, 3].map((block) => driver.write(0, block * BLOCK, contentOf(BLOCK))))
    expect(results.map((error) => error?.path)).toEqual([
      undefined,
      join(fake.savePath, 'bad'),
      join(fake.savePath, 'bad'),
      undefined,
    ])
    expect(results[1]).toMatchObject({ code: 'EISDIR', operation: 'fileOpen' })
  })

  test('a read error reaches the reader, its slot does not leak, and the next read may work', async () => {
    const driver = fake.open([{ path: 'file', size: BLOCK }], BLOCK)
    await driver.write(0, 0, contentOf(BLOCK))
    fake.fail('readvSync', 'EIO', 5, 1)
    expect(await driver.read(0, 0, BLOCK)).toMatchObject({ code: 'EIO', operation: 'fileRead' })
    expectBytes(await driver.read(0, 0, BLOCK), contentOf(BLOCK))
  })

  test('an error while hashing is an answer, and a healthy disk gives the hash afterwards', async () => {
    const driver = fake.open([{ path: 'file', size: BLOCK }], BLOCK)
    await driver.write(0, 0, contentOf(BLOCK))
    await driver.release()
    fake.fail('readSync', 'EIO', 5, 1)
    expect(await driver.hash(0)).toMatchObject({ code: 'EIO', operation: 'fileRead' })
    expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
  })

  test('a read-only file system is reported when the file is opened', async () => {
    const driver = fake.open([{ path: 'dir/file', size: BLOCK }], BLOCK)
    fake.fail('mkdirSync', 'EROFS', 30, 1)
    expect(await driver.write(0, 0, contentOf(BLOCK))).toMatchObject({ code: 'EROFS', operation: 'mkdir' })
    mkdirSync(join(fake.savePath, 'dir'), { recursive: true })
    fake.fail('openSync', 'EROFS', 30, 1)
    expect(await driver.write(0, 0, contentOf(BLOCK))).toMatchObject({ code: 'EROFS', operation: 'fileOpen' })
  })

  test('a save path the system refuses with ENOENT though its parent is there is an error, and soon', async () => {
    const driver = fake.open([{ path: 'dir/file', size: BLOCK }], BLOCK, { savePath: '/proc/lt/save' })
    expect(await driver.write(0, 0, contentOf(BLOCK))).toMatchObject({ code: 'ENOENT', operation: 'mkdir' })
    expect(await driver.initialize()).toBeNull()
  })

  test('of a save path only what is missing is made, level by level', async () => {
    const savePath = join(fake.savePath, 'some/levels/deep')
    const driver = fake.open([{ path: 'file', size: BLOCK }], BLOCK, { savePath })
    const before = fake.calls.get('mkdirSync') ?? 0
    expect(await driver.write(0, 0, contentOf(BLOCK))).toBeNull()
    expect((fake.calls.get('mkdirSync') ?? 0) - before).toBe(4)
    expectBytes(readFileSync(join(savePath, 'file')), contentOf(BLOCK))
  })

  test('out of descriptors: files held open are closed to make room; with none left to close it is an error', async () => {
    const files = [0, 1, 2].map((i) => ({ path: `file${i}`, size: BLOCK }))
    const driver = fake.open(files, BLOCK)
    await driver.write(0, 0, contentOf(BLOCK))
    await driver.write(1, 0, contentOf(BLOCK))
    fake.fail('openSync', 'EMFILE', 24, 2)
    expect(await driver.write(2, 0, contentOf(BLOCK))).toBeNull()
    fake.fail('openSync', 'EMFILE', 24)
    expect(await driver.write(1, 0, contentOf(BLOCK))).toMatchObject({ code: 'EMFILE', operation: 'fileOpen' })
    fake.heal()
    expect(await driver.write(1, 0, contentOf(BLOCK))).toBeNull()
  })

  test('a name too long for the file system is an error of that file', async () => {
    const driver = fake.open([{ path: 'n'.repeat(300), size: BLOCK }], BLOCK)
    expect(await driver.write(0, 0, contentOf(BLOCK))).toMatchObject({ code: 'ENAMETOOLONG', operation: 'fileOpen' })
    expect(await driver.hash(0)).toMatchObject({ code: 'ENAMETOOLONG' })
  })

  test('a directory removed while its files are open is noticed at the next hash, and made again by the next write', async () => {
    const driver = fake.open([{ path: 'dir/file', size: 2 * BLOCK }], 2 * BLOCK)
    const content = contentOf(2 * BLOCK)
    await driver.writePiece(content, 0, [0])
    rmSync(fake.savePath, { recursive: true })
    await driver.writePiece(content, 0, [1])
    expect(await driver.hash(0)).toMatchObject({ code: 'ENOENT' })
    await driver.writePiece(content, 0)
    expect(await driver.hash(0)).toEqual(sha1Of(content))
    expectBytes(readFileSync(join(fake.savePath, 'dir/file')), content)
  })

  test('a file that was replaced under the same name counts as removed', async () => {
    const driver = fake.open([{ path: 'file', size: BLOCK }], BLOCK)
    const path = join(fake.savePath, 'file')
    await driver.write(0, 0, contentOf(BLOCK))
    rmSync(path)
    writeFileSync(path, contentOf(BLOCK, 2))
    expect(await driver.hash(0)).toMatchObject({ code: 'ENOENT' })
    expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK, 2)))
  })

  test('a file cut short by someone else fails reads and hashes beyond its end, and only those', async () => {
    const driver = fake.open([{ path: 'file', size: 2 * BLOCK }], BLOCK)
    const content = contentOf(2 * BLOCK)
    await driver.writeAll(content)
    truncateSync(join(fake.savePath, 'file'), BLOCK + 10)
    expect(await driver.read(1, 0, BLOCK)).toMatchObject({ code: 'fileTooShort', operation: 'fileRead' })
    expect(await driver.hash(1)).toMatchObject({ code: 'fileTooShort', category: 'libtorrent' })
    expectBytes(await driver.read(1, 0, 10), content.subarray(BLOCK, BLOCK + 10))
    expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  })

  test('bytes changed by someone else while the file is open do not pass a check', async () => {
    const driver = fake.open([{ path: 'file', size: BLOCK }], BLOCK)
    await driver.write(0, 0, contentOf(BLOCK))
    expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
    writeFileSync(join(fake.savePath, 'file'), contentOf(BLOCK, 2), { flag: 'r+' })
    expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK, 2)))
  })

  test('the system may take and give fewer bytes than asked for', async () => {
    const driver = fake.open([{ path: 'file', size: 4 * BLOCK }], 4 * BLOCK)
    const content = contentOf(4 * BLOCK)
    fake.faults.writevSync = (fd, views, position) => {
      const first = views[0] as Uint8Array
      return nodeFs.writevSync(fd, [first.subarray(0, Math.min(first.length, 10_000))], position)
    }
    fake.faults.readvSync = (fd, views, position) => {
      const first = views[0] as Uint8Array
      return nodeFs.readvSync(fd, [first.subarray(0, Math.min(first.length, 5_000))], position)
    }
    await driver.writePiece(content, 0, [0, 1, 3, 2])
    const reads = await Promise.all([0, 1, 2, 3].map((block) => driver.read(0, block * BLOCK, BLOCK)))
    reads.forEach((bytes, block) => {
      expectBytes(bytes, content.subarray(block * BLOCK, (block + 1) * BLOCK))
    })
    expect(await driver.hash(0)).toEqual(sha1Of(content))
  })

  test('a torrent in trouble does not disturb another on the same disk', async () => {
    const bad = fake.open([{ path: 'bad', size: BLOCK }], BLOCK)
    const good = fake.open([{ path: 'good', size: BLOCK }], BLOCK)
    mkdirSync(join(fake.savePath, 'bad'), { recursive: true })
    const [failed, worked] = await Promise.all([bad.write(0, 0, contentOf(BLOCK)), good.write(0, 0, contentOf(BLOCK))])
    expect(failed).toMatchObject({ code: 'EISDIR' })
    expect(worked).toBeNull()
    expect(await good.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
  })

  test('a sync that fails is reported, and what it did not do is done by the next', async () => {
    const driver = fake.open([{ path: 'file', size: BLOCK }], BLOCK)
    await driver.write(0, 0, contentOf(BLOCK))
    const failing = (_fd: number, done: (error: Error) => void) =>
      done(Object.assign(new Error('EIO'), { code: 'EIO' }))
    fake.faults.fsync = failing as typeof nodeFs.fsync
    expect(await driver.flush()).toMatchObject({ code: 'EIO', operation: 'fileWrite' })
    fake.heal()
    const before = fake.calls.get('fsync') ?? 0
    expect(await driver.flush()).toBeNull()
    expect(await driver.flush()).toBeNull()
    expect(fake.calls.get('fsync')).toBe(before + 1)
  })
})

// Needs the right to mount; elsewhere the injected ENOSPC above has to do.
test.skipIf(!canMount('256k'))(
  'a really full disk, through worker threads: blocks fail, slots return, what fitted can be read',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lt-full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'lt-test', directory])
    const disk = createDiskIo({ maxQueuedDiskBytes: 1e6, filePoolSize: 10 }, { poolBytes: 64 * BLOCK, workerCount: 2 })
    try {
      const params = paramsFor(directory, [{ path: 'file', size: 32 * BLOCK }], BLOCK)
      const driver = new StorageDriver(disk.pool, params)
      driver.storage = disk.openStorage(params, driver)
      const results = await Promise.all(
        Array.from({ length: 32 }, (_, piece) => driver.write(piece, 0, contentOf(BLOCK, piece + 1))),
      )
      expect(new Set(results.map((error) => error?.code))).toEqual(new Set([undefined, 'ENOSPC']))
      expect(disk.pool.inUse).toBe(0)
      const hashes = await Promise.all(results.map((_, piece) => driver.hash(piece)))
      results.forEach((error, piece) => {
        if (error === null) expect(hashes[piece]).toEqual(sha1Of(contentOf(BLOCK, piece + 1)))
        else expect(hashes[piece]).not.toEqual(sha1Of(contentOf(BLOCK, piece + 1)))
      })
    } finally {
      await new Promise<void>((resolve) => disk.stop(resolve))
      execFileSync('umount', [directory])
      rmSync(directory, { recursive: true })
    }
  },
)
