import type { DhtRoutingBucket } from '../alerts/dhtReports.ts'
import type { Random } from '../platform/random.ts'
import type { Millis } from '../util/flavored.ts'
import { ClosestNodes } from './closestNodes.ts'
import type { DhtSettings } from './dhtSettings.ts'
import { decrement, increment } from './keyCounts.ts'
import { addressKey, type NodeContact } from './nodeContact.ts'
import { bitOf, commonPrefixBits, NODE_ID_SIZE, randomIdWithPrefix } from './nodeDistance.ts'
import { NodeEntry, UNKNOWN_RTT } from './nodeEntry.ts'
import { BUCKET_SIZE, bucketLimit, RoutingBucket, replaceableNode } from './routingBucket.ts'

/** A deeper table than this is a prank: the real one ends at 26 or so. */
const MAX_BUCKETS = 50
/** Nodes next to one that changed its id are looked at again if that has not happened for so long. */
const SUSPICION: Millis = 5 * 60_000

export interface RoutingTableHost {
  readonly settings: Readonly<DhtSettings>
  now(): Millis
  /** Whether the session's IP filter lets us talk to the node. */
  isAllowed(contact: NodeContact): boolean
}

/** What `RoutingTable.counts` tells. */
export interface RoutingTableCounts {
  readonly nodes: number
  readonly replacements: number
  readonly confirmed: number
}

/**
 * The nodes we know (BEP 5, "Routing Table"), as libtorrent keeps them. Bucket `i` holds nodes whose ids share exactly
 * `i` leading bits with ours; the last bucket also all that share more, and splits when it is full of nodes that have
 * proved themselves. Only nodes that answered us are in a bucket; those we merely heard of wait among its replacements
 * until `nextRefresh` had them asked.
 *
 * An address is in the table once, and a /24 (a /64 of IPv6) once in each bucket (`dhtRestrictRoutingIps`).
 */
export class RoutingTable {
  private buckets: RoutingBucket[] = []
  private readonly byContact = new Map<string, NodeEntry>()
  private readonly addresses = new Map<string, number>()
  /** First words of the ids in the table, so that one that is not in it is seen to be new at once. */
  private readonly words = new Map<number, number>()
  private readonly routers = new Set<string>()
  private readonly search = new ClosestNodes()

  constructor(
    private readonly host: RoutingTableHost,
    private ownId: Uint8Array,
  ) {}

  /** Nodes and replacements. */
  get size(): number {
    return this.byContact.size
  }

  get bucketCount(): number {
    return this.buckets.length
  }

  /** The buckets, farthest first, for reports. */
  get bucketStatus(): DhtRoutingBucket[] {
    const now = this.host.now()
    return this.buckets.map(({ live, replacements }) => {
      let last: Millis = 0
      for (const node of live) last = Math.max(last, node.lastQueried)
      const lastActive = last === 0 ? -1 : Math.floor((now - last) / 1000)
      return { numNodes: live.length, numReplacements: replacements.length, lastActive }
    })
  }

  counts(): RoutingTableCounts {
    let nodes = 0
    let replacements = 0
    let confirmed = 0
    for (const bucket of this.buckets) {
      nodes += bucket.live.length
      replacements += bucket.replacements.length
      for (const node of bucket.live) if (node.confirmed) confirmed++
    }
    return { nodes, replacements, confirmed }
  }

  /**
   * An estimate of how many nodes the network has. The deepest bucket that is at least half full, and those below it,
   * hold about all nodes there are so close to us: a known part of the whole.
   */
  get globalNodes(): number {
    let index = this.buckets.length - 1
    while (index > 0 && this.buckets[index].live.length < BUCKET_SIZE / 2) index--
    let close = 1
    for (let i = Math.max(0, index); i < this.buckets.length; i++) close += this.buckets[i].live.length
    return close * 2 ** Math.max(0, index)
  }

  /** How many buckets, from the farthest on, are at least half full. */
  get depth(): number {
    let depth = 0
    while (depth < this.buckets.length && this.buckets[depth].live.length >= BUCKET_SIZE / 2) depth++
    return depth
  }

  /** A router (bootstrap node) is asked when we know nobody, but never kept or told to others. */
  addRouter(contact: NodeContact): void {
    this.routers.add(contact.key)
    const entry = this.byContact.get(contact.key)
    if (entry !== undefined) this.remove(entry)
  }

