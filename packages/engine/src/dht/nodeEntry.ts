import { verifyNodeId } from '../address/secureNodeId.ts'
import { readU32 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import type { NodeContact } from './nodeContact.ts'

/** Round-trip time of a node that was not measured. */
export const UNKNOWN_RTT: Millis = 0xffff

/** A node of the routing table. */
export class NodeEntry {
  readonly id: Uint8Array
  /** The first 32 bits of the id: what most comparisons of distances are decided by. */
  readonly word: number
  /** Whether the id is one the address may have (BEP 42). */
  readonly verified: boolean
  rtt: Millis = UNKNOWN_RTT
  /** Requests in a row that were not answered; -1 for a node that was heard of, but has never answered us. */
  timeouts = -1
  /** When it last answered or was last picked for a refresh; 0: never. */
  lastQueried: Millis = 0

  /** `id` is copied; the contact is kept. */
  constructor(
    id: Uint8Array,
    readonly contact: NodeContact,
  ) {
    this.id = new Uint8Array(id)
    this.word = readU32(id, 0)
    this.verified = verifyNodeId(id, contact.compact)
  }

  /** It has answered a request of ours: the address is real, and the id was told by it. */
  get pinged(): boolean {
    return this.timeouts >= 0
  }

  /** It answered the last request we sent. Only such nodes are told to others. */
  get confirmed(): boolean {
    return this.timeouts === 0
  }

  get failCount(): number {
    return Math.max(0, this.timeouts)
  }

  answered(rtt: Millis, now: Millis): void {
    this.timeouts = 0
    this.lastQueried = now
    if (rtt >= UNKNOWN_RTT) return
    this.rtt = this.rtt >= UNKNOWN_RTT ? rtt : (this.rtt * 2 + rtt) / 3
  }

  /** Nodes that never answered have nothing to lose. */
  timedOut(): void {
    if (this.timeouts >= 0) this.timeouts++
  }

  /** Whether this node is rather kept than `other`: an id that fits its address first, then the faster one. */
  isBetterThan(other: NodeEntry): boolean {
    return this.verified === other.verified ? this.rtt < other.rtt : this.verified
  }
}
