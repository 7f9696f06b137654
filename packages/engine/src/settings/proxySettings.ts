import { SESSION_PROXY_TYPES } from './proxyType.ts'
import { bool, choice, int, source, text } from './settingRow.ts'

/** Settings about proxies and anonymity. `setProxy` and `proxy` (manual, proxy_settings) are another view of them. */
export const proxySettings = {
  proxyType: choice('proxy_type', SESSION_PROXY_TYPES, {
    default: SESSION_PROXY_TYPES.none,
    source: source.v1_1,
    doc: 'Through which kind of proxy connections are made; see `ProxyType`. A proxy that carries no UDP (all but SOCKS5) leaves the DHT and UDP trackers off.',
  }),
  proxyHostname: text('proxy_hostname', {
    default: '',
    source: source.v1_1,
    doc: 'Host name or address of the proxy. A name is the only one we look up ourselves while `proxyHostnames` is on.',
  }),
  proxyPort: int('proxy_port', {
    default: 0,
    max: 65_535,
    unit: 'port',
    source: source.v1_1,
    doc: 'Port of the proxy; there is no usual one.',
  }),
  proxyUsername: text('proxy_username', {
    default: '',
    source: source.v1_1,
    doc: 'User name for the proxy, if its type has one. At most 255 bytes count for SOCKS5.',
  }),
  proxyPassword: text('proxy_password', {
    default: '',
    source: source.v1_1,
    doc: 'Password for the proxy, if its type has one. At most 255 bytes count for SOCKS5.',
  }),
  proxyHostnames: bool('proxy_hostnames', {
    default: true,
    source: source.v1_0,
    doc: 'The proxy looks up the names of trackers, web seeds and DHT routers: our name server learns none of them. Off: we look them up, and tell the proxy addresses; not so when nothing may leave past the proxy, see `forceProxy`.',
  }),
  proxyPeerConnections: bool('proxy_peer_connections', {
    default: true,
    source: source.v1_0,
    doc: 'Connections to peers and web seeds go through the proxy, and then nobody can connect to us: no port is listened on, mapped or told. Off: only trackers and the DHT use the proxy.',
  }),
  proxyTrackerConnections: bool('proxy_tracker_connections', {
    default: true,
    source: source.v1_1,
    doc: 'Trackers are asked through the proxy.',
  }),
  proxySendHostInConnect: bool('proxy_send_host_in_connect', {
    default: false,
    source: source.v2_0,
    doc: 'Tell an HTTP proxy the host name in `CONNECT` even where we have looked it up ourselves (`proxyHostnames` off).',
  }),
  socks5UdpSendLocalEp: bool('socks5_udp_send_local_ep', {
    default: false,
    source: source.v2_0,
    doc: 'Tell a SOCKS5 proxy in `UDP ASSOCIATE` from which address and port our packets will come. Wrong behind a NAT.',
  }),
  forceProxy: bool('force_proxy', {
    default: false,
    source: source.v1_0,
    doc: 'Nothing leaves but through the proxy: what it does not carry, or is set not to carry, is not done at all, and without a proxy nothing is done. Names are looked up by the proxy, whatever `proxyHostnames` says. No listening, local discovery or port mapping.',
  }),
  anonymousMode: bool('anonymous_mode', {
    default: false,
    source: source.v1_0,
    doc: 'Tell as little about us as possible: random peer ids without fingerprint, another for each torrent, a user agent many programs share (not for private torrents), no client version, not in the DHT either, no port or addresses. With a proxy it also does what `forceProxy` does.',
  }),
} as const
