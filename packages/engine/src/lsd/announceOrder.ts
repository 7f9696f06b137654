import type { Sha1Hash } from '../util/digest.ts'
import type { Millis } from '../util/flavored.ts'

/** No torrent is announced more often, whatever happens to it (BEP 14). */
export const MIN_ANNOUNCE_MS: Millis = 60_000

interface Entry {
  readonly infoHash: Sha1Hash
  /** Long ago for one that never was. */
  announcedAt: Millis
}

/** Which torrents to announce next: new ones first, then each when the interval since its last announce is over. */
export class AnnounceOrder {
  /** To be announced as soon as they may. */
  private readonly fresh = new Map<string, Entry>()
  /** Announced, in the order in which they were. */
  private readonly announced = new Map<string, Entry>()
  /** When those were announced that were removed within the last minute. */
  private readonly removed = new Map<string, Millis>()

  get size(): number {
    return this.fresh.size + this.announced.size
  }

  add(infoHash: Sha1Hash, now: Millis): void {
    const key = infoHash.toHex()
    if (this.fresh.has(key) || this.announced.has(key)) return
    for (const [other, at] of this.removed) if (at + MIN_ANNOUNCE_MS <= now) this.removed.delete(other)
    this.fresh.set(key, { infoHash, announcedAt: this.removed.get(key) ?? Number.NEGATIVE_INFINITY })
    this.removed.delete(key)
  }

  remove(infoHash: Sha1Hash): void {
    const key = infoHash.toHex()
    const entry = this.announced.get(key) ?? this.fresh.get(key)
    this.announced.delete(key)
    this.fresh.delete(key)
    if (entry !== undefined && entry.announcedAt > 0) this.removed.set(key, entry.announcedAt)
  }

  /** All are to be announced anew, as there is somebody who has not heard us. */
  renew(): void {
    for (const [key, entry] of this.announced) this.fresh.set(key, entry)
    this.announced.clear()
  }

  /** When the next one is due; infinite without torrents. */
  nextDueAt(interval: Millis): Millis {
    let next = Number.POSITIVE_INFINITY
    for (const { announcedAt } of this.fresh.values()) next = Math.min(next, announcedAt + MIN_ANNOUNCE_MS)
    for (const { announcedAt } of this.announced.values()) return Math.min(next, announcedAt + interval)
    return next
  }

  /** At most `limit` that are due; they are announced now. */
  take(now: Millis, limit: number, interval: Millis): Sha1Hash[] {
    const taken: Entry[] = []
    for (const [key, entry] of this.fresh) {
      if (taken.length === limit) break
      if (entry.announcedAt + MIN_ANNOUNCE_MS > now) continue
      this.fresh.delete(key)
      taken.push(entry)
    }
    for (const [key, entry] of this.announced) {
      if (taken.length === limit || entry.announcedAt + interval > now) break
      this.announced.delete(key)
      taken.push(entry)
    }
    for (const entry of taken) {
      entry.announcedAt = now
      this.announced.set(entry.infoHash.toHex(), entry)
    }
    return taken.map(({ infoHash }) => infoHash)
  }
}