  isRouter(contact: NodeContact): boolean {
    return this.routers.has(contact.key)
  }

  /** The node at a contact, live or replacement. */
  nodeAt(contact: NodeContact): NodeEntry | null {
    return this.byContact.get(contact.key) ?? null
  }

  /** The same for the key of its compact contact. */
  nodeWithKey(key: string): NodeEntry | null {
    return this.byContact.get(key) ?? null
  }

  /** `contact` answered a request of ours as `id`, after `rtt` ms (or `UNKNOWN_RTT`: it proved itself otherwise). */
  nodeSeen(id: Uint8Array, contact: NodeContact, rtt: Millis): void {
    this.add(id, contact, rtt, true)
  }

  /** Somebody says there is a node `id` at `contact`. */
  heardAbout(id: Uint8Array, contact: NodeContact): void {
    this.add(id, contact, UNKNOWN_RTT, false)
  }

  /** A request to the node was not answered. */
  nodeFailed(id: Uint8Array, contact: NodeContact): void {
    const node = this.byContact.get(contact.key)
    if (node === undefined || !sameId(node.id, id)) return
    node.timedOut()
    const bucket = this.bucketOf(node.id)
    const isLive = bucket.live.includes(node)
    const hasSuccessor = isLive && bucket.replacements.some((r) => r.confirmed)
    if (hasSuccessor || !node.pinged || node.failCount >= this.host.settings.dhtMaxFailCount) this.remove(node)
  }

  /**
   * Fills `out` with the `count` nodes closest to `target`, closest first: those that answered the last time, or with
   * `includeFailed` all in the buckets.
   */
  closest(target: Uint8Array, out: NodeEntry[], count = BUCKET_SIZE, includeFailed = false): void {
    const { search, buckets } = this
    search.start(target, count)
    if (buckets.length > 0) {
      const index = this.indexOf(target)
      search.addAll(buckets[index].live, includeFailed)
      // All deeper buckets differ from the target in the same first bit: they are one group.
      search.nextGroup()
      if (!search.isFull) for (let i = index + 1; i < buckets.length; i++) search.addAll(buckets[i].live, includeFailed)
      for (let i = index - 1; i >= 0 && !search.isFull; i--) {
        search.nextGroup()
        search.addAll(buckets[i].live, includeFailed)
      }
    }
    out.length = 0
    for (let i = 0; i < search.nodes.length; i++) out.push(search.nodes[i])
  }

  /**
   * The node that should be asked next to keep the table fresh: one never asked, from the closest bucket on, a
   * replacement that could fill a gap, or the one asked longest ago. Null when there is none.
   */
  nextRefresh(): NodeEntry | null {
    const candidate = this.refreshCandidate()
    if (candidate !== null) candidate.lastQueried = this.host.now()
    return candidate
  }

  /** Whether a node that we only heard of could fill a gap if it answered. */
  get isHungry(): boolean {
    for (let i = 0; i < this.buckets.length; i++) {
      const { live, replacements } = this.buckets[i]
      if (live.length >= this.limitOf(i)) continue
      for (const node of replacements) if (!node.pinged && node.lastQueried === 0) return true
    }
    return false
  }

  /** A random id in the range of the bucket of `id`; null when that needs no more nodes. */
  missingTarget(id: Uint8Array, random: Random): Uint8Array | null {
    const index = this.indexOf(id)
    const { live, replacements } = this.buckets[index]
    if (live.length >= this.limitOf(index) && replacements.length >= BUCKET_SIZE) return null
    // Ids in the last bucket share `index` bits with ours; elsewhere also the one in which they differ from it.
    return randomIdWithPrefix(id, index === this.buckets.length - 1 ? index : index + 1, random)
  }

  /** Our id changed: all nodes are sorted in anew. */
  updateOwnId(id: Uint8Array): void {
    const old = this.buckets
    this.ownId = id
    this.buckets = []
    this.byContact.clear()
    this.addresses.clear()
    this.words.clear()
    for (const bucket of old) for (const node of bucket.live) this.insert(node)
    for (const bucket of old) for (const node of bucket.replacements) this.insert(node)
  }

