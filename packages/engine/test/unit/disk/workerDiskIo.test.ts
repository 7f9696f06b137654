import { expect, test, vi } from 'vitest'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { SharedBlockPool } from '../../../src/disk/blockPool.ts'
import { CongestionGate } from '../../../src/disk/congestionGate.ts'
import type { DiskWorkerHandler } from '../../../src/disk/diskWorker.ts'
import { announcedBatch, isCheckBatch } from '../../../src/disk/jobBatch.ts'
import type { StoreRequest } from '../../../src/disk/storeProtocol.ts'
import { WorkerDiskIo } from '../../../src/disk/workerDiskIo.ts'
import type { StorageHandler, StorageParams } from '../../../src/platform/disk.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'

const BLOCK = BLOCK_SIZE_BYTES
const params: StorageParams = {
  savePath: '/nowhere',
  files: [{ path: 'file', size: 1000 * BLOCK, offset: 0, pad: false }],
  totalSize: 1000 * BLOCK,
  pieceLength: 10 * BLOCK,
  allocation: 'sparse',
}

interface FakeWorker {
  readonly index: number
  readonly handler: DiskWorkerHandler
  readonly requests: StoreRequest[]
  keepsAlive: boolean
  isTerminated: boolean
}

/** A disk whose workers only note what they are sent; the test answers for them. */
function scene(workerCount: number, slots = 64, maxQueuedDiskBytes = 1e9) {
  const workers: FakeWorker[] = []
  const deferred: (() => void)[] = []
  const log: string[] = []
  const time = new VirtualTime()
  const disk = new WorkerDiskIo({
    pool: new SharedBlockPool(slots * BLOCK),
    workerCount,
    defer: (callback) => deferred.push(callback),
    timers: time,
    limits: { maxQueuedDiskBytes, filePoolSize: 40 },
    startWorker: (index, _setup, handler) => {
      const worker: FakeWorker = { index, handler, requests: [], keepsAlive: false, isTerminated: false }
      workers.push(worker)
      return {
        post: (request) => worker.requests.push(request),
        setKeepsAlive: (keepsAlive) => {
          worker.keepsAlive = keepsAlive
        },
        terminate: () => {
          worker.isTerminated = true
        },
      }
    },
  })
  const handler: StorageHandler = {
    onBlockWritten: (piece, offset, _length, error) => log.push(`written ${piece}:${offset / BLOCK} ${error?.message}`),
    onPieceHashed: (piece, _digest, error) => log.push(`hashed ${piece} ${error?.message}`),
    onBlockRead: (token, slot, _length, error) => log.push(`read ${token} ${slot >= 0} ${error?.message}`),
  }
  const endTurn = () => {
    for (const callback of deferred.splice(0)) callback()
  }
  const write = (piece: number, block: number) => storage.writeBlock(piece, block * BLOCK, BLOCK, disk.pool.acquire())
  const storage = disk.openStorage(params, handler)
  return { disk, storage, handler, workers, log, time, endTurn, write }
}

const batches = (worker: FakeWorker) => worker.requests.filter((request) => typeof request === 'number')
/** Of each worker the number of jobs in each batch. */
const jobCounts = (workers: readonly FakeWorker[]) =>
  workers.map((worker) => batches(worker).map((batch) => announcedBatch(batch).count))
const answerAll = (worker: FakeWorker) => {
  for (const batch of batches(worker)) worker.handler.onReply(announcedBatch(batch).id)
  worker.requests.length = 0
}

/** Answers the last call. */
const answerCall = (worker: FakeWorker) => {
  const call = worker.requests.find((request) => typeof request !== 'number' && request.kind === 'call')
  if (call === undefined || typeof call === 'number' || call.kind !== 'call') throw new Error('nothing was called')
  worker.handler.onReply({ kind: 'result', id: call.id, error: null })
}

test('no worker is started before there is work, and then only those that have some', () => {
  const { workers, storage, endTurn } = scene(3)
  expect(workers).toHaveLength(0)
  storage.readBlock(1, 0, BLOCK, 77)
  endTurn()
  expect(workers.map((worker) => worker.index)).toEqual([1])
})

test('the jobs of one turn reach a worker as one message', () => {
  const { workers, write, storage, endTurn } = scene(1)
  for (let block = 0; block < 5; block++) write(0, block)
  storage.clearPiece(0)
  storage.readBlock(1, 0, BLOCK, 77)
  expect(batches(workers[0])).toHaveLength(0)
  endTurn()
  expect(batches(workers[0]).map((batch) => announcedBatch(batch).count)).toEqual([7])
})

test('an idle worker does not wait for the end of a long turn, a busy one does', () => {
  const { workers, write, endTurn } = scene(1)
  for (let block = 0; block < 40; block++) write(Math.floor(block / 10), block % 10)
  expect(batches(workers[0]).map((batch) => announcedBatch(batch).count)).toEqual([16])
  endTurn()
  expect(batches(workers[0]).map((batch) => announcedBatch(batch).count)).toEqual([16, 24])
})

