import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { numberField } from '../../interop/lib/fields.ts'
import { writeTorrentFile } from '../../interop/lib/torrentFixture.ts'
import { delay, waitUntil } from '../../interop/lib/wait.ts'
import type { Bench, BenchScene, Sample } from '../lib/bench.ts'
import type { Engine, RunningEngine } from '../lib/engine.ts'

const IDLE_MS = 10_000
const SETTLE_MS = 1000

/** Part of a core that counts as doing nothing. */
const QUIET_CPU = 0.1
const LOAD_TIMEOUT_MS = 300_000

/** Small torrents: what is measured is the torrent, not its piece hashes. */
const PIECES = 16
const PIECE_SIZE_BYTES = 256 * 1024

/** Thousands of seeding torrents that nobody asks for. */
export function idleBench(scene: BenchScene): Bench {
  const engines = scene.ours === null ? [scene.libtorrent] : [scene.libtorrent, scene.ours]
  let directory: string | null = null
  const torrents = () => {
    directory ??= makeTorrents(join(scene.root, 'idle'), scene.idleTorrents)
    return directory
  }
  return {
    name: 'idle',
    title: `${scene.idleTorrents} idle seeding torrents`,
    variants: engines.map((engine) => ({ name: engine.name, run: () => idle(engine, torrents()) })),
    targets: [
      { text: 'memory of an idle torrent <= 20 KB', value: 'idle/ours/KB each', atMost: 20 },
      { text: 'idle torrents cost no CPU (<= 2% of one core)', value: 'idle/ours/idle CPU %', atMost: 2 },
    ],
  }
}

function makeTorrents(directory: string, count: number): string {
  mkdirSync(directory)
  for (let i = 0; i < count; i++) {
    const name = `idle ${i}`
    writeTorrentFile(join(directory, `${name}.torrent`), {
      name,
      length: PIECES * PIECE_SIZE_BYTES,
      'piece length': PIECE_SIZE_BYTES,
      pieces: randomBytes(PIECES * 20),
    })
  }
  return directory
}

async function idle(engine: Engine, directory: string): Promise<Sample> {
  const running = await engine.start()
  try {
    await delay(SETTLE_MS)
    const before = running.memory().resident
    const cpuBefore = running.cpu()
    const begin = performance.now()
    const fields = { directory, savePath: directory, seedMode: true }
    const added = await running.daemon.request('addMany', fields, LOAD_TIMEOUT_MS)
    await untilQuiet(running)
    const settled = performance.now() - SETTLE_MS
    const loadCpu = running.cpu() - cpuBefore
    // Engines with a collector give back what loading left behind; others do not know the command.
    await running.daemon.request('collect').catch(() => {})
    const each = (running.memory().resident - before) / numberField(added, 'count')
    const idling = running.cpu()
    await delay(IDLE_MS)
    return {
      'added s': numberField(added, 'seconds'),
      'all seeding s': (settled - begin) / 1000,
      'CPU s until then': loadCpu,
      'KB each': each / 1000,
      'idle CPU %': ((running.cpu() - idling) / (IDLE_MS / 1000)) * 100,
    }
  } finally {
    await running.quit()
  }
}

/** Engines go on starting torrents after they have taken them in; this returns after a second of next to no work. */
async function untilQuiet(running: RunningEngine): Promise<void> {
  let cpu = running.cpu()
  await waitUntil(LOAD_TIMEOUT_MS, 'idle torrents to settle', async () => {
    await delay(SETTLE_MS)
    const used = running.cpu() - cpu
    cpu += used
    return used / (SETTLE_MS / 1000) < QUIET_CPU
  })
}