  /** Calls `visit` with every node in a bucket. */
  forEachNode(visit: (node: NodeEntry) => void): void {
    for (const bucket of this.buckets) for (const node of bucket.live) visit(node)
  }

  /** Calls `visit` with every replacement. */
  forEachReplacement(visit: (node: NodeEntry) => void): void {
    for (const bucket of this.buckets) for (const node of bucket.replacements) visit(node)
  }

  private refreshCandidate(): NodeEntry | null {
    let oldest: NodeEntry | null = null
    for (let i = this.buckets.length - 1; i >= 0; i--) {
      const { live, replacements } = this.buckets[i]
      for (const node of live) {
        if (node.lastQueried === 0) return node
        if (oldest === null || node.lastQueried < oldest.lastQueried) oldest = node
      }
      if (i < this.buckets.length - 1 && live.length >= this.limitOf(i)) continue
      for (const node of replacements) if (!node.pinged && node.lastQueried === 0) return node
    }
    return oldest
  }

  private add(id: Uint8Array, contact: NodeContact, rtt: Millis, answered: boolean): void {
    const known = this.byContact.get(contact.key)
    if (known !== undefined) {
      if (sameId(known.id, id)) {
        if (!answered) return
        known.answered(rtt, this.host.now())
        this.promote(known)
        return
      }
      if (!answered) return
      // What others say of a node that never answered is no more than that: it says itself who it is.
      if (known.pinged) return this.changedId(known)
      this.remove(known)
    }
    const { settings } = this.host
    if (settings.dhtRestrictRoutingIps && this.addresses.has(addressKey(contact.compact))) return
    if (sameId(id, this.ownId) || this.routers.has(contact.key) || !this.host.isAllowed(contact)) return
    if (!answered && this.hasNoPlace(id)) return
    const node = new NodeEntry(id, contact)
    if (settings.dhtEnforceNodeId && !node.verified) return
    if (answered) node.answered(rtt, this.host.now())
    this.insert(node)
  }

  /** Whether there is no place for a node that has not proved itself: most of those heard of, once the table is full. */
  private hasNoPlace(id: Uint8Array): boolean {
    const { replacements } = this.bucketOf(id)
    if (replacements.length < BUCKET_SIZE) return false
    for (const node of replacements) if (!node.pinged) return false
    return true
  }

  /** A replacement that has answered goes where there is room for it. */
  private promote(node: NodeEntry): void {
    const bucket = this.bucketOf(node.id)
    const at = bucket.replacements.indexOf(node)
    if (at === -1) return
    bucket.replacements.splice(at, 1)
    this.forget(bucket, node)
    this.insert(node)
  }

  /**
   * A node that answers under another id than before may be one of many an attacker has there. It goes, and those next
   * to it are asked again soon.
   */
  private changedId(node: NodeEntry): void {
    const bucket = this.bucketOf(node.id)
    this.remove(node)
    const recently = this.host.now() - SUSPICION
    for (const other of bucket.live) if (other.lastQueried < recently) other.lastQueried = 0
  }

  /** Finds a place for a node that is not in the table; splits the last bucket if that is what it takes. */
  private insert(node: NodeEntry): void {
    for (;;) {
      const index = this.indexOf(node.id)
      const bucket = this.buckets[index]
      if (this.isDuplicate(bucket, node)) return
      const limit = this.limitOf(index)
      if (node.pinged && bucket.live.length < limit) {
        bucket.live.push(node)
        return this.remember(bucket, node)
      }
      if (this.canSplit(index, node)) {
        this.split()
        continue
      }
      if (node.confirmed && this.replaceIn(bucket, bucket.live, node, index)) return
      this.insertReplacement(bucket, node, index)
      return
    }
  }

  private isDuplicate(bucket: RoutingBucket, node: NodeEntry): boolean {
    const { id, contact } = node
    if (this.words.has(node.word | 0)) {
      for (const other of bucket.live) if (sameId(other.id, id)) return true
      for (const other of bucket.replacements) if (sameId(other.id, id)) return true
    }
    return this.host.settings.dhtRestrictRoutingIps && bucket.hasNetworkOf(contact)
  }

