import { join } from 'node:path'
import type { ClientKind, RunningClient } from '../clients/client.ts'
import { LtTracker } from '../clients/ltTracker.ts'
import { writeTorrentFile } from '../lib/torrentFixture.ts'
import { waitUntil } from '../lib/wait.ts'
import { expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

const PROTOCOLS = ['http', 'udp'] as const
type Protocol = (typeof PROTOCOLS)[number]

const WAIT_MS = 20_000

/** Other people's clients find each other through nothing but our tracker, and are forgotten when they leave. */
export function ltTrackerCases(lt: ClientKind, libtorrent: ClientKind, transmission: ClientKind): InteropCase[] {
  // The first of a pair is the one that comes first: Transmission does not connect to peers on loopback, so the other
  // has to be told of it.
  const pairs = [
    { seeder: libtorrent, downloader: libtorrent, first: 'seeder' },
    { seeder: transmission, downloader: libtorrent, first: 'seeder' },
    { seeder: libtorrent, downloader: transmission, first: 'downloader' },
    { seeder: lt, downloader: libtorrent, first: 'downloader' },
  ] as const
  return PROTOCOLS.flatMap((protocol) =>
    pairs.map(({ seeder, downloader, first }) => ({
      name: `tracker: ours ${protocol}, ${seeder.name} seeds, ${downloader.name} downloads`,
      needs: [lt, seeder, downloader],
      run: (stage: Stage) => meet(stage, protocol, seeder, downloader, first, lt),
    })),
  )
}

async function meet(
  stage: Stage,
  protocol: Protocol,
  seeder: ClientKind,
  downloader: ClientKind,
  first: 'seeder' | 'downloader',
  ours: ClientKind,
): Promise<undefined> {
  const fixture = stage.fixture('single')
  const tracker = stage.own(await LtTracker.start(stage.directory))
  const { torrent } = writeTorrentFile(join(stage.directory, 'tracked.torrent'), fixture.info, tracker.url(protocol))
  const savePath = stage.subdirectory('downloaded')
  const seedPath = stage.seedDirectory(fixture)
  const counts = () => tracker.scrape(fixture.infoHash)
  const seed = () => stage.start(seeder, { role: 'seed', source: torrent, savePath: seedPath, peers: [] })
  const download = () => stage.start(downloader, { role: 'download', source: torrent, savePath, peers: [] })

  let seeding: RunningClient
  let downloading: RunningClient
  if (first === 'seeder') {
    seeding = await seed()
    await waitUntil(WAIT_MS, 'the seed announced', async () => (await counts()).seeds === 1)
    downloading = await download()
  } else {
    downloading = await download()
    await waitUntil(WAIT_MS, 'the downloader announced', async () => (await counts()).downloaders === 1)
    seeding = await seed()
  }
  await downloading.finished(WAIT_MS)
  expectSameContent(fixture, savePath, downloader)
  // It is a seed now, or, as Transmission stops when it has finished, gone.
  await waitUntil(WAIT_MS, "the downloader's end", async () => (await counts()).downloaders === 0)
  if (seeder === ours) {
    // The others end without a word: libtorrent's process at once, Transmission 3 before it has sent it over HTTP.
    const { seeds } = await counts()
    await seeding.stop()
    await waitUntil(WAIT_MS, "the seed's 'stopped'", async () => (await counts()).seeds === seeds - 1)
  }
  return undefined
}
