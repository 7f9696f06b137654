import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClientKind } from '../clients/client.ts'
import { WebTracker } from '../clients/webTracker.ts'
import { installPackages } from '../clients/webtorrent.ts'
import { writeTorrentFile } from '../lib/torrentFixture.ts'
import { waitUntil } from '../lib/wait.ts'
import { expectSameContent, type InteropCase, type Requirement, type Stage } from './interopCase.ts'

const WAIT_MS = 40_000

const TRACKER_PACKAGE = fileURLToPath(new URL('../node_modules/bittorrent-tracker/package.json', import.meta.url))

const webTracker: Requirement = {
  name: 'bittorrent-tracker',
  missing: async () => (existsSync(TRACKER_PACKAGE) ? null : 'npm ci in interop/'),
  install: async () => installPackages(),
}

/** Two clients that find each other through nothing but a WebSocket tracker: the bytes go over WebRTC. */
export function webRtcCases(ours: ClientKind, others: readonly ClientKind[]): InteropCase[] {
  return [
    { seeder: ours, downloader: ours },
    ...others.flatMap((other) => [
      { seeder: ours, downloader: other },
      { seeder: other, downloader: ours },
    ]),
  ].map(({ seeder, downloader }) => ({
    name: `webrtc: ${seeder.name} seeds, ${downloader.name} downloads`,
    needs: [webTracker, seeder, downloader],
    run: (stage: Stage) => meet(stage, seeder, downloader),
  }))
}

async function meet(stage: Stage, seeder: ClientKind, downloader: ClientKind): Promise<undefined> {
  const fixture = stage.fixture('single')
  const tracker = stage.own(await WebTracker.start(stage.directory))
  const { torrent } = writeTorrentFile(join(stage.directory, 'tracked.torrent'), fixture.info, tracker.url)
  const common = {
    source: torrent,
    peers: [],
    content: { name: fixture.name, size: fixture.totalSize },
    // An introduction now and then comes to nothing: another follows soon.
    settings: { webtorrent_stun_server: '', min_websocket_announce_interval: 5, webtorrent_connection_timeout: 10 },
  }
  await stage.start(seeder, { ...common, role: 'seed', savePath: stage.seedDirectory(fixture) })
  await waitUntil(WAIT_MS, 'the seed announced', () => tracker.events.includes('start'))
  const savePath = stage.subdirectory('downloaded')
  const downloading = await stage.start(downloader, { ...common, role: 'download', savePath })
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
  return undefined
}
