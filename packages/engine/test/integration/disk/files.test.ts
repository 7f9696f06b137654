import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeFs } from '../../../src/disk/store/storeFs.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { FakeDisk } from '../../hostile/disk/fakeDisk.ts'
import { contentOf, expectBytes, sha1Of } from './storageDriver.ts'

const BLOCK = BLOCK_SIZE_BYTES
let fake: FakeDisk

beforeEach(() => {
  fake = new FakeDisk()
})

afterEach(async () => {
  expect(await fake.end()).toEqual({ slots: 0, queued: 0 })
})

const inSavePath = (...parts: string[]) => join(fake.savePath, ...parts)

test('adding a torrent and asking what is there makes nothing', async () => {
  const driver = fake.open([{ path: 'dir/file', size: BLOCK }], BLOCK)
  expect(await driver.stat()).toEqual([{ size: -1, mtime: 0 }])
  expect(await driver.hash(0)).toMatchObject({ code: 'ENOENT' })
  expect(existsSync(fake.savePath)).toBe(false)
})

test('sparse: one block in the middle makes the file as long as needed and no fuller', async () => {
  const driver = fake.open([{ path: 'file', size: 1000 * BLOCK }], BLOCK)
  await driver.write(500, 0, contentOf(BLOCK))
  const { size, blocks } = statSync(inSavePath('file'))
  expect(size).toBe(501 * BLOCK)
  expect(blocks * 512).toBeLessThan(10 * BLOCK)
})

test('blocks beyond 4 GiB lie where they belong', async () => {
  const pieceLength = 16 * 1024 * 1024
  const size = 5 * 2 ** 30 + 12345
  const driver = fake.open(
    [
      { path: 'first', size: 100 },
      { path: 'big', size },
    ],
    pieceLength,
  )
  const last = Math.floor((size + 100) / pieceLength)
  const lastSize = size + 100 - last * pieceLength
  const block = Math.floor(lastSize / BLOCK)
  const bytes = contentOf(lastSize - block * BLOCK)
  expect(await driver.write(last, block * BLOCK, bytes)).toBeNull()
  expectBytes(await driver.read(last, block * BLOCK, bytes.length), bytes)
  expect(statSync(inSavePath('big')).size).toBe(size)
  const whole = new Uint8Array(lastSize)
  whole.set(bytes, block * BLOCK)
  expect(await driver.hash(last)).toEqual(sha1Of(whole))
})

test('of 10,000 files only those touched are opened, and no more than the pool allows stay open', async () => {
  const driver = fake.open(
    Array.from({ length: 10_000 }, (_, i) => ({ path: `d${i % 100}/f${i}`, size: 100 })),
    BLOCK,
  )
  expect(await driver.initialize()).toBeNull()
  const before = fake.calls.get('openSync') ?? 0
  await driver.write(3, 200, contentOf(300))
  const opened = (fake.calls.get('openSync') ?? 0) - before
  expect(opened).toBe(4)
  const directories = fake.calls.get('mkdirSync')
  await driver.write(3, 200, contentOf(300))
  expect(fake.calls.get('mkdirSync')).toBe(directories)
  await driver.write(0, 0, contentOf(BLOCK))
  expect((fake.calls.get('openSync') ?? 0) - before - (fake.calls.get('closeSync') ?? 0)).toBeLessThanOrEqual(40)
  expectBytes(await driver.read(0, 0, BLOCK), contentOf(BLOCK))
})

test('a smaller file pool takes effect at once', async () => {
  const driver = fake.open(
    Array.from({ length: 10 }, (_, i) => ({ path: `f${i}`, size: BLOCK })),
    BLOCK,
  )
  await driver.writeAll(contentOf(10 * BLOCK))
  fake.disk.configure({ maxQueuedDiskBytes: 1e6, filePoolSize: 2 })
  await driver.read(0, 0, 1)
  expect((fake.calls.get('openSync') ?? 0) - (fake.calls.get('closeSync') ?? 0)).toBeLessThanOrEqual(2)
})

