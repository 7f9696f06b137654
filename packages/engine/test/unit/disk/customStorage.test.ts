import { afterEach, beforeEach, expect, test } from 'vitest'
import { SharedBlockPool } from '../../../src/disk/blockPool.ts'
import { DisabledStorage } from '../../../src/disk/disabledStorage.ts'
import { inlineDiskIo } from '../../../src/disk/inlineDiskIo.ts'
import type { StorageInterface } from '../../../src/disk/storageInterface.ts'
import type { WorkerDiskIo } from '../../../src/disk/workerDiskIo.ts'
import { MoveFlags } from '../../../src/platform/moveFlags.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { contentOf, expectBytes, paramsFor, StorageDriver, sha1Of } from '../../integration/disk/storageDriver.ts'

const BLOCK = BLOCK_SIZE_BYTES
let disk: WorkerDiskIo

beforeEach(() => {
  const pool = new SharedBlockPool(8 * BLOCK)
  disk = inlineDiskIo({ pool, defer: (callback) => void setImmediate(callback) })
})

afterEach(async () => {
  await new Promise<void>((resolve) => disk.stop(resolve))
  expect(disk.pool.inUse).toBe(0)
  expect(disk.queuedWriteBytes).toBe(0)
})

function open(implementation: StorageInterface, size = 2 * BLOCK): StorageDriver {
  const params = paramsFor('/nowhere', [{ path: 'file', size }], 2 * BLOCK)
  const driver = new StorageDriver(disk.pool, params)
  driver.storage = disk.openCustomStorage(params, driver, implementation)
  return driver
}

test('what an implementation throws, or rejects with, reaches the torrent as a storage error', async () => {
  const driver = open({
    write: () => {
      throw Object.assign(new Error('quota'), { code: 'EDQUOT', errno: -122 })
    },
    read: () => Promise.reject(new Error('gone')),
    initialize: () => Promise.reject(new Error('no database')),
    stat: () => {
      throw new Error('no idea')
    },
  })
  expect(await driver.write(0, 0, contentOf(BLOCK))).toMatchObject({
    name: 'LibtorrentError',
    code: 'EDQUOT',
    value: 122,
    operation: 'fileWrite',
  })
  expect(await driver.read(0, 0, BLOCK)).toMatchObject({ message: 'gone', operation: 'fileRead' })
  expect(await driver.hash(0)).toMatchObject({ message: 'gone', operation: 'fileRead' })
  expect(await driver.initialize()).toMatchObject({ message: 'no database' })
  expect(await driver.stat()).toMatchObject({ message: 'no idea', operation: 'fileStat' })
})

test('an implementation that hashes by itself is asked to, and the digest is copied', async () => {
  const digest = new Uint8Array(20).fill(7)
  const driver = open({ read: () => {}, write: () => {}, hash: () => digest })
  const answer = await driver.hash(0)
  digest.fill(0)
  expect(answer).toEqual(new Uint8Array(20).fill(7))
})

test('calls for one piece never overlap, those for two pieces may', async () => {
  const running = new Map<number, number>()
  let most = 0
  const busy = async (piece: number) => {
    expect(running.get(piece) ?? 0).toBe(0)
    running.set(piece, 1)
    most = Math.max(most, [...running.values()].filter((count) => count > 0).length)
    await new Promise(setImmediate)
    running.set(piece, 0)
  }
  const driver = open({ read: busy, write: busy }, 4 * BLOCK)
  const answers: Promise<unknown>[] = []
  for (const piece of [0, 1, 0, 1]) {
    answers.push(driver.write(piece, 0, contentOf(BLOCK)), driver.read(piece, 0, BLOCK), driver.hash(piece))
  }
  for (const answer of await Promise.all(answers)) expect(answer).not.toBeInstanceOf(Error)
  expect(most).toBe(2)
})

test('closing releases the implementation once, after its last write', async () => {
  const log: string[] = []
  const driver = open({
    read: () => {},
    write: async () => {
      await new Promise(setImmediate)
      log.push('written')
    },
    release: () => void log.push('released'),
  })
  void driver.write(0, 0, contentOf(BLOCK))
  await driver.close()
  await driver.close()
  expect(log).toEqual(['written', 'released'])
})

test('the disabled storage takes everything and gives zeros', async () => {
  const driver = open(new DisabledStorage())
  expect(await driver.write(0, 0, contentOf(BLOCK))).toBeNull()
  expectBytes(await driver.read(0, 0, BLOCK), new Uint8Array(BLOCK))
  expect(await driver.hash(0)).toEqual(sha1Of(new Uint8Array(2 * BLOCK)))
})

test('an implementation is told where to move to and how, and says whether all must be checked', async () => {
  const asked: [string, number][] = []
  const driver = open({
    read: () => {},
    write: () => {},
    move: async (savePath, flags) => {
      asked.push([savePath, flags])
      return flags === MoveFlags.dontReplace
    },
  })
  expect(await driver.move('/a')).toBeNull()
  expect(driver.needFullCheck).toBe(false)
  expect(await driver.move('/b', MoveFlags.dontReplace)).toBeNull()
  expect(driver.needFullCheck).toBe(true)
  expect(asked).toEqual([
    ['/a', MoveFlags.alwaysReplaceFiles],
    ['/b', MoveFlags.dontReplace],
  ])
  const indifferent = open({ read: () => {}, write: () => {}, move: async () => {} })
  expect(await indifferent.move('/c', MoveFlags.dontReplace)).toBeNull()
  expect(indifferent.needFullCheck).toBe(false)
})
