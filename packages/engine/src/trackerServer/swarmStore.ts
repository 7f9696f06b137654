import { COMPACT_V4_SIZE, COMPACT_V6_SIZE } from '../address/compactEndpoint.ts'
import { HalfSipHash } from '../crypto/halfSipHash.ts'
import type { Random } from '../platform/random.ts'
import type { Millis } from '../util/flavored.ts'
import { AddressScope, addressScope } from './addressScope.ts'
import { AgedKeys } from './agedKeys.ts'
import { type AnnounceQuery, INFO_HASH_SIZE } from './announceQuery.ts'
import { PeerTable } from './peerTable.ts'
import { isSeedList, listOf, Swarm, SwarmPeers } from './swarm.ts'

export interface SwarmLimits {
  readonly maxTorrents: number
  /** Of all torrents, for each address family. */
  readonly maxPeers: number
  readonly maxPeersPerTorrent: number
  /** A peer that was silent for so long is gone. */
  readonly peerTimeout: Millis
  /** A torrent that nobody announced for so long is forgotten, and with it its count of downloads. */
  readonly torrentTimeout: Millis
}

/**
 * Who is in which swarm. Every operation takes constant time, and memory is bounded: when there is no room, the torrent
 * or the peer that was silent longest makes it, and in a torrent that is full a random peer, so that one who floods it
 * shuts nobody out for good.
 */
export class SwarmStore {
  readonly v4: PeerTable
  readonly v6: PeerTable
  private readonly torrents: AgedKeys
  private readonly swarms: (Swarm | null)[] = []

  constructor(
    private readonly limits: SwarmLimits,
    private readonly random: Random,
  ) {
    const hash = new HalfSipHash(random.u32(), random.u32())
    this.torrents = new AgedKeys(INFO_HASH_SIZE, limits.maxTorrents, hash)
    this.v4 = new PeerTable(COMPACT_V4_SIZE, limits.maxPeers, hash)
    this.v6 = new PeerTable(COMPACT_V6_SIZE, limits.maxPeers, hash)
  }

  get numTorrents(): number {
    return this.torrents.size
  }

  get numPeers(): number {
    return this.v4.keys.size + this.v6.keys.size
  }

  /** Seeds of all torrents. */
  get numSeeds(): number {
    return this.v4.seeds + this.v6.seeds
  }

  tableOf(addressLength: number): PeerTable {
    return addressLength === 4 ? this.v4 : this.v6
  }

  /** The swarm of the info-hash that begins at `at`, or null. */
  find(infoHash: Uint8Array, at = 0): Swarm | null {
    const id = this.torrents.find(infoHash, at)
    return id === -1 ? null : this.swarms[id]
  }

  /** The peer of `query` in `swarm`: its slot in the table of its family, or -1. */
  findPeer(swarm: Swarm, query: AnnounceQuery): number {
    return this.tableOf(query.address.length).find(swarm.id, query.endpoint())
  }

  /** Enters the peer of `query`, or what is new about it; gives its slot. */
  enter(query: AnnounceQuery, now: Millis): { readonly swarm: Swarm; readonly slot: number } {
    const swarm = this.touch(query.infoHash, now)
    const { address } = query
    const table = this.tableOf(address.length)
    const peers = peersOf(swarm, address.length)
    const list = listOf(addressScope(address.bytes, address.length), query.isSeed)
    const endpoint = query.endpoint()
    let slot = table.find(swarm.id, endpoint)
    if (query.event === 'completed' && (slot === -1 || !isSeedList(table.list[slot]))) swarm.downloaded++
    if (slot === -1) {
      if (swarm.size >= this.limits.maxPeersPerTorrent) this.dropRandom(swarm)
      slot = table.add(swarm.id, endpoint, now)
      if (slot === -1) {
        this.drop(table, table.keys.oldest)
        slot = table.add(swarm.id, endpoint, now)
      }
      peers.add(table, slot, list)
    } else {
      table.keys.touch(slot, now)
      if (table.list[slot] !== list) {
        peers.remove(table, slot)
        peers.add(table, slot, list)
      }
    }
    table.secrets[slot] = query.key
    table.setPeerId(slot, query.peerId)
    this.entered.swarm = swarm
    this.entered.slot = slot
    return this.entered
  }

  private readonly entered = { swarm: new Swarm(-1), slot: -1 }

  /** Takes a peer out; false when it is not there. */
  leave(query: AnnounceQuery): boolean {
    const swarm = this.find(query.infoHash)
    const slot = swarm === null ? -1 : this.findPeer(swarm, query)
    if (slot === -1) return false
    this.drop(this.tableOf(query.address.length), slot)
    return true
  }

  /** Forgets up to `budget` peers and torrents whose time is over. False when there may be more. */
  expire(now: Millis, budget: number): boolean {
    let left = budget
    for (const table of [this.v4, this.v6]) {
      const { keys } = table
      while (keys.oldest !== -1 && now - keys.touched[keys.oldest] >= this.limits.peerTimeout) {
        if (left-- <= 0) return false
        this.drop(table, keys.oldest)
      }
    }
    const { torrents } = this
    while (torrents.oldest !== -1 && now - torrents.touched[torrents.oldest] >= this.limits.torrentTimeout) {
      if (left-- <= 0) return false
      this.forget(torrents.oldest)
    }
    return true
  }

  /** The swarm of an info-hash, new if it has to be, and the youngest now. */
  private touch(infoHash: Uint8Array, now: Millis): Swarm {
    let id = this.torrents.find(infoHash, 0)
    if (id !== -1) this.torrents.touch(id, now)
    else {
      id = this.torrents.add(infoHash, 0, now)
      if (id === -1) {
        this.forget(this.torrents.oldest)
        id = this.torrents.add(infoHash, 0, now)
      }
      this.swarms[id] = new Swarm(id)
    }
    return this.swarms[id] as Swarm
  }

  private forget(id: number): void {
    const swarm = this.swarms[id]
    this.swarms[id] = null
    this.torrents.remove(id)
    if (swarm === null) return
    swarm.v4.clear(this.v4)
    swarm.v6?.clear(this.v6)
  }

  private drop(table: PeerTable, slot: number): void {
    const swarm = this.swarms[table.swarmOf(slot)]
    if (swarm !== null) peersOf(swarm, table === this.v4 ? 4 : 16).remove(table, slot)
    table.keys.remove(slot)
  }

  private dropRandom(swarm: Swarm): void {
    let index = this.random.below(swarm.size)
    const table = index < swarm.v4.size ? this.v4 : this.v6
    if (table === this.v6) index -= swarm.v4.size
    for (const list of peersOf(swarm, table === this.v4 ? 4 : 16).lists) {
      if (list === null) continue
      if (index < list.slots.length) return this.drop(table, list.slots[index])
      index -= list.slots.length
    }
  }
}

/** A swarm's peers of one family. */
export function peersOf(swarm: Swarm, addressLength: number): SwarmPeers {
  if (addressLength === 4) return swarm.v4
  swarm.v6 ??= new SwarmPeers()
  return swarm.v6
}

/** How far the one who sent `query` can reach. */
export function scopeOf(query: AnnounceQuery): AddressScope {
  const { bytes, length } = query.source
  return length === 0 ? AddressScope.global : addressScope(bytes, length)
}