test('initialize makes empty files and their directories, and leaves the others unmade', async () => {
  const files = [
    { path: 'a/b/empty', size: 0 },
    { path: 'a/full', size: BLOCK },
    { path: '.pad/0', size: 0, pad: true },
  ]
  const driver = fake.open(files, BLOCK)
  expect(await driver.initialize()).toBeNull()
  expect(readdirSync(inSavePath('a'))).toEqual(['b'])
  expect(await driver.sizes()).toEqual([0, -1, 0])
  expect(existsSync(inSavePath('.pad'))).toBe(false)
})

test('allocate brings files to full size with real blocks, and keeps what was there', async () => {
  const files = [
    { path: 'new', size: 3 * 2 ** 20 + 5 },
    { path: 'begun', size: 2 ** 20 },
  ]
  mkdirSync(fake.savePath)
  writeFileSync(inSavePath('begun'), contentOf(1000))
  const driver = fake.open(files, BLOCK, { allocation: 'allocate' })
  expect(await driver.initialize()).toBeNull()
  expect(await driver.sizes()).toEqual(files.map((file) => file.size))
  expect(statSync(inSavePath('new')).blocks * 512).toBeGreaterThanOrEqual(files[0].size)
  expectBytes(readFileSync(inSavePath('begun')).subarray(0, 1000), contentOf(1000))
})

test('closing a torrent ends an allocation that is under way', async () => {
  const driver = fake.open([{ path: 'big', size: 10 * 2 ** 30 }], 2 ** 20, { allocation: 'allocate' })
  const initialized = driver.initialize()
  await new Promise(setImmediate)
  await driver.close()
  expect(await initialized).toMatchObject({ code: 'ECANCELED' })
})

test('executables are made executable', async () => {
  const driver = fake.open([{ path: 'run.sh', size: 10, executable: true }], BLOCK)
  await driver.write(0, 0, contentOf(10))
  expect(statSync(inSavePath('run.sh')).mode & 0o100).toBe(0o100)
})

test('files are described by size and whole seconds of their time', async () => {
  const driver = fake.open([{ path: 'file', size: 10 }], BLOCK)
  await driver.write(0, 0, contentOf(7))
  utimesSync(inSavePath('file'), 1_500_000_000.9, 1_600_000_000.9)
  expect(await driver.stat()).toEqual([{ size: 7, mtime: 1_600_000_000 }])
})

test('a check of missing and short files reads nothing', async () => {
  const driver = fake.open(
    [
      { path: 'short', size: 10 * BLOCK },
      { path: 'missing', size: 10 * BLOCK },
    ],
    BLOCK,
  )
  mkdirSync(fake.savePath)
  writeFileSync(inSavePath('short'), contentOf(5 * BLOCK + 1))
  const results = await Promise.all(Array.from({ length: 20 }, (_, piece) => driver.hash(piece)))
  const codes = results.map((result) => (result instanceof Uint8Array ? 'hash' : result.code))
  expect(codes).toEqual([...Array(5).fill('hash'), ...Array(5).fill('fileTooShort'), ...Array(10).fill('ENOENT')])
  expect(fake.calls.get('readSync')).toBe(5)
})

test('adjacent blocks of a turn are written and read with one system call, in whatever order they came', async () => {
  const driver = fake.open([{ path: 'file', size: 16 * BLOCK }], 8 * BLOCK)
  const content = contentOf(16 * BLOCK)
  const order = [9, 3, 0, 15, 8, 1, 2, 14, 10, 4, 11, 5, 13, 7, 12, 6]
  await Promise.all(
    order.map((block) => {
      const offset = (block % 8) * BLOCK
      return driver.write(Math.floor(block / 8), offset, content.subarray(block * BLOCK, (block + 1) * BLOCK))
    }),
  )
  expect(fake.calls.get('writevSync')).toBe(1)
  const reads = order.map((block) => driver.read(Math.floor(block / 8), (block % 8) * BLOCK, BLOCK))
  await Promise.all(reads)
  expect(fake.calls.get('readvSync')).toBe(1)
  expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(8 * BLOCK)))
  // sorted, the whole piece was hashed as it was written
  expect(fake.calls.get('readSync')).toBeUndefined()
})

