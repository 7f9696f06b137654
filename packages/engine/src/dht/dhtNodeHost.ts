import type { Endpoint } from '../address/endpoint.ts'
import type { Random } from '../platform/random.ts'
import type { Millis } from '../util/flavored.ts'
import type { DhtCounters } from './dhtCounters.ts'
import type { DhtNode } from './dhtNode.ts'
import type { DhtSettings } from './dhtSettings.ts'
import type { DhtStorage } from './dhtStorage.ts'

/** What a node needs of the service it belongs to. */
export interface DhtNodeHost {
  readonly settings: Readonly<DhtSettings>
  readonly random: Random
  /** Shared by all nodes. */
  readonly storage: DhtStorage
  readonly counters: DhtCounters
  now(): Millis
  /** The node's `tick` is to be called by then. */
  wakeAt(time: Millis): void
  /** Whether a packet from a compact contact is to be read at all. */
  accepts(compact: Uint8Array): boolean
  /** Whether the IP filter lets us talk to the address. */
  isAllowed(address: string): boolean
  /** Whether answers may be sent now. */
  hasQuota(): boolean
  /** So many bytes were sent. */
  spendQuota(bytes: number): void
  /** A node of the other address family, the closest to `target` if there are several; null when there is none. */
  foreignNode(node: DhtNode, target: Uint8Array): DhtNode | null
  /** A bootstrap of the node is over. */
  bootstrapEnded(): void
  /** The node's id changed. */
  idChanged(): void
  onAnnounce(infoHash: Uint8Array, peer: Endpoint): void
  onGetPeers(infoHash: Uint8Array): void
  onExternalAddressVote(node: DhtNode, address: string, source: string): void
  onExternalAddress(node: DhtNode, address: string): void
}