test('a piece stays on one worker, and pieces are spread over all of them', () => {
  const { workers, storage, endTurn } = scene(2)
  for (let piece = 0; piece < 10; piece++) {
    storage.readBlock(piece, 0, BLOCK, piece)
    storage.clearPiece(piece)
  }
  endTurn()
  expect(jobCounts(workers)).toEqual([[10], [10]])
})

test('the pieces of a torrent that are written go to one worker, those of the next torrent to another', () => {
  const { disk, handler, workers, write, storage, endTurn } = scene(2)
  for (let piece = 0; piece < 5; piece++) {
    write(piece, 0)
    storage.readBlock(piece, 0, BLOCK, piece)
    storage.clearPiece(piece)
  }
  endTurn()
  expect(jobCounts(workers)).toEqual([[15]])
  disk.openStorage(params, handler).writeBlock(0, 0, BLOCK, disk.pool.acquire())
  endTurn()
  expect(jobCounts(workers)).toEqual([[15], [1]])
})

test('when much is to be written new pieces go to the worker with the least to do; those begun stay where they are', () => {
  const { workers, write, endTurn } = scene(2, 64, 8 * BLOCK)
  for (let block = 0; block < 6; block++) write(0, block)
  write(1, 0)
  write(0, 6)
  endTurn()
  expect(jobCounts(workers)).toEqual([[7], [1]])
  answerAll(workers[0])
  write(2, 0)
  write(1, 1)
  endTurn()
  // The first batch of the other one has not been answered.
  expect(jobCounts(workers)).toEqual([[1], [1, 1]])
})

test('pieces that were written are spread again once the files were released', () => {
  const { workers, write, storage, endTurn } = scene(2)
  write(1, 0)
  endTurn()
  answerAll(workers[0])
  storage.releaseFiles(() => {})
  answerCall(workers[0])
  storage.readBlock(1, 0, BLOCK, 77)
  endTurn()
  expect(jobCounts(workers.slice(1))).toEqual([[1]])
})

test('a worker keeps the process alive only while it has something to do', () => {
  const { workers, write, endTurn } = scene(1)
  write(0, 0)
  endTurn()
  expect(workers[0].keepsAlive).toBe(true)
  answerAll(workers[0])
  expect(workers[0].keepsAlive).toBe(false)
})

test('when a worker dies all its jobs fail, their slots come back, and the next job starts another', () => {
  const { disk, workers, write, storage, log, endTurn } = scene(1)
  write(0, 0)
  storage.readBlock(0, 0, BLOCK, 5)
  endTurn()
  storage.hashPiece(0)
  const flushed: unknown[] = []
  storage.flush((error) => flushed.push(error?.message))
  workers[0].handler.onEnded(new Error('out of memory'))
  expect(log).toEqual(['written 0:0 out of memory', 'read 5 false out of memory', 'hashed 0 out of memory'])
  expect(flushed).toEqual(['out of memory'])
  expect(disk.pool.inUse).toBe(0)
  expect(disk.queuedWriteBytes).toBe(0)
  write(0, 0)
  endTurn()
  expect(workers).toHaveLength(2)
  const kinds = workers[1].requests.map((request) => (typeof request === 'number' ? 'batch' : request.kind))
  expect(kinds).toEqual(['open', 'batchMemory', 'batch'])
})

test('checks travel in messages of their own, which may be answered after what was sent later', () => {
  const { workers, write, storage, log, endTurn } = scene(1)
  storage.checkPiece(3)
  storage.checkPiece(4)
  endTurn()
  write(0, 0)
  endTurn()
  const [checks, writes] = batches(workers[0])
  expect([checks, writes].map(isCheckBatch)).toEqual([true, false])
  workers[0].handler.onReply(announcedBatch(writes).id)
  expect(log).toEqual(['written 0:0 undefined'])
  expect(workers[0].keepsAlive).toBe(true)
  workers[0].handler.onReply(announcedBatch(checks).id)
  expect(log.slice(1)).toEqual(['hashed 3 undefined', 'hashed 4 undefined'])
  expect(workers[0].keepsAlive).toBe(false)
})

test('what is asked of a piece before and after its check is sent in that order', () => {
  const { workers, write, storage, endTurn } = scene(1)
  write(0, 0)
  storage.checkPiece(0)
  write(0, 1)
  endTurn()
  expect(batches(workers[0]).map(isCheckBatch)).toEqual([false, true, false])
})

test('when a worker dies its checks fail, sent or not', () => {
  const { workers, storage, log, endTurn } = scene(1)
  storage.checkPiece(0)
  endTurn()
  storage.checkPiece(1)
  workers[0].handler.onEnded(new Error('out of memory'))
  expect(log).toEqual(['hashed 0 out of memory', 'hashed 1 out of memory'])
})