const twoFiles = [
  { path: 'top/a', size: BLOCK },
  { path: 'top/sub/b', size: BLOCK },
]

test('a move takes the files along and removes the empty directories, but no file that is not the torrent’s', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  writeFileSync(inSavePath('top/notes.txt'), 'mine')
  const target = join(fake.root, 'new/place')
  expect(await driver.move(target)).toBeNull()
  expect(readdirSync(inSavePath('top'))).toEqual(['notes.txt'])
  expectBytes(readFileSync(join(target, 'top/sub/b')), content.subarray(BLOCK))
  expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
})

test('a move to where the files already are does nothing, even by another name', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writeAll(contentOf(2 * BLOCK))
  symlinkSync(fake.savePath, join(fake.root, 'alias'))
  expect(await driver.move(fake.savePath)).toBeNull()
  expect(await driver.move(join(fake.root, 'alias'))).toBeNull()
  expect(await driver.hash(1)).toEqual(sha1Of(contentOf(2 * BLOCK).subarray(BLOCK)))
})

function acrossDevices() {
  fake.faults.renameSync = (from, to) => {
    // within one of the two trees renaming works
    if (String(from).startsWith(fake.savePath) === String(to).startsWith(fake.savePath))
      return nodeFs.renameSync(from, to)
    throw Object.assign(new Error('EXDEV: injected'), { code: 'EXDEV', errno: -18 })
  }
}

test('a move to another device copies content, time, permissions and holes, then removes the original', async () => {
  acrossDevices()
  const driver = fake.open([{ path: 'file', size: 8 * 2 ** 20 }], 2 ** 20)
  await driver.write(0, 0, contentOf(BLOCK))
  await driver.write(5, 0, contentOf(BLOCK, 2))
  utimesSync(inSavePath('file'), 1_500_000_000, 1_600_000_000)
  chmodSync(inSavePath('file'), 0o640)
  const target = join(fake.root, 'other')
  expect(await driver.move(target)).toBeNull()
  const { size, mtimeMs, mode, blocks } = statSync(join(target, 'file'))
  expect([size, mtimeMs, mode & 0o777]).toEqual([5 * 2 ** 20 + BLOCK, 1_600_000_000_000, 0o640])
  expect(blocks * 512).toBeLessThan(3 * 2 ** 20)
  expect(existsSync(inSavePath('file'))).toBe(false)
  expectBytes(await driver.read(5, 0, BLOCK), contentOf(BLOCK, 2))
})

const otherDevice = existsSync('/dev/shm') && statSync('/dev/shm').dev !== statSync(tmpdir()).dev

test.skipIf(!otherDevice)('a move to a file system that really is another one', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  const target = mkdtempSync('/dev/shm/lt-disk-')
  try {
    expect(await driver.move(target)).toBeNull()
    expect(readdirSync(fake.savePath)).toEqual([])
    expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
  } finally {
    rmSync(target, { recursive: true })
  }
})

test('a move that fails half-way leaves everything where it was, what lay at the target included', async () => {
  acrossDevices()
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  const target = join(fake.root, 'other')
  mkdirSync(join(target, 'top'), { recursive: true })
  writeFileSync(join(target, 'top/a'), 'older')
  fake.fail('writeSync', 'ENOSPC', 28)
  const original = fake.faults.writeSync
  let writes = 0
  fake.faults.writeSync = ((...args: Parameters<typeof nodeFs.writeSync>) =>
    (++writes === 1 ? nodeFs.writeSync : (original as typeof nodeFs.writeSync))(...args)) as typeof nodeFs.writeSync
  expect(await driver.move(target)).toMatchObject({ code: 'ENOSPC', operation: 'fileRename' })
  expect(readFileSync(join(target, 'top/a'), 'utf8')).toBe('older')
  expect(readdirSync(join(target, 'top'))).toEqual(['a'])
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
  fake.heal()
  expect(await driver.move(target)).toBeNull()
  expectBytes(readFileSync(join(target, 'top/a')), content.subarray(0, BLOCK))
  expect(readdirSync(join(target, 'top')).sort()).toEqual(['a', 'sub'])
})

