import type { Seconds } from '../util/flavored.ts'

/**
 * The settings the DHT reads, under the names of the settings table (libtorrent's `dht_settings`, 1.0, and the `dht_*`
 * settings of 2.0). Read anew each time: they may change while the DHT runs.
 */
export interface DhtSettings {
  /** Bytes a second our replies may take; replies are not sent beyond three seconds' worth. 0: nobody gets a reply. */
  readonly dhtUploadRateLimit: number
  /** Most peers in one reply to `get_peers`; a quarter of it over IPv6. */
  readonly dhtMaxPeersReply: number
  /** Requests a lookup has under way at once: alpha of the Kademlia paper. */
  readonly dhtSearchBranching: number
  /** Failures in a row after which a node leaves the table, if there is none to replace it with at once. */
  readonly dhtMaxFailCount: number
  /** Info-hashes we keep peers for. */
  readonly dhtMaxTorrents: number
  /** Items (BEP 44) we keep: so many immutable and as many mutable ones. */
  readonly dhtMaxDhtItems: number
  /** Peers we keep for one info-hash and address family. */
  readonly dhtMaxPeers: number
  /** Nodes of one address, or of addresses close to each other, may be in the table once only. */
  readonly dhtRestrictRoutingIps: boolean
  /** The same for the nodes one lookup asks. */
  readonly dhtRestrictSearchIps: boolean
  /** The first four buckets of the table hold 128, 64, 32 and 16 nodes instead of 8: lookups take fewer hops. */
  readonly dhtExtendedRoutingTable: boolean
  /** Lookups keep `dhtSearchBranching` requests under way among the closest nodes, whatever waits behind. */
  readonly dhtAggressiveLookups: boolean
  /** Nodes far from the target are asked for an info-hash that only begins like the one we look for. */
  readonly dhtPrivacyLookups: boolean
  /** Nodes whose id does not fit their address (BEP 42) are refused. */
  readonly dhtEnforceNodeId: boolean
  /** Packets from networks nobody can be in are ignored. */
  readonly dhtIgnoreDarkInternet: boolean
  /** Seconds for which a node that sends too much is ignored. */
  readonly dhtBlockTimeout: Seconds
  /** Packets a second, measured over ten seconds, beyond which a node is ignored. */
  readonly dhtBlockRatelimit: number
  /** We ask, but do not answer, and nobody puts us into a table (BEP 43). */
  readonly dhtReadOnly: boolean
  /** How long an item lives after it was last put, at least two hours; 0: until there is no room. */
  readonly dhtItemLifetime: Seconds
  /** Life of the sample of our info-hashes (BEP 51), 0 to 21600. */
  readonly dhtSampleInfohashesInterval: Seconds
  /** Info-hashes in that sample, 0 to 20. */
  readonly dhtMaxInfohashesSampleCount: number
  /** Nodes whose id fits their address go before others in the table, and only they make it grow. */
  readonly dhtPreferVerifiedNodeIds: boolean
  /** Our messages do not say of which client they are. */
  readonly anonymousMode?: boolean
  /** The session's IP filter holds for the DHT. */
  readonly applyFilterToDht?: boolean
}

/** libtorrent 2.1's defaults. */
export const defaultDhtSettings: DhtSettings = {
  dhtUploadRateLimit: 8000,
  dhtMaxPeersReply: 100,
  dhtSearchBranching: 5,
  dhtMaxFailCount: 20,
  dhtMaxTorrents: 2000,
  dhtMaxDhtItems: 700,
  dhtMaxPeers: 500,
  dhtRestrictRoutingIps: true,
  dhtRestrictSearchIps: true,
  dhtExtendedRoutingTable: true,
  dhtAggressiveLookups: true,
  dhtPrivacyLookups: false,
  dhtEnforceNodeId: false,
  dhtIgnoreDarkInternet: true,
  dhtBlockTimeout: 300,
  dhtBlockRatelimit: 5,
  dhtReadOnly: false,
  dhtItemLifetime: 0,
  dhtSampleInfohashesInterval: 21_600,
  dhtMaxInfohashesSampleCount: 20,
  dhtPreferVerifiedNodeIds: true,
  applyFilterToDht: true,
}
