import type { Random } from '../platform/random.ts'
import { EMPTY_BYTES, latin1 } from '../util/bytes.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import { CompactPeers, type ScrapeFilters } from './compactPeers.ts'
import type { DhtSettings } from './dhtSettings.ts'
import { ItemTable } from './itemTable.ts'
import type { MutableItem } from './mutableItem.ts'
import { NODE_ID_SIZE } from './nodeDistance.ts'

/** libtorrent keeps a peer for one and a half times the interval at which announces are repeated, 30 minutes. */
const PEER_LIFETIME: Seconds = 45 * 60
/** BEP 44: an item lives at least so long. */
const MIN_ITEM_LIFETIME: Seconds = 2 * 3600
/** BEP 51, for `interval` and the size of a sample that fits in a packet. */
const MAX_SAMPLE_INTERVAL: Seconds = 21_600
const MAX_SAMPLE_COUNT = 20
const MAX_NAME_BYTES = 100

/** Answer to a question for peers. */
export interface StoredPeers {
  /** Name announced with the torrent; empty: none. */
  readonly name: Uint8Array
  /** Compact endpoints; views. Empty for a scrape. */
  readonly values: readonly Uint8Array[]
  /** Filters of a scrape (BEP 33), null otherwise. */
  readonly scrape: ScrapeFilters | null
  /** No room for the asker: it gets no token, and goes to our neighbours instead. */
  readonly full: boolean
}

export interface PeersQuery {
  /** Only peers that are no seeds. */
  readonly noSeeds: boolean
  readonly scrape: boolean
  /** Who asks, compact: it gets peers of its own address family. */
  readonly requester: Uint8Array
  /** Most peers to return. */
  readonly limit: number
}

/** Answer to a question for a sample of info-hashes (BEP 51). */
export interface InfohashSample {
  readonly interval: Seconds
  /** Info-hashes we have peers for. */
  readonly num: number
  /** The sample: 20 bytes each, one after the other. */
  readonly samples: Uint8Array
}

/** Numbers of what is stored (libtorrent `dht_storage_counters`). */
export interface DhtStorageCounters {
  readonly torrents: number
  readonly peers: number
  readonly immutableData: number
  readonly mutableData: number
}

/** What other nodes have stored with us (libtorrent `dht_storage_interface`). All nodes of a session share one. */
export interface DhtStorage {
  updateNodeIds(ids: readonly Uint8Array[]): void
  /** Null when the info-hash is unknown and there is room for it. */
  getPeers(infoHash: Uint8Array, query: PeersQuery): StoredPeers | null
  announcePeer(infoHash: Uint8Array, compact: Uint8Array, name: Uint8Array, seed: boolean): void
  /** The bencoded value. */
  getImmutableItem(target: Uint8Array): Uint8Array | null
  /** `address`: 4 or 16 bytes of who puts. */
  putImmutableItem(target: Uint8Array, value: Uint8Array, address: Uint8Array): void
  getMutableItem(target: Uint8Array): MutableItem | null
  /** Keeps the stored item when its sequence number is not lower. The signature is good. */
  putMutableItem(target: Uint8Array, item: MutableItem, address: Uint8Array): void
  getInfohashesSample(): InfohashSample
  /** Forgets what is too old; called every two minutes. */
  tick(): void
  counters(): DhtStorageCounters
}

export interface DhtStorageHost {
  readonly settings: Readonly<DhtSettings>
  readonly random: Random
  now(): Millis
}

interface TorrentEntry {
  name: Uint8Array
  readonly v4: CompactPeers
  readonly v6: CompactPeers
}

/** The storage of libtorrent: in memory, with a limit on everything. */
export class DefaultDhtStorage implements DhtStorage {
  private readonly torrents = new Map<string, TorrentEntry>()
  private readonly immutable = new ItemTable<Uint8Array>()
  private readonly mutable = new ItemTable<MutableItem>()
  private numPeers = 0
  private sample: Uint8Array = EMPTY_BYTES
  private sampleTime: Millis = Number.NEGATIVE_INFINITY

  constructor(private readonly host: DhtStorageHost) {}

  updateNodeIds(ids: readonly Uint8Array[]): void {
    this.immutable.updateNodeIds(ids)
    this.mutable.updateNodeIds(ids)
  }

