/**
 * What the disk half can do alone: blocks written and hashed as they would arrive, pieces checked, blocks read.
 *
 *   npx tsx bench/micro/disk.ts [directory, default /dev/shm] [MiB, default 1024] [only what begins with this]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkerDiskIo } from '../../packages/engine/src/disk/workerDiskIo.ts'
import { createDiskIo } from '../../packages/engine/src/node/diskWorkers.ts'
import type { StorageHandler, StorageParams, TorrentStorage } from '../../packages/engine/src/platform/disk.ts'
import { BLOCK_SIZE_BYTES } from '../../packages/engine/src/util/flavored.ts'

const BLOCK = BLOCK_SIZE_BYTES
const directory = mkdtempSync(join(process.argv[2] ?? '/dev/shm', 'lt-bench-'))
const totalSize = Number(process.argv[3] ?? 1024) * 1024 * 1024
const only = process.argv[4] ?? ''
const source = new Uint8Array(4 * 1024 * 1024).map((_, i) => (i * 2654435761) >>> 13)

class Counter implements StorageHandler {
  onWritten = () => {}
  onHashed = () => {}
  onRead = (_slot: number) => {}
  onBlockWritten(): void {
    this.onWritten()
  }
  onPieceHashed(_piece: number, digest: Uint8Array | null, error: Error | null): void {
    if (digest === null) throw error
    this.onHashed()
  }
  onBlockRead(_token: number, slot: number, _length: number, error: Error | null): void {
    if (error !== null) throw error
    this.onRead(slot)
  }
}

interface Run {
  readonly disk: WorkerDiskIo
  readonly storage: TorrentStorage
  readonly handler: Counter
  readonly pieces: number
  readonly pieceLength: number
}

/** Blocks arrive in chunks of 64 KiB per turn, `peers` pieces at a time, as from as many peers. */
function writeAndHash(run: Run, peers: number): Promise<void> {
  const { disk, storage, handler, pieces, pieceLength } = run
  const active = Array.from({ length: peers }, () => ({ piece: -1, offset: pieceLength }))
  let nextPiece = 0
  let hashed = 0
  let turn = 0
  return new Promise((resolve) => {
    handler.onHashed = () => {
      if (++hashed === pieces) resolve()
    }
    const receive = () => {
      for (let chunk = 0; chunk < 8; chunk++) {
        const peer = active[turn++ % peers]
        for (let block = 0; block < 4; block++) {
          if (disk.isCongested) {
            disk.whenWritable(receive)
            return
          }
          if (peer.offset === pieceLength) {
            if (nextPiece === pieces) break
            peer.piece = nextPiece++
            peer.offset = 0
          }
          const slot = disk.pool.acquire()
          const at = (peer.piece * BLOCK + peer.offset) % source.length
          disk.pool.bytes(slot).set(source.subarray(at, at + BLOCK))
          storage.writeBlock(peer.piece, peer.offset, BLOCK, slot)
          peer.offset += BLOCK
          if (peer.offset === pieceLength) storage.hashPiece(peer.piece)
        }
      }
      if (nextPiece < pieces || active.some((peer) => peer.offset < pieceLength)) setImmediate(receive)
    }
    receive()
  })
}

function checkAll(run: Run, windowBytes: number): Promise<void> {
  const { storage, handler, pieces, pieceLength } = run
  let next = 0
  let hashed = 0
  return new Promise((resolve) => {
    handler.onHashed = () => {
      hashed++
      if (next < pieces) storage.hashPiece(next++)
      else if (hashed === pieces) resolve()
    }
    const window = Math.max(4, Math.floor(windowBytes / pieceLength))
    while (next < Math.min(window, pieces)) storage.hashPiece(next++)
  })
}

function readAll(run: Run, outstanding: number): Promise<void> {
  const { disk, storage, handler, pieces, pieceLength } = run
  const blocks = pieces * (pieceLength / BLOCK)
  let next = 0
  let read = 0
  const ask = () => {
    const at = next++ * BLOCK
    storage.readBlock(Math.floor(at / pieceLength), at % pieceLength, BLOCK, next)
  }
  return new Promise((resolve) => {
    handler.onRead = (slot) => {
      disk.pool.release(slot)
      read++
      if (next < blocks) ask()
      else if (read === blocks) resolve()
    }
    while (next < outstanding) ask()
  })
}

async function measure(name: string, workerCount: number, pieceLength: number, work: (run: Run) => Promise<void>) {
  if (name !== 'warm-up' && !name.startsWith(only)) return
  if (name.includes('new file')) rmSync(join(directory, 'file'), { force: true })
  const disk = createDiskIo({ maxQueuedDiskBytes: 100 << 20, filePoolSize: 40 }, { workerCount })
  const handler = new Counter()
  const file = { path: 'file', size: totalSize, offset: 0, pad: false }
  const params: StorageParams = { savePath: directory, files: [file], totalSize, pieceLength, allocation: 'sparse' }
  const storage = disk.openStorage(params, handler)
  const run = { disk, storage, handler, pieces: totalSize / pieceLength, pieceLength }
  // the start of the threads is not what is measured
  await new Promise<void>((resolve) => {
    let waiting = workerCount
    handler.onRead = (slot) => {
      if (slot >= 0) disk.pool.release(slot)
      if (--waiting === 0) resolve()
    }
    const onBlockRead = handler.onBlockRead
    handler.onBlockRead = (token, slot, length) => onBlockRead.call(handler, token, slot, length, null)
    for (let piece = 0; piece < workerCount; piece++) storage.readBlock(piece, 0, 1, piece)
  })
  const cpu = process.cpuUsage()
  const started = performance.now()
  await work(run)
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const perGiB = (user + system) / 1e6 / (totalSize / 2 ** 30)
  const rate = (totalSize / 1e6 / seconds).toFixed(0).padStart(6)
  console.log(
    `${name.padEnd(44)} ${workerCount} worker${workerCount > 1 ? 's' : ' '} ${rate} MB/s  ${perGiB.toFixed(2)} CPU-s/GiB`,
  )
  if (disk.pool.inUse !== 0) throw new Error(`${disk.pool.inUse} slots left`)
  await new Promise<void>((resolve) => disk.stop(resolve))
}

try {
  const KiB = 1024
  await measure('warm-up', 1, 256 * KiB, (run) => writeAndHash(run, 1))
  for (const workers of [1, 2]) {
    await measure('write + hash, new file, 1 peer, 256 KiB', workers, 256 * KiB, (run) => writeAndHash(run, 1))
    await measure('write + hash, over it, 1 peer, 256 KiB', workers, 256 * KiB, (run) => writeAndHash(run, 1))
    await measure('write + hash, new file, 20 peers, 1 MiB', workers, 1024 * KiB, (run) => writeAndHash(run, 20))
    await measure('write + hash, over it, 20 peers, 16 KiB', workers, 16 * KiB, (run) => writeAndHash(run, 20))
    for (const size of [16, 256, 1024, 16 * 1024]) {
      await measure(`check, ${size} KiB`, workers, size * KiB, (run) => checkAll(run, 8 << 20))
    }
    await measure('read, 64 blocks outstanding', workers, 256 * KiB, (run) => readAll(run, 64))
    await measure('read, 1024 blocks outstanding', workers, 256 * KiB, (run) => readAll(run, 1024))
  }
} finally {
  rmSync(directory, { recursive: true })
}