test('a move into a directory of the torrent never overwrites a file that is still to be moved', async () => {
  const driver = fake.open(
    [
      { path: 'x', size: BLOCK },
      { path: 'a/x', size: BLOCK },
    ],
    BLOCK,
  )
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  expect(await driver.move(inSavePath('a'))).toMatchObject({ code: 'EEXIST' })
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
})

test('closing a torrent ends a copy that is under way, and nothing is lost', async () => {
  acrossDevices()
  const driver = fake.open([{ path: 'file', size: 64 * 2 ** 20 }], 2 ** 20)
  await driver.write(63, 0, contentOf(BLOCK))
  const moved = driver.move(join(fake.root, 'other'))
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  await driver.close()
  expect(await moved).toMatchObject({ code: 'ECANCELED' })
  expect(readdirSync(join(fake.root, 'other'))).toEqual([])
  expect(statSync(inSavePath('file')).size).toBe(63 * 2 ** 20 + BLOCK)
})

test('a renamed file is found under its new name, in a directory made for it', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writeAll(contentOf(2 * BLOCK))
  expect(await driver.rename(1, 'other/place/c')).toBeNull()
  expect(readdirSync(inSavePath('top'))).toEqual(['a'])
  expectBytes(readFileSync(inSavePath('other/place/c')), contentOf(2 * BLOCK).subarray(BLOCK))
  expect(await driver.hash(1)).toEqual(sha1Of(contentOf(2 * BLOCK).subarray(BLOCK)))
})

test('a file renamed before it exists is made under its new name', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  expect(await driver.rename(0, 'z')).toBeNull()
  await driver.write(0, 0, contentOf(BLOCK))
  expect(readdirSync(fake.savePath)).toEqual(['z'])
})

test('a rename overwrites neither a foreign file nor another of the torrent', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.write(0, 0, contentOf(BLOCK))
  writeFileSync(inSavePath('taken'), 'mine')
  expect(await driver.rename(0, 'taken')).toMatchObject({ code: 'EEXIST', operation: 'fileRename' })
  expect(await driver.rename(0, 'top/sub/b')).toMatchObject({ code: 'EEXIST' })
  expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
  expect(readFileSync(inSavePath('taken'), 'utf8')).toBe('mine')
})

test('a file renamed to an absolute path leaves the save path, stays when the torrent moves, and is deleted with it', async () => {
  const content = contentOf(2 * BLOCK)
  const elsewhere = join(fake.root, 'my/own/place')
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writePiece(content, 1)
  expect(await driver.rename(1, join(elsewhere, 'c'))).toBeNull()
  expect(await driver.rename(0, join(elsewhere, 'a'))).toBeNull()
  // nothing of the torrent is left there
  expect(readdirSync(fake.savePath)).toEqual([])
  await driver.writePiece(content, 0)
  expect(readdirSync(elsewhere)).toEqual(['a', 'c'])
  expect(await driver.sizes()).toEqual([BLOCK, BLOCK])
  expect(await driver.flush()).toBeNull()
  expect(await driver.move(join(fake.root, 'moved'))).toBeNull()
  expect(readdirSync(elsewhere)).toEqual(['a', 'c'])
  expect(await driver.release()).toBeNull()
  for (const piece of [0, 1]) {
    expect(await driver.hash(piece)).toEqual(sha1Of(content.subarray(piece * BLOCK, (piece + 1) * BLOCK)))
  }
  expect(await driver.rename(0, 'back')).toBeNull()
  expectBytes(readFileSync(join(fake.root, 'moved/back')), content.subarray(0, BLOCK))
  expect(await driver.delete()).toBeNull()
  expect(readdirSync(elsewhere)).toEqual([])
  expect(readdirSync(join(fake.root, 'moved'))).toEqual([])
})

test('a torrent opened with an absolute path for a file finds it there', async () => {
  const path = join(fake.root, 'elsewhere/a')
  mkdirSync(join(fake.root, 'elsewhere'))
  writeFileSync(path, contentOf(BLOCK))
  const files = [
    { path, absolute: true, size: BLOCK },
    { path: 'empty', size: 0 },
  ]
  const driver = fake.open(files, BLOCK)
  expect(await driver.initialize()).toBeNull()
  expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
  expect(await driver.sizes()).toEqual([BLOCK, 0])
})

