/**
 * How long a block another torrent wants must wait while a torrent is checked, and how fast the check is meanwhile.
 *
 *   npx tsx bench/micro/checkLatency.ts [directory, default /dev/shm] [MiB, default 1024] [only pieces of this many KiB]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PieceLayout } from '../../packages/engine/src/metainfo/pieceLayout.ts'
import { createDiskIo } from '../../packages/engine/src/node/diskWorkers.ts'
import type { DiskIo, StorageHandler, TorrentStorage } from '../../packages/engine/src/platform/disk.ts'
import { FileChecker } from '../../packages/engine/src/torrent/fileChecker.ts'
import { BLOCK_SIZE_BYTES } from '../../packages/engine/src/util/flavored.ts'

const BLOCK = BLOCK_SIZE_BYTES
const MIB = 1 << 20
const WORKERS = 2
const directory = mkdtempSync(join(process.argv[2] ?? '/dev/shm', 'lt-bench-'))
const only = Number(process.argv[4] ?? 0) * 1024
const totalSize = Number(process.argv[3] ?? 1024) * MIB

function open(disk: DiskIo, name: string, size: number, pieceLength: number, handler: Partial<StorageHandler>) {
  const files = [{ path: name, size, offset: 0, pad: false }]
  return disk.openStorage(
    { savePath: directory, files, totalSize: size, pieceLength, allocation: 'sparse' },
    { onBlockWritten: () => {}, onPieceHashed: () => {}, onBlockRead: () => {}, ...handler },
  )
}

/** Checks a torrent to its end; answers MB/s. */
function check(disk: DiskIo, pieceLength: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const layout = new PieceLayout(totalSize, pieceLength)
    const started = performance.now()
    let checker: FileChecker | null = null
    const storage: TorrentStorage = open(disk, 'big', totalSize, pieceLength, {
      onPieceHashed: (piece, digest, error) => checker?.onPieceHashed(piece, digest, error),
    })
    checker = new FileChecker({
      layout,
      storage,
      files: [{ path: 'big', size: totalSize, offset: 0, pad: false }],
      hashMatches: () => true,
      onCheckProgress: () => {},
      onCheckDone: () => resolve(totalSize / 1e3 / (performance.now() - started)),
      onCheckError: reject,
    })
    checker.start()
  })
}

/** One block at a time is asked for until `stop`; answers how long each took, ms. */
function probe(disk: DiskIo, action: 'read' | 'write') {
  const times: number[] = []
  let asked = 0
  let stopped = false
  let piece = 0
  const next = () => {
    if (stopped) return
    asked = performance.now()
    piece = (piece + 1) % 64
    if (action === 'read') storage.readBlock(piece, 0, BLOCK, 0)
    else storage.writeBlock(piece, 0, BLOCK, disk.pool.acquire())
  }
  const answered = () => {
    times.push(performance.now() - asked)
    setTimeout(next, 1)
  }
  const storage = open(disk, 'small', 64 * BLOCK, BLOCK, {
    onBlockWritten: answered,
    onBlockRead: (_token, slot) => {
      disk.pool.release(slot)
      answered()
    },
  })
  next()
  return {
    times,
    stop: () => {
      stopped = true
    },
  }
}

function quantile(times: readonly number[], share: number): string {
  const sorted = times.toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(2).padStart(8)
}

async function measure(pieceLength: number, action: 'read' | 'write' | null): Promise<void> {
  const disk = createDiskIo({ maxQueuedDiskBytes: 100 * MIB, filePoolSize: 40 }, { workerCount: WORKERS })
  // the start of the threads is not what is measured
  const warm = probe(disk, 'read')
  await new Promise((resolve) => setTimeout(resolve, 500))
  warm.stop()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const probing = action === null ? null : probe(disk, action)
  const rate = await check(disk, pieceLength)
  probing?.stop()
  const times = probing?.times ?? []
  const wait = action === null ? '' : [0.5, 0.99, 1].map((share) => quantile(times, share)).join('')
  const what = `pieces of ${pieceLength / 1024} KiB${action === null ? '' : `, ${action}`}`
  console.log(`${what.padEnd(32)} ${rate.toFixed(0).padStart(6)} MB/s  ${wait}`)
  await new Promise<void>((resolve) => disk.stop(resolve))
}

try {
  const chunk = new Uint8Array(MIB).map((_, i) => (i * 2654435761) >>> 13)
  for (let at = 0; at < totalSize; at += MIB) writeFileSync(join(directory, 'big'), chunk, { flag: 'a' })
  writeFileSync(join(directory, 'small'), chunk)
  console.log(
    `${'check'.padEnd(32)} ${'rate'.padStart(11)}  ${['median', '99%', 'most'].map((t) => t.padStart(8)).join('')} ms`,
  )
  for (const pieceLength of [16 * 1024, 256 * 1024, MIB, 4 * MIB, 16 * MIB]) {
    if (only !== 0 && only !== pieceLength) continue
    for (const action of [null, 'read', 'write'] as const) await measure(pieceLength, action)
  }
} finally {
  rmSync(directory, { recursive: true })
}
