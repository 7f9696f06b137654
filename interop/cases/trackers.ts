import type { ClientKind } from '../clients/client.ts'
import { waitUntil } from '../lib/wait.ts'
import { announcedSeed, opentracker } from './announcedSeed.ts'
import { expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

const PROTOCOLS = ['http', 'udp'] as const
type Protocol = (typeof PROTOCOLS)[number]

const WAIT_MS = 20_000

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
  const { fixture, tracker, torrent, seeding } = await announcedSeed(stage, protocol, seeder, WAIT_MS)
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
  const { fixture, tracker, seeding } = await announcedSeed(stage, protocol, seeder, WAIT_MS)
  await seeding.stop()
  await waitUntil(WAIT_MS, "the seed's 'stopped'", async () => (await tracker.scrape(fixture.infoHash)).seeds === 0)
  return undefined
}