test('a file renamed to another device is copied, and its original is removed once that is safe', async () => {
  acrossDevices()
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  const target = join(fake.root, 'other/a')
  expect(await driver.rename(0, target)).toBeNull()
  expect(fake.calls.get('fsync')).toBe(1)
  expectBytes(readFileSync(target), content.subarray(0, BLOCK))
  expect(readdirSync(inSavePath('top'))).toEqual(['sub'])
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
})

test('a rename to another device that fails leaves the file where it was and nothing where it was to be', async () => {
  acrossDevices()
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  const target = join(fake.root, 'other/deep/a')
  mkdirSync(join(fake.root, 'other'))
  fake.fail('writeSync', 'ENOSPC', 28, 1)
  expect(await driver.rename(0, target)).toMatchObject({ code: 'ENOSPC', operation: 'fileRename' })
  expect(readdirSync(join(fake.root, 'other/deep'))).toEqual([])
  fake.fail('unlinkSync', 'EACCES', 13, 1)
  expect(await driver.rename(0, target)).toMatchObject({ code: 'EACCES', operation: 'fileRename' })
  expect(readdirSync(join(fake.root, 'other/deep'))).toEqual([])
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  expect(await driver.rename(0, target)).toBeNull()
})

test('an absolute path is refused when another file of the torrent has the place, even if it is not made yet', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.write(0, 0, contentOf(BLOCK))
  expect(await driver.rename(0, inSavePath('top/sub/b'))).toMatchObject({ code: 'EEXIST' })
  expect(await driver.rename(0, inSavePath('TOP/sub/B'))).toMatchObject({ code: 'EEXIST' })
  expect(await driver.rename(0, inSavePath('top/a'))).toBeNull()
  expect(await driver.rename(1, 'top/a')).toMatchObject({ code: 'EEXIST' })
  expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
})

test('a move never replaces a file of the torrent that has an absolute path there', async () => {
  const target = join(fake.root, 'target')
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  expect(await driver.rename(1, join(target, 'top/a'))).toBeNull()
  expect(await driver.move(target)).toMatchObject({ code: 'EEXIST' })
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
})

test('deleting removes the torrent’s files and its empty directories, and no others', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writeAll(contentOf(2 * BLOCK))
  mkdirSync(inSavePath('top/empty but foreign'))
  expect(await driver.delete()).toBeNull()
  expect(readdirSync(fake.savePath)).toEqual(['top'])
  expect(readdirSync(inSavePath('top'))).toEqual(['empty but foreign'])
})

test('a file that cannot be deleted is reported, and the others are deleted all the same', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writeAll(contentOf(2 * BLOCK))
  fake.fail('unlinkSync', 'EACCES', 13, 1)
  expect(await driver.delete()).toMatchObject({
    code: 'EACCES',
    operation: 'fileRemove',
    path: inSavePath('top/a'),
  })
  expect(readdirSync(inSavePath('top'))).toEqual(['a'])
})

test('releasing brings everything to disk, closes the files and lets the worker forget the torrent', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writeAll(contentOf(2 * BLOCK))
  expect(await driver.release()).toBeNull()
  expect(fake.calls.get('fsync')).toBe(2)
  expect(fake.calls.get('openSync')).toBe(fake.calls.get('closeSync'))
})

test('a file that shrinks and grows between checks is judged by its size at that moment', async () => {
  const driver = fake.open([{ path: 'file', size: 2 * BLOCK }], BLOCK)
  await driver.writeAll(contentOf(2 * BLOCK))
  truncateSync(inSavePath('file'), 0)
  expect(await driver.hash(0)).toMatchObject({ code: 'fileTooShort' })
  const write = driver.write(1, 0, contentOf(BLOCK))
  const hash = driver.hash(1)
  await write
  expect(await hash).toEqual(sha1Of(contentOf(BLOCK)))
})
