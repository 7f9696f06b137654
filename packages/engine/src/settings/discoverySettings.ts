import { bool, int, source, text } from './settingRow.ts'

/** Settings about finding peers without trackers, and about being found: DHT, local discovery, port mapping. */
export const discoverySettings = {
  enableDht: bool('enable_dht', {
    default: true,
    source: source.v1_1,
    doc: 'Take part in the DHT (BEP 5), from every listen socket. `startDht` and `stopDht` change it.',
  }),
  dhtBootstrapNodes: text('dht_bootstrap_nodes', {
    default: 'dht.libtorrent.org:25401,router.bittorrent.com:6881,dht.transmissionbt.com:6881',
    classic: '',
    source: source.v1_1,
    doc: 'Nodes to ask when no other is known, `host:port` with commas between; they never enter the routing table.',
  }),
  dhtAnnounceInterval: int('dht_announce_interval', {
    default: 900,
    min: 1,
    unit: 's',
    source: source.v1_0,
    doc: 'How often each torrent is announced to the DHT.',
  }),
  useDhtAsFallback: bool('use_dht_as_fallback', {
    default: false,
    source: source.manual,
    doc: 'Announce a torrent to the DHT only while none of its trackers works.',
  }),
  dhtUploadRateLimit: int('dht_upload_rate_limit', {
    default: 8000,
    classic: 4000,
    unit: 'bytes/s',
    source: source.v1_0,
    doc: 'What our replies to other nodes may take. 0: nobody gets a reply.',
  }),
  dhtMaxPeersReply: int('dht_max_peers_reply', {
    default: 100,
    unit: 'peers',
    source: source.manual,
    doc: 'Most peers in one reply to `get_peers` (`dht_settings::max_peers_reply`); a quarter of it over IPv6.',
  }),
  dhtSearchBranching: int('dht_search_branching', {
    default: 5,
    min: 1,
    unit: 'requests',
    source: source.manual,
    doc: 'Requests a lookup has under way at once, the alpha of the Kademlia paper (`dht_settings::search_branching`).',
  }),
  dhtMaxFailCount: int('dht_max_fail_count', {
    default: 20,
    min: 1,
    unit: 'times',
    source: source.manual,
    doc: 'Failures in a row after which a node leaves the table when there is none to replace it (`max_fail_count`).',
  }),
  dhtMaxTorrents: int('dht_max_torrents', {
    default: 2000,
    unit: 'torrents',
    source: source.v1_0,
    doc: 'Info-hashes for which we keep the peers announced to us.',
  }),
  dhtMaxDhtItems: int('dht_max_dht_items', {
    default: 700,
    unit: 'items',
    source: source.v1_0,
    doc: 'Items (BEP 44) kept for others: so many immutable ones, and as many mutable ones.',
  }),
  dhtMaxPeers: int('dht_max_peers', {
    default: 500,
    unit: 'peers',
    source: source.v2_0,
    doc: 'Peers kept for one info-hash and address family.',
  }),
  dhtRestrictRoutingIps: bool('dht_restrict_routing_ips', {
    default: true,
    source: source.v1_0,
    doc: 'Of nodes with one address, or addresses close together, only one may be in the routing table.',
  }),
  dhtRestrictSearchIps: bool('dht_restrict_search_ips', {
    default: true,
    source: source.v1_0,
    doc: 'The same for the nodes one lookup asks.',
  }),
  dhtExtendedRoutingTable: bool('dht_extended_routing_table', {
    default: true,
    source: source.v1_0,
    doc: 'The first four buckets hold 128, 64, 32 and 16 nodes in place of 8, so that lookups take fewer steps.',
  }),
  dhtAggressiveLookups: bool('dht_aggressive_lookups', {
    default: true,
    source: source.v1_0,
    doc: 'Lookups always have `dhtSearchBranching` requests under way to the closest nodes, whatever else waits.',
  }),
  dhtPrivacyLookups: bool('dht_privacy_lookups', {
    default: false,
    source: source.v1_0,
    doc: 'Nodes far away are asked for an info-hash that only begins like the wanted one. Lookups take longer.',
  }),
  dhtEnforceNodeId: bool('dht_enforce_node_id', {
    default: false,
    source: source.v1_0,
    doc: 'Refuse nodes whose id does not fit their address (BEP 42).',
  }),
  dhtPreferVerifiedNodeIds: bool('dht_prefer_verified_node_ids', {
    default: true,
    source: source.v1_2,
    doc: 'Nodes whose id fits their address (BEP 42) take the place of others in a full bucket.',
  }),
  dhtIgnoreDarkInternet: bool('dht_ignore_dark_internet', {
    default: true,
    source: source.v1_0,
    doc: 'Ignore packets from networks nobody can be in.',
  }),
  dhtBlockTimeout: int('dht_block_timeout', {
    default: 300,
    unit: 's',
    source: source.v2_0,
    doc: 'How long a node that sends too much is ignored.',
  }),
  dhtBlockRatelimit: int('dht_block_ratelimit', {
    default: 5,
    unit: 'packets/s',
    source: source.v2_0,
    doc: 'Packets of one node, measured over ten seconds, beyond which it is ignored.',
  }),
  dhtReadOnly: bool('dht_read_only', {
    default: false,
    source: source.v2_0,
    doc: 'Ask, but do not answer, and tell the others so (BEP 43): for machines nobody can reach.',
  }),
  dhtItemLifetime: int('dht_item_lifetime', {
    default: 0,
    unit: 's',
    source: source.v2_0,
    doc: 'How long an item lives after it was last put, two hours at least. 0: until there is no room for it.',
  }),
  dhtSampleInfohashesInterval: int('dht_sample_infohashes_interval', {
    default: 21_600,
    max: 21_600,
    unit: 's',
    source: source.v2_0,
    doc: 'How long the sample of info-hashes we give to others stays the same (BEP 51).',
  }),
  dhtMaxInfohashesSampleCount: int('dht_max_infohashes_sample_count', {
    default: 20,
    max: 20,
    unit: 'info-hashes',
    source: source.v2_0,
    doc: 'Info-hashes in that sample.',
  }),
  enableLsd: bool('enable_lsd', {
    default: true,
    source: source.v1_1,
    doc: 'Find peers on the local network (BEP 14). `startLsd` and `stopLsd` change it.',
  }),
  localServiceAnnounceInterval: int('local_service_announce_interval', {
    default: 300,
    unit: 's',
    source: source.manual,
    doc: 'How often each torrent is announced on the local network; a minute at least.',
  }),
  broadcastLsd: bool('broadcast_lsd', {
    default: false,
    source: source.manual,
    doc: 'Send these announces to the broadcast address of IPv4 networks too, for networks without multicast.',
  }),
  enableUpnp: bool('enable_upnp', {
    default: true,
    source: source.v1_1,
    doc: 'Have UPnP routers forward the listen ports to us. `startUpnp` and `stopUpnp` change it.',
  }),
  enableNatpmp: bool('enable_natpmp', {
    default: true,
    source: source.v1_1,
    doc: 'The same for routers that speak NAT-PMP or PCP. `startNatpmp` and `stopNatpmp` change it.',
  }),
  upnpIgnoreNonrouters: bool('upnp_ignore_nonrouters', {
    default: false,
    source: source.manual,
    doc: "Talk only to the UPnP device that is this machine's default gateway.",
  }),
  upnpLeaseDuration: int('upnp_lease_duration', {
    default: 3600,
    unit: 's',
    source: source.v1_2,
    doc: 'How long a UPnP router keeps a mapping that is not renewed. 0: for ever.',
  }),
  natpmpLeaseDuration: int('natpmp_lease_duration', {
    default: 3600,
    unit: 's',
    source: source.v2_0,
    doc: 'The same for NAT-PMP and PCP. 0: an hour.',
  }),
  natpmpGateway: text('natpmp_gateway', {
    default: '',
    source: source.v2_0,
    doc: 'Address of the NAT-PMP or PCP router. Empty: the default gateway.',
  }),
  maxPexPeers: int('max_pex_peers', {
    default: 50,
    unit: 'peers',
    source: source.manual,
    doc: 'How many peers one peer may have named by peer exchange (BEP 11) and not taken back.',
  }),
} as const
