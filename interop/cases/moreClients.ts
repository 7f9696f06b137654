import { join } from 'node:path'
import type { ClientKind, StartOptions } from '../clients/client.ts'
import { LtTracker } from '../clients/ltTracker.ts'
import { freePort } from '../lib/ports.ts'
import { writeTorrentFile } from '../lib/torrentFixture.ts'
import { waitUntil } from '../lib/wait.ts'
import { dhtTransferCases } from './dhtTransfers.ts'
import { expectSameContent, type InteropCase, type Stage } from './interopCase.ts'
import { interruptionCases } from './interruptions.ts'
import { transferCases } from './transfers.ts'

const WAIT_MS = 40_000

interface Pair {
  readonly seeder: ClientKind
  readonly downloader: ClientKind
}

/** Clients that share no code with those of the other cases, and qBittorrent: of every kind of case some, each other ones. */
export function moreClientCases(
  ours: ClientKind,
  aria2: ClientKind,
  rtorrent: ClientKind,
  qbittorrent: ClientKind,
): InteropCase[] {
  const others = [aria2, rtorrent, qbittorrent]
  const all = [...transferCases(ours, others), ...interruptionCases(ours, others), ...dhtTransferCases(ours, [aria2])]
  const chosen = new Set([
    `transfer: aria2 seeds, ${ours.name} downloads, torrent, many`,
    `transfer: rtorrent seeds, ${ours.name} downloads, magnet, many`,
    `transfer: ${ours.name} seeds, rtorrent downloads, magnet, single`,
    `transfer: ${ours.name} seeds, qbittorrent downloads, magnet, many`,
    `interrupted: rtorrent seeds, ${ours.name} downloads and is killed`,
    `interrupted: ${ours.name} seeds, rtorrent downloads and is killed`,
    `dht: magnet link alone, aria2 seeds, ${ours.name} downloads`,
  ])
  return [
    ...all.filter(({ name }) => chosen.has(name)),
    encrypted({ seeder: rtorrent, downloader: ours }),
    encrypted({ seeder: ours, downloader: aria2 }),
    utpByIPv6({ seeder: ours, downloader: qbittorrent }),
  ]
}

/** aria2 says of a magnet link that nothing is left, as a seed does. */
export function aria2TrackerCases(lt: ClientKind, aria2: ClientKind): InteropCase[] {
  return [
    {
      name: `tracker: ours http, magnet link, ${lt.name} seeds, aria2 downloads`,
      needs: [lt, aria2],
      run: (stage) => magnetByTracker(stage, { seeder: lt, downloader: aria2 }),
    },
  ]
}

/** We try in plain text first, where we are the one that connects. */
function encrypted(pair: Pair): InteropCase {
  const other = [pair.seeder, pair.downloader].find(({ name }) => name === 'rtorrent' || name === 'aria2')
  return {
    name: `encryption: ${pair.seeder.name} seeds, ${pair.downloader.name} downloads, ${other?.name} requires it`,
    needs: [pair.seeder, pair.downloader],
    run: (stage) => transfer(stage, pair, '127.0.0.1', (kind) => (kind === other ? { encryption: 'required' } : {})),
  }
}

function utpByIPv6(pair: Pair): InteropCase {
  const settings = {
    address: '::1',
    transport: 'UTP',
  }
  const ours = { enable_outgoing_tcp: false, enable_incoming_tcp: false }
  return {
    name: `utp: ${pair.seeder.name} seeds, ${pair.downloader.name} downloads, IPv6`,
    needs: [pair.seeder, pair.downloader],
    run: (stage) =>
      transfer(stage, pair, '::1', (kind) => ({ settings: kind.name === 'qbittorrent' ? settings : ours })),
  }
}

async function transfer(
  stage: Stage,
  { seeder, downloader }: Pair,
  host: string,
  optionsOf: (kind: ClientKind) => Pick<StartOptions, 'settings' | 'encryption'>,
): Promise<undefined> {
  const fixture = stage.fixture('single')
  const savePath = stage.subdirectory('downloaded')
  const seedPort = await freePort()
  const port = await freePort()
  const seed = {
    role: 'seed',
    source: fixture.torrent,
    savePath: stage.seedDirectory(fixture),
    port: seedPort,
  } as const
  const download = { role: 'download', source: fixture.torrent, savePath, port } as const
  const startSeed = (peers: StartOptions['peers']) => stage.start(seeder, { ...seed, ...optionsOf(seeder), peers })
  if (downloader.connects) await startSeed([])
  const peers = downloader.connects ? [{ host, port: seedPort }] : []
  const downloading = await stage.start(downloader, { ...download, ...optionsOf(downloader), peers })
  if (!downloader.connects) await startSeed([{ host, port }])
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
  return undefined
}

async function magnetByTracker(stage: Stage, { seeder, downloader }: Pair): Promise<undefined> {
  const fixture = stage.fixture('single')
  const tracker = stage.own(await LtTracker.start(stage.directory))
  const path = join(stage.directory, 'tracked.torrent')
  const { torrent, magnet } = writeTorrentFile(path, fixture.info, tracker.url('http'))
  const savePath = stage.subdirectory('downloaded')
  await stage.start(seeder, { role: 'seed', source: torrent, savePath: stage.seedDirectory(fixture), peers: [] })
  const hasSeed = async () => (await tracker.scrape(fixture.infoHash)).seeds === 1
  await waitUntil(WAIT_MS, 'the seed announced', hasSeed)
  const downloading = await stage.start(downloader, { role: 'download', source: magnet, savePath, peers: [] })
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
  return undefined
}
