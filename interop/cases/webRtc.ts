import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClientKind } from '../clients/client.ts'
import { LtTracker } from '../clients/ltTracker.ts'
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
    run: async (stage: Stage) => {
      const tracker = stage.own(await WebTracker.start(stage.directory))
      return meet(stage, seeder, downloader, tracker.url, () => tracker.events.includes('start'))
    },
  }))
}

/** The same at our own tracker, and others among themselves. */
export function ourWebTrackerCases(lt: ClientKind, webtorrent: ClientKind, browser: ClientKind): InteropCase[] {
  return [
    { seeder: webtorrent, downloader: webtorrent },
    { seeder: lt, downloader: webtorrent },
    { seeder: webtorrent, downloader: lt },
    { seeder: lt, downloader: browser },
    { seeder: browser, downloader: lt },
  ].map(({ seeder, downloader }) => ({
    name: `tracker: ours ws, ${seeder.name} seeds, ${downloader.name} downloads`,
    needs: [lt, seeder, downloader],
    run: async (stage: Stage) => {
      const tracker = stage.own(await LtTracker.start(stage.directory, ['--interval', '10']))
      const isThere = async () => (await tracker.webScrape(stage.fixture('single').infoHash)).seeds === 1
      return meet(stage, seeder, downloader, tracker.url('ws'), isThere)
    },
  }))
}

async function meet(
  stage: Stage,
  seeder: ClientKind,
  downloader: ClientKind,
  trackerUrl: string,
  hasAnnounced: () => boolean | Promise<boolean>,
): Promise<undefined> {
  const fixture = stage.fixture('single')
  const { torrent } = writeTorrentFile(join(stage.directory, 'tracked.torrent'), fixture.info, trackerUrl)
  const common = {
    source: torrent,
    peers: [],
    content: { name: fixture.name, size: fixture.totalSize },
    // What is lost on the way is made up for soon.
    settings: { webtorrent_stun_server: '', min_websocket_announce_interval: 5, webtorrent_connection_timeout: 10 },
  }
  await stage.start(seeder, { ...common, role: 'seed', savePath: stage.seedDirectory(fixture) })
  await waitUntil(WAIT_MS, 'the seed announced', hasAnnounced)
  const savePath = stage.subdirectory('downloaded')
  const downloading = await stage.start(downloader, { ...common, role: 'download', savePath })
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
  return undefined
}
