import { StateUpdateAlert } from '../alerts/sessionAlerts.ts'
import { FastresumeRejectedAlert } from '../alerts/storageAlerts.ts'
import { AddTorrentAlert } from '../alerts/torrentAlerts.ts'
import { LibtorrentError, libtorrentError, thrownError } from '../errors/libtorrentError.ts'
import type { IpFilter } from '../filter/ipFilter.ts'
import type { MutableTorrent } from '../metainfo/mutableTorrent.ts'
import { createDiskIo, type DiskIoOptions } from '../node/diskWorkers.ts'
import { nodePlatform } from '../node/nodePlatform.ts'
import type { DiskIo } from '../platform/disk.ts'
import type { Platform } from '../platform/platform.ts'
import { SessionCore } from '../session/sessionCore.ts'
import { type SessionStatus, sessionStatus } from '../session/sessionStatus.ts'
import { applySettings, defaultSettings, type Settings } from '../settings/settings.ts'
import type { AddTorrentParams } from '../torrent/addTorrentParams.ts'
import type { Torrent } from '../torrent/torrent.ts'
import { StatusFlags, type TorrentStatus, torrentStatus } from '../torrent/torrentStatus.ts'
import type { Sha1Hash } from '../util/digest.ts'
import { DhtSession } from './dhtSession.ts'
import { prepareTorrent, withMagnet } from './preparedTorrent.ts'
import { TorrentHandle } from './torrentHandle.ts'

/** Options of `removeTorrent` (manual, session::options_t). */
export const RemoveFlags = {
  /** The files stay. */
  none: 0,
  /** Delete the torrent's files, too. */
  deleteFiles: 1,
} as const

/** What a session is made with. Everything may be left out. */
export interface SessionParams {
  /** Settings other than the defaults; see docs/settings.md. */
  readonly settings?: Partial<Settings>
  /** Do not listen for peers; then nothing is announced to trackers either. Default false. */
  readonly noListen?: boolean
  /** As `setIpFilter`, before anybody can connect (2.0). Default: all addresses are allowed. */
  readonly ipFilter?: IpFilter
  /** Threads and memory of the disk; or a disk of one's own, which the session stops when it ends. Default: files. */
  readonly disk?: DiskIoOptions | DiskIo
  /** The world to live in: sockets, clock, chance. Default the real one; a simulated one is for tests. */
  readonly platform?: Platform
}

/**
 * A BitTorrent session: the torrents and everything they share (manual, session). Constructing it starts it.
 *
 * Alerts come in four ways, all of which see every alert: `popAlerts()`, `await waitForAlert(ms)`,
 * `on('torrentFinished', alert => ...)`, and `for await (const alert of session.alerts())`.
 *
 * Here are its torrents, its beginning and its end. The rest is inherited, a subject each: `DhtSession`, `NetworkSession`
 * (filters, encryption, proxies, routers), `ConfiguredSession` (settings) and `AlertingSession`.
 *
 * @example
 * const session = new Session()
 * const torrent = session.addTorrent({ ti: new TorrentInfo(bytes), savePath: '.' })
 * session.on('torrentFinished', () => session.abort())
 */
export class Session extends DhtSession {
  /** Resolves when each listen socket has been opened or has failed (`listenSucceeded`, `listenFailed`). */
  readonly ready: Promise<void>
  private readonly handles = new WeakMap<Torrent, TorrentHandle>()
  private aborting: Promise<void> | null = null

  /** @throws TypeError or RangeError for settings that do not exist or make no sense */
  constructor(params: SessionParams = {}) {
    const settings = defaultSettings()
    applySettings(settings, params.settings ?? {})
    const platform = params.platform ?? nodePlatform()
    super(new SessionCore(platform, diskOf(params.disk, settings), settings))
    if (params.ipFilter !== undefined) this.setIpFilter(params.ipFilter)
    this.ready = new Promise((resolve) => {
      if (params.noListen) resolve()
      else this.core.listenSockets.open(resolve)
    })
  }

  // --- torrents -------------------------------------------------------------------------------------------------

  /**
   * Adds a torrent. One that is here already gives its handle, unless `duplicateIsError`.
   * @throws LibtorrentError `duplicateTorrent`, `sessionIsClosing`, `missingInfoHashInUri` and other errors of magnet
   * links; TypeError when the parameters do not say which torrent
   */
  addTorrent(params: AddTorrentParams): TorrentHandle {
    const { all, info, resume, resumeError } = prepareTorrent(params)
    const existing = this.core.find(info.infoHash)
    if (existing !== null) {
      if (all.duplicateIsError) throw thrownError('duplicateTorrent')
      return this.handleOf(existing)
    }
    const torrent = this.core.add(all, info, resume, (added) => this.handleOf(added))
    if (resumeError !== null)
      this.core.alerts.post(new FastresumeRejectedAlert({ handle: torrent.ref, error: resumeError }))
    return this.handleOf(torrent)
  }

