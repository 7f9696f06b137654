import { access, constants, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { AddTorrentParams, Endpoint, Session, TorrentHandle } from 'libtorrent-ts'
import { CliError, reasonOf } from '../cliError.ts'
import { hasContent, nothingThere } from '../contentPlace.ts'
import { makeDirectory } from '../makeDirectory.ts'
import { type Network, networkOf } from '../options/proxyOptions.ts'
import type { Output } from '../output/output.ts'
import { selectFiles, WANTED_PRIORITY } from '../selectFiles.ts'
import { exitCodeOf, onStopSignals } from '../signals.ts'
import { readSource, readTorrent, type TorrentSource } from '../torrentSource.ts'
import { openSession } from './openSession.ts'
import { type NamedPeer, resolvePeers } from './peerKeeper.ts'
import { ResumeFile } from './resumeFile.ts'
import { ResumeKeeper } from './resumeKeeper.ts'
import { reportTrackers } from './statusReport.ts'
import { Transfer } from './transfer.ts'
import { TransferLock } from './transferLock.ts'
import type { TransferOptions } from './transferOptions.ts'

/** Downloads or seeds the torrent `source` names; gives the exit code. */
export async function runTransfer(source: string, options: TransferOptions, output: Output): Promise<number> {
  let transfer: Transfer | null = null
  onStopSignals((signal) => {
    if (transfer === null) process.exit(exitCodeOf(signal))
    else transfer.stop(signal)
  })
  const network = networkOf(options.settings)
  const peers = await resolvePeers(options.peers, network)
  const endpoints = peers.flatMap((peer) => peer.endpoints)
  const torrent = await readTransferSource(source, options, network)
  const savePath = resolve(options.savePath)
  if (options.role === 'download') await prepareSavePath(savePath)

  // A seed writes nothing: any number may share a directory.
  const lock = options.role === 'download' ? await TransferLock.take(savePath, infoHashOf(torrent)) : null
  try {
    return await runLocked(torrent, savePath, options, output, peers, endpoints, (started) => {
      transfer = started
    })
  } finally {
    await lock?.release()
  }
}

async function runLocked(
  torrent: TorrentSource,
  savePath: string,
  options: TransferOptions,
  output: Output,
  peers: readonly NamedPeer[],
  endpoints: readonly Endpoint[],
  onStarted: (transfer: Transfer) => void,
): Promise<number> {
  const file = new ResumeFile(savePath, infoHashOf(torrent))
  const resumeData = await file.load()
  const session = await openSession(options.port, endpoints, options.settings, output)
  try {
    reportTrackers(session, output)
    const handle = session.addTorrent(paramsOf(torrent, options, savePath, endpoints, resumeData))
    chooseFiles(handle, torrent, options)
    const keeper = new ResumeKeeper(handle, file, output)
    const transfer = new Transfer(session, handle, keeper, { ...options, savePath }, output, peers)
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

function infoHashOf(torrent: TorrentSource): string {
  const infoHash = torrent.kind === 'torrent' ? torrent.info.infoHash : torrent.magnet.infoHash
  if (infoHash !== null) return infoHash.toHex()
  throw new CliError('This link is to a torrent of version 2 only, which is not supported: it has no xt=urn:btih:.')
}

function paramsOf(
  torrent: TorrentSource,
  options: TransferOptions,
  savePath: string,
  peers: readonly Endpoint[],
  resumeData: Uint8Array | null,
): AddTorrentParams {
  return {
    ...(torrent.kind === 'torrent' ? { ti: torrent.info } : { url: torrent.uri }),
    savePath,
    peers,
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
