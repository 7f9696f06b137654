import { decrement, increment } from './keyCounts.ts'
import type { NodeContact } from './nodeContact.ts'
import { networkKey } from './nodeContact.ts'
import { bitOf } from './nodeDistance.ts'
import type { NodeEntry } from './nodeEntry.ts'

/** k of the Kademlia paper: nodes of a bucket, of an answer, of an announce (BEP 5). */
export const BUCKET_SIZE = 8

/** How much larger the first buckets are (libtorrent `dht_extended_routing_table`). */
const EXTENDED = [16, 8, 4, 2]

/** Nodes the bucket at `index` may hold. */
export function bucketLimit(index: number, extended: boolean): number {
  return extended && index < EXTENDED.length ? BUCKET_SIZE * EXTENDED[index] : BUCKET_SIZE
}

/** Nodes whose ids begin alike, and those waiting to take the place of one that fails. */
export class RoutingBucket {
  readonly live: NodeEntry[] = []
  readonly replacements: NodeEntry[] = []
  private readonly networks = new Map<string, number>()

  get isEmpty(): boolean {
    return this.live.length === 0 && this.replacements.length === 0
  }

  /** Whether a node of this bucket has an address of the same network. */
  hasNetworkOf(contact: NodeContact): boolean {
    return this.networks.has(networkKey(contact.compact))
  }

  /** A node was put into one of the lists. */
  entered(node: NodeEntry): void {
    increment(this.networks, networkKey(node.contact.compact))
  }

  /** A node was taken out of both. */
  left(node: NodeEntry): void {
    decrement(this.networks, networkKey(node.contact.compact))
  }

  /** Two thirds of the nodes, and at least one, have an id that fits their address (BEP 42). */
  get isMostlyVerified(): boolean {
    let verified = 0
    for (const node of this.live) if (node.verified) verified++
    if (verified === 0) return this.live.length === 0
    return verified >= Math.floor((this.live.length * 2) / 3)
  }

  /** Takes the best replacements that have answered into the bucket, as long as it has room. */
  fill(limit: number): void {
    while (this.live.length < limit) {
      let best = -1
      for (let i = 0; i < this.replacements.length; i++) {
        const node = this.replacements[i]
        if (node.confirmed && (best === -1 || node.isBetterThan(this.replacements[best]))) best = i
      }
      if (best === -1) return
      this.live.push(this.replacements[best])
      this.replacements.splice(best, 1)
    }
  }
}

/** Which part of the bucket's range the id lies in: its next bits after those all of the bucket share. */
function slotOf(id: Uint8Array, firstBit: number, bits: number): number {
  let slot = 0
  for (let i = 0; i < bits; i++) slot = slot * 2 + (firstBit + i < 160 ? bitOf(id, firstBit + i) : 0)
  return slot
}

/**
 * The node of a full list that `candidate` should take the place of, or -1. One that fails goes first. Otherwise ids
 * are to be spread over the range of the bucket, so that lookups take few steps: a part of the range that has no node
 * yet gets this one, at the cost of the worst node of a part that has several; within its own part the candidate has to
 * be better than the worst.
 * @param firstBit the first bit in which ids of the bucket differ
 */
export function replaceableNode(nodes: readonly NodeEntry[], candidate: NodeEntry, firstBit: number): number {
  let worst = 0
  for (let i = 1; i < nodes.length; i++) if (nodes[i].failCount > nodes[worst].failCount) worst = i
  if (nodes[worst].failCount > 0) return worst

  const bits = 31 - Math.clz32(nodes.length)
  const wanted = slotOf(candidate.id, firstBit, bits)
  const taken = new Uint8Array(1 << bits)
  for (const node of nodes) {
    const slot = slotOf(node.id, firstBit, bits)
    if (taken[slot] < 2) taken[slot]++
  }
  const ownSlot = taken[wanted] > 0
  worst = -1
  for (let i = 0; i < nodes.length; i++) {
    const slot = slotOf(nodes[i].id, firstBit, bits)
    if (ownSlot ? slot !== wanted : taken[slot] < 2) continue
    if (worst === -1 || nodes[worst].isBetterThan(nodes[i])) worst = i
  }
  return worst === -1 || (ownSlot && !candidate.isBetterThan(nodes[worst])) ? -1 : worst
}
