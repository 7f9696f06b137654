import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { FastresumeRejectedAlert } from '../alerts/storageAlerts.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { FileStat, StorageFile, TorrentStorage } from '../platform/disk.ts'
import { checkResume, needsFullCheck } from '../resume/checkResume.ts'
import { fitted, type ResumeState } from '../resume/resumeState.ts'
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
  enter(phase: LoadingPhase): void
  /** Asks for a turn; `beginChecking` follows. */
  queueForChecking(): void
  doneChecking(): void
  onCheckProgress(): void
  onLoaded(found: LoadedPieces): void
  /** Nothing can be said of the files. */
  fail(error: LibtorrentError): void
}

type State =
  /** What resume data claims is compared with the files. */
  | { readonly name: 'judging'; readonly claim: ResumeState | null }
  /** To be hashed, but for the first pieces: of those it is known which are had. */
  | { readonly name: 'queued'; readonly known: Bitfield }
  | { readonly name: 'checking'; readonly checker: FileChecker }
  | { readonly name: 'stopped' }

const STOPPED: State = { name: 'stopped' }

/** Finds out what of a torrent is on disk: from resume data if it can be believed, else by hashing. */
export class TorrentLoader {
  private state: State = STOPPED

  constructor(
    private readonly host: TorrentLoaderHost,
    private readonly layout: PieceLayout,
    private readonly files: readonly StorageFile[],
    private readonly storage: TorrentStorage,
  ) {}

  /** 0 to 1 of the check of files. */
  get progress(): number {
    const { state } = this
    if (state.name === 'queued') return state.known.size / this.layout.numPieces
    return state.name === 'checking' ? state.checker.progress : 0
  }

  /** Resume data that was given and not compared with the files yet; null when there is none. */
  get claim(): ResumeState | null {
    return this.state.name === 'judging' ? this.state.claim : null
  }

  /** Of the first pieces, as far as they were checked, which are had. */
  get known(): Bitfield {
    const { state } = this
    if (state.name === 'queued') return state.known
    return state.name === 'checking' ? state.checker.known : new Bitfield(0)
  }

  /**
   * any -> judging. Compares the resume data with the files; without any looks whether there are files to check. With
   * `no_recheck_incomplete_resume` nothing counts as there instead.
   */
  checkResume(claim: ResumeState | null): void {
    const judging: State = { name: 'judging', claim }
    this.state = judging
    this.host.enter('checkingResumeData')
    this.storage.statFiles((stats) => {
      if (this.state !== judging) return
      if (!Array.isArray(stats)) this.host.fail(stats as LibtorrentError)
      else this.onFileStats(claim, stats)
    })
  }

  /** any -> queued. Hashes everything after the pieces `known`, in turn with other torrents. */
  checkFiles(known = new Bitfield(0)): void {
    this.queue(known)
    this.host.queueForChecking()
  }

  /** queued -> checking. It is our turn. */
  beginChecking(): void {
    const { state, host } = this
    if (state.name !== 'queued') return
    const checker = new FileChecker(
      {
        layout: this.layout,
        storage: this.storage,
        files: this.files,
        disableHashChecks: host.settings.disableHashChecks,
        hashMatches: (piece, digest) => host.info.isPieceHash(piece, digest),
        onCheckProgress: () => host.onCheckProgress(),
        onCheckDone: (have) => this.finish(this.only(have)),
        onCheckError: (error) => {
          this.stop()
          host.fail(error)
        },
      },
      state.known,
    )
    this.state = { name: 'checking', checker }
    host.enter('checkingFiles')
    checker.start()
  }

  /** checking -> queued. What was found out is kept; the turn is the caller's to give away. */
  interrupt(): void {
    const { state } = this
    if (state.name !== 'checking') return
    state.checker.stop()
    this.queue(state.checker.known)
  }

  /** True when the hash was one this check had asked for. */
  onPieceHashed(piece: number, digest: Uint8Array | null, error: LibtorrentError | null): boolean {
    const { state } = this
    return state.name === 'checking' && state.checker.onPieceHashed(piece, digest, error)
  }

  /** any -> stopped: nothing is reported afterwards. */
  stop(): void {
    if (this.state.name === 'checking') this.state.checker.stop()
    this.state = STOPPED
    this.host.doneChecking()
  }

  private queue(known: Bitfield): void {
    this.state = { name: 'queued', known }
    this.host.enter('queuedForChecking')
  }

  private onFileStats(resume: ResumeState | null, stats: readonly FileStat[]): void {
    if (resume !== null) {
      const verdict = checkResume(
        resume,
        { infoHash: this.host.info.infoHash, layout: this.layout, files: this.files },
        stats,
        { ignoreTimestamps: this.host.settings.ignoreResumeTimestamps },
      )
      if (verdict.kind === 'accepted') {
        if (verdict.checkFrom === this.layout.numPieces) return this.finish(verdict)
        return this.checkFiles(fitted(verdict.have, verdict.checkFrom))
      }
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
    this.stop()
    this.host.onLoaded(found)
  }
}
