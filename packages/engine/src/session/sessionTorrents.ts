import type { AlertSink } from '../alerts/alertSink.ts'
import { TorrentAddedAlert, TorrentRemovedAlert } from '../alerts/torrentAlerts.ts'
import { LibtorrentError, type LibtorrentErrorCode, thrownError } from '../errors/libtorrentError.ts'
import { streamKeyHash } from '../mse/mseKeys.ts'
import { deleteFiles } from '../torrent/diskOperations.ts'
import type { Torrent } from '../torrent/torrent.ts'
import type { Wakeable } from '../torrent/torrentHost.ts'
import { latin1 } from '../util/bytes.ts'
import type { Sha1Hash } from '../util/digest.ts'

export interface SessionTorrentsHost {
  readonly alerts: AlertSink
  /** `owner` is to be woken no more. */
  forgetWake(owner: Wakeable): void
}

/** The torrents of a session: those that are here, and those that are leaving. */
export class SessionTorrents {
  /** Payload thrown away over all torrents that were removed; those that are here count their own. */
  removedFailedBytes = 0
  removedRedundantBytes = 0
  private readonly all = new Map<string, Torrent>()
  /** By the hash that stands for each in encrypted handshakes; made when the first such handshake comes. */
  private streamKeys: Map<string, Torrent> | null = null
  private readonly updated = new Set<Torrent>()
  private leaving = 0
  private onAllGone: (() => void) | null = null

  constructor(private readonly host: SessionTorrentsHost) {}

  values(): Iterable<Torrent> {
    return this.all.values()
  }

  find(infoHash: Sha1Hash): Torrent | null {
    return this.all.get(infoHash.toHex()) ?? null
  }

  /** As `find`, for the 20 bytes of a handshake. */
  findBytes(infoHash: Uint8Array): Torrent | null {
    const hex = Buffer.from(infoHash.buffer, infoHash.byteOffset, infoHash.byteLength).toString('hex')
    return this.all.get(hex) ?? null
  }

  /** The torrent an encrypted handshake is about, by its `streamKeyHash`. */
  findStreamKey(hash: Uint8Array): Torrent | null {
    this.streamKeys ??= new Map([...this.all.values()].map((torrent) => [streamKeyOf(torrent), torrent]))
    return this.streamKeys.get(latin1(hash)) ?? null
  }

  /**
   * Takes in what `make` makes, and starts it.
   * @throws LibtorrentError `duplicateTorrent`, and what the torrent throws when it cannot start; then it is not here
   */
  add(infoHash: Sha1Hash, make: () => Torrent): Torrent {
    if (this.find(infoHash) !== null) throw thrownError('duplicateTorrent')
    const torrent = make()
    this.all.set(infoHash.toHex(), torrent)
    this.streamKeys?.set(streamKeyOf(torrent), torrent)
    const { alerts } = this.host
    if (alerts.wants(TorrentAddedAlert.category)) alerts.post(new TorrentAddedAlert({ handle: torrent.ref }))
    try {
      torrent.start()
    } catch (cause) {
      // A storage of the user's own may throw: nothing of the torrent stays.
      this.remove(torrent, () => {})
      throw cause
    }
    return torrent
  }

  /** `done` is called when nothing of the torrent is left, with the error if its files could not be deleted. */
  remove(
    torrent: Torrent,
    done: (error: LibtorrentError | null) => void,
    code: LibtorrentErrorCode = 'torrentRemoved',
    deletesFiles = false,
  ): void {
    if (this.find(torrent.infoHash) !== torrent) return done(null)
    this.all.delete(torrent.infoHash.toHex())
    this.streamKeys?.delete(streamKeyOf(torrent))
    this.updated.delete(torrent)
    this.removedFailedBytes += torrent.counters.failedBytes
    this.removedRedundantBytes += torrent.counters.redundantBytes
    this.leaving++
    let left = deletesFiles ? 2 : 1
    let failure: LibtorrentError | null = null
    const part = () => {
      if (--left > 0) return
      this.host.forgetWake(torrent)
      this.host.forgetWake(torrent.swarm)
      done(failure)
      if (--this.leaving === 0) this.onAllGone?.()
    }
    torrent.abort(part, code, deletesFiles)
    const { alerts } = this.host
    if (alerts.wants(TorrentRemovedAlert.category)) {
      alerts.post(new TorrentRemovedAlert({ handle: torrent.ref, infoHash: torrent.infoHash }))
    }
    if (!deletesFiles) return
    deleteFiles(torrent, (result) => {
      if (result instanceof LibtorrentError) failure = result
      part()
    })
  }

  /** Removes all; `done` when they are gone, those that were leaving before as well: they have files open, too. */
  removeAll(code: LibtorrentErrorCode, done: () => void): void {
    for (const torrent of [...this.all.values()]) this.remove(torrent, () => {}, code)
    if (this.leaving === 0) done()
    else this.onAllGone = done
  }

  onStateUpdated(torrent: Torrent): void {
    if (!torrent.isRemoved && (torrent.params.updateSubscribe ?? true)) this.updated.add(torrent)
  }

  /** The torrents whose status changed since the last call. */
  takeUpdated(): Torrent[] {
    const torrents = [...this.updated]
    this.updated.clear()
    return torrents
  }
}

function streamKeyOf({ infoHash }: Torrent): string {
  return latin1(streamKeyHash(infoHash.bytes))
}
