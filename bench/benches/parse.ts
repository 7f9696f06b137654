import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { numberField } from '../../interop/lib/fields.ts'
import { writeTorrentFile } from '../../interop/lib/torrentFixture.ts'
import { type Bench, type BenchScene, MEGABYTE, type Sample } from '../lib/bench.ts'
import type { Engine } from '../lib/engine.ts'
import { median } from '../lib/median.ts'

const FILES = 10_000
const FILE_SIZE_BYTES = 1_000_003
const PIECE_SIZE_BYTES = 4 << 20
const WARM_PARSES = 20

/** Reading and parsing a .torrent of many files: the first time in a process, and when the code is warm. */
export function parseBench(scene: BenchScene): Bench {
  const engines = scene.ours === null ? [scene.libtorrent] : [scene.libtorrent, scene.ours]
  let path: string | null = null
  const torrent = () => {
    path ??= makeTorrent(scene.root)
    return path
  }
  return {
    name: 'parse',
    title: `parse of a ${FILES}-file torrent`,
    variants: engines.map((engine) => ({ name: engine.name, run: () => parse(engine, torrent()) })),
    targets: [],
  }
}

function makeTorrent(root: string): string {
  const pieces = Math.ceil((FILES * FILE_SIZE_BYTES) / PIECE_SIZE_BYTES)
  return writeTorrentFile(join(root, 'files.torrent'), {
    name: 'files',
    'piece length': PIECE_SIZE_BYTES,
    pieces: randomBytes(pieces * 20),
    files: Array.from({ length: FILES }, (_, i) => ({
      length: FILE_SIZE_BYTES,
      path: [`directory ${i % 100}`, `a file with a name of usual length ${i}.bin`],
    })),
  }).torrent
}

async function parse(engine: Engine, path: string): Promise<Sample> {
  const running = await engine.start()
  const once = async () => numberField(await running.daemon.request('parse', { path }), 'seconds') * 1000
  try {
    const first = await once()
    const warm: number[] = []
    for (let i = 0; i < WARM_PARSES; i++) warm.push(await once())
    return { 'first ms': first, 'warm ms': median(warm), 'peak RSS MB': running.memory().peak / MEGABYTE }
  } finally {
    await running.quit()
  }
}
