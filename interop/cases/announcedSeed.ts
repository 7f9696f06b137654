import { join } from 'node:path'
import type { ClientKind } from '../clients/client.ts'
import { Opentracker } from '../clients/opentracker.ts'
import { writeTorrentFile } from '../lib/torrentFixture.ts'
import { waitUntil } from '../lib/wait.ts'
import type { Requirement, Stage } from './interopCase.ts'

export const opentracker: Requirement = {
  name: 'opentracker',
  missing: async () => Opentracker.missing(),
  install: async () => Opentracker.install(),
}

/** A seed that opentracker knows of within `waitMs`, and nobody else. */
export async function announcedSeed(stage: Stage, protocol: 'http' | 'udp', seeder: ClientKind, waitMs: number) {
  const fixture = stage.fixture('single')
  const tracker = stage.own(await Opentracker.start(stage.directory, [fixture.infoHash]))
  const { torrent } = writeTorrentFile(join(stage.directory, 'tracked.torrent'), fixture.info, tracker.url(protocol))
  const savePath = stage.seedDirectory(fixture)
  const seeding = await stage.start(seeder, { role: 'seed', source: torrent, savePath, peers: [] })
  await waitUntil(waitMs, 'the seed announced', async () => (await tracker.scrape(fixture.infoHash)).seeds === 1)
  return { fixture, tracker, torrent, seeding }
}
