import type { TorrentFixture } from '../../interop/lib/torrentFixture.ts'
import { type Bench, type BenchScene, MEGABYTE, megabytesPerSecond, type Sample } from '../lib/bench.ts'
import type { Engine } from '../lib/engine.ts'

const TIMEOUT_MS = 120_000

/** Hashing content that is there already, from the moment the torrent is added until every piece is known. */
export function recheckBench(scene: BenchScene, fixture: () => TorrentFixture): Bench {
  const engines = scene.ours === null ? [scene.libtorrent] : [scene.libtorrent, scene.ours]
  return {
    name: 'recheck',
    title: 'recheck of complete content in the page cache',
    variants: engines.map((engine) => ({ name: engine.name, run: () => recheck(engine, fixture()) })),
    targets: [
      {
        text: "recheck rate >= 1.5x libtorrent's",
        value: 'recheck/ours/MB/s',
        reference: 'recheck/libtorrent/MB/s',
        atLeast: 1.5,
      },
    ],
  }
}

async function recheck(engine: Engine, fixture: TorrentFixture): Promise<Sample> {
  const running = await engine.start()
  try {
    const cpuBefore = running.cpu()
    const begin = performance.now()
    await running.add({ source: fixture.torrent, savePath: fixture.directory })
    const finished = await running.daemon.event('finished', TIMEOUT_MS, begin)
    return {
      'MB/s': megabytesPerSecond(fixture.totalSize, finished.at - begin),
      'CPU s': running.cpu() - cpuBefore,
      'peak RSS MB': running.memory().peak / MEGABYTE,
    }
  } finally {
    await running.quit()
  }
}
