import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { numberField } from '../../interop/lib/fields.ts'
import { LineDaemon } from '../../interop/lib/lineDaemon.ts'
import { writeTorrentFile } from '../../interop/lib/torrentFixture.ts'
import { type BenchScene, MEGABYTE, megabytesPerSecond, type Sample } from '../lib/bench.ts'
import type { Engine } from '../lib/engine.ts'
import { cpuSeconds } from '../lib/processUsage.ts'
import { REPEATED_BLOCK } from './repeatedBlock.ts'

const PIECE_SIZE_BYTES = 1 << 20
const TIMEOUT_MS = 120_000
const FEEDER = [
  process.execPath,
  '--import',
  import.meta.resolve('tsx'),
  fileURLToPath(new URL('./feeder.ts', import.meta.url)),
]

interface RepeatedTorrent {
  readonly path: string
  readonly infoHash: string
  readonly pieces: number
}

/** A download from `feeder.ts`. The clock starts when the feeder unchokes: until then it encrypts. */
export async function fedDownload(scene: BenchScene, leecherEngine: Engine): Promise<Sample> {
  const torrent = repeatedTorrent(scene)
  const blocks = scene.size / REPEATED_BLOCK.length
  const savePath = join(scene.root, 'downloaded')
  const command = [...FEEDER, torrent.infoHash, String(torrent.pieces), String(blocks)]
  const feeder = await LineDaemon.start('feeder', command, { log: join(scene.root, 'feeder.log') })
  const leecher = await leecherEngine.start()
  try {
    const { fields } = await feeder.event('ready', TIMEOUT_MS)
    const handle = await leecher.add({ source: torrent.path, savePath })
    await leecher.connect(handle, numberField(fields, 'port'))
    await feeder.event('prepared', TIMEOUT_MS)
    const cpuBefore = { feeder: cpuSeconds(feeder.process.pid), leecher: leecher.cpu() }
    const begin = performance.now()
    feeder.process.child.stdin.write('unchoke\n')
    const finished = await leecher.daemon.event('finished', TIMEOUT_MS, begin)
    return {
      'MB/s': megabytesPerSecond(scene.size, finished.at - begin),
      'CPU s': leecher.cpu() - cpuBefore.leecher,
      'other side CPU s': cpuSeconds(feeder.process.pid) - cpuBefore.feeder,
      'peak RSS MB': leecher.memory().peak / MEGABYTE,
    }
  } finally {
    await Promise.all([feeder.quit(), leecher.quit()])
    rmSync(savePath, { recursive: true, force: true })
  }
}

function repeatedTorrent({ root, size }: BenchScene): RepeatedTorrent {
  const hash = createHash('sha1')
  for (let at = 0; at < PIECE_SIZE_BYTES; at += REPEATED_BLOCK.length) hash.update(REPEATED_BLOCK)
  const piece = hash.digest()
  const pieces = size / PIECE_SIZE_BYTES
  const name = 'repeated'
  const { torrent, infoHash } = writeTorrentFile(join(root, `${name}.torrent`), {
    length: size,
    name,
    'piece length': PIECE_SIZE_BYTES,
    pieces: Buffer.concat(new Array<Buffer>(pieces).fill(piece)),
  })
  return { path: torrent, infoHash, pieces }
}
