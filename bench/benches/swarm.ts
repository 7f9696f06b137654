import { join } from 'node:path'
import { numberField } from '../../interop/lib/fields.ts'
import { LineDaemon } from '../../interop/lib/lineDaemon.ts'
import type { TorrentFixture } from '../../interop/lib/torrentFixture.ts'
import { type Bench, type BenchScene, MEGABYTE, megabytesPerSecond, type Sample } from '../lib/bench.ts'
import { buildProgram } from '../lib/build.ts'
import type { Engine } from '../lib/engine.ts'

const PEERS = 500
const SECONDS = 5

/** One seed, and five hundred peers that download from it at the same time; all are let in and unchoked. */
export function swarmBench({ root, libtorrent, ours }: BenchScene, fixture: () => TorrentFixture): Bench {
  const engines = [libtorrent, ...(ours === null ? [] : [ours])]
  return {
    name: 'swarm',
    title: `${PEERS} peers download from one seed (the seed is measured; all peers are one process)`,
    variants: engines.map((engine) => ({
      name: engine === ours ? 'ours' : 'libtorrent',
      run: () => serve(root, fixture(), engine),
    })),
    targets: [
      {
        text: `${PEERS} peers: total rate >= libtorrent's`,
        value: 'swarm/ours/MB/s',
        reference: 'swarm/libtorrent/MB/s',
        atLeast: 1,
      },
    ],
  }
}

async function serve(root: string, fixture: TorrentFixture, engine: Engine): Promise<Sample> {
  const seed = await engine.start({
    connections_limit: 2 * PEERS,
    unchoke_slots_limit: -1,
    connections_slack: PEERS,
    ...(engine.name === 'libtorrent' && { listen_queue_size: PEERS }),
  })
  try {
    await seed.add({ source: fixture.torrent, savePath: fixture.directory })
    await seed.daemon.event('finished', 120_000)
    const pieces = Math.ceil(fixture.totalSize / fixture.pieceLength)
    const program = buildProgram(new URL('../swarm/leechers.ts', import.meta.url))
    const numbers = [seed.port, fixture.infoHash, pieces, fixture.pieceLength, PEERS, SECONDS].map(String)
    const log = join(root, 'leechers.log')
    const leechers = await LineDaemon.start('leechers', [process.execPath, program, ...numbers], { log })
    const begin = await leechers.event('begin', 60_000)
    const cpuBefore = seed.cpu()
    const { fields } = await leechers.event('end', (SECONDS + 30) * 1000, begin.at)
    const cpu = seed.cpu() - cpuBefore
    const bytes = numberField(fields, 'bytes')
    if (numberField(fields, 'served') < PEERS) console.log(`only ${numberField(fields, 'served')} peers were served`)
    return {
      'MB/s': megabytesPerSecond(bytes, numberField(fields, 'seconds') * 1000),
      'CPU s per GB': cpu / (bytes / 1e9),
      served: numberField(fields, 'served'),
      'RSS MB': seed.memory().resident / MEGABYTE,
    }
  } finally {
    await seed.quit()
  }
}
