import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SharedBlockPool } from '../../../src/disk/blockPool.ts'
import { inlineDiskIo } from '../../../src/disk/inlineDiskIo.ts'
import { MemoryStorage } from '../../../src/disk/memoryStorage.ts'
import type { StorageInterface } from '../../../src/disk/storageInterface.ts'
import type { WorkerDiskIo } from '../../../src/disk/workerDiskIo.ts'
import { createDiskIo } from '../../../src/node/diskWorkers.ts'
import type { StorageParams } from '../../../src/platform/disk.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { type Backend, storageConformance } from './conformance.ts'

const SLOTS = 16
const defer = (callback: () => void) => void setImmediate(callback)

function backend(disk: WorkerDiskIo, makeStorage?: (params: StorageParams) => StorageInterface): Backend {
  const directory = mkdtempSync(join(tmpdir(), 'lt-disk-'))
  return {
    disk,
    directory,
    open: (params, driver) =>
      makeStorage === undefined
        ? disk.openStorage(params, driver)
        : disk.openCustomStorage(params, driver, makeStorage(params)),
    end: () =>
      new Promise((resolve) => {
        disk.stop(() => {
          rmSync(directory, { recursive: true, force: true })
          resolve()
        })
      }),
  }
}

function inline(workerCount: number, filePoolSize?: number): WorkerDiskIo {
  const pool = new SharedBlockPool(SLOTS * BLOCK_SIZE_BYTES)
  return inlineDiskIo({ pool, defer, workerCount, ...(filePoolSize === undefined ? {} : { filePoolSize }) })
}

/** Answers everything a few turns late, and not at once what came at once. */
class SlowStorage implements StorageInterface {
  private readonly memory: MemoryStorage
  private turns = 0

  constructor(params: StorageParams) {
    this.memory = new MemoryStorage(params)
  }

  async read(piece: number, offset: number, target: Uint8Array): Promise<void> {
    await this.later()
    this.memory.read(piece, offset, target)
  }

  async write(piece: number, offset: number, bytes: Uint8Array): Promise<void> {
    await this.later()
    this.memory.write(piece, offset, bytes)
  }

  async delete(): Promise<void> {
    await this.later()
    this.memory.delete()
  }

  stat() {
    return this.memory.stat()
  }

  private async later(): Promise<void> {
    this.turns = (this.turns * 5 + 3) % 7
    for (let i = 0; i < this.turns; i++) await new Promise(setImmediate)
  }
}

storageConformance('one store in this thread', () => backend(inline(1)))
storageConformance('three stores in this thread, one open file each', () => backend(inline(3, 3)))
storageConformance('memory', () => backend(inline(1), (params) => new MemoryStorage(params)))
storageConformance('a custom storage that answers late', () => backend(inline(1), (params) => new SlowStorage(params)))
storageConformance('worker threads', () => {
  const limits = { maxQueuedDiskBytes: 1 << 20, filePoolSize: 40 }
  return backend(createDiskIo(limits, { poolBytes: SLOTS * BLOCK_SIZE_BYTES, workerCount: 2 }))
})
