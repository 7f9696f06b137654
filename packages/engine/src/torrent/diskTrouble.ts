import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import type { TorrentNews } from './torrentNews.ts'
import type { UploadMode } from './uploadMode.ts'

export interface DiskTroubleHost {
  readonly settings: Readonly<Settings>
  readonly news: TorrentNews
  readonly uploadMode: UploadMode
  readonly isAutoManaged: boolean
  readonly error: LibtorrentError | null
  readonly isRemoved: boolean
  fail(error: LibtorrentError): void
  /** There is something to do each second: the time to try writing again has to be noticed. */
  stayActive(): void
}

/** What a torrent does when the disk refuses (manual, "things to keep in mind"). */
export class DiskTrouble {
  constructor(private readonly host: DiskTroubleHost) {}

  /** Waits to leave upload mode again. */
  get isRetrying(): boolean {
    return this.host.uploadMode.isByError && this.host.isAutoManaged
  }

  /** Nothing more is downloaded; what is there is still given. */
  onWriteError(error: LibtorrentError): void {
    const { host } = this
    const { uploadMode, news } = host
    if (host.isRemoved) return
    // Whatever was on its way fails as well: that is no news.
    if (!uploadMode.isByError) news.fileFailed(error)
    uploadMode.onWriteError()
    if (uploadMode.isByError) host.stayActive()
  }

  /** The torrent stops. */
  onReadError(error: LibtorrentError): void {
    const { host } = this
    if (host.error !== null || host.isRemoved) return
    host.news.fileFailed(error)
    host.fail(error)
  }

  /** Once a second: out of upload mode, in case the disk has room again (setting `optimistic_disk_retry`). */
  tick(now: Millis): void {
    const { uploadMode, settings } = this.host
    if (this.isRetrying) uploadMode.retry(now, settings.optimisticDiskRetry * 1000)
  }
}
