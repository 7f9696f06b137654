import { type Session, StatusFlags, type TorrentHandle, type TorrentInfo } from 'libtorrent-ts'
import { CliError, messageOf, reasonOf } from '../cliError.ts'
import { contentFiles } from '../contentFiles.ts'
import type { DhtStateFile } from '../dht/dhtStateFile.ts'
import { formatBytes, formatElapsed, formatPercent, formatRate, plural } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { selectFiles } from '../selectFiles.ts'
import { exitCodeOf, type StopSignal } from '../signals.ts'
import { type NamedPeer, PeerKeeper } from './peerKeeper.ts'
import type { ResumeKeeper } from './resumeKeeper.ts'
import { SeedGoal } from './seedGoal.ts'
import { StatusReport } from './statusReport.ts'
import type { TransferOptions } from './transferOptions.ts'
import { useCertificate } from './useCertificate.ts'

/** The end is not late by more. */
const GOAL_INTERVAL_MS = 500

/** How a transfer ends. */
type Ending = { readonly reason: 'complete' | 'seedRatio' | 'seedTime' | StopSignal } | { readonly error: unknown }

/** What is kept for later runs. */
export interface TransferFiles {
  readonly resume: ResumeKeeper
  readonly dhtFile: DhtStateFile | null
}

/**
 * One torrent in a session from its first second to its last: waits for the metadata if need be, reports progress,
 * keeps the resume file, notices when the content is complete and when it was seeded enough.
 */
export class Transfer {
  private readonly keeper: PeerKeeper
  private readonly report: StatusReport
  private readonly goal: SeedGoal
  private readonly startedAt = performance.now()
  /** When the content was complete; null before. */
  private completeAt: number | null = null
  /** What is done when the content is complete: it is not cut off by a signal. */
  private completing: Promise<void> | null = null
  /** Looks whether it was seeded enough. */
  private goalTimer: NodeJS.Timeout | null = null
  private hasFetchedMetadata = false
  private end: ((ending: Ending) => void) | null = null
  private readonly ended = new Promise<Ending>((resolve) => {
    this.end = resolve
  })

  constructor(
    private readonly session: Session,
    private readonly handle: TorrentHandle,
    private readonly files: TransferFiles,
    private readonly options: TransferOptions,
    private readonly output: Output,
    peers: readonly NamedPeer[],
  ) {
    this.keeper = new PeerKeeper(handle, peers, output)
    this.report = new StatusReport(handle, output)
    this.goal = new SeedGoal(options.seedRatio, options.seedTime)
  }

  /** A signal asks for the end. */
  stop(signal: StopSignal): void {
    this.output.report({ type: 'stopping', signal }, 'Stopping. Press Ctrl-C again to leave at once.')
    this.end?.({ reason: signal })
  }

  /** Runs to the end; gives the exit code. @throws what made it fail, when everything is closed */
  async run(): Promise<number> {
    this.listen()
    this.announce()
    this.keeper.start(this.session)
    this.report.start()
    if (this.options.role === 'download') this.files.resume.start()
    this.files.dhtFile?.keep(this.session)
    const ending = await this.ended
    this.keeper.stop()
    this.report.stop()
    await this.close()
    // What completes the content may have begun it meanwhile.
    if (this.goalTimer !== null) clearInterval(this.goalTimer)
    if ('error' in ending) throw ending.error
    return this.finish(ending.reason)
  }

