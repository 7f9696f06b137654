import { join } from 'node:path'
import type { ClientKind } from '../clients/client.ts'
import { I2pRouter, i2pRouterNeeds } from '../clients/i2pRouter.ts'
import { I2pTracker } from '../clients/i2pTracker.ts'
import { writeTorrentFile } from '../lib/torrentFixture.ts'
import { waitUntil } from '../lib/wait.ts'
import { expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

/** i2pd looks only every 20 seconds whether a new session is ready. */
const SESSION_MS = 50_000
const WAIT_MS = 60_000

/** Two of `ours` meet in I2P, by a tracker there. */
export function i2pCases(ours: ClientKind): InteropCase[] {
  const name = 'i2p: i2pd brings two together, by a tracker in I2P'
  return [{ name, needs: [ours, i2pRouterNeeds], timeoutMs: 120_000, run: (stage) => meetInI2p(stage, ours) }]
}

async function meetInI2p(stage: Stage, ours: ClientKind): Promise<undefined> {
  const fixture = stage.fixture('single')
  const tracker = stage.own(await I2pTracker.start())
  const router = stage.own(await I2pRouter.start(stage.directory, tracker.port))
  const url = `http://${router.destination}/announce`
  const { torrent } = writeTorrentFile(join(stage.directory, 'hidden.torrent'), fixture.info, url)
  const i2p = `127.0.0.1:${router.port}`
  const settings = { i2p_inbound_length: 0, i2p_outbound_length: 0, i2p_inbound_quantity: 1, i2p_outbound_quantity: 1 }
  const shared = { source: torrent, peers: [], i2p, settings }
  const savePath = stage.subdirectory('download')
  // Both at once: whoever announces last learns of the other, and either may call.
  const [, download] = await Promise.all([
    stage.start(ours, { ...shared, role: 'seed', savePath: stage.seedDirectory(fixture) }),
    stage.start(ours, { ...shared, role: 'download', savePath }),
  ])
  await waitUntil(SESSION_MS, 'both announced', () => tracker.size === 2)
  await download.finished(WAIT_MS)
  expectSameContent(fixture, savePath, ours)
}
