import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import type { TorrentNews } from './torrentNews.ts'

export interface DiskTroubleHost {
  readonly settings: Readonly<Settings>
  readonly news: TorrentNews
  readonly isAutoManaged: boolean
  readonly isUploadMode: boolean
  readonly error: LibtorrentError | null
  readonly isRemoved: boolean
  now(): Millis
  setUploadMode(on: boolean): void
  fail(error: LibtorrentError): void
  /** There is something to do each second: the time to try writing again has to be noticed. */
  stayActive(): void
}

/** What a torrent does when the disk refuses (manual, "things to keep in mind"). */
export class DiskTrouble {
  /** Path of the file the last error was about, empty if none. */
  errorFile = ''
  /** When the disk refused to write last, 0 for never. */
  private writeErrorAt: Millis = 0

  constructor(private readonly host: DiskTroubleHost) {}

  /** Upload mode because of a write error, not because somebody asked for it. */
  get isUploadModeByError(): boolean {
    return this.host.isUploadMode && this.writeErrorAt !== 0
  }

  /** Waits to leave upload mode again. */
  get isRetrying(): boolean {
    return this.writeErrorAt !== 0 && this.host.isAutoManaged
  }

  /** Nothing more is downloaded; what is there is still given. */
  onWriteError(error: LibtorrentError): void {
    const { host } = this
    if (host.isRemoved) return
    // Whatever was on its way fails as well: that is no news.
    if (!this.isUploadModeByError) this.post(error)
    if (host.isUploadMode && !this.isUploadModeByError) return
    this.writeErrorAt = host.now()
    host.setUploadMode(true)
    host.stayActive()
  }

  /** The torrent stops. */
  onReadError(error: LibtorrentError): void {
    const { host } = this
    if (host.error !== null || host.isRemoved) return
    this.post(error)
    host.fail(error)
  }

  /** Once a second: out of upload mode, in case the disk has room again (setting `optimistic_disk_retry`). */
  tick(now: Millis): void {
    const { host } = this
    if (this.isRetrying && now - this.writeErrorAt >= host.settings.optimisticDiskRetry * 1000) {
      host.setUploadMode(false)
    }
  }

  /** Upload mode has ended, or the error was cleared. */
  forget(): void {
    this.writeErrorAt = 0
    this.errorFile = ''
  }

  private post(error: LibtorrentError): void {
    this.errorFile = error.path ?? ''
    this.host.news.fileFailed(error)
  }
}