  private listen(): void {
    const { session, output } = this
    session.on('metadataReceived', () => this.guard(() => this.onMetadata()))
    session.on('torrentChecked', () => this.guard(() => this.onChecked()))
    session.on('torrentFinished', () => this.guard(() => this.onFinished()))
    session.on('fileError', (alert) => this.fail(alert.file === '' ? alert.error : fileError(alert.file, alert.error)))
    session.on('torrentError', (alert) => this.fail(alert.error))
    session.on('metadataFailed', (alert) => output.warn(`Metadata from a peer is wrong: ${reasonOf(alert.error)}`))
    session.on('fastresumeRejected', (alert) => {
      output.warn(`The resume file does not fit (${messageOf(alert.error)}). Checking what is there.`)
    })
    session.on('torrentUpdate', ({ newIh }) => {
      output.report(
        { type: 'newVersion', infoHash: newIh },
        `There is a newer version, ${newIh}. The same command gets it when this one has ended.`,
      )
    })
    session.on('sessionError', (alert) => output.warn(messageOf(alert.error)))
  }

  private announce(): void {
    const { session, handle, output, options } = this
    const info = handle.torrentFile()
    const isSsl = (info?.sslCert ?? '') !== ''
    const listenPort = isSsl ? session.sslListenPort : session.listenPort
    const size = info === null ? null : info.totalSize
    const event = { type: 'added', infoHash: handle.infoHash, name: handle.name, size, savePath: options.savePath }
    const what = info === null ? '' : `  ${sizeText(info)}`
    const name = handle.name || handle.infoHash.toHex()
    const where = listenPort === 0 ? '' : `, listening on port ${listenPort}`
    const lines = [`${name}${what}`, `in ${options.savePath}${where}`]
    if (options.role === 'seed' && this.knowsNobody() && listenPort !== 0) {
      lines.push(
        `There is neither tracker nor DHT: others find this with --peer HOST:${listenPort}, HOST being this machine.`,
      )
    }
    output.report({ ...event, listenPort }, lines)
    if (options.role === 'seed' && listenPort === 0) this.warnIfAlone()
    if (options.role === 'download' && info === null) this.warnIfAlone()
  }

  /** Neither a tracker nor the DHT can name a peer, and none is known. Neighbours may still be found. */
  private knowsNobody(): boolean {
    const { handle, session } = this
    if (session.isDhtRunning && handle.torrentFile()?.priv !== true) return false
    return handle.trackers().length === 0 && handle.status(StatusFlags.queryName).listPeers === 0
  }

  private warnIfAlone(): void {
    const { handle, session } = this
    // Without metadata a web seed is of no use yet.
    const hasWebSeeds = handle.hasMetadata && handle.urlSeeds().length + handle.httpSeeds().length > 0
    if (hasWebSeeds || !this.knowsNobody()) return
    const hope = session.isListening ? ': waiting for peers to connect here' : ', and nobody can connect here'
    this.output.warn(`There is no tracker, no DHT and no --peer${hope}. Name one with --peer HOST:PORT.`)
  }

  /** The files of a magnet link are known. */
  private async onMetadata(): Promise<void> {
    const info = this.handle.torrentFile()
    if (info === null) return
    this.hasFetchedMetadata = true
    await useCertificate(this.handle, this.options.certificate, this.output)
    const priorities = selectFiles(info.files(), this.options.select)
    if (priorities !== null) this.handle.prioritizeFiles(priorities)
    this.output.report(
      { type: 'metadata', name: info.name, size: info.totalSize, files: contentFiles(info).length },
      `Got the metadata: ${info.name}  ${sizeText(info)}`,
    )
  }

  /** It is known what is on disk. */
  private onChecked(): void {
    const { handle, options, output } = this
    if (handle.isFinished) return
    const { numPieces, totalWantedDone, totalWanted } = handle.status()
    const share = totalWanted === 0 ? 0 : totalWantedDone / totalWanted
    if (options.role === 'seed') {
      if (numPieces === 0) return this.fail(nothingRight(options.savePath))
      output.warn(
        `Only ${formatPercent(share)} of it is in ${options.savePath}: giving that. lt download gets the rest.`,
      )
      return
    }
    if (!this.hasFetchedMetadata) this.warnIfAlone()
    if (totalWantedDone > 0) {
      const event = { type: 'continuing', done: totalWantedDone, total: totalWanted, pieces: numPieces }
      output.report(event, `Going on from ${formatPercent(share)}`)
    }
    // Worth keeping at once: metadata that took a while to find, and the outcome of a long check.
    if (numPieces > 0 || this.hasFetchedMetadata) void this.files.resume.saveIfChanged()
  }

