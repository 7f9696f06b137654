import { latin1 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { BloomFilter } from './bloomFilter.ts'
import { commonPrefixBits } from './nodeDistance.ts'

/** Bytes of the filter that counts the addresses an item came from. */
const ANNOUNCER_FILTER_SIZE = 128
/** So many announcers weigh as much as one bit of distance. */
const ANNOUNCERS_PER_BIT = 5

class StoredItem<T> {
  readonly announcers = new BloomFilter(ANNOUNCER_FILTER_SIZE)
  numAnnouncers = 0
  lastSeen: Millis = 0

  constructor(
    readonly target: Uint8Array,
    public value: T,
    /** Leading bits the target shares with the closest of our ids. */
    public closeness: number,
  ) {}

  /** What it is worth to us: how many want it, and how much it is ours to keep. */
  get importance(): number {
    return Math.floor(this.numAnnouncers / ANNOUNCERS_PER_BIT) + this.closeness
  }
}

/**
 * Items by target (BEP 44), a limited number. When there is no room, the least important goes: the one few announce and
 * whose target is far from our ids; five announcers outweigh one bit of distance (libtorrent).
 */
export class ItemTable<T> {
  private readonly items = new Map<string, StoredItem<T>>()
  private ids: readonly Uint8Array[] = []

  get size(): number {
    return this.items.size
  }

  /** The ids of our nodes, by which distance is measured. */
  updateNodeIds(ids: readonly Uint8Array[]): void {
    this.ids = ids
    for (const item of this.items.values()) item.closeness = this.closenessOf(item.target)
  }

  get(target: Uint8Array): T | null {
    return this.items.get(latin1(target))?.value ?? null
  }

  /** Stores `value`, or replaces what is there. `limit`: items the table may hold. */
  put(target: Uint8Array, value: T, limit: number): void {
    const key = latin1(target)
    const item = this.items.get(key)
    if (item !== undefined) {
      item.value = value
      return
    }
    if (limit <= 0) return
    while (this.items.size >= limit) this.dropLeastImportant()
    this.items.set(key, new StoredItem(target.slice(), value, this.closenessOf(target)))
  }

  /** Somebody at `address` (4 or 16 bytes) wants the item to live. */
  touch(target: Uint8Array, address: Uint8Array, now: Millis): void {
    const item = this.items.get(latin1(target))
    if (item === undefined) return
    item.lastSeen = now
    if (item.announcers.insert(address)) item.numAnnouncers++
  }

  /** Drops items nobody has touched since `before`. */
  expire(before: Millis): void {
    for (const [key, item] of this.items) if (item.lastSeen <= before) this.items.delete(key)
  }

  /** Linear; only for a put whose signature and token were good, into a full table. */
  private dropLeastImportant(): void {
    let least: string | null = null
    let lowest = Number.POSITIVE_INFINITY
    for (const [key, item] of this.items) {
      const { importance } = item
      if (importance >= lowest) continue
      lowest = importance
      least = key
    }
    if (least !== null) this.items.delete(least)
  }

  private closenessOf(target: Uint8Array): number {
    let bits = 0
    for (const id of this.ids) bits = Math.max(bits, commonPrefixBits(id, target))
    return bits
  }
}
