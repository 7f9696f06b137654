import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientKind } from '../clients/client.ts'
import { addressOf, expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

/** Time for somebody who is refused to try, and try again. */
const PATIENCE_MS = 3000

/** Of two libtorrents the one whose address our filter blocks gets nothing, the other everything. */
export function filterCases(ours: ClientKind, libtorrent: ClientKind): InteropCase[] {
  return [
    {
      name: 'ip filter: who is blocked gets nothing, others do',
      needs: [ours, libtorrent],
      run: (stage) => oneBlocked(stage, ours, libtorrent),
    },
  ]
}

async function oneBlocked(stage: Stage, ours: ClientKind, libtorrent: ClientKind): Promise<string> {
  const fixture = stage.fixture('single')
  const ipFilter = join(stage.directory, 'ipfilter.dat')
  writeFileSync(ipFilter, '127.000.000.002 - 127.000.000.255 , 000 , neighbours\n')
  const seed = await stage.start(ours, {
    role: 'seed',
    source: fixture.torrent,
    savePath: stage.seedDirectory(fixture),
    peers: [],
    ipFilter,
  })
  const download = (name: string, address: string) =>
    stage.start(libtorrent, {
      role: 'download',
      source: fixture.torrent,
      savePath: stage.subdirectory(name),
      peers: [addressOf(seed)],
      settings: { outgoing_interfaces: address },
    })
  const blocked = await download('blocked', '127.0.0.2')
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))
  const allowed = await download('allowed', '127.0.0.1')
  await allowed.finished(40_000)
  expectSameContent(fixture, stage.subdirectory('allowed'), libtorrent)
  const got = await blocked.progress()
  if (got !== 0) throw new Error(`the blocked libtorrent has ${got} of the content`)
  return 'blocked: 0 bytes'
}
