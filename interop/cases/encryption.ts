import { join } from 'node:path'
import type { ClientKind } from '../clients/client.ts'
import { ENGINE_COMMAND, engine } from '../clients/engine.ts'
import { LIBTORRENT_COMMAND } from '../clients/libtorrent.ts'
import { numberField, stringField } from '../lib/fields.ts'
import { LineDaemon } from '../lib/lineDaemon.ts'
import { freePort } from '../lib/ports.ts'
import { makeTorrentFixture } from '../lib/torrentFixture.ts'
import { waitUntil } from '../lib/wait.ts'
import { addressOf, expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

const POLICIES = { forced: 0, enabled: 1, disabled: 2 } as const
const LEVELS = { plaintext: 1, rc4: 2, both: 3 } as const
/** libtorrent begins to connect up to half a second after it was told to, and tries the other way two seconds later. */
const CONNECT_TIMEOUT_MS = 15_000
/** Nothing has come of a connection by then. */
const FAILURE_MS = 900
const TRANSFER_TIMEOUT_MS = 40_000

interface Combination {
  readonly out: keyof typeof POLICIES
  readonly into: keyof typeof POLICIES
  readonly ours: keyof typeof LEVELS
  readonly theirs: keyof typeof LEVELS
  readonly preferRc4: boolean
}

/**
 * The combinations of `pe_settings` of two clients, each the one that connects - where the policies leave nothing to encrypt,
 * three of the nine of levels; and clients that want everything encrypted.
 */
export function encryptionCases(ours: ClientKind, libtorrent: ClientKind, transmission: ClientKind): InteropCase[] {
  const directions = [
    { from: 'engine', to: 'libtorrent', caller: ENGINE_COMMAND, called: LIBTORRENT_COMMAND },
    { from: 'libtorrent', to: 'engine', caller: LIBTORRENT_COMMAND, called: ENGINE_COMMAND },
  ]
  const combined = directions.flatMap(({ from, to, caller, called }) =>
    Object.keys(POLICIES).map((out) => ({
      name: `encryption: ${from} connects to ${to}, out_enc_policy ${out}`,
      needs: [engine, libtorrent],
      run: (stage: Stage) => allCombinations(stage, caller, called, out as keyof typeof POLICIES),
    })),
  )
  const required = [undefined, 'required'] as const
  const requiring = required.flatMap((encryption) =>
    [
      { seeder: transmission, downloader: ours },
      { seeder: ours, downloader: transmission },
    ].map(({ seeder, downloader }) => ({
      name: `encryption: ${seeder.name} seeds, ${downloader.name} downloads, transmission requires it${encryption ? ', so do we' : ''}`,
      needs: [seeder, downloader],
      run: (stage: Stage) => encryptedTransfer(stage, seeder, downloader, ours, encryption),
    })),
  )
  return [...combined, ...requiring]
}

function expected({ out, into, ours, theirs, preferRc4 }: Combination): string {
  const common = LEVELS[ours] & LEVELS[theirs]
  const agreed = ['failure', 'plaintext', 'rc4', preferRc4 ? 'rc4' : 'plaintext'][common] ?? ''
  if (out === 'disabled') return into === 'forced' ? 'failure' : 'none'
  if (out === 'forced') return into === 'disabled' ? 'failure' : agreed
  return into === 'forced' ? agreed : 'none'
}

async function allCombinations(
  stage: Stage,
  caller: readonly string[],
  called: readonly string[],
  out: keyof typeof POLICIES,
): Promise<string> {
  const [leecher] = await start(stage, 'leecher', caller)
  const [seed, seedPort] = await start(stage, 'seed', called)
  const combinations = combinationsOf(out)
  const wrong: string[] = []
  for (const [index, combination] of combinations.entries()) {
    const { into, ours, theirs, preferRc4 } = combination
    await leecher.request('settings', { settings: { out_enc_policy: POLICIES[out], allowed_enc_level: LEVELS[ours] } })
    await seed.request('settings', {
      settings: { in_enc_policy: POLICIES[into], allowed_enc_level: LEVELS[theirs], prefer_rc4: preferRc4 },
    })
    const wanted = expected(combination)
    // Of libtorrent: encrypted first where that fails, plain text first where that fails.
    const flags = into === 'disabled' ? 1 : 0
    const pair = { leecher, seed, seedPort, flags }
    const result = await tryOnce(stage, pair, index, wanted === 'failure')
    if (result !== wanted) wrong.push(`in ${into}, levels ${ours} and ${theirs}: ${result}, not ${wanted}`)
  }
  if (wrong.length > 0) throw new Error(wrong.join('; '))
  return `${combinations.length} combinations`
}

function combinationsOf(out: keyof typeof POLICIES): Combination[] {
  const levels = Object.keys(LEVELS) as (keyof typeof LEVELS)[]
  return (Object.keys(POLICIES) as (keyof typeof POLICIES)[]).flatMap((into) =>
    levels.flatMap((ours, i) =>
      levels
        .filter((theirs) => ours === theirs || isEncrypted(out, into))
        .map((theirs, j) => ({ out, into, ours, theirs, preferRc4: (i + j) % 2 === 1 })),
    ),
  )
}

function isEncrypted(out: keyof typeof POLICIES, into: keyof typeof POLICIES): boolean {
  return out === 'forced' ? into !== 'disabled' : out === 'enabled' && into === 'forced'
}

async function start(stage: Stage, name: string, command: readonly string[]): Promise<[LineDaemon, number]> {
  const daemon = await LineDaemon.start(name, command, { log: join(stage.directory, `${name}.log`) })
  stage.own({ stop: () => daemon.quit() })
  const port = await freePort()
  // Who is complete stays connected, so that it can be seen how.
  await daemon.request('start', { port, settings: { close_redundant_connections: false } })
  return [daemon, port]
}

interface Pair {
  readonly leecher: LineDaemon
  readonly seed: LineDaemon
  readonly seedPort: number
  readonly flags: number
}

/** How a torrent of their own was transferred: what both say of the connection, or `failure`. */
async function tryOnce(stage: Stage, pair: Pair, index: number, isHopeless: boolean): Promise<string> {
  const { leecher, seed, seedPort, flags } = pair
  const name = `content-${index}`
  const files = [{ path: name, size: 20_000 }]
  const fixture = makeTorrentFixture(stage.directory, { name, single: true, files, pieceLength: 16 * 1024 })
  const add = (daemon: LineDaemon, savePath: string) => daemon.request('add', { source: fixture.torrent, savePath })
  const seeding = numberField(await add(seed, fixture.directory), 'torrent')
  const progressOf = async (daemon: LineDaemon, torrent: number) =>
    numberField(await daemon.request('status', { torrent }), 'progress')
  await waitUntil(CONNECT_TIMEOUT_MS, 'the seed has checked', async () => (await progressOf(seed, seeding)) === 1)
  const torrent = numberField(await add(leecher, stage.subdirectory(`downloaded-${index}`)), 'torrent')
  await leecher.request('connect', { torrent, host: '127.0.0.1', port: seedPort, flags })
  const complete = async () => (await progressOf(leecher, torrent)) === 1
  const timeout = isHopeless ? FAILURE_MS : CONNECT_TIMEOUT_MS
  const isComplete = await waitUntil(timeout, 'the download', complete).then(
    () => true,
    () => false,
  )
  let result = 'failure'
  if (isComplete) {
    const told = async (daemon: LineDaemon, which: number) =>
      stringField(await daemon.request('encryption', { torrent: which }), 'encryption')
    const [one, other] = [await told(leecher, torrent), await told(seed, seeding)]
    result = one === other ? one : `${one} here and ${other} there`
  }
  await leecher.request('remove', { torrent })
  await seed.request('remove', { torrent: seeding })
  return result
}

async function encryptedTransfer(
  stage: Stage,
  seeder: ClientKind,
  downloader: ClientKind,
  ours: ClientKind,
  encryption: 'required' | undefined,
): Promise<undefined> {
  const fixture = stage.fixture('tiny')
  const savePath = stage.subdirectory('downloaded')
  const wish = (kind: ClientKind) => ({ encryption: kind === ours ? encryption : ('required' as const) })
  const seed = {
    role: 'seed',
    source: fixture.torrent,
    savePath: stage.seedDirectory(fixture),
    ...wish(seeder),
  } as const
  const download = { role: 'download', source: fixture.torrent, savePath, ...wish(downloader) } as const
  if (downloader === ours) {
    const seeding = await stage.start(seeder, { ...seed, peers: [] })
    const downloading = await stage.start(downloader, { ...download, peers: [addressOf(seeding)] })
    await downloading.finished(TRANSFER_TIMEOUT_MS)
  } else {
    const downloading = await stage.start(downloader, { ...download, peers: [] })
    await stage.start(seeder, { ...seed, peers: [addressOf(downloading)] })
    await downloading.finished(TRANSFER_TIMEOUT_MS)
  }
  expectSameContent(fixture, savePath, downloader)
  return undefined
}
