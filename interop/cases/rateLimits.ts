import type { ClientKind } from '../clients/client.ts'
import { addressOf, expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

const LIMIT_BYTES_PER_SECOND = 2_000_000
/** What may pass at once, beyond the limit: a second's worth. */
const SAVED_BYTES = LIMIT_BYTES_PER_SECOND
const TIMEOUT_MS = 50_000

/** Our limits in both directions, against libtorrent without any: never faster than the limit. */
export function rateLimitCases(ours: ClientKind, libtorrent: ClientKind): InteropCase[] {
  return [
    {
      name: `rate limit: libtorrent seeds, ${ours.name} downloads with a limit`,
      needs: [ours, libtorrent],
      run: (stage: Stage) => limited(stage, libtorrent, ours, 'downloader'),
    },
    {
      name: `rate limit: ${ours.name} seeds with a limit, libtorrent downloads`,
      needs: [ours, libtorrent],
      run: (stage: Stage) => limited(stage, ours, libtorrent, 'seeder'),
    },
  ]
}

async function limited(
  stage: Stage,
  seeder: ClientKind,
  downloader: ClientKind,
  who: 'seeder' | 'downloader',
): Promise<string> {
  const fixture = stage.fixture('large')
  const savePath = stage.subdirectory('downloaded')
  const seed = { role: 'seed', source: fixture.torrent, savePath: stage.seedDirectory(fixture), peers: [] } as const
  const seeding = await stage.start(seeder, {
    ...seed,
    ...(who === 'seeder' && { uploadLimit: LIMIT_BYTES_PER_SECOND }),
  })
  const began = performance.now()
  const downloading = await stage.start(downloader, {
    role: 'download',
    source: fixture.torrent,
    savePath,
    peers: [addressOf(seeding)],
    ...(who === 'downloader' && { downloadLimit: LIMIT_BYTES_PER_SECOND }),
  })
  await downloading.finished(TIMEOUT_MS)
  const seconds = (performance.now() - began) / 1000
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
  const rate = fixture.totalSize / seconds
  const fastest = (fixture.totalSize - SAVED_BYTES) / LIMIT_BYTES_PER_SECOND
  const remark = `${(rate / 1e6).toFixed(2)} MB/s of ${LIMIT_BYTES_PER_SECOND / 1e6}`
  if (seconds < fastest) throw new Error(`faster than the limit: ${remark}`)
  return remark
}
