import type { Random } from '../platform/random.ts'
import type { Millis } from '../util/flavored.ts'
import type { DhtSettings } from './dhtSettings.ts'
import type { NodeContact } from './nodeContact.ts'
import type { NodeEntry } from './nodeEntry.ts'
import type { QueryBody, RequestObserver } from './requestManager.ts'
import type { Traversal } from './traversal.ts'

/** What a lookup needs of the node that makes it. */
export interface TraversalHost {
  readonly settings: Readonly<DhtSettings>
  readonly random: Random
  /** Key of the nodes of our address family in an answer. */
  readonly nodesKey: 'nodes' | 'nodes6'
  /** 26 or 38. */
  readonly nodeSize: number
  /** Asked when we know nobody else. */
  readonly routers: Iterable<NodeContact>
  now(): Millis
  /** As `RoutingTable.closest`. */
  closest(target: Uint8Array, out: NodeEntry[], count: number, includeFailed: boolean): void
  /** Sends a question. False when that is not possible. */
  ask(body: QueryBody, contact: NodeContact, id: Uint8Array | null, observer: RequestObserver): boolean
  /**
   * Somebody at `source` told of a node. Its contact when it may be asked; the table then knows of it too. Both arrays
   * are copied if they are kept.
   */
  hearAbout(id: Uint8Array, compact: Uint8Array, source: NodeContact): NodeContact | null
  /** An answer had nodes of the other address family, which another node of ours may want. */
  hearAboutForeign(nodes: Uint8Array, source: NodeContact): void
  traversalStarted(traversal: Traversal): void
  traversalEnded(traversal: Traversal): void
}
