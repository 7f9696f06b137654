import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SharedBlockPool } from '../../../src/disk/blockPool.ts'
import { inlineDiskIo } from '../../../src/disk/inlineDiskIo.ts'
import { nodeFs, type StoreFs } from '../../../src/disk/store/storeFs.ts'
import type { WorkerDiskIo } from '../../../src/disk/workerDiskIo.ts'
import type { StorageParams } from '../../../src/platform/disk.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { paramsFor, StorageDriver } from '../../integration/disk/storageDriver.ts'

export type Files = Parameters<typeof paramsFor>[1]

/** A disk in this thread whose system calls a test may replace while it runs. */
export class FakeDisk {
  readonly root = mkdtempSync(join(tmpdir(), 'lt-disk-'))
  /** The save path; `root` holds what lies beside it. */
  readonly savePath = join(this.root, 'save')
  /** Counted by name. */
  readonly calls = new Map<string, number>()
  readonly faults: Partial<StoreFs> = {}
  readonly disk: WorkerDiskIo

  constructor(options: { workerCount?: number; filePoolSize?: number; slots?: number } = {}) {
    const { slots = 64, ...rest } = options
    const fs = new Proxy(nodeFs, {
      get: (target, name: keyof StoreFs) => {
        this.calls.set(name, (this.calls.get(name) ?? 0) + 1)
        return this.faults[name] ?? target[name]
      },
    })
    const pool = new SharedBlockPool(slots * BLOCK_SIZE_BYTES)
    this.disk = inlineDiskIo({ pool, defer: (callback) => void setImmediate(callback), fs, ...rest })
  }

  /** From now on the call fails as given; `count` times, then works again. */
  fail(name: keyof StoreFs, code: string, errno: number, count = Number.POSITIVE_INFINITY): void {
    let left = count
    const original = nodeFs[name] as (...args: unknown[]) => unknown
    const faulty = (...args: unknown[]) => {
      if (left-- > 0) throw Object.assign(new Error(`${code}: injected`), { code, errno: -errno, syscall: name })
      return original(...args)
    }
    Object.assign(this.faults, { [name]: faulty })
  }

  heal(): void {
    for (const name of Object.keys(this.faults)) delete this.faults[name as keyof StoreFs]
  }

  open(files: Files, pieceLength: number, options: Partial<StorageParams> = {}): StorageDriver {
    const params = { ...paramsFor(this.savePath, files, pieceLength), ...options }
    const driver = new StorageDriver(this.disk.pool, params)
    driver.storage = this.disk.openStorage(params, driver)
    return driver
  }

  /** Resolves to what is still held after the disk has stopped: to be all zeros. */
  async end(): Promise<{ slots: number; queued: number }> {
    await new Promise<void>((resolve) => this.disk.stop(resolve))
    rmSync(this.root, { recursive: true, force: true })
    return { slots: this.disk.pool.inUse, queued: this.disk.queuedWriteBytes }
  }
}
