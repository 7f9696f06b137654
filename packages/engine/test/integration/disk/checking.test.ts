import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeFs } from '../../../src/disk/store/storeFs.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { FakeDisk } from '../../hostile/disk/fakeDisk.ts'
import { contentOf, expectBytes, type StorageDriver, sha1Of } from './storageDriver.ts'

const BLOCK = BLOCK_SIZE_BYTES
const MIB = 2 ** 20
/** What the store reads at a time. */
const READ = 256 * 1024

let fake: FakeDisk

beforeEach(() => {
  fake = new FakeDisk()
  mkdirSync(fake.savePath)
})

afterEach(async () => {
  expect(await fake.end()).toEqual({ slots: 0, queued: 0 })
})

/** A torrent of `size` bytes that are there already. */
function complete(name: string, size: number, pieceLength: number): StorageDriver {
  writeFileSync(join(fake.savePath, name), contentOf(size))
  return fake.open([{ path: name, size }], pieceLength)
}

const reads = () => fake.calls.get('readSync') ?? 0

test('what another torrent reads and writes waits for a part of a piece at most, however much is to be checked', async () => {
  const checked = complete('big', 64 * MIB, 16 * MIB)
  const other = complete('small', 4 * BLOCK, BLOCK)
  await other.read(0, 0, BLOCK)
  const checks = [0, 1, 2, 3].map((piece) => checked.check(piece))
  await new Promise(setImmediate)
  for (let round = 0; round < 4; round++) {
    const before = reads()
    expectBytes(await other.read(1, 0, BLOCK), contentOf(4 * BLOCK).subarray(BLOCK, 2 * BLOCK))
    expect(await other.write(0, 0, contentOf(BLOCK))).toBeNull()
    expect(await other.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
    // each of the three takes two turns of the event loop here, and half a megabyte is hashed in each
    expect(reads() - before).toBeLessThanOrEqual((3 * MIB) / READ)
  }
  expect(checked.calls).toEqual([])
  const content = contentOf(64 * MIB)
  const hashes = await Promise.all(checks)
  hashes.forEach((hash, piece) => {
    expect(hash).toEqual(sha1Of(content.subarray(piece * 16 * MIB, (piece + 1) * 16 * MIB)))
  })
})

test('a piece that is written to while its check is half done is hashed as it was', async () => {
  const driver = complete('file', 4 * MIB, 2 * MIB)
  const content = contentOf(4 * MIB)
  const checks = [driver.check(0), driver.check(1)]
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate)
  expect(reads()).toBeGreaterThan(0)
  expect(driver.calls).toEqual([])
  const written = [0, 1].map((piece) => driver.write(piece, 0, contentOf(BLOCK, 9)))
  expect(await checks[0]).toEqual(sha1Of(content.subarray(0, 2 * MIB)))
  expect(await checks[1]).toEqual(sha1Of(content.subarray(2 * MIB)))
  expect(await Promise.all(written)).toEqual([null, null])
  content.set(contentOf(BLOCK, 9), 0)
  expect(await driver.check(0)).toEqual(sha1Of(content.subarray(0, 2 * MIB)))
})

test('of many small pieces each gets its own answer, in the order they were asked for', async () => {
  const driver = complete('file', 600 * BLOCK, BLOCK)
  const content = contentOf(600 * BLOCK)
  const hashes = await Promise.all(Array.from({ length: 600 }, (_, piece) => driver.check(piece)))
  hashes.forEach((hash, piece) => {
    expect(hash).toEqual(sha1Of(content.subarray(piece * BLOCK, (piece + 1) * BLOCK)))
  })
  expect(driver.calls).toEqual(Array.from({ length: 600 }, (_, piece) => `hashed ${piece}`))
})

test('a check that fails in the middle is an answer, and the pieces behind it get theirs', async () => {
  const driver = complete('file', 6 * MIB, 2 * MIB)
  let count = 0
  const failing = (...args: Parameters<typeof nodeFs.readSync>) => {
    if (++count === 12) throw Object.assign(new Error('EIO: injected'), { code: 'EIO', errno: -5 })
    return nodeFs.readSync(...args)
  }
  fake.faults.readSync = failing as typeof nodeFs.readSync
  const [first, second, third] = await Promise.all([0, 1, 2].map((piece) => driver.check(piece)))
  const content = contentOf(6 * MIB)
  expect(first).toEqual(sha1Of(content.subarray(0, 2 * MIB)))
  expect(second).toMatchObject({ code: 'EIO', operation: 'fileRead' })
  expect(third).toEqual(sha1Of(content.subarray(4 * MIB)))
})

test('closing a torrent does not wait for its check', async () => {
  const driver = complete('file', 64 * MIB, 16 * MIB)
  const other = complete('other', 4 * MIB, MIB)
  for (let piece = 0; piece < 4; piece++) void driver.check(piece)
  const kept = other.check(0)
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  await driver.close()
  expect(driver.calls).toEqual([])
  expect(reads()).toBeLessThan((16 * MIB) / READ)
  expect(await kept).toEqual(sha1Of(contentOf(4 * MIB).subarray(0, MIB)))
})
