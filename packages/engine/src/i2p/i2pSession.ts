import type { Endpoint } from '../address/endpoint.ts'
import { I2P_PORT } from '../address/i2pAddress.ts'
import { i2pError, type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { Timer } from '../platform/clock.ts'
import type { ProxyRoute } from '../platform/proxyRoute.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import { FailedStream } from '../proxy/failedStream.ts'
import type { ProxyHandshake } from '../proxy/proxyHandshake.ts'
import { ProxyStream } from '../proxy/proxyStream.ts'
import { toHex } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import type { I2pHost } from './i2pHost.ts'
import { SamAccept } from './samAccept.ts'
import { SamConnect } from './samConnect.ts'
import { SamCreate } from './samCreate.ts'

/** First wait before the bridge is tried again; it doubles each time, up to the longest (libtorrent). */
const FIRST_RETRY_MS: Millis = 1000
const LONGEST_RETRY_MS: Millis = 300_000
/** A router that was just started takes minutes to build the tunnels of a session. */
const SESSION_LIMIT_MS: Millis = 600_000
/** Looking a destination up and finding a way there, which is often the longer part. */
const CONNECT_LIMIT_MS: Millis = 180_000
/** Until the bridge has agreed to wait for somebody. */
const ACCEPT_LIMIT_MS: Millis = 60_000
/** A session that stood so long says that the bridge is well. */
const STEADY_MS: Millis = 60_000
const ID_BYTES = 20

type State =
  | { readonly name: 'off' }
  | { readonly name: 'opening'; readonly stream: Stream }
  | { readonly name: 'open'; readonly stream: Stream; readonly id: string; readonly ours: SamCreate }
  | { readonly name: 'waiting'; readonly timer: Timer }

/** What waits for the next one to connect to us. */
interface Acceptor {
  readonly stream: Stream
  readonly timer: Timer
}

/**
 * Our session with an I2P router, by its SAM bridge (version 3.1): the connection that holds it, opened again whenever it
 * is lost, with a destination that is new each time; streams to others; and those that others open to us, for whom one
 * more connection to the bridge always waits.
 */
export class I2pSession {
  private state: State = { name: 'off' }
  private retry: Millis = FIRST_RETRY_MS
  private acceptor: Acceptor | null = null
  private acceptTimer: Timer | null = null
  private acceptRetry: Millis = FIRST_RETRY_MS
  /** The bridge the state is about. */
  private bridge = ''
  /** When the session began. */
  private openedAt: Millis = 0

  constructor(private readonly host: I2pHost) {}

  /** Our destination in full, in I2P's base 64; null while there is no session. */
  get destination(): string | null {
    return this.state.name === 'open' ? this.state.ours.destination : null
  }

  /** The base 32 name of our destination; null while there is no session. */
  get address(): string | null {
    return this.state.name === 'open' ? this.state.ours.address : null
  }

  /** The settings may be others: another bridge, or none. Those of tunnels count from the next session on (libtorrent). */
  update(): void {
    const { i2pHostname, i2pPort } = this.host.settings
    const bridge = i2pHostname === '' ? '' : `${i2pHostname} ${i2pPort}`
    if (bridge === this.bridge) return
    this.close()
    this.bridge = bridge
    if (bridge !== '') this.open()
  }

  /** Ends the session, and all streams with it as soon as the router has noticed. */
  close(): void {
    this.leave()
    this.bridge = ''
    this.retry = FIRST_RETRY_MS
  }

  /**
   * Begins to connect to a destination, in full or by a name; `handler.onConnected` or `onClosed` follows, later. Without
   * a session it fails with `noI2pRouter`, operation `proxy`.
   */
  connect(target: string, handler: StreamHandler): Stream {
    const remote: Endpoint = { address: target, port: I2P_PORT }
    const { state } = this
    if (state.name !== 'open') {
      return new FailedStream(this.host.timers, SocketType.i2p, remote, this.noSession(), handler)
    }
    return this.stream({ remote }, new SamConnect(state.id, target), CONNECT_LIMIT_MS, handler)
  }

  /** Why there is no session. */
  noSession(): LibtorrentError {
    const message = this.state.name === 'off' ? {} : { message: 'the session with the i2p router is not there yet' }
    return libtorrentError('noI2pRouter', { operation: 'proxy', ...message })
  }

  // --- the session ----------------------------------------------------------------------------------------------

  /** off, waiting -> opening. */
  private open(): void {
    const id = toHex(this.host.random.bytes(ID_BYTES))
    const ours = new SamCreate(id, this.host.settings)
    const stream = this.stream({ remote: { address: '', port: 0 } }, ours, SESSION_LIMIT_MS, {
      onConnected: () => this.onOpened(stream, id, ours),
      // It has nothing to say any more.
      onData: () => {},
      onDrain: () => {},
      onClosed: (error) => this.onLost(error),
    })
    this.state = { name: 'opening', stream }
  }

  /** opening -> open. */
  private onOpened(stream: Stream, id: string, ours: SamCreate): void {
    this.state = { name: 'open', stream, id, ours }
    this.openedAt = this.host.clock.now()
    this.acceptRetry = FIRST_RETRY_MS
    this.accept(id)
    this.host.onI2pReady()
  }

  /** opening, open -> waiting. */
  private onLost(error: LibtorrentError | null): void {
    const { clock } = this.host
    if (this.state.name === 'open' && clock.now() - this.openedAt >= STEADY_MS) this.retry = FIRST_RETRY_MS
    this.leave()
    const timer = this.host.timers.after(this.retry, () => this.open())
    this.retry = Math.min(LONGEST_RETRY_MS, this.retry * 2)
    this.state = { name: 'waiting', timer }
    this.host.onI2pError(
      error ?? i2pError('i2pError', { operation: 'proxy', message: 'the i2p router ended the session' }),
    )
  }

  private leave(): void {
    const { state } = this
    this.state = { name: 'off' }
    if (state.name === 'waiting') state.timer.cancel()
    else if (state.name !== 'off') state.stream.destroy()
    this.stopAccepting()
    this.acceptTimer?.cancel()
    this.acceptTimer = null
  }

  // --- those who connect to us ----------------------------------------------------------------------------------

  private accept(id: string): void {
    const handshake = new SamAccept(id)
    const remote = {
      get remote() {
        return { address: handshake.address, port: I2P_PORT }
      },
    }
    const stream = this.stream(remote, handshake, null, {
      onConnected: () => this.onAccepted(stream, id),
      onData: () => {},
      onDrain: () => {},
      onClosed: () => this.onAcceptFailed(id),
    })
    const timer = this.host.timers.after(ACCEPT_LIMIT_MS, () => {
      if (!handshake.isListening) this.onAcceptFailed(id)
    })
    this.acceptor = { stream, timer }
  }

  private onAccepted(stream: Stream, id: string): void {
    this.acceptor?.timer.cancel()
    this.acceptor = null
    this.acceptRetry = FIRST_RETRY_MS
    this.host.onI2pStream(stream)
    if (this.state.name === 'open') this.accept(id)
  }

  private onAcceptFailed(id: string): void {
    this.stopAccepting()
    this.acceptTimer = this.host.timers.after(this.acceptRetry, () => this.accept(id))
    this.acceptRetry = Math.min(LONGEST_RETRY_MS, this.acceptRetry * 2)
  }

  private stopAccepting(): void {
    this.acceptor?.timer.cancel()
    this.acceptor?.stream.destroy()
    this.acceptor = null
  }

  private stream(
    about: { readonly remote: Endpoint },
    handshake: ProxyHandshake,
    openLimit: Millis | null,
    handler: StreamHandler,
  ): Stream {
    const { settings } = this.host
    const route: ProxyRoute = {
      kind: 'socks5',
      host: settings.i2pHostname,
      port: settings.i2pPort,
      login: null,
      resolvesNames: true,
      tellsName: false,
    }
    const options = {
      route,
      handshake,
      openLimit,
      socketType: SocketType.i2p,
      get remote() {
        return about.remote
      },
    }
    return new ProxyStream(this.host, options, handler)
  }
}