test('a handler that throws does not cost the other jobs of the batch their answers', () => {
  const { disk, storage, handler, workers, log, write, endTurn } = scene(1)
  write(0, 0)
  write(0, 1)
  endTurn()
  const { onBlockWritten } = handler
  handler.onBlockWritten = (piece, offset, length, error) => {
    onBlockWritten(piece, offset, length, error)
    if (offset === 0) throw new Error('a bug')
  }
  expect(() => answerAll(workers[0])).toThrow('a bug')
  expect(log).toHaveLength(2)
  expect(disk.pool.inUse).toBe(0)
  let flushed = false
  storage.flush(() => {
    flushed = true
  })
  endTurn()
  const call = workers[0].requests.find((request) => typeof request !== 'number' && request.kind === 'call')
  workers[0].handler.onReply({ kind: 'result', id: (call as { id: number }).id, error: null })
  expect(flushed).toBe(true)
})

test('a full batch is posted at once, and its memory is used again after the answer', () => {
  const { workers, storage, endTurn } = scene(1, 2)
  for (let i = 0; i < 256; i++) storage.clearPiece(i % 100)
  expect(batches(workers[0])).toHaveLength(1)
  answerAll(workers[0])
  for (let i = 0; i < 5; i++) storage.clearPiece(i)
  endTurn()
  expect(workers[0].requests).toHaveLength(1)
})

test('idle storages cost no message: closing one that did nothing starts no worker', () => {
  const { workers, storage, endTurn } = scene(2)
  let closed = false
  storage.close(() => {
    closed = true
  })
  endTurn()
  expect(closed).toBe(true)
  expect(workers).toHaveLength(0)
})

test('while closing, a worker that says nothing for half a minute is ended, what it had to do fails, and all is over', () => {
  const { disk, storage, workers, log, time, write, endTurn } = scene(2, 64, 1)
  const faults: unknown[] = []
  disk.onFault = (cause) => faults.push((cause as Error).message)
  write(0, 0)
  write(1, 0)
  endTurn()
  disk.giveUpHanging()
  answerAll(workers[1])
  time.run({ seconds: 29 })
  expect(log).toEqual(['written 1:0 undefined'])
  time.run({ seconds: 6 })
  const message = 'ETIMEDOUT: disk worker 0 gives no answer, and is given up'
  expect(log.slice(1)).toEqual([`written 0:0 ${message}`])
  expect(faults).toEqual([message])
  expect(workers.map((worker) => worker.isTerminated)).toEqual([true, false])
  expect([disk.pool.inUse, disk.queuedWriteBytes]).toEqual([0, 0])

  // No other is started for what comes later, and what the worker says after all counts for nothing.
  write(0, 1)
  endTurn()
  endTurn()
  expect(log.slice(2)).toEqual([`written 0:1 ${message}`])
  workers[0].handler.onReply(0)
  workers[0].handler.onEnded(null)
  let stopped = false
  storage.close(() => {
    disk.stop(() => {
      stopped = true
    })
  })
  answerCall(workers[1])
  endTurn()
  workers[1].handler.onEnded(null)
  endTurn()
  expect(stopped).toBe(true)
  expect(workers).toHaveLength(2)
  expect(time.pending).toBe(0)
})

test('a worker that is slow but says something now and then is waited for, and so is one before the end', () => {
  const { disk, workers, time, write, endTurn, storage } = scene(1)
  write(0, 0)
  endTurn()
  time.run({ minutes: 10 })
  storage.flush(() => {})
  disk.giveUpHanging()
  for (let round = 0; round < 20; round++) {
    time.run({ seconds: 25 })
    workers[0].handler.onReply({ kind: 'alive' })
  }
  expect(workers[0].isTerminated).toBe(false)
})

test('after stop no storage can be opened', () => {
  const { disk, handler, endTurn } = scene(1)
  let stopped = false
  disk.stop(() => {
    stopped = true
  })
  endTurn()
  endTurn()
  expect(stopped).toBe(true)
  expect(() => disk.openStorage(params, handler)).toThrow(/stopped/)
})

test('what its own code throws in the event loop goes to whoever uses the disk, and nobody is kept waiting', () => {
  const { disk, storage, workers, endTurn, write, log } = scene(1)
  const faults: unknown[] = []
  const broken = (what: string) => () => {
    throw new Error(what)
  }
  disk.onFault = (cause) => faults.push((cause as Error).message)
  storage.initialize(broken('initialize'))
  answerCall(workers[0])
  disk.whenWritable(broken('gate'))
  endTurn()
  workers[0].handler.onReply(12_345)
  vi.spyOn(CongestionGate.prototype, 'update').mockImplementationOnce(broken('release'))
  disk.pool.release(disk.pool.acquire())
  vi.restoreAllMocks()
  expect(faults).toEqual(['initialize', 'gate', expect.stringContaining('answered batch 12345'), 'release'])
  write(0, 0)
  endTurn()
  answerAll(workers[0])
  expect(log).toEqual(['written 0:0 undefined'])
})

test('without anybody to tell, what it throws is thrown', () => {
  const { disk, endTurn } = scene(1)
  disk.whenWritable(() => {
    throw new Error('gate')
  })
  expect(endTurn).toThrow('gate')
})
