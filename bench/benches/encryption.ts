import type { TorrentFixture } from '../../interop/lib/torrentFixture.ts'
import { fedDownload } from '../encryption/fedDownload.ts'
import type { Bench, BenchScene, Variant } from '../lib/bench.ts'
import type { Engine } from '../lib/engine.ts'
import { type Side, transfer } from './transfers.ts'

/** Encrypted connections only, and all of them encrypted. */
const RC4 = { out_enc_policy: 0, in_enc_policy: 0, allowed_enc_level: 2, prefer_rc4: true }

/** As `transferBenches`, with every byte encrypted on both sides. */
export function encryptionBenches(scene: BenchScene, fixture: () => TorrentFixture): Bench[] {
  const [libtorrent, tuned] = [scene.libtorrent.with(RC4), scene.tunedLibtorrent.with(RC4)]
  const ours = scene.ours?.with(RC4) ?? null
  const variant = (name: string, seed: Engine, leecher: Engine, measured: Side): Variant => ({
    name,
    run: () => transfer(scene, fixture(), seed, leecher, measured),
  })
  return [
    {
      name: 'rc4-download',
      title: 'encrypted download from a tuned libtorrent seed (the leecher is measured)',
      variants: [
        variant('libtorrent', tuned, libtorrent, 'leecher'),
        ...(ours === null ? [] : [variant('ours', tuned, ours, 'leecher')]),
      ],
      // The seed is what limits both: see `rc4-fed`.
      targets: [],
    },
    {
      name: 'rc4-fed',
      title: 'encrypted download from a seed that encrypted everything before (the leecher is measured)',
      variants: [
        { name: 'libtorrent', run: () => fedDownload(scene, libtorrent) },
        { name: 'libtorrent, tuned', run: () => fedDownload(scene, tuned) },
        ...(ours === null ? [] : [{ name: 'ours', run: () => fedDownload(scene, ours) }]),
      ],
      targets: [
        {
          text: "encrypted download rate >= 1.5x libtorrent's",
          value: 'rc4-fed/ours/MB/s',
          reference: 'rc4-fed/libtorrent/MB/s',
          atLeast: 1.5,
        },
        {
          text: "encrypted download CPU <= libtorrent's",
          value: 'rc4-fed/ours/CPU s',
          reference: 'rc4-fed/libtorrent/CPU s',
          atMost: 1,
        },
      ],
    },
    {
      name: 'rc4-seed',
      title: 'encrypted seeding to a tuned libtorrent leecher (the seed is measured)',
      variants: [
        variant('libtorrent', libtorrent, tuned, 'seed'),
        ...(ours === null ? [] : [variant('ours', ours, tuned, 'seed')]),
      ],
      targets: [
        {
          text: "encrypted seeding rate >= libtorrent's",
          value: 'rc4-seed/ours/MB/s',
          reference: 'rc4-seed/libtorrent/MB/s',
          atLeast: 1,
        },
      ],
    },
    {
      name: 'rc4-ours-to-ours',
      title: 'our seed to our leecher, encrypted (the leecher is measured)',
      variants: ours === null ? [] : [variant('ours', ours, ours, 'leecher')],
      targets: [
        {
          text: "encrypted ours to ours >= 1.5x libtorrent's encrypted download rate",
          value: 'rc4-ours-to-ours/ours/MB/s',
          reference: 'rc4-download/libtorrent/MB/s',
          atLeast: 1.5,
        },
      ],
    },
  ]
}