  private insertReplacement(bucket: RoutingBucket, node: NodeEntry, index: number): void {
    const { replacements } = bucket
    if (replacements.length >= BUCKET_SIZE) {
      const unproven = replacements.findIndex((r) => !r.pinged)
      if (unproven === -1) {
        if (node.confirmed) this.replaceIn(bucket, replacements, node, index)
        return
      }
      this.forget(bucket, replacements[unproven])
      replacements.splice(unproven, 1)
    }
    replacements.push(node)
    this.remember(bucket, node)
  }

  private replaceIn(bucket: RoutingBucket, nodes: NodeEntry[], node: NodeEntry, index: number): boolean {
    const isLast = index === this.buckets.length - 1
    const at = replaceableNode(nodes, node, isLast ? index : index + 1)
    if (at === -1) return false
    this.forget(bucket, nodes[at])
    nodes[at] = node
    this.remember(bucket, node)
    return true
  }

  /** Only the last bucket splits, for a node that answered, and if that puts nodes on both sides. */
  private canSplit(index: number, node: NodeEntry): boolean {
    if (index !== this.buckets.length - 1 || this.buckets.length >= MAX_BUCKETS || !node.confirmed) return false
    const { live } = this.buckets[index]
    if (live.length < this.limitOf(index)) return false
    if (this.host.settings.dhtPreferVerifiedNodeIds) {
      if (!node.verified || !this.buckets[index].isMostlyVerified) return false
    }
    if (index > 0 && this.buckets[index - 1].live.length <= 1) return false
    const side = bitOf(node.id, index)
    return live.some((other) => bitOf(other.id, index) !== side)
  }

  /** Adds a bucket for the nodes that share one more bit with us. */
  private split(): void {
    const index = this.buckets.length - 1
    const bucket = this.buckets[index]
    const closer = new RoutingBucket()
    this.buckets.push(closer)
    const isCloser = (node: NodeEntry) => bitOf(node.id, index) === bitOf(this.ownId, index)
    for (const list of ['live', 'replacements'] as const) {
      const nodes = bucket[list].splice(0)
      for (const node of nodes) {
        if (isCloser(node)) {
          bucket.left(node)
          closer.entered(node)
          closer[list].push(node)
        } else {
          bucket[list].push(node)
        }
      }
    }
    // The new bucket may be smaller than the one it came from.
    const limit = this.limitOf(index + 1)
    if (closer.live.length > limit) {
      closer.live.sort((a, b) => (a.isBetterThan(b) ? -1 : b.isBetterThan(a) ? 1 : 0))
      closer.replacements.unshift(...closer.live.splice(limit))
      for (const node of closer.replacements.splice(BUCKET_SIZE)) this.forget(closer, node)
    }
    bucket.fill(this.limitOf(index))
    closer.fill(limit)
  }

  private remove(node: NodeEntry): void {
    const index = this.indexOf(node.id)
    const bucket = this.buckets[index]
    let at = bucket.live.indexOf(node)
    if (at !== -1) {
      bucket.live.splice(at, 1)
      bucket.fill(this.limitOf(index))
    } else {
      at = bucket.replacements.indexOf(node)
      if (at === -1) return
      bucket.replacements.splice(at, 1)
    }
    this.forget(bucket, node)
    while (this.buckets.length > 1 && this.buckets[this.buckets.length - 1].isEmpty) this.buckets.pop()
  }

  private remember(bucket: RoutingBucket, node: NodeEntry): void {
    bucket.entered(node)
    this.byContact.set(node.contact.key, node)
    increment(this.addresses, addressKey(node.contact.compact))
    increment(this.words, node.word | 0)
  }

  private forget(bucket: RoutingBucket, node: NodeEntry): void {
    bucket.left(node)
    this.byContact.delete(node.contact.key)
    decrement(this.addresses, addressKey(node.contact.compact))
    decrement(this.words, node.word | 0)
  }

  private bucketOf(id: Uint8Array): RoutingBucket {
    return this.buckets[this.indexOf(id)]
  }

  private indexOf(id: Uint8Array): number {
    if (this.buckets.length === 0) this.buckets.push(new RoutingBucket())
    return Math.min(commonPrefixBits(this.ownId, id), this.buckets.length - 1)
  }

  private limitOf(index: number): number {
    return bucketLimit(index, this.host.settings.dhtExtendedRoutingTable)
  }
}

function sameId(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < NODE_ID_SIZE; i++) if (a[i] !== b[i]) return false
  return true
}
