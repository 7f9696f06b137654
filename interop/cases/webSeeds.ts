import { join } from 'node:path'
import type { ClientKind } from '../clients/client.ts'
import { runLt } from '../clients/lt.ts'
import { Nginx } from '../clients/nginx.ts'
import { expectSameContent, type InteropCase, type Requirement, type Stage } from './interopCase.ts'

const WAIT_MS = 40_000
const WAYS = ['plain', 'moved'] as const

const nginx: Requirement = {
  name: 'nginx',
  missing: async () => Nginx.missing(),
  install: async () => Nginx.install(),
}

/** A torrent that `lt create --web-seed` has made, and nobody seeds but nginx. */
export function webSeedCases(downloaders: readonly ClientKind[]): InteropCase[] {
  return downloaders.flatMap((downloader) =>
    WAYS.map((way) => ({
      name: `web seed: nginx, ${way}, ${downloader.name} downloads`,
      needs: [nginx, downloader],
      run: (stage: Stage) => fromServer(stage, downloader, way),
    })),
  )
}

async function fromServer(stage: Stage, downloader: ClientKind, way: (typeof WAYS)[number]): Promise<undefined> {
  // libtorrent 2.0 gives up a torrent of several files when each is moved on its own.
  const fixture = stage.fixture(way === 'moved' && downloader.name === 'libtorrent' ? 'single' : 'many')
  const content = stage.seedDirectory(fixture)
  const server = stage.own(await Nginx.start(stage.directory, content))
  const torrent = join(stage.directory, 'web.torrent')
  const url = `http://127.0.0.1:${server.port}/${way}/`
  await runLt(['create', join(content, fixture.name), '-o', torrent, '--web-seed', url], stage.directory)
  const savePath = stage.subdirectory('downloaded')
  const downloading = await stage.start(downloader, { role: 'download', source: torrent, savePath, peers: [] })
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
  return undefined
}
