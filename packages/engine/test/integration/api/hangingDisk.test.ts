import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { Session } from '../../../src/api/session.ts'
import { SharedBlockPool } from '../../../src/disk/blockPool.ts'
import type { StartDiskWorker } from '../../../src/disk/diskWorker.ts'
import { inlineDiskWorkers } from '../../../src/disk/inlineDiskIo.ts'
import { WorkerDiskIo } from '../../../src/disk/workerDiskIo.ts'
import type { Timers } from '../../../src/platform/clock.ts'
import { ALONE } from '../../alone.ts'

const defer = (callback: () => void) => void setImmediate(callback)

/** Five seconds take a turn of the event loop. */
const hastyTimers: Timers = {
  after(_delay, callback) {
    const handle = setImmediate(callback)
    return { cancel: () => clearImmediate(handle) }
  },
}

test('a disk that hangs for good does not keep a session from ending, and what was written stays', async () => {
  let hangs = false
  const startInline = inlineDiskWorkers(defer)
  const startWorker: StartDiskWorker = (index, setup, handler) => {
    const worker = startInline(index, setup, handler)
    return { ...worker, post: (request) => hangs || worker.post(request) }
  }
  const limits = { maxQueuedDiskBytes: 1e8, filePoolSize: 10 }
  const pool = new SharedBlockPool(1 << 20)
  const disk = new WorkerDiskIo({ pool, workerCount: 1, startWorker, defer, limits, timers: hastyTimers })
  const session = new Session({ disk, noListen: true, settings: ALONE })
  const errors: string[] = []
  session.on('sessionError', ({ error }) => errors.push(error.code))

  const savePath = mkdtempSync(join(tmpdir(), 'lt-hanging-'))
  const content = new TestTorrent({ size: 4 * 32768, pieceLength: 32768 })
  const torrent = session.addTorrent({ ti: content.info(), savePath, autoManaged: false })
  await new Promise((resolve) => session.once('torrentChecked', resolve))
  const written = new Promise((resolve) => session.once('pieceFinished', resolve))
  torrent.addPiece(0, content.piece(0))
  await written
  hangs = true
  torrent.addPiece(1, content.piece(1))
  await session.abort()
  expect(errors).toEqual(['ETIMEDOUT'])
  expect(readFileSync(join(savePath, content.files[0].path)).subarray(0, 32768)).toEqual(Buffer.from(content.piece(0)))
  rmSync(savePath, { recursive: true })
})