  /**
   * As `addTorrent`, and posts `addTorrent` with the handle or the error (1.0, async_add_torrent).
   * Also takes a mutable torrent (BEP 46), by its magnet link or as `mutableTorrent` alone: the DHT is asked which torrent
   * it is now, and it is added by that info-hash. Rejects as `dhtGetTorrent` does.
   */
  async asyncAddTorrent(params: AddTorrentParams): Promise<TorrentHandle> {
    const { alerts } = this.core
    try {
      const torrent = this.mutableTorrentOf(params)
      const known = torrent === null ? params : { ...params, infoHash: await this.mutableTorrents.find(torrent) }
      const handle = this.addTorrent(known)
      alerts.post(new AddTorrentAlert({ handle, params, error: null }))
      return handle
    } catch (error) {
      if (error instanceof LibtorrentError) {
        const infoHash = params.ti?.infoHash ?? params.infoHash
        if (infoHash !== undefined) alerts.post(new AddTorrentAlert({ handle: { infoHash }, params, error }))
      }
      throw error
    }
  }

  /** Adds a magnet link (manual, add_magnet_uri). */
  addMagnetUri(uri: string, params: AddTorrentParams): TorrentHandle {
    return this.addTorrent({ ...params, url: uri })
  }

  /**
   * Takes a torrent out. Resolves when its trackers were told (at the latest after `stop_tracker_timeout`), its files
   * are closed and, with `RemoveFlags.deleteFiles`, deleted. Rejects when they could not be deleted.
   */
  removeTorrent(handle: TorrentHandle, options: number = RemoveFlags.none): Promise<void> {
    const torrent = this.core.find(handle.infoHash)
    if (torrent === null || !this.handleOf(torrent).equals(handle)) {
      return Promise.reject(libtorrentError('invalidTorrentHandle'))
    }
    const deletes = (options & RemoveFlags.deleteFiles) !== 0
    return new Promise((resolve, reject) => {
      const done = (error: LibtorrentError | null) => {
        if (error === null) resolve()
        else reject(error)
      }
      this.core.remove(torrent, done, 'torrentRemoved', deletes)
    })
  }

  /** Null when there is no such torrent here. */
  findTorrent(infoHash: Sha1Hash): TorrentHandle | null {
    const torrent = this.core.find(infoHash)
    return torrent === null ? null : this.handleOf(torrent)
  }

  /** All torrents, in the order they were added. */
  getTorrents(): TorrentHandle[] {
    return Array.from(this.core.torrents.values(), (torrent) => this.handleOf(torrent))
  }

  /** The status of the torrents `predicate` says true of (1.0). */
  getTorrentStatus(predicate: (status: TorrentStatus) => boolean, flags: number = StatusFlags.all): TorrentStatus[] {
    return Array.from(this.core.torrents.values(), (torrent) => torrentStatus(torrent, flags)).filter(predicate)
  }

  /** The present status of torrents whose older status is given; those removed since are left out (1.0). */
  refreshTorrentStatus(statuses: readonly TorrentStatus[], flags: number = StatusFlags.all): TorrentStatus[] {
    return statuses
      .map((status) => this.core.find(status.infoHash))
      .filter((torrent) => torrent !== null)
      .map((torrent) => torrentStatus(torrent, flags))
  }

  /** Posts `stateUpdate` with the status of every torrent that changed since the last call (1.0). */
  postTorrentUpdates(flags: number = StatusFlags.all): void {
    const status = this.core.takeUpdated().map((torrent) => torrentStatus(torrent, flags))
    this.core.alerts.post(new StateUpdateAlert({ status }))
  }

  // --- the session as a whole -----------------------------------------------------------------------------------

  /** Rates, totals and counts over all torrents, as they are now. */
  status(): SessionStatus {
    return sessionStatus(this.core)
  }

  /** Stops all torrents, whatever they are set to. */
  pause(): void {
    this.core.pause()
  }

  /** Ends `pause`: torrents go on as they are set to. */
  resume(): void {
    this.core.resume()
  }

  /** Whether `pause` is in effect. */
  get isPaused(): boolean {
    return this.core.isPaused
  }

  // --- the end --------------------------------------------------------------------------------------------------

  /**
   * Ends the session: announces `stopped` (at the latest given up after `stop_tracker_timeout`), writes what is on its
   * way to disk, closes all files and sockets. Calling again returns the same promise.
   */
  abort(): Promise<void> {
    this.mutableTorrents.stop()
    this.aborting ??= new Promise<void>((resolve) => {
      this.core.close(() => {
        this.hub.end()
        resolve()
      })
    })
    return this.aborting
  }

  /** The same as `abort`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  private handleOf(torrent: Torrent): TorrentHandle {
    let handle = this.handles.get(torrent)
    if (handle === undefined) {
      handle = new TorrentHandle(torrent)
      this.handles.set(torrent, handle)
    }
    return handle
  }

  /** The mutable torrent, if nothing says which version of it is meant. The nodes that come with it are taken. */
  private mutableTorrentOf(params: AddTorrentParams): MutableTorrent | null {
    if (params.ti !== undefined || params.resumeData !== undefined) return null
    const { mutableTorrent, infoHash, dhtNodes } = params.url === undefined ? params : withMagnet(params, params.url)
    if (mutableTorrent === undefined || infoHash !== undefined) return null
    for (const node of dhtNodes ?? []) this.addDhtNode(node)
    return mutableTorrent
  }
}

function diskOf(disk: DiskIoOptions | DiskIo | undefined, settings: Settings): DiskIo {
  if (disk !== undefined && 'openStorage' in disk) return disk
  return createDiskIo({ maxQueuedDiskBytes: settings.maxQueuedDiskBytes, filePoolSize: settings.filePoolSize }, disk)
}
