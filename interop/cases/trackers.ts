import { join } from 'node:path'
import type { ClientKind } from '../clients/client.ts'
import { Opentracker } from '../clients/opentracker.ts'
import { writeTorrentFile } from '../lib/torrentFixture.ts'
import { waitUntil } from '../lib/wait.ts'
import { expectSameContent, type InteropCase, type Requirement, type Stage } from './interopCase.ts'

const PROTOCOLS = ['http', 'udp'] as const
type Protocol = (typeof PROTOCOLS)[number]

const WAIT_MS = 20_000

const opentracker: Requirement = {
  name: 'opentracker',
  missing: async () => Opentracker.missing(),
  install: async () => Opentracker.install(),
}

/** Two clients that find each other through nothing but opentracker. */
export function trackerCases(ours: ClientKind, other: ClientKind): InteropCase[] {
  return PROTOCOLS.flatMap((protocol) => [
    ...[
      { seeder: other, downloader: ours },
      { seeder: ours, downloader: other },
    ].map(({ seeder, downloader }) => ({
      name: `tracker: opentracker ${protocol}, ${seeder.name} seeds, ${downloader.name} downloads`,
      needs: [opentracker, seeder, downloader],
      run: (stage: Stage) => meetAtTracker(stage, protocol, seeder, downloader),
    })),
    {
      name: `tracker: opentracker ${protocol}, ${ours.name} seeds, leaves and is forgotten`,
      needs: [opentracker, ours],
      run: (stage: Stage) => leave(stage, protocol, ours),
    },
  ])
}

async function meetAtTracker(
  stage: Stage,
  protocol: Protocol,
  seeder: ClientKind,
  downloader: ClientKind,
): Promise<undefined> {
  const { fixture, tracker, torrent, seeding } = await announcedSeed(stage, protocol, seeder)
  const savePath = stage.subdirectory('downloaded')
  const downloading = await stage.start(downloader, { role: 'download', source: torrent, savePath, peers: [] })
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  await seeding.stop()
  await tracker.stop()
  expectSameContent(fixture, savePath, downloader)
  return undefined
}

async function leave(stage: Stage, protocol: Protocol, seeder: ClientKind): Promise<undefined> {
  const { fixture, tracker, seeding } = await announcedSeed(stage, protocol, seeder)
  await seeding.stop()
  await waitUntil(WAIT_MS, "the seed's 'stopped'", async () => (await tracker.scrape(fixture.infoHash)).seeds === 0)
  return undefined
}

async function announcedSeed(stage: Stage, protocol: Protocol, seeder: ClientKind) {
  const fixture = stage.fixture('single')
  const tracker = stage.own(await Opentracker.start(stage.directory, [fixture.infoHash]))
  const { torrent } = writeTorrentFile(join(stage.directory, 'tracked.torrent'), fixture.info, tracker.url(protocol))
  const savePath = stage.seedDirectory(fixture)
  const seeding = await stage.start(seeder, { role: 'seed', source: torrent, savePath, peers: [] })
  await waitUntil(WAIT_MS, 'the seed announced', async () => (await tracker.scrape(fixture.infoHash)).seeds === 1)
  return { fixture, tracker, torrent, seeding }
}
