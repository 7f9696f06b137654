import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { TorrentUpdateAlert } from '../alerts/torrentAlerts.ts'
import type { Dht } from '../dht/dht.ts'
import { type MutableItem, verifyMutableItem } from '../dht/mutableItem.ts'
import { torrentInItem } from '../dht/torrentItem.ts'
import type { MutableTorrent } from '../metainfo/mutableTorrent.ts'
import { equalBytes } from '../util/bytes.ts'
import type { Sha1Hash } from '../util/digest.ts'

export interface TorrentFollowerHost {
  readonly alerts: AlertSink
  readonly ref: TorrentRef
  readonly infoHash: Sha1Hash
}

/**
 * Looks for newer versions of a mutable torrent (BEP 46) and keeps the item that names the newest one alive: whoever
 * has it may put it again, since its signature says whose it is (BEP 44).
 */
export class TorrentFollower {
  private newest: MutableItem | null = null
  /** The version that was told of last. */
  private told: Sha1Hash
  private isAsking = false

  constructor(
    private readonly host: TorrentFollowerHost,
    private readonly torrent: MutableTorrent,
  ) {
    this.told = host.infoHash
  }

  /** The newest known. */
  get item(): MutableItem | null {
    return this.newest
  }

  /** Takes an item of an earlier session, so that it lives on when the DHT has forgotten it; not one that nobody signed. */
  restore(item: MutableItem): void {
    const { publicKey, salt } = this.torrent
    if (!equalBytes(item.publicKey, publicKey) || !equalBytes(item.salt, salt)) return
    if (verifyMutableItem(item)) this.newest = item
  }

  /** Asks the DHT once; nothing while an earlier question is open. */
  look(dht: Dht): void {
    if (this.isAsking) return
    this.isAsking = true
    const { publicKey, salt } = this.torrent
    dht.putMutableItem(
      publicKey,
      salt,
      (current) => this.newer(current),
      () => {
        this.isAsking = false
        this.tell()
      },
    )
  }

  /** What is put back: the newest item, whoever had it; null when there is none that names a torrent. */
  private newer(current: MutableItem | null): MutableItem | null {
    if (current !== null && (this.newest === null || current.seq > this.newest.seq)) this.newest = current
    return this.newest !== null && torrentInItem(this.newest.value) !== null ? this.newest : null
  }

  private tell(): void {
    const newIh = this.newest === null ? null : torrentInItem(this.newest.value)
    if (newIh === null || newIh.equals(this.told)) return
    const { alerts, ref, infoHash } = this.host
    this.told = newIh
    if (alerts.wants(TorrentUpdateAlert.category))
      alerts.post(new TorrentUpdateAlert({ handle: ref, oldIh: infoHash, newIh }))
  }
}