  getPeers(infoHash: Uint8Array, query: PeersQuery): StoredPeers | null {
    const { settings, random } = this.host
    const torrent = this.torrents.get(latin1(infoHash))
    if (torrent === undefined) {
      if (this.torrents.size < settings.dhtMaxTorrents) return null
      return { name: EMPTY_BYTES, values: [], scrape: null, full: true }
    }
    const peers = query.requester.length === 6 ? torrent.v4 : torrent.v6
    return {
      name: torrent.name,
      values: query.scrape ? [] : peers.pick(query.limit, query.noSeeds, random),
      scrape: query.scrape ? peers.scrape(this.seconds()) : null,
      // Who is in the list may stay in it.
      full: peers.size >= settings.dhtMaxPeers && !peers.hasAddressOf(query.requester),
    }
  }

  announcePeer(infoHash: Uint8Array, compact: Uint8Array, name: Uint8Array, seed: boolean): void {
    const { settings } = this.host
    const key = latin1(infoHash)
    let torrent = this.torrents.get(key)
    if (torrent === undefined) {
      if (this.torrents.size >= settings.dhtMaxTorrents) return
      torrent = { name: EMPTY_BYTES, v4: new CompactPeers(6), v6: new CompactPeers(18) }
      this.torrents.set(key, torrent)
    }
    if (torrent.name.length === 0 && name.length > 0) torrent.name = name.slice(0, MAX_NAME_BYTES)
    const peers = compact.length === 6 ? torrent.v4 : torrent.v6
    const before = peers.size
    peers.announce(compact, seed, this.seconds(), settings.dhtMaxPeers)
    this.numPeers += peers.size - before
  }

  getImmutableItem(target: Uint8Array): Uint8Array | null {
    return this.immutable.get(target)
  }

  putImmutableItem(target: Uint8Array, value: Uint8Array, address: Uint8Array): void {
    if (this.immutable.get(target) === null) {
      this.immutable.put(target, value.slice(), this.host.settings.dhtMaxDhtItems)
    }
    this.immutable.touch(target, address, this.host.now())
  }

  getMutableItem(target: Uint8Array): MutableItem | null {
    return this.mutable.get(target)
  }

  putMutableItem(target: Uint8Array, item: MutableItem, address: Uint8Array): void {
    const stored = this.mutable.get(target)
    if (stored === null || stored.seq < item.seq) {
      this.mutable.put(target, copyOf(item), this.host.settings.dhtMaxDhtItems)
    }
    this.mutable.touch(target, address, this.host.now())
  }

  getInfohashesSample(): InfohashSample {
    const { settings } = this.host
    const interval = clamp(settings.dhtSampleInfohashesInterval, MAX_SAMPLE_INTERVAL)
    const limit = clamp(settings.dhtMaxInfohashesSampleCount, MAX_SAMPLE_COUNT)
    const isOld = interval === 0 || this.host.now() - this.sampleTime >= interval * 1000
    if (isOld || this.sample.length < limit * NODE_ID_SIZE) this.drawSample(Math.min(limit, this.torrents.size))
    return { interval, num: this.torrents.size, samples: this.sample.subarray(0, limit * NODE_ID_SIZE) }
  }

  tick(): void {
    const expired = this.seconds() - PEER_LIFETIME
    for (const [key, torrent] of this.torrents) {
      this.numPeers -= torrent.v4.expire(expired) + torrent.v6.expire(expired)
      if (torrent.v4.size === 0 && torrent.v6.size === 0) this.torrents.delete(key)
    }
    const { dhtItemLifetime } = this.host.settings
    if (dhtItemLifetime === 0) return
    const before = this.host.now() - Math.max(dhtItemLifetime, MIN_ITEM_LIFETIME) * 1000
    this.immutable.expire(before)
    this.mutable.expire(before)
  }

  counters(): DhtStorageCounters {
    return {
      torrents: this.torrents.size,
      peers: this.numPeers,
      immutableData: this.immutable.size,
      mutableData: this.mutable.size,
    }
  }

  /** Selection sampling: each info-hash is as likely as the other, in one pass. */
  private drawSample(count: number): void {
    // Without a full sample every question draws one; a full one stands until the interval is over.
    this.sample = new Uint8Array(count * NODE_ID_SIZE)
    this.sampleTime = this.host.now()
    let left = this.torrents.size
    let picked = 0
    for (const key of this.torrents.keys()) {
      if (picked === count) break
      if (this.host.random.below(left--) >= count - picked) continue
      for (let i = 0; i < NODE_ID_SIZE; i++) this.sample[picked * NODE_ID_SIZE + i] = key.charCodeAt(i)
      picked++
    }
  }

  private seconds(): Seconds {
    return Math.floor(this.host.now() / 1000)
  }
}

function copyOf(item: MutableItem): MutableItem {
  return {
    value: item.value.slice(),
    publicKey: item.publicKey.slice(),
    signature: item.signature.slice(),
    seq: item.seq,
    salt: item.salt.slice(),
  }
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max)
}