  private onFinished(): Promise<void> {
    this.completing ??= this.complete()
    return this.completing
  }

  private async complete(): Promise<void> {
    const now = performance.now()
    this.completeAt = now
    const { handle, options, output } = this
    if (options.role === 'download') {
      await handle.flushCache()
      await this.files.resume.discard()
    }
    const { totalPayloadDownload, totalWanted } = handle.status()
    const seconds = Math.round(now - this.startedAt) / 1000
    const speed = ` (${formatRate(totalPayloadDownload / Math.max(seconds, 0.001))})`
    const what =
      totalPayloadDownload > 0
        ? `Complete: ${formatBytes(totalWanted)} after ${formatElapsed(seconds)}${speed}`
        : `Complete already: ${formatBytes(totalWanted)}`
    if (output.mode === 'json') this.report.report()
    output.report(
      { type: 'complete', name: handle.name, size: totalWanted, downloaded: totalPayloadDownload, seconds },
      options.role === 'seed' ? 'All of it is here. Seeding; Ctrl-C ends it.' : what,
    )
    if (options.noSeed) return this.end?.({ reason: 'complete' })
    if (options.role === 'download') output.report({ type: 'seeding' }, 'Seeding; Ctrl-C ends it.')
    this.checkGoal()
    this.goalTimer = setInterval(() => this.checkGoal(), GOAL_INTERVAL_MS)
  }

  private checkGoal(): void {
    if (this.completeAt === null || !this.handle.isValid) return
    const reason = this.goal.reached(this.handle, (performance.now() - this.completeAt) / 1000)
    if (reason !== null) this.end?.({ reason })
  }

  private async close(): Promise<void> {
    const { session, files, options } = this
    // If it failed, that is how the transfer ended.
    await this.completing?.catch(() => {})
    if (options.role === 'download' && this.completeAt === null) {
      // What arrives after the resume data was made would be lost.
      session.pause()
      await files.resume.finish()
    }
    await files.dhtFile?.finish(session)
    await session.abort()
  }

  private finish(reason: 'complete' | 'seedRatio' | 'seedTime' | StopSignal): number {
    const isSignal = reason !== 'complete' && reason !== 'seedRatio' && reason !== 'seedTime'
    const isInterrupted = isSignal && this.options.role === 'download' && this.completeAt === null
    const text = isInterrupted ? 'The same command goes on where this one stopped.' : []
    this.output.report({ type: 'ended', reason }, text)
    return isInterrupted ? exitCodeOf(reason) : 0
  }

  private fail(error: unknown): void {
    this.end?.({ error })
  }

  private guard(work: () => void | Promise<void>): void {
    Promise.resolve()
      .then(work)
      .catch((error: unknown) => this.fail(error))
  }
}

function sizeText(info: TorrentInfo): string {
  return `${formatBytes(info.totalSize)} in ${plural(contentFiles(info).length, 'file')}`
}

const FILE_ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'Make room',
  EDQUOT: 'Make room',
  EACCES: 'Make it writable',
  EPERM: 'Make it writable',
  EROFS: 'Make it writable',
}

function fileError(path: string, error: unknown): CliError {
  const { code } = error as { readonly code?: string }
  const advice = FILE_ADVICE[code ?? ''] ?? 'Mend the cause'
  return new CliError(`${path}: ${reasonOf(error)}. ${advice}; the same command goes on where this one stopped.`, 1, {
    cause: error,
  })
}

/** There are files, and not one of their pieces is right. */
function nothingRight(directory: string): CliError {
  return new CliError(
    `Not one piece of what is in ${directory} is right: these are other files of the same names, or another version. ` +
      'lt verify says more.',
  )
}
