import type { AddressScope } from './addressScope.ts'
import { PeerList } from './peerList.ts'
import type { PeerTable } from './peerTable.ts'

/** Lists of a family: a pair, downloaders and seeds, for each scope. */
const LISTS = 6

/** Number of the list that peers of this kind are in. */
export function listOf(scope: AddressScope, isSeed: boolean): number {
  return scope * 2 + (isSeed ? 1 : 0)
}

export function isSeedList(list: number): boolean {
  return (list & 1) === 1
}

/** The peers of one torrent and one address family, in a list for each kind of peer. */
export class SwarmPeers {
  readonly lists: (PeerList | null)[] = new Array<PeerList | null>(LISTS).fill(null)
  size = 0
  seeds = 0

  add(table: PeerTable, slot: number, list: number): void {
    let peers = this.lists[list]
    if (peers === null) this.lists[list] = peers = new PeerList()
    table.list[slot] = list
    peers.add(table, slot)
    this.size++
    if (isSeedList(list)) this.countSeeds(table, 1)
  }

  remove(table: PeerTable, slot: number): void {
    const list = table.list[slot]
    const peers = this.lists[list]
    if (peers === null) return
    peers.remove(table, slot)
    if (peers.slots.length === 0) this.lists[list] = null
    this.size--
    if (isSeedList(list)) this.countSeeds(table, -1)
  }

  /** Takes all peers out of here and of `table`. */
  clear(table: PeerTable): void {
    for (const list of this.lists) for (const slot of list?.slots ?? []) table.keys.remove(slot)
    this.lists.fill(null)
    this.countSeeds(table, -this.seeds)
    this.size = 0
  }

  private countSeeds(table: PeerTable, change: number): void {
    this.seeds += change
    table.seeds += change
  }
}

/** One torrent. */
export class Swarm {
  readonly v4 = new SwarmPeers()
  /** Made with the first peer there. */
  v6: SwarmPeers | null = null
  /** Downloads finished, as announced. */
  downloaded = 0

  constructor(
    /** Its slot among the torrents. */
    readonly id: number,
  ) {}

  get size(): number {
    return this.v4.size + (this.v6?.size ?? 0)
  }

  get seeds(): number {
    return this.v4.seeds + (this.v6?.seeds ?? 0)
  }

  get downloaders(): number {
    return this.size - this.seeds
  }
}
