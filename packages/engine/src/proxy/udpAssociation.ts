import { addressToBytes } from '../address/addressBytes.ts'
import { isGlobal, isUnspecified } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { ProxyRoute } from '../platform/proxyRoute.ts'
import type { Millis } from '../util/flavored.ts'
import type { ProxyTarget } from './proxyHandshake.ts'
import { ProxyStream, type ProxyStreamHost } from './proxyStream.ts'
import { Socks5Command, Socks5Handshake } from './socks5Handshake.ts'
import { networkFailure, socksFailure } from './socksReplies.ts'

/** After n failures in a row: n * n / 2 seconds, at most 120, and 5 more (libtorrent). */
const RETRY_BASE_MS: Millis = 5_000
const LONGEST_EXTRA_MS: Millis = 120_000
/** A relay that is sent this much in this time and says nothing has forgotten us. */
const MUTE_AFTER_MS: Millis = 60_000
const MUTE_AFTER_PACKETS = 20

export interface UdpAssociationHost extends ProxyStreamHost {
  readonly clock: Clock
  /** Where our packets come from. */
  readonly local: Endpoint
  /** Tell the proxy `local`. */
  readonly sendsLocal: boolean
  /** The relay takes packets from now on. */
  onRelay(): void
  /** There is none; another try follows. `proxy` is the address, or else the name, of the proxy. */
  onNoRelay(error: LibtorrentError, proxy: Endpoint): void
}

type State =
  | { readonly name: 'asking'; readonly stream: ProxyStream }
  | { readonly name: 'active'; readonly stream: ProxyStream; readonly relay: Endpoint }
  | { readonly name: 'failed'; readonly error: LibtorrentError; readonly retry: Timer }
  | { readonly name: 'stopped' }

/**
 * A SOCKS5 proxy's promise to carry our UDP packets (RFC 1928, UDP ASSOCIATE), good as long as the connection stands by
 * which it was asked for. When that ends, or the relay falls silent, it asks again, after longer and longer pauses.
 */
export class UdpAssociation {
  private state: State = { name: 'stopped' }
  private failures = 0
  private lastHeard: Millis = 0
  private sentSince = 0

  constructor(
    private readonly host: UdpAssociationHost,
    private readonly route: ProxyRoute,
  ) {}

  start(): void {
    const { host, route } = this
    const { local, sendsLocal } = host
    const nowhere = { host: '0.0.0.0', port: 0 }
    const target = sendsLocal ? { host: local.address, port: local.port } : nowhere
    const bind = isUnspecified(local.address) ? {} : { localAddress: local.address }
    const family = isV6(local.address) ? 6 : 4
    let bound: ProxyTarget | null = null
    const stream: ProxyStream = new ProxyStream(
      host,
      {
        route,
        remote: { address: route.host, port: route.port },
        handshake: new Socks5Handshake(target, route.login, Socks5Command.udpAssociate),
        connect: bind,
        family,
        onBound: (named) => {
          bound = named
        },
      },
      {
        onConnected: () => this.onAgreed(stream, bound),
        // Nothing is said on this connection any more.
        onData: () => {},
        onDrain: () => {},
        onClosed: (error) =>
          this.fail(error ?? networkFailure('ECONNRESET', 104, 'the proxy ended the UDP association', 'proxy')),
      },
    )
    this.state = { name: 'asking', stream }
  }

  stop(): void {
    const { state } = this
    this.state = { name: 'stopped' }
    if (state.name === 'failed') state.retry.cancel()
    else if (state.name !== 'stopped') state.stream.destroy()
  }

  /** Where packets are sent; null while there is no relay. */
  get relay(): Endpoint | null {
    return this.state.name === 'active' ? this.state.relay : null
  }

  /** Why there is no relay; null while there is one, or it is being asked for. */
  get failure(): LibtorrentError | null {
    return this.state.name === 'failed' ? this.state.error : null
  }

  /** A packet is about to be sent to the relay. False when the relay has been silent for too long: it is given up. */
  maySend(): boolean {
    this.sentSince++
    const silence = this.host.clock.now() - this.lastHeard
    if (this.sentSince <= MUTE_AFTER_PACKETS || silence < MUTE_AFTER_MS) return true
    this.fail(libtorrentError('timedOut', { operation: 'proxy', message: 'the relay of the proxy has fallen silent' }))
    return false
  }

  /** The relay has sent something. */
  heard(): void {
    this.lastHeard = this.host.clock.now()
    this.sentSince = 0
  }

  /** asking -> active. */
  private onAgreed(stream: ProxyStream, bound: ProxyTarget | null): void {
    const relay = this.relayOf(bound, stream.proxyAddress ?? '')
    if (relay === null) return this.fail(socksFailure('generalFailure', 'proxy'))
    this.state = { name: 'active', stream, relay }
    this.failures = 0
    this.heard()
    this.host.onRelay()
  }

  /** Where the proxy takes packets. Many name an address that is no address, or one of their own network. */
  private relayOf(bound: ProxyTarget | null, proxy: string): Endpoint | null {
    if (bound === null || bound.port === 0) return null
    const { host, port } = bound
    const isAddress = addressToBytes(host) !== null && !isUnspecified(host)
    const isTheirs = isAddress && (isGlobal(host) || !isGlobal(proxy))
    const relay = { address: isTheirs ? host : proxy, port }
    return isV6(relay.address) === isV6(this.host.local.address) ? relay : null
  }

  /** asking, active -> failed. */
  private fail(error: LibtorrentError): void {
    const { state, host, route } = this
    if (state.name !== 'asking' && state.name !== 'active') return
    const proxy = { address: state.stream.proxyAddress ?? route.host, port: route.port }
    state.stream.destroy()
    if (state.name === 'asking') this.failures++
    const extra = Math.min(LONGEST_EXTRA_MS, Math.floor((this.failures * this.failures) / 2) * 1000)
    this.state = { name: 'failed', error, retry: host.timers.after(RETRY_BASE_MS + extra, () => this.start()) }
    host.onNoRelay(error, proxy)
  }
}
