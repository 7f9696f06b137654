import type { SharedBlockPool } from './blockPool.ts'
import type { Defer, DiskWorkerHandler, StartDiskWorker } from './diskWorker.ts'
import { DiskStore } from './store/diskStore.ts'
import { nodeFs, type StoreFs } from './store/storeFs.ts'
import type { StoreReply, StoreRequest, StoreSetup } from './storeProtocol.ts'
import { WorkerDiskIo } from './workerDiskIo.ts'

export interface InlineDiskIoOptions {
  readonly pool: SharedBlockPool
  readonly defer: Defer
  /** Stores to spread the pieces over, as if they were threads. Default 1. */
  readonly workerCount?: number
  /** Default 100 MiB, no limit in effect. */
  readonly maxQueuedDiskBytes?: number
  /** Default 40. */
  readonly filePoolSize?: number
  /** Stands in for `node:fs`. */
  readonly fs?: StoreFs
}

/** The same disk without threads: the stores run on the thread of the caller. For tests and for debugging. */
export function inlineDiskIo(options: InlineDiskIoOptions): WorkerDiskIo {
  return new WorkerDiskIo({
    pool: options.pool,
    workerCount: options.workerCount ?? 1,
    startWorker: inlineDiskWorkers(options.defer, options.fs),
    defer: options.defer,
    limits: {
      maxQueuedDiskBytes: options.maxQueuedDiskBytes ?? 100 * 1024 * 1024,
      filePoolSize: options.filePoolSize ?? 40,
    },
  })
}

/** Stores that carry out each request in a later turn of this thread's event loop. */
export function inlineDiskWorkers(defer: Defer, fs: StoreFs = nodeFs): StartDiskWorker {
  return (_index: number, setup: StoreSetup, handler: DiskWorkerHandler) => {
    const store = new DiskStore(setup, (reply: StoreReply) => handler.onReply(reply), fs)
    return {
      post: (request: StoreRequest) =>
        defer(() => {
          store.receive(request)
          if (typeof request !== 'number' && request.kind === 'stop') handler.onEnded(null)
        }),
      setKeepsAlive: () => {},
      terminate: () => {},
    }
  }
}
