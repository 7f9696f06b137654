import type { ClientKind } from '../clients/client.ts'
import { freePort } from '../lib/ports.ts'
import { expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

const WAIT_MS = 50_000

/** Nothing but uTP, in either direction. Transmission cannot be kept from TCP, but whoever connects to it can. */
export const ONLY_UTP = {
  enable_outgoing_utp: true,
  enable_incoming_utp: true,
  enable_outgoing_tcp: false,
  enable_incoming_tcp: false,
}

/** Transfers over uTP (BEP 29), IPv4 and, with libtorrent, IPv6. */
export function utpCases(ours: ClientKind, libtorrent: ClientKind, transmission: ClientKind): InteropCase[] {
  const pairs = [
    { seeder: libtorrent, downloader: ours, host: '127.0.0.1' },
    { seeder: ours, downloader: libtorrent, host: '127.0.0.1' },
    { seeder: libtorrent, downloader: ours, host: '::1' },
    { seeder: ours, downloader: libtorrent, host: '::1' },
    { seeder: transmission, downloader: ours, host: '127.0.0.1' },
    { seeder: ours, downloader: transmission, host: '127.0.0.1' },
    { seeder: ours, downloader: ours, host: '127.0.0.1' },
  ]
  return pairs.map(({ seeder, downloader, host }) => ({
    name: `utp: ${seeder.name} seeds, ${downloader.name} downloads${host === '::1' ? ', IPv6' : ''}`,
    needs: [seeder, downloader],
    run: (stage: Stage) => transfer(stage, seeder, downloader, host),
  }))
}

async function transfer(stage: Stage, seeder: ClientKind, downloader: ClientKind, host: string): Promise<undefined> {
  const fixture = stage.fixture('single')
  const savePath = stage.subdirectory('downloaded')
  const start = async (kind: ClientKind, role: 'seed' | 'download', peerPort: number | null) => {
    const port = await freePort()
    const at = host === '::1' ? '[::1]' : host
    return stage.start(kind, {
      role,
      source: fixture.torrent,
      savePath: role === 'seed' ? stage.seedDirectory(fixture) : savePath,
      port,
      peers: peerPort === null ? [] : [{ host, port: peerPort }],
      settings: { ...ONLY_UTP, listen_interfaces: `${at}:${port}` },
    })
  }
  const seeding = downloader.connects ? await start(seeder, 'seed', null) : null
  const downloading = await start(downloader, 'download', seeding?.port ?? null)
  if (seeding === null) await start(seeder, 'seed', downloading.port)
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
  return undefined
}
