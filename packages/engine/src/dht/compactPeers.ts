import type { Random } from '../platform/random.ts'
import { readU32, writeU32 } from '../util/bytes.ts'
import type { Seconds } from '../util/flavored.ts'
import { BloomFilter } from './bloomFilter.ts'

/** Peers of one address at most: a household behind one address may have several, a liar must not fill the list. */
const MAX_PEERS_PER_ADDRESS = 8
/** The filters of a scrape cost a hash for each peer: they are made anew only after so long. */
const SCRAPE_LIFETIME: Seconds = 60
/** Bytes of a record after its contact: seed or not, time of the announce. */
const EXTRA = 5

/** Who is in a list, as filters (BEP 33). */
export interface ScrapeFilters {
  readonly seeds: BloomFilter
  readonly peers: BloomFilter
}

/**
 * The peers of one torrent and one address family, as records in one array: contact, seed or not, time. 11 or 23 bytes
 * each, so that two thousand torrents of five hundred peers fit in 11 MB.
 */
export class CompactPeers {
  private records = new Uint8Array(0)
  private count = 0
  private scraped: ScrapeFilters | null = null
  private scrapedAt: Seconds = 0
  private readonly recordSize: number

  /** @param contactSize 6 or 18 */
  constructor(private readonly contactSize: number) {
    this.recordSize = contactSize + EXTRA
  }

  get size(): number {
    return this.count
  }

  /**
   * A peer announced itself at time `now`. False when it was not taken: `limit` is reached, or its address has too many
   * peers already.
   */
  announce(compact: Uint8Array, seed: boolean, now: Seconds, limit: number): boolean {
    let sameAddresses = 0
    for (let i = 0; i < this.count; i++) {
      if (!this.hasAddress(i, compact)) continue
      if (this.hasPort(i, compact)) {
        this.write(i, compact, seed, now)
        return true
      }
      sameAddresses++
    }
    if (this.count >= limit || sameAddresses >= MAX_PEERS_PER_ADDRESS) return false
    if ((this.count + 1) * this.recordSize > this.records.length) this.resize(Math.max(4, this.count * 2))
    this.write(this.count++, compact, seed, now)
    return true
  }

  /** Whether a peer of the same address is in the list. */
  hasAddressOf(compact: Uint8Array): boolean {
    for (let i = 0; i < this.count; i++) if (this.hasAddress(i, compact)) return true
    return false
  }

  /** Up to `limit` contacts, chosen by chance, each as likely as the other; views, valid until the next change. */
  pick(limit: number, noSeeds: boolean, random: Random): Uint8Array[] {
    const candidates: number[] = []
    for (let i = 0; i < this.count; i++) if (!noSeeds || !this.isSeed(i)) candidates.push(i)
    const wanted = Math.min(limit, candidates.length)
    const picked: Uint8Array[] = []
    for (let i = 0; i < wanted; i++) {
      // All of them need no choice; otherwise the first `wanted` of a shuffle.
      const j = wanted === candidates.length ? i : i + random.below(candidates.length - i)
      picked.push(this.contact(candidates[j]))
      candidates[j] = candidates[i]
    }
    return picked
  }

  /** Seeds and other peers as filters, up to a minute old. */
  scrape(now: Seconds): ScrapeFilters {
    if (this.scraped !== null && now - this.scrapedAt < SCRAPE_LIFETIME) return this.scraped
    const filters = { seeds: new BloomFilter(), peers: new BloomFilter() }
    for (let i = 0; i < this.count; i++) {
      const address = this.contact(i).subarray(0, this.contactSize - 2)
      if (this.isSeed(i)) filters.seeds.insert(address)
      else filters.peers.insert(address)
    }
    this.scraped = filters
    this.scrapedAt = now
    return filters
  }

  /** Drops peers that announced themselves before `before`. Returns how many. */
  expire(before: Seconds): number {
    let kept = 0
    for (let i = 0; i < this.count; i++) {
      if (readU32(this.records, i * this.recordSize + this.contactSize + 1) < before) continue
      if (kept !== i) this.records.copyWithin(kept * this.recordSize, i * this.recordSize, (i + 1) * this.recordSize)
      kept++
    }
    const dropped = this.count - kept
    this.count = kept
    this.scraped = null
    if (this.records.length > 16 * this.recordSize && kept * this.recordSize * 4 <= this.records.length)
      this.resize(kept)
    return dropped
  }

  private hasAddress(index: number, compact: Uint8Array): boolean {
    const { records, contactSize } = this
    const at = index * this.recordSize
    for (let i = contactSize - 3; i >= 0; i--) if (records[at + i] !== compact[i]) return false
    return true
  }

  private hasPort(index: number, compact: Uint8Array): boolean {
    const port = index * this.recordSize + this.contactSize - 2
    const { length } = compact
    return this.records[port] === compact[length - 2] && this.records[port + 1] === compact[length - 1]
  }

  private contact(index: number): Uint8Array {
    const at = index * this.recordSize
    return this.records.subarray(at, at + this.contactSize)
  }

  private isSeed(index: number): boolean {
    return this.records[index * this.recordSize + this.contactSize] === 1
  }

  private write(index: number, compact: Uint8Array, seed: boolean, now: Seconds): void {
    const at = index * this.recordSize
    this.records.set(compact, at)
    this.records[at + this.contactSize] = seed ? 1 : 0
    writeU32(this.records, at + this.contactSize + 1, now)
  }

  private resize(capacity: number): void {
    const larger = new Uint8Array(capacity * this.recordSize)
    larger.set(this.records.subarray(0, Math.min(this.records.length, this.count * this.recordSize)))
    this.records = larger
  }
}
