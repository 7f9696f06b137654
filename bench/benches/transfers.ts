import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Fields } from '../../interop/lib/fields.ts'
import { makeTorrentFixture, type TorrentFixture } from '../../interop/lib/torrentFixture.ts'
import { type Bench, type BenchScene, MEGABYTE, megabytesPerSecond, type Sample, type Variant } from '../lib/bench.ts'
import type { Engine } from '../lib/engine.ts'

const PIECE_SIZE_BYTES = 1 << 20
const TRANSFER_TIMEOUT_MS = 300_000

/** One file of the scene's size, made on first use. */
export function bigTorrent(scene: BenchScene): () => TorrentFixture {
  let fixture: TorrentFixture | null = null
  return () => {
    fixture ??= makeTorrentFixture(scene.root, {
      name: 'big',
      single: true,
      files: [{ path: 'big', size: scene.size }],
      pieceLength: PIECE_SIZE_BYTES,
    })
    return fixture
  }
}

/** A leecher of each engine with a libtorrent seed; a seed of each engine with a libtorrent leecher; ours with ours. */
export function transferBenches(scene: BenchScene, fixture: () => TorrentFixture): Bench[] {
  const { libtorrent, tunedLibtorrent: tuned, ours } = scene
  const variant = (name: string, seed: Engine, leecher: Engine, measured: Side): Variant => ({
    name,
    run: () => transfer(scene, fixture(), seed, leecher, measured),
  })
  return [
    {
      name: 'download',
      title: 'download from a tuned libtorrent seed (the leecher is measured)',
      variants: [
        variant('libtorrent', tuned, libtorrent, 'leecher'),
        variant('libtorrent, tuned', tuned, tuned, 'leecher'),
        ...(ours === null ? [] : [variant('ours', tuned, ours, 'leecher')]),
      ],
      targets: [
        {
          text: "download rate >= 2x libtorrent's",
          value: 'download/ours/MB/s',
          reference: 'download/libtorrent/MB/s',
          atLeast: 2,
        },
        {
          text: "download CPU <= half of libtorrent's",
          value: 'download/ours/CPU s',
          reference: 'download/libtorrent/CPU s',
          atMost: 0.5,
        },
        { text: 'peak RSS while downloading <= 200 MB', value: 'download/ours/peak RSS MB', atMost: 200 },
      ],
    },
    {
      name: 'seed',
      title: 'seeding to a tuned libtorrent leecher (the seed is measured)',
      variants: [
        variant('libtorrent', libtorrent, tuned, 'seed'),
        variant('libtorrent, tuned', tuned, tuned, 'seed'),
        ...(ours === null ? [] : [variant('ours', ours, tuned, 'seed')]),
      ],
      targets: [
        {
          text: "seeding rate >= libtorrent's",
          value: 'seed/ours/MB/s',
          reference: 'seed/libtorrent/MB/s',
          atLeast: 1,
        },
        {
          text: "seeding CPU <= libtorrent's",
          value: 'seed/ours/CPU s',
          reference: 'seed/libtorrent/CPU s',
          atMost: 1,
        },
      ],
    },
    {
      name: 'ours-to-ours',
      title: 'our seed to our leecher (the leecher is measured)',
      variants: ours === null ? [] : [variant('ours', ours, ours, 'leecher')],
      targets: [
        {
          text: 'ours to ours >= 60% of the raw limit',
          value: 'ours-to-ours/ours/MB/s',
          reference: 'raw/node/MB/s',
          atLeast: 0.6,
        },
      ],
    },
  ]
}

type Side = 'seed' | 'leecher'

/** Content of the uTP bench: libtorrent needs its time. */
const UTP_CONTENT_BYTES = 192 * MEGABYTE
const ONLY_UTP = {
  enable_outgoing_utp: true,
  enable_incoming_utp: true,
  enable_outgoing_tcp: false,
  enable_incoming_tcp: false,
}

/** Nothing but uTP between two of a kind. */
export function utpBench(scene: BenchScene): Bench {
  let made: TorrentFixture | null = null
  const fixture = () => {
    made ??= makeTorrentFixture(scene.root, {
      name: 'utp',
      single: true,
      files: [{ path: 'utp', size: Math.min(scene.size, UTP_CONTENT_BYTES) }],
      pieceLength: PIECE_SIZE_BYTES,
    })
    return made
  }
  const variant = (name: string, engine: Engine): Variant => ({
    name,
    run: async () => {
      const sample = await transfer(scene, fixture(), engine, engine, 'leecher', ONLY_UTP)
      const cpu = (sample['CPU s'] ?? 0) + (sample['other side CPU s'] ?? 0)
      return { ...sample, 'CPU s per GiB, both': cpu / (fixture().totalSize / 2 ** 30) }
    },
  })
  return {
    name: 'utp',
    title: 'uTP between two of a kind',
    variants: [
      variant('libtorrent', scene.tunedLibtorrent),
      ...(scene.ours === null ? [] : [variant('ours', scene.ours)]),
    ],
    targets: [
      {
        text: "uTP: rate >= 5x libtorrent's",
        value: 'utp/ours/MB/s',
        reference: 'utp/libtorrent/MB/s',
        atLeast: 5,
      },
      { text: 'uTP: rate >= 100 MB/s', value: 'utp/ours/MB/s', atLeast: 100 },
      {
        text: "uTP: CPU per GiB <= libtorrent's",
        value: 'utp/ours/CPU s per GiB, both',
        reference: 'utp/libtorrent/CPU s per GiB, both',
        atMost: 1,
      },
    ],
  }
}

/**
 * Both processes are up and the seed is ready before the clock starts: when the leecher opens its connection, which
 * libtorrent does up to half a second after it was told to. It stops when the leecher has the last piece.
 */
async function transfer(
  scene: BenchScene,
  fixture: TorrentFixture,
  seedEngine: Engine,
  leecherEngine: Engine,
  measured: Side,
  settings: Fields = {},
): Promise<Sample> {
  const savePath = join(scene.root, 'downloaded')
  const [seed, leecher] = [await seedEngine.start(settings), await leecherEngine.start(settings)]
  try {
    // Checked before the clock starts: seed mode would have it hash each piece when it is first asked for.
    await seed.add({ source: fixture.torrent, savePath: fixture.directory })
    await seed.daemon.event('finished', TRANSFER_TIMEOUT_MS)
    const torrent = await leecher.add({ source: fixture.torrent, savePath })
    const sides = { seed, leecher }
    const cpuBefore = { seed: seed.cpu(), leecher: leecher.cpu() }
    await leecher.connect(torrent, seed.port)
    const begin = (await leecher.daemon.event('peerConnected', TRANSFER_TIMEOUT_MS)).at
    const finished = await leecher.daemon.event('finished', TRANSFER_TIMEOUT_MS, begin)
    const cpu = { seed: seed.cpu() - cpuBefore.seed, leecher: leecher.cpu() - cpuBefore.leecher }
    return {
      'MB/s': megabytesPerSecond(fixture.totalSize, finished.at - begin),
      'CPU s': cpu[measured],
      'other side CPU s': cpu[measured === 'seed' ? 'leecher' : 'seed'],
      'peak RSS MB': sides[measured].memory().peak / MEGABYTE,
    }
  } finally {
    await Promise.all([seed.quit(), leecher.quit()])
    rmSync(savePath, { recursive: true, force: true })
  }
}
