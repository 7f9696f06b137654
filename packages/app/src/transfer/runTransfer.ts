import { access, constants, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { AddTorrentParams, Endpoint, IpFilter, Session, TorrentHandle } from 'libtorrent-ts'
import { CliError, reasonOf } from '../cliError.ts'
import { hasContent, nothingThere } from '../contentPlace.ts'
import { DhtStateFile } from '../dht/dhtStateFile.ts'
import { makeDirectory } from '../makeDirectory.ts'
import type { Listening } from '../options/listening.ts'
import { type Network, networkOf } from '../options/proxyOptions.ts'
import type { Output } from '../output/output.ts'
import { selectFiles, WANTED_PRIORITY } from '../selectFiles.ts'
import { exitCodeOf, onStopSignals } from '../signals.ts'
import { stateDirectory } from '../stateDirectory.ts'
import { infoHashOf, readSource, readTorrent, type TorrentSource } from '../torrentSource.ts'
import { isMutable, newestVersion } from './newestVersion.ts'
import { openSession } from './openSession.ts'
import { type NamedPeer, resolvePeers } from './peerKeeper.ts'
import { readIpFilters, warnOfBlockedPeers } from './readIpFilters.ts'
import { ResumeFile } from './resumeFile.ts'
import { ResumeKeeper } from './resumeKeeper.ts'
import { reportTrackers } from './statusReport.ts'
import { Transfer } from './transfer.ts'
import { TransferLock } from './transferLock.ts'
import type { TransferOptions } from './transferOptions.ts'
import { useCertificate } from './useCertificate.ts'

/** Downloads or seeds the torrent `source` names; gives the exit code. */
export async function runTransfer(source: string, options: TransferOptions, output: Output): Promise<number> {
  let transfer: Transfer | null = null
  onStopSignals((signal) => {
    if (transfer === null) process.exit(exitCodeOf(signal))
    else transfer.stop(signal)
  })
  const network = networkOf(options.settings, options.interfaces)
  const peers = await resolvePeers(options.peers, network)
  const ipFilter = await readIpFilters(options.ipFilters, output)
  if (ipFilter !== null) warnOfBlockedPeers(peers, ipFilter, output)
  const torrent = await readTransferSource(source, options, network)
  const savePath = resolve(options.savePath)
  if (options.role === 'download') await prepareSavePath(savePath)
  const dhtFile = options.isPublicDht ? new DhtStateFile(stateDirectory(), output) : null
  const scene: Scene = { savePath, options, output, peers, ipFilter, dhtFile }
  const start = (started: Transfer) => {
    transfer = started
  }
  if (!isMutable(torrent)) return runLocked(torrent, scene, () => open(torrent, scene), start)
  const session = await open(torrent, scene)
  try {
    return await runLocked(await newestVersion(torrent, session, output), scene, async () => session, start)
  } catch (error) {
    await abortQuietly(session)
    throw error
  }
}

/** What a transfer is made of. */
interface Scene {
  readonly savePath: string
  readonly options: TransferOptions
  readonly output: Output
  readonly peers: readonly NamedPeer[]
  readonly ipFilter: IpFilter | null
  readonly dhtFile: DhtStateFile | null
}

function endpointsOf({ peers }: Scene): Endpoint[] {
  return peers.flatMap((peer) => peer.endpoints)
}

async function open(torrent: TorrentSource, scene: Scene): Promise<Session> {
  const { options, output, ipFilter, dhtFile } = scene
  const dhtState = (await dhtFile?.load()) ?? null
  return openSession(listeningOf(torrent, options), endpointsOf(scene), options.settings, ipFilter, dhtState, output)
}

async function runLocked(
  torrent: TorrentSource,
  scene: Scene,
  openSession: () => Promise<Session>,
  onStarted: (transfer: Transfer) => void,
): Promise<number> {
  const { savePath, options } = scene
  // A seed writes nothing: any number may share a directory.
  const infoHash = infoHashOf(torrent).toHex()
  const lock = options.role === 'download' ? await TransferLock.take(savePath, infoHash) : null
  try {
    const file = new ResumeFile(savePath, infoHash)
    const resumeData = await file.load()
    return await runSession(torrent, scene, await openSession(), file, resumeData, onStarted)
  } finally {
    await lock?.release()
  }
}

async function runSession(
  torrent: TorrentSource,
  scene: Scene,
  session: Session,
  file: ResumeFile,
  resumeData: Uint8Array | null,
  onStarted: (transfer: Transfer) => void,
): Promise<number> {
  const { savePath, options, output, peers, dhtFile } = scene
  try {
    reportTrackers(session, output)
    const handle = session.addTorrent(paramsOf(torrent, scene, resumeData))
    chooseFiles(handle, torrent, options)
    if (handle.hasMetadata) await useCertificate(handle, options.certificate, output)
    const resume = new ResumeKeeper(handle, file, output)
    const transfer = new Transfer(session, handle, { resume, dhtFile }, { ...options, savePath }, output, peers)
    onStarted(transfer)
    return await transfer.run()
  } catch (error) {
    await abortQuietly(session)
    throw error
  }
}

/** What can be found wrong before anything is started is found here. */
async function readTransferSource(source: string, options: TransferOptions, network: Network): Promise<TorrentSource> {
  if (options.role === 'download') {
    const torrent = await readSource(source, network)
    if (torrent.kind === 'torrent' && torrent.info.isValid) selectFiles(torrent.info.files(), options.select)
    return torrent
  }
  const info = await readTorrent(source, 'to seed it', network)
  const savePath = resolve(options.savePath)
  // The engine would leave empty files there.
  if (!(await hasContent(info, savePath))) throw await nothingThere(info, savePath, source)
  return { kind: 'torrent', info }
}

/** Makes the directory if need be; what would go wrong with the first piece is told before the first peer. */
async function prepareSavePath(savePath: string): Promise<void> {
  const found = await stat(savePath).catch(() => null)
  if (found !== null && !found.isDirectory()) throw new CliError(`--output ${savePath} is not a directory.`)
  try {
    await makeDirectory(savePath)
    await access(savePath, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new CliError(`--output ${savePath} cannot be written to: ${reasonOf(cause)}. Choose another directory.`, 1, {
      cause,
    })
  }
}

function listeningOf(torrent: TorrentSource, { port, interfaces }: TransferOptions): Listening {
  return { port, interfaces, isSsl: torrent.kind === 'torrent' && torrent.info.sslCert !== '' }
}

function paramsOf(torrent: TorrentSource, scene: Scene, resumeData: Uint8Array | null): AddTorrentParams {
  const { savePath, options } = scene
  return {
    ...(torrent.kind === 'torrent' ? { ti: torrent.info } : { url: torrent.uri, infoHash: infoHashOf(torrent) }),
    savePath,
    peers: endpointsOf(scene),
    trackers: options.trackers,
    sequentialDownload: options.sequential,
    uploadMode: options.role === 'seed',
    // The directory is the one asked for, and nothing an earlier run was told stops this one.
    overrideResumeData: true,
    mergeResumeTrackers: true,
    ...(resumeData !== null && { resumeData }),
  }
}

/** What this command line says counts, not what an earlier one left in the resume file. */
function chooseFiles(handle: TorrentHandle, torrent: TorrentSource, options: TransferOptions): void {
  const info = handle.torrentFile()
  if (info === null) return
  const selected = selectFiles(info.files(), options.select)
  const isChosenByLink = torrent.kind === 'magnet' && torrent.magnet.selectOnly !== null
  if (selected !== null) handle.prioritizeFiles(selected)
  else if (!isChosenByLink && handle.filePriorities().includes(0)) {
    handle.prioritizeFiles(new Array<number>(info.numFiles).fill(WANTED_PRIORITY))
  }
}

async function abortQuietly(session: Session): Promise<void> {
  await session.abort().catch(() => {})
}
