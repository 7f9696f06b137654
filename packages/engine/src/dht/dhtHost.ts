import type { Endpoint } from '../address/endpoint.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { DhtSettings } from './dhtSettings.ts'

/** What the DHT needs of the session. The optional calls are what alerts are made of; one that is missing costs nothing. */
export interface DhtHost {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  /** Read anew each time. */
  readonly settings: Readonly<DhtSettings>
  /** Whether the session's IP filter lets us talk to an address; asked only with `applyFilterToDht`. Default: all. */
  isAllowed?(address: string): boolean
  /** A node announced a peer for an info-hash to us (`dht_announce_alert`). */
  onAnnounce?(infoHash: Sha1Hash, peer: Endpoint): void
  /** A node asked us for the peers of an info-hash (`dht_get_peers_alert`). */
  onGetPeers?(infoHash: Sha1Hash): void
  /** We ask a node for peers; `sentTarget` differs from `target` in private lookups (`dht_outgoing_get_peers_alert`). */
  onOutgoingGetPeers?(target: Sha1Hash, sentTarget: Sha1Hash, to: Endpoint): void
  /** A node that answered us says that this is our address: a vote for the session as well. */
  onExternalAddressVote?(local: Endpoint, address: string, source: string): void
  /** Our nodes have agreed that this is our address now (`external_ip_alert`); their ids follow it. */
  onExternalAddress?(local: Endpoint, address: string): void
}

/** How a node reaches the world: one UDP socket, bound to one address (BEP 45). */
export interface DhtSocket {
  readonly local: Endpoint
  /** As `UdpSocket.send`; the packet is copied. */
  send(packet: Uint8Array, to: Endpoint): void
}
