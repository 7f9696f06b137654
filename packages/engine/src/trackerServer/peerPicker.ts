import type { Random } from '../platform/random.ts'
import type { AddressScope } from './addressScope.ts'
import type { PeerList } from './peerList.ts'
import type { PeerTable } from './peerTable.ts'
import { listOf, type SwarmPeers } from './swarm.ts'

const TWO_32 = 0x1_0000_0000

/** Whoever asks, not to be told of itself: by its slot in the table (-1: it is not there), and by its peer id if given. */
export interface Asker {
  readonly scope: AddressScope
  readonly isSeed: boolean
  /** This is its first announce. */
  readonly isStarting: boolean
  readonly slot: number
  readonly peerId: Uint8Array | null
}

/**
 * Picks some peers of a swarm by chance, in time that depends on how many are picked only. The lists that suit the one
 * who asks are taken as one ring, which is cut into as many equal parts as peers are wanted, from a random start: one
 * random peer of each part. So all have the same chance, nobody comes twice, and nothing is moved.
 */
export class PeerPicker {
  count = 0
  private readonly pickedLists: PeerList[] = []
  private readonly positions: Int32Array
  private readonly lists: PeerList[] = []
  private total = 0
  private table: PeerTable | null = null

  constructor(
    private readonly random: Random,
    limit: number,
  ) {
    this.positions = new Int32Array(limit)
  }

  /**
   * Picks up to `wanted` of `peers`: those that `asker` can reach, and no seeds for a seed. But a seed that starts where
   * nobody downloads is told of seeds, as who has a magnet link only may also say that nothing is left: it does not know
   * of how much.
   */
  pick(peers: SwarmPeers, table: PeerTable, asker: Asker, wanted: number): void {
    this.count = 0
    this.table = table
    if (wanted > 0) this.gather(peers, asker)
    if (wanted <= 0 || this.total === 0) return
    const { total } = this
    const { slot: self, peerId } = asker
    // One more than wanted: whoever asks may be among them, and is left out.
    const parts = Math.min(self === -1 && peerId === null ? wanted : wanted + 1, total)
    const step = total / parts
    const selfList = self === -1 ? null : peers.lists[table.list[self]]
    const selfPosition = self === -1 ? -1 : table.position[self]
    // The swarm is no secret: a quick generator, seeded each time, is good enough for the rest.
    let seed = this.random.u32() | 1
    const start = Math.floor(((seed >>> 0) * total) / TWO_32)
    for (let part = 0, from = 0; part < parts && this.count < wanted; part++) {
      const end = part === parts - 1 ? total : Math.floor((part + 1) * step)
      seed ^= seed << 13
      seed ^= seed >>> 17
      seed ^= seed << 5
      let position = start + from + Math.floor(((seed >>> 0) * (end - from)) / TWO_32)
      if (position >= total) position -= total
      from = end
      let which = 0
      while (position >= this.lists[which].slots.length) position -= this.lists[which++].slots.length
      const list = this.lists[which]
      if (position === selfPosition && list === selfList) continue
      if (peerId !== null && table.hasPeerId(list.slots[position], peerId)) continue
      this.pickedLists[this.count] = list
      this.positions[this.count++] = position
    }
  }

  /** Writes the compact endpoints of those that were picked to `out`; gives where they end. */
  writeEndpoints(out: Uint8Array, at: number): number {
    const { table } = this
    if (table === null) return at
    let end = at
    for (let i = 0; i < this.count; i++) {
      this.pickedLists[i].writeEndpoint(table, this.positions[i], out, end)
      end += table.compactSize
    }
    return end
  }

  /** Slot of the `i`th that was picked. */
  slot(i: number): number {
    return this.pickedLists[i].slots[this.positions[i]]
  }

  private gather(peers: SwarmPeers, { scope, isSeed, isStarting }: Asker): void {
    this.lists.length = 0
    this.total = 0
    this.addLists(peers, scope, false)
    if (!isSeed || (isStarting && this.total === 0)) this.addLists(peers, scope, true)
  }

  private addLists(peers: SwarmPeers, scope: AddressScope, ofSeeds: boolean): void {
    for (let s = 0; s <= scope; s++) this.addList(peers.lists[listOf(s as AddressScope, ofSeeds)])
  }

  private addList(list: PeerList | null): void {
    if (list === null) return
    this.lists.push(list)
    this.total += list.slots.length
  }
}
