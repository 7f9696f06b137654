import { AlertCategory } from '../alerts/alert.ts'
import { DEFAULT_FINGERPRINT } from '../metainfo/fingerprint.ts'
import { VERSION } from '../util/version.ts'
import { bool, int, source, text } from './settingRow.ts'

/** Settings about the session as a whole. */
export const sessionSettings = {
  userAgent: text('user_agent', {
    default: `libtorrent-ts/${VERSION}`,
    classic: 'libtorrent/0.15.5.0',
    source: source.manual,
    doc: 'Who we say we are to trackers, and to peers in the extension handshake. Customary: `Client/1.0 libtorrent-ts/0.1`.',
  }),
  peerFingerprint: text('peer_fingerprint', {
    default: DEFAULT_FINGERPRINT,
    classic: '-LT0100-',
    source: source.v1_1,
    doc: 'First bytes of our peer id; the rest is random (`fingerprint` of the session constructor).',
  }),
  listenInterfaces: text('listen_interfaces', {
    default: '0.0.0.0:6881,[::]:6881',
    source: source.v1_1,
    doc: 'Where to listen: addresses with ports, separated by commas. Port 0 takes any free one; an address that the machine does not have yet is looked for again. In place of an address stands the name of a device: `eth0:6881` is all of its addresses, those it has later included. A letter `s` after the port makes it a socket for SSL torrents, `l` one for the local network, which trackers are not told of. Each socket announces to trackers for itself, from its own address; with empty text nothing is listened on and nothing announced.',
  }),
  sslListen: int('ssl_listen', {
    default: 4433,
    max: 0xffff,
    unit: 'port',
    source: source.v1_0,
    doc: 'Port at which peers of SSL torrents reach us, at the addresses of `listen_interfaces`; unless that names such sockets itself. 4433 is opened when there is an SSL torrent, another port with the other sockets; 0: none.',
  }),
  maxRetryPortBind: int('max_retry_port_bind', {
    default: 10,
    unit: 'ports',
    source: source.v1_1,
    doc: 'When a port is taken, how many of the following ones are tried.',
  }),
  listenSystemPortFallback: bool('listen_system_port_fallback', {
    default: true,
    source: source.v1_1,
    doc: 'When all those are taken, listen on a port the system picks.',
  }),
  alertMask: int('alert_mask', {
    default: AlertCategory.error,
    unit: 'bits',
    source: source.session,
    doc: 'Which alerts are posted: bits of `AlertCategory`.',
  }),
  alertQueueSize: int('alert_queue_size', {
    default: 2000,
    classic: 1000,
    unit: 'alerts',
    source: source.v1_0,
    doc: 'Alerts kept until they are fetched (`session::set_alert_queue_size_limit`); further ones are dropped and counted.',
  }),
  tickInterval: int('tick_interval', {
    default: 500,
    classic: 100,
    min: 1,
    max: 1000,
    unit: 'ms',
    source: source.v1_0,
    doc: 'How often what is limited per second - connection attempts, and bandwidth, this every 100 ms at least - is handed out. Less spreads it more evenly, more costs less CPU.',
  }),
} as const
