import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { SharedBlockPool } from '../disk/blockPool.ts'
import type { DiskWorkerHandler, StartDiskWorker } from '../disk/diskWorker.ts'
import type { StoreReply, StoreSetup } from '../disk/storeProtocol.ts'
import { WorkerDiskIo } from '../disk/workerDiskIo.ts'
import type { DiskLimits } from '../platform/disk.ts'
import { NodeTimers } from './nodeTime.ts'

/** Beyond this many workers the disk, not the processor, sets the pace. */
const MAX_DEFAULT_WORKERS = 4

/** Running from the TypeScript sources (tests, tsx) rather than from what the compiler made of them. */
const fromSource = import.meta.url.endsWith('.ts')

/** The sources need a loader first; what the compiler made needs nothing. */
function startThread(options: WorkerOptions): Worker {
  if (!fromSource) return new Worker(new URL('./diskWorkerEntry.js', import.meta.url), options)
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx'))
  const loader = new URL('./esm/api/index.mjs', tsx)
  const entry = new URL('./diskWorkerEntry.ts', import.meta.url)
  const bootstrap = `import('${loader}').then((tsx) => { tsx.register(); return import('${entry}') })`
  return new Worker(bootstrap, { ...options, eval: true })
}

/** Starts a disk worker thread. It does not keep the process alive unless told to. */
export const startDiskWorker: StartDiskWorker = (index: number, setup: StoreSetup, handler: DiskWorkerHandler) => {
  const worker = startThread({ workerData: setup, name: `disk-${index}`, execArgv: [] })
  let cause: unknown = null
  worker.on('message', (reply: StoreReply) => handler.onReply(reply))
  worker.on('error', (error) => {
    cause = error
  })
  worker.on('exit', (code) => handler.onEnded(cause ?? (code === 0 ? null : new Error(`disk worker exited: ${code}`))))
  worker.unref()
  return {
    post: (request) => worker.postMessage(request),
    setKeepsAlive: (keepsAlive) => (keepsAlive ? worker.ref() : worker.unref()),
    terminate: () => {
      worker.unref()
      void worker.terminate()
    },
  }
}

/** Threads and memory of a session's disk. */
export interface DiskIoOptions {
  /**
   * Size of the block pool, bytes: what blocks on their way between network and disk may take, in shared memory. The
   * system hands it out as it is first used. At least 16 KiB. Default 64 MiB.
   */
  readonly poolBytes?: number
  /** Number of threads, at least 1; each is started by its first work. Default one per core, at most 4. */
  readonly workerCount?: number
}

/** The disk of a session: files, read and written by worker threads. */
export function createDiskIo(limits: DiskLimits, options: DiskIoOptions = {}): WorkerDiskIo {
  return new WorkerDiskIo({
    pool: new SharedBlockPool(options.poolBytes),
    workerCount: options.workerCount ?? Math.min(availableParallelism(), MAX_DEFAULT_WORKERS),
    startWorker: startDiskWorker,
    defer: (callback) => void setImmediate(callback),
    timers: new NodeTimers(),
    limits,
  })
}
