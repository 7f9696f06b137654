/** A torrent, as far as opening connections is concerned. */
export interface ConnectingTorrent {
  /** Tries its best candidate. False when it has none, or wants no more connections now. */
  connectOne(): boolean
  /** All it wants is there. */
  readonly isFinished: boolean
}

/** Turns in a row of a torrent that trackers have just named peers to (libtorrent). */
const TURNS_IN_ROW = 10

/**
 * Whose turn it is to open a connection. Torrents that are downloading take turns, and so do those that are finished;
 * of the attempts all but every nth belong to the former (setting `connect_seed_every_n_download`), so that a download
 * does not wait for hundreds of seeding torrents.
 */
export class ConnectTurns {
  private readonly downloading = new Set<ConnectingTorrent>()
  private readonly finished = new Set<ConnectingTorrent>()
  private readonly preferred: { readonly torrent: ConnectingTorrent; left: number }[] = []
  /** Turns of downloading torrents since the last of a finished one. */
  private downloadTurns = 0

  constructor(private readonly seedEveryNDownload: () => number) {}

  get size(): number {
    return this.downloading.size + this.finished.size
  }

  /** Puts `torrent` at the end of its row, unless it is waiting already. */
  add(torrent: ConnectingTorrent): void {
    const [row, other] = torrent.isFinished ? [this.finished, this.downloading] : [this.downloading, this.finished]
    other.delete(torrent)
    row.add(torrent)
  }

  /** The next few turns are `torrent`'s, if it waits for some. */
  prefer(torrent: ConnectingTorrent): void {
    if (this.preferred.some((each) => each.torrent === torrent)) return
    this.preferred.push({ torrent, left: TURNS_IN_ROW })
  }

  /** Takes out whose turn it is; null when nobody waits. */
  next(): ConnectingTorrent | null {
    return this.nextPreferred() ?? this.nextInRow()
  }

  clear(): void {
    this.downloading.clear()
    this.finished.clear()
    this.preferred.length = 0
  }

  private nextPreferred(): ConnectingTorrent | null {
    while (this.preferred.length > 0) {
      const [first] = this.preferred
      const isWaiting = this.downloading.delete(first.torrent) || this.finished.delete(first.torrent)
      if (isWaiting && first.left-- > 0) return first.torrent
      if (isWaiting) this.add(first.torrent)
      this.preferred.shift()
    }
    return null
  }

  private nextInRow(): ConnectingTorrent | null {
    for (;;) {
      const isTurnOfFinished =
        this.downloading.size === 0 || (this.finished.size > 0 && this.downloadTurns >= this.seedEveryNDownload())
      const row = isTurnOfFinished ? this.finished : this.downloading
      const { value: torrent } = row.values().next()
      if (torrent === undefined) return null
      row.delete(torrent)
      if (torrent.isFinished !== isTurnOfFinished) {
        // It was something else when it came.
        this.add(torrent)
        continue
      }
      this.downloadTurns = isTurnOfFinished ? 0 : this.downloadTurns + 1
      return torrent
    }
  }
}
