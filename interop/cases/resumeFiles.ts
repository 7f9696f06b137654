import { join } from 'node:path'
import type { ClientKind } from '../clients/client.ts'
import { DaemonClient } from '../clients/daemonClient.ts'
import { numberField, stringField } from '../lib/fields.ts'
import { waitUntil } from '../lib/wait.ts'
import { addressOf, expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

const LIMIT_BYTES_PER_SECOND = 4_000_000
/** Blocks may arrive twice at the end of a download. */
const END_GAME_BYTES = 256 * 1024

const WAIT_MS = 40_000

/** A download half done by one client goes on in another, by way of the first one's resume file. */
export function resumeFileCases(ours: ClientKind, other: ClientKind): InteropCase[] {
  return [
    { from: other, to: ours },
    { from: ours, to: other },
  ].map(({ from, to }) => ({
    name: `resume file: ${from.name} begins, ${to.name} goes on`,
    needs: [other, ours],
    run: (stage: Stage) => handOver(stage, other, from, to),
  }))
}

async function handOver(stage: Stage, seeder: ClientKind, from: ClientKind, to: ClientKind): Promise<string> {
  const fixture = stage.fixture('large')
  const savePath = stage.subdirectory('downloaded')
  const seed = { role: 'seed', source: fixture.torrent, savePath: stage.seedDirectory(fixture), peers: [] } as const
  const slow = await stage.start(seeder, { ...seed, uploadLimit: LIMIT_BYTES_PER_SECOND })
  const download = { role: 'download', source: fixture.torrent, savePath, peers: [addressOf(slow)] } as const
  const first = asDaemon(await stage.start(from, download))
  await waitUntil(WAIT_MS, 'half of the content', async () => (await first.progress()) >= 0.4)

  await first.ask('pause')
  await waitUntil(WAIT_MS, 'disconnected', async () => numberField(await first.ask('status'), 'peers') === 0)
  const resumeFile = join(stage.directory, 'fastresume')
  await first.ask('saveResume', { path: resumeFile })
  const saved = stringField(await first.ask('status'), 'pieces')
  await first.kill()

  const resume = { role: 'download', source: resumeFile, torrent: fixture.torrent, savePath } as const
  const second = asDaemon(await stage.start(to, { ...resume, peers: [] }))
  await second.daemon.event('checked', WAIT_MS)
  const rejection = second.daemon.events.find(({ name }) => name === 'fastresume_rejected')
  if (rejection !== undefined) throw new Error(`rejected: ${String(rejection.fields.message)}`)
  const accepted = stringField(await second.ask('status'), 'pieces')
  if (accepted !== saved) throw new Error(`other pieces than saved:\n${saved}\n${accepted}`)

  const fast = await stage.start(seeder, seed)
  await second.ask('connect', addressOf(fast))
  await second.finished(WAIT_MS)
  const received = numberField(await second.ask('status'), 'downloaded')
  await second.stop()
  expectSameContent(fixture, savePath, to)
  const missing = fixture.totalSize - saved.replaceAll('0', '').length * fixture.pieceLength
  if (received > missing + END_GAME_BYTES) {
    throw new Error(`${received} bytes received where at most ${missing} were missing`)
  }
  return `${saved.replaceAll('0', '').length} of ${saved.length} pieces, ${received} bytes received for the ${missing} of the others`
}

function asDaemon(client: unknown): DaemonClient {
  if (!(client instanceof DaemonClient)) throw new Error('not behind the line protocol')
  return client
}
