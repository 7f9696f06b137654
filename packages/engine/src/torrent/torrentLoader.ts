import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { FastresumeRejectedAlert } from '../alerts/storageAlerts.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { FileStat, StorageFile, TorrentStorage } from '../platform/disk.ts'
import { checkResume, needsFullCheck } from '../resume/checkResume.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import type { Settings } from '../settings/settings.ts'
import { Bitfield } from '../util/bitfield.ts'
import { FileChecker } from './fileChecker.ts'

/** The states before it is known what is on disk. */
export type LoadingPhase = 'checkingResumeData' | 'queuedForChecking' | 'checkingFiles'

/** What was found on disk. */
export interface LoadedPieces {
  readonly have: Bitfield
  /** Block ids of blocks on disk of pieces that are not complete, from resume data. */
  readonly unfinishedBlocks: readonly number[]
  /** Nothing was checked yet: each piece is before its first upload. `verified` are those that were. */
  readonly seedMode: boolean
  readonly verified: Bitfield
}

export interface TorrentLoaderHost {
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly ref: TorrentRef
  readonly info: TorrentInfo
  onLoadingPhase(phase: LoadingPhase): void
  /** Asks for a turn; `beginChecking` follows. */
  queueForChecking(): void
  doneChecking(): void
  onLoaded(found: LoadedPieces): void
  onLoadError(error: LibtorrentError): void
}

/** Finds out what of a torrent is on disk: from resume data if it can be believed, else by hashing. */
export class TorrentLoader {
  private checker: FileChecker | null = null
  private stopped = false

  constructor(
    private readonly host: TorrentLoaderHost,
    private readonly layout: PieceLayout,
    private readonly files: readonly StorageFile[],
    private readonly storage: TorrentStorage,
  ) {}

  /** 0 to 1 of the check of files. */
  get progress(): number {
    return this.checker?.progress ?? 0
  }

  /**
   * Compares `resume` with the files; without resume data looks whether there are any files to check. With
   * `no_recheck_incomplete_resume` nothing counts as there instead.
   */
  checkResume(resume: ResumeState | null): void {
    this.host.onLoadingPhase('checkingResumeData')
    this.storage.statFiles((stats) => {
      if (this.stopped) return
      if (!Array.isArray(stats)) this.host.onLoadError(stats as LibtorrentError)
      else this.onFileStats(resume, stats)
    })
  }

  /** Hashes everything, in turn with other torrents. */
  checkFiles(): void {
    this.host.onLoadingPhase('queuedForChecking')
    this.host.queueForChecking()
  }

  /** It is our turn. */
  beginChecking(): void {
    if (this.stopped) return
    this.host.onLoadingPhase('checkingFiles')
    const { host } = this
    this.checker = new FileChecker({
      layout: this.layout,
      storage: this.storage,
      files: this.files,
      hashMatches: (piece, digest) => host.info.isPieceHash(piece, digest),
      onCheckProgress: () => {},
      onCheckDone: (have) => this.finish(this.only(have)),
      onCheckError: (error) => {
        host.doneChecking()
        host.onLoadError(error)
      },
    })
    this.checker.start()
  }

  /** True when the hash was one this check had asked for. */
  onPieceHashed(piece: number, digest: Uint8Array | null, error: LibtorrentError | null): boolean {
    return this.checker?.onPieceHashed(piece, digest, error) ?? false
  }

  /** Gives up; nothing is reported afterwards. */
  stop(): void {
    this.stopped = true
    this.checker?.stop()
    this.host.doneChecking()
  }

  private onFileStats(resume: ResumeState | null, stats: readonly FileStat[]): void {
    if (resume !== null) {
      const verdict = checkResume(
        resume,
        { infoHash: this.host.info.infoHash, layout: this.layout, files: this.files },
        stats,
        { ignoreTimestamps: this.host.settings.ignoreResumeTimestamps },
      )
      if (verdict.kind === 'accepted') return this.finish(verdict)
      this.postRejected(verdict.error)
    }
    const { noRecheckIncompleteResume } = this.host.settings
    if (!noRecheckIncompleteResume && needsFullCheck(this.files, stats)) this.checkFiles()
    else this.finish(this.only(new Bitfield(this.layout.numPieces)))
  }

  private only(have: Bitfield): LoadedPieces {
    return { have, unfinishedBlocks: [], seedMode: false, verified: new Bitfield(this.layout.numPieces) }
  }

  private postRejected(error: LibtorrentError): void {
    const { alerts, ref } = this.host
    if (alerts.wants(FastresumeRejectedAlert.category)) {
      alerts.post(new FastresumeRejectedAlert({ handle: ref, error }))
    }
  }

  private finish(found: LoadedPieces): void {
    this.stopped = true
    this.host.doneChecking()
    this.host.onLoaded(found)
  }
}
