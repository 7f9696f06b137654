import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
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
