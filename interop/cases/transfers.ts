import type { ClientKind } from '../clients/client.ts'
import { addressOf, expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

const CONTENTS = ['single', 'many', 'tiny'] as const
const SOURCES = ['torrent', 'magnet'] as const
const TRANSFER_TIMEOUT_MS = 50_000

/** Every client in each direction, from a .torrent and from a magnet link, with every content. */
export function transferCases(ours: ClientKind, others: readonly ClientKind[]): InteropCase[] {
  return others.flatMap((other) =>
    [
      { seeder: other, downloader: ours },
      { seeder: ours, downloader: other },
    ].flatMap(({ seeder, downloader }) =>
      SOURCES.flatMap((source) =>
        CONTENTS.map((content) => ({
          name: `transfer: ${seeder.name} seeds, ${downloader.name} downloads, ${source}, ${content}`,
          needs: [seeder, downloader],
          run: (stage: Stage) => transfer(stage, seeder, downloader, source, content),
        })),
      ),
    ),
  )
}

async function transfer(
  stage: Stage,
  seeder: ClientKind,
  downloader: ClientKind,
  sourceKind: (typeof SOURCES)[number],
  content: string,
): Promise<undefined> {
  const fixture = stage.fixture(content)
  const seedDirectory = stage.seedDirectory(fixture)
  const savePath = stage.subdirectory('downloaded')
  const seed = { role: 'seed', source: fixture.torrent, savePath: seedDirectory } as const
  const source = sourceKind === 'magnet' ? fixture.magnet : fixture.torrent
  const download = { role: 'download', source, savePath } as const

  if (downloader.connects) {
    const seeding = await stage.start(seeder, { ...seed, peers: [] })
    const downloading = await stage.start(downloader, { ...download, peers: [addressOf(seeding)] })
    await downloading.finished(TRANSFER_TIMEOUT_MS)
    await downloading.stop()
  } else {
    const downloading = await stage.start(downloader, { ...download, peers: [] })
    await stage.start(seeder, { ...seed, peers: [addressOf(downloading)] })
    await downloading.finished(TRANSFER_TIMEOUT_MS)
    await downloading.stop()
  }
  expectSameContent(fixture, savePath, downloader)
  expectSameContent(fixture, seedDirectory, { ...seeder, leavesOutEmptyFiles: false })
}
