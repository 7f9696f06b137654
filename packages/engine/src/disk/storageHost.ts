import type { TorrentStorage } from '../platform/disk.ts'
import type { SharedBlockPool } from './blockPool.ts'
import type { Defer } from './diskWorker.ts'

/** What any storage needs of the disk it belongs to. */
export interface StorageHost {
  readonly pool: SharedBlockPool
  readonly defer: Defer
  addQueuedWrite(bytes: number): void
  subtractQueuedWrite(bytes: number): void
  /** Calls `begin` once a read may have a slot. */
  waitForSlot(storage: TorrentStorage, begin: () => void): void
  dropWaitingReads(storage: TorrentStorage): void
  /** The storage has carried out all its work and is gone. */
  storageClosed(storage: TorrentStorage): void
}
