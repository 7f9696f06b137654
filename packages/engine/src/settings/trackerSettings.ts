import { bool, int, source, text } from './settingRow.ts'

/** Settings about trackers. */
export const trackerSettings = {
  trackerCompletionTimeout: int('tracker_completion_timeout', {
    default: 30,
    classic: 60,
    unit: 's',
    source: source.manual,
    doc: 'How long a whole tracker request may take, from sending it to the end of the answer. 0: no limit.',
  }),
  trackerReceiveTimeout: int('tracker_receive_timeout', {
    default: 10,
    classic: 40,
    unit: 's',
    source: source.manual,
    doc: 'How long a tracker may stay silent before the request counts as failed. This is what a dead tracker runs into.',
  }),
  stopTrackerTimeout: int('stop_tracker_timeout', {
    default: 5,
    unit: 's',
    source: source.manual,
    doc: 'How long shutdown waits for trackers to answer the `stopped` announce. 0: the announce is not even sent.',
  }),
  trackerMaximumResponseLength: int('tracker_maximum_response_length', {
    default: 1024 * 1024,
    unit: 'bytes',
    source: source.manual,
    doc: 'Largest tracker answer accepted, measured after decompression. A longer one is cut off and counts as an error.',
  }),
  announceIp: text('announce_ip', {
    default: '',
    source: source.manual,
    doc: "Address sent to trackers as `ip=`. Empty: nothing is sent, and the tracker uses the connection's address.",
  }),
  announcePort: int('announce_port', {
    default: 0,
    max: 65_535,
    unit: 'port',
    source: source.v2_0,
    doc: 'Port sent to trackers as ours, where a router or proxy makes it another than the one listened on. 0: that of the listen socket.',
  }),
  numWant: int('num_want', {
    default: 200,
    unit: 'peers',
    source: source.manual,
    doc: 'How many peers to ask a tracker for (`numwant=`).',
  }),
  minAnnounceInterval: int('min_announce_interval', {
    default: 300,
    unit: 's',
    source: source.manual,
    doc: 'Shortest time between two regular announces to one tracker, whatever the tracker says: spares misconfigured ones.',
  }),
  announceToAllTrackers: bool('announce_to_all_trackers', {
    default: false,
    source: source.manual,
    doc: 'Announce to all trackers of a tier at once, instead of one after another until one works (BEP 12).',
  }),
  announceToAllTiers: bool('announce_to_all_tiers', {
    default: false,
    source: source.manual,
    doc: 'Announce to one tracker of every tier, instead of only of the first tier that works (BEP 12).',
  }),
  preferUdpTrackers: bool('prefer_udp_trackers', {
    default: true,
    source: source.manual,
    doc: 'When a host is listed both as UDP and as HTTP tracker, try UDP first.',
  }),
  udpTrackerTokenExpiry: int('udp_tracker_token_expiry', {
    default: 60,
    unit: 's',
    source: source.manual,
    doc: 'How long the connection id of a UDP tracker is used (BEP 15 says one minute). Longer saves packets, if the tracker agrees.',
  }),
  reportRedundantBytes: bool('report_redundant_bytes', {
    default: true,
    source: source.v1_0,
    doc: 'Tell trackers how many bytes were received more than once (`redundant=`).',
  }),
  reportTrueDownloaded: bool('report_true_downloaded', {
    default: false,
    source: source.manual,
    doc: 'Count bytes received more than once as downloaded (`downloaded=`).',
  }),
  trackerBackoff: int('tracker_backoff', {
    default: 250,
    unit: '%',
    source: source.v1_0,
    doc: 'How fast the wait grows while a tracker keeps failing: after n failures it is 5 + 5 * n * n * this / 100 seconds, at most an hour.',
  }),
  maxConcurrentHttpAnnounces: int('max_concurrent_http_announces', {
    default: 50,
    min: 1,
    unit: 'requests',
    source: source.v1_2,
    doc: 'HTTP announces under way at once; the others wait in turn, those a user asked for first. Each listen socket gets its share.',
  }),
  validateHttpsTrackers: bool('validate_https_trackers', {
    default: true,
    source: source.v1_2,
    doc: "Check the certificates of HTTPS trackers against the system's authorities.",
  }),
  applyIpFilterToTrackers: bool('apply_ip_filter_to_trackers', {
    default: true,
    source: source.v1_0,
    doc: 'The IP filter holds for trackers, too, unless the torrent is exempt from it.',
  }),
  ssrfMitigation: bool('ssrf_mitigation', {
    default: true,
    source: source.v1_2,
    doc: 'Refuse URLs that look made to reach services of the local machine or network: of trackers loopback addresses with a path other than `/announce...`, and URLs that bring announce parameters along; of web seeds local addresses with a query string, and redirects from the internet to local addresses. Peers at loopback addresses are taken from trackers of the local network and DHT nodes of this machine only.',
  }),
  resolverCacheTimeout: int('resolver_cache_timeout', {
    default: 1200,
    unit: 's',
    source: source.v1_2,
    doc: 'How long the addresses of a host name are remembered. 0: names are looked up each time.',
  }),
  allowIdna: bool('allow_idna', {
    default: false,
    source: source.v1_2,
    doc: 'Allow host names of trackers and web seeds with non-ASCII letters (`xn--...`), which can be made to look like other names.',
  }),
} as const
