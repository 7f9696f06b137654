import type { ClientKind, RunningClient } from '../clients/client.ts'
import { freePort } from '../lib/ports.ts'
import { waitUntil } from '../lib/wait.ts'
import { addressOf, type InteropCase, type Stage } from './interopCase.ts'

/** Peer exchange waits up to a minute between two messages; the first comes sooner. */
const WAIT_MS = 50_000
/** So slow that nobody is complete, and leaves, before all have met. */
const DOWNLOAD_LIMIT = 5_000

/** Two clients that know nobody but the one between them find each other (BEP 11). */
export function peerExchangeCases(ours: ClientKind, other: ClientKind): InteropCase[] {
  const trios = [
    { left: other, middle: ours, right: other },
    { left: ours, middle: other, right: other },
  ]
  return trios.map(({ left, middle, right }) => ({
    name: `peer exchange: ${left.name} and ${right.name} meet through ${middle.name}`,
    needs: [left, middle, right],
    run: (stage: Stage) => meet(stage, left, middle, right),
  }))
}

async function meet(stage: Stage, left: ClientKind, middle: ClientKind, right: ClientKind): Promise<undefined> {
  const fixture = stage.fixture('single')
  const start = async (kind: ClientKind, name: string, between: RunningClient | null) => {
    const port = await freePort()
    return stage.start(kind, {
      role: between === null ? 'seed' : 'download',
      source: fixture.torrent,
      savePath: between === null ? stage.seedDirectory(fixture) : stage.subdirectory(name),
      port,
      peers: between === null ? [] : [addressOf(between)],
      settings: { allow_multiple_connections_per_ip: true, listen_interfaces: `127.0.0.1:${port}` },
      discoverable: true,
      uploadLimit: DOWNLOAD_LIMIT,
      downloadLimit: DOWNLOAD_LIMIT,
    })
  }
  const between = await start(middle, 'middle', null)
  const first = await start(left, 'left', between)
  const second = await start(right, 'right', between)
  await waitUntil(WAIT_MS, 'both have two peers', async () => {
    return ((await first.peers?.()) ?? 0) >= 2 && ((await second.peers?.()) ?? 0) >= 2
  })
  return undefined
}
