import type { Dht } from '../dht/dht.ts'
import { torrentInItem } from '../dht/torrentItem.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { MutableTorrent } from '../metainfo/mutableTorrent.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis } from '../util/flavored.ts'

/** Waits between attempts, ms: at the start of a session the DHT knows nobody yet. About a minute in all. */
const RETRIES: readonly Millis[] = [1000, 1000, 2000, 4000, 8000, 15_000, 30_000]

const NO_TORRENT = 'what is stored under this key names no torrent'
const NOBODY = 'the DHT names no torrent of this key: nobody has published one in the last two hours'

interface Search {
  readonly torrent: MutableTorrent
  readonly resolve: (infoHash: Sha1Hash) => void
  readonly reject: (error: LibtorrentError) => void
  timer: Timer | null
}

/** Finds out by the DHT which torrent a mutable one is now (BEP 46). */
export class MutableTorrents {
  private readonly searches = new Set<Search>()
  private isOver = false

  constructor(
    private readonly running: () => Dht | null,
    private readonly timers: Timers,
  ) {}

  /**
   * The newest version. Rejects with `timedOut` when nobody names one for a minute, `invalidInfoHash` when the item is
   * about something else, `sessionIsClosing` when the session ends.
   */
  find(torrent: MutableTorrent): Promise<Sha1Hash> {
    return new Promise((resolve, reject) => {
      if (this.isOver) return reject(libtorrentError('sessionIsClosing'))
      const search: Search = { torrent, resolve, reject, timer: null }
      this.searches.add(search)
      this.attempt(search, 0)
    })
  }

  /** The session ends. */
  stop(): void {
    this.isOver = true
    for (const search of [...this.searches]) this.fail(search, libtorrentError('sessionIsClosing'))
  }

  private attempt(search: Search, number: number): void {
    search.timer = null
    const dht = this.running()
    if (dht === null) return this.retry(search, number)
    const { publicKey, salt } = search.torrent
    dht.getMutableItem(publicKey, salt, (item, authoritative) => {
      // Not the first one that is found: all who may have a newer one are to be asked.
      if (!authoritative || !this.searches.has(search)) return
      if (item === null) return this.retry(search, number)
      const infoHash = torrentInItem(item.value)
      if (infoHash === null) return this.fail(search, libtorrentError('invalidInfoHash', { message: NO_TORRENT }))
      this.searches.delete(search)
      search.resolve(infoHash)
    })
  }

  private retry(search: Search, number: number): void {
    if (number === RETRIES.length) {
      return this.fail(search, libtorrentError('timedOut', { message: NOBODY }))
    }
    search.timer = this.timers.after(RETRIES[number], () => this.attempt(search, number + 1))
  }

  private fail(search: Search, error: LibtorrentError): void {
    search.timer?.cancel()
    this.searches.delete(search)
    search.reject(error)
  }
}
