import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { duringOperation, LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { ProxyRoute } from '../platform/proxyRoute.ts'
import type { Resolver } from '../platform/resolver.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler, Tcp, TcpConnectOptions } from '../platform/tcp.ts'
import type { Millis } from '../util/flavored.ts'
import type { ProxyHandshake, ProxyTarget } from './proxyHandshake.ts'
import { networkFailure } from './socksReplies.ts'

/** Name lookup, connecting and agreeing with the proxy together. Who opens the stream mostly waits less. */
const OPEN_LIMIT_MS: Millis = 60_000

export interface ProxyStreamHost {
  readonly tcp: Pick<Tcp, 'connect'>
  /** For the name of the proxy itself. */
  readonly resolver: Resolver
  readonly timers: Timers
  /** The proxy itself is at fault: it cannot be reached, or does not do what it should. `proxy` is its address or name. */
  onProxyFailed?(error: LibtorrentError, proxy: Endpoint): void
}

/** How a stream through a proxy is opened. */
export interface ProxyStreamOptions {
  readonly route: ProxyRoute
  /** What the stream gives as its other end; asked each time. */
  readonly remote: Endpoint
  readonly handshake: ProxyHandshake
  readonly connect?: TcpConnectOptions
  /** Name lookup, connecting and agreeing together, ms; null: for ever. Default: a minute. */
  readonly openLimit?: Millis | null
  /** Default: as `route.kind` says. */
  readonly socketType?: SocketType
  /** Connect to addresses of this family only. Default: that of `connect.localAddress`, or both. */
  readonly family?: 4 | 6
  /** The proxy agreed, and named this address; before `onConnected`. */
  readonly onBound?: (bound: ProxyTarget | null) => void
}

type State =
  | { readonly name: 'resolving'; readonly cancel: () => void }
  | { readonly name: 'connecting'; readonly base: Stream; readonly others: readonly string[] }
  | { readonly name: 'agreeing'; readonly base: Stream }
  | { readonly name: 'open'; readonly base: Stream }
  | { readonly name: 'closed' }

/**
 * A connection through a proxy: looks the proxy up, connects, agrees with it, and from then on is the connection itself -
 * its owner handles the bytes of the base stream directly. What is the proxy's fault fails with operation `proxy`.
 */
export class ProxyStream implements Stream {
  readonly socketType: SocketType
  private state: State = { name: 'closed' }
  private timer: Timer | null = null
  /** Written before the tunnel stood. */
  private waiting: { readonly bytes: Uint8Array; readonly onSent: (() => void) | undefined }[] = []
  /** Came with the proxy's answer while reading was paused. */
  private held: Uint8Array | null = null
  private paused = false
  private dialled: string | null = null

  constructor(
    private readonly host: ProxyStreamHost,
    private readonly options: ProxyStreamOptions,
    private handler: StreamHandler,
  ) {
    const { route, openLimit = OPEN_LIMIT_MS, socketType } = options
    this.socketType = socketType ?? (route.kind === 'http' ? SocketType.http : SocketType.socks5)
    if (openLimit !== null) {
      this.timer = host.timers.after(openLimit, () =>
        this.fail(libtorrentError('timedOut', { operation: 'proxy', message: `${this.proxyText}: timed out` })),
      )
    }
    this.resolve()
  }

  // --- the stream -----------------------------------------------------------------------------------------------

  get remote(): Endpoint {
    return this.options.remote
  }

  get local(): Endpoint | null {
    return this.state.name === 'open' ? this.state.base.local : null
  }

  get unsentBytes(): number {
    if (this.state.name === 'open') return this.state.base.unsentBytes
    return this.waiting.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler
    if (this.state.name === 'open' && this.held === null) this.state.base.setHandler(handler)
  }

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    if (this.state.name === 'open') return this.state.base.write(bytes, onSent)
    if (this.state.name === 'closed') {
      if (onSent !== undefined) this.host.timers.after(0, onSent)
      return false
    }
    this.waiting.push({ bytes, onSent })
    return true
  }

  cork(): void {
    if (this.state.name === 'open') this.state.base.cork()
  }

  uncork(): void {
    if (this.state.name === 'open') this.state.base.uncork()
  }

  pauseReading(): void {
    this.paused = true
    if (this.state.name === 'open') this.state.base.pauseReading()
  }

  resumeReading(): void {
    this.paused = false
    if (this.state.name !== 'open') return
    if (this.held === null) this.state.base.resumeReading()
    else this.host.timers.after(0, () => this.deliverHeld())
  }

  end(): void {
    if (this.state.name === 'open') this.state.base.end()
    else this.destroy()
  }

  destroy(): void {
    const { state } = this
    this.leave()
    if (state.name === 'resolving') state.cancel()
    else if (state.name !== 'closed') state.base.destroy()
  }

  /** The address of the proxy that is, or was last, connected to; null before. */
  get proxyAddress(): string | null {
    return this.dialled
  }

  // --- opening --------------------------------------------------------------------------------------------------

  private get family(): 4 | 6 | null {
    const { family, connect } = this.options
    const ours = connect?.localAddress
    return family ?? (ours === undefined ? null : isV6(ours) ? 6 : 4)
  }

  private get proxyText(): string {
    const { host, port } = this.options.route
    return `proxy ${isV6(host) ? `[${host}]` : host}:${port}`
  }

  private resolve(): void {
    const { host, port } = this.options.route
    if (host === '' || port === 0) {
      const timer = this.host.timers.after(0, () => this.fail(noProxyNamed()))
      this.state = { name: 'resolving', cancel: () => timer.cancel() }
      return
    }
    const cancel = this.host.resolver.resolve(host, (found) => {
      if (this.state.name !== 'resolving') return
      if (found instanceof LibtorrentError) return this.fail(this.atProxy(found))
      const { family } = this
      const usable = family === null ? found : found.filter((address) => isV6(address) === (family === 6))
      if (usable.length === 0) {
        return this.fail(networkFailure('EAFNOSUPPORT', 97, `${this.proxyText} has no address of our kind`, 'proxy'))
      }
      this.connect(usable)
    })
    this.state = { name: 'resolving', cancel }
  }

  private connect([address, ...others]: readonly string[]): void {
    const { route, connect = {} } = this.options
    const current: { base: Stream | null } = { base: null }
    const isCurrent = () => 'base' in this.state && this.state.base === current.base
    const base = this.host.tcp.connect({ address, port: route.port }, connect, {
      onConnected: () => isCurrent() && this.onConnected(base),
      onData: (chunk) => isCurrent() && this.onData(base, chunk),
      onDrain: () => {},
      onClosed: (error) => isCurrent() && this.onBaseClosed(error),
    })
    current.base = base
    this.dialled = address
    this.state = { name: 'connecting', base, others }
  }

  /** connecting -> agreeing. */
  private onConnected(base: Stream): void {
    this.state = { name: 'agreeing', base }
    base.write(this.options.handshake.start())
  }

  private onData(base: Stream, chunk: Uint8Array): void {
    if (this.state.name !== 'agreeing') return
    const step = this.options.handshake.push(chunk)
    if (step.name === 'failed') this.fail(this.atProxy(step.error))
    else if (step.name === 'done') this.onAgreed(base, step.bound, step.rest)
    else if (step.send !== null) base.write(step.send)
  }

  /** agreeing -> open. */
  private onAgreed(base: Stream, bound: ProxyTarget | null, rest: Uint8Array): void {
    this.timer?.cancel()
    this.timer = null
    this.state = { name: 'open', base }
    base.setHandler(this.handler)
    this.options.onBound?.(bound)
    for (const { bytes, onSent } of this.waiting.splice(0)) base.write(bytes, onSent)
    if (this.paused) base.pauseReading()
    this.handler.onConnected()
    if (rest.length === 0 || !this.isOpen) return
    if (!this.paused) return this.handler.onData(rest)
    this.held = new Uint8Array(rest)
    // What comes behind, the end included, must not overtake it.
    base.pauseReading()
    base.setHandler({
      onConnected: () => {},
      onData: () => {},
      onDrain: () => this.handler.onDrain(),
      onClosed: (error) => {
        this.leave()
        this.handler.onClosed(error)
      },
    })
  }

  private deliverHeld(): void {
    const { held, state } = this
    if (held === null || this.paused || state.name !== 'open') return
    this.held = null
    state.base.setHandler(this.handler)
    this.handler.onData(held)
    if (this.isOpen && !this.paused) state.base.resumeReading()
  }

  // --- ending ---------------------------------------------------------------------------------------------------

  private get isOpen(): boolean {
    return this.state.name === 'open'
  }

  private onBaseClosed(error: LibtorrentError | null): void {
    const { state } = this
    if (state.name === 'connecting' && state.others.length > 0) return this.connect(state.others)
    if (error === null && state.name === 'agreeing') {
      const blame = this.options.handshake.isAsking ? 'connect' : 'proxy'
      return this.fail(networkFailure('ECONNRESET', 104, `${this.proxyText} closed the connection`, blame))
    }
    if (error !== null) this.fail(this.atProxy(error))
  }

  /** A failure to connect to the proxy is the proxy's; of an answer it gave, the answer tells. */
  private atProxy(error: LibtorrentError): LibtorrentError {
    const isAnswer = this.state.name === 'agreeing' && error.operation === 'connect'
    return duringOperation(error, isAnswer ? 'connect' : 'proxy', this.proxyText)
  }

  private fail(error: LibtorrentError): void {
    if (this.state.name === 'closed') return
    const { handler, host, options, dialled } = this
    this.destroy()
    if (error.operation === 'proxy') {
      host.onProxyFailed?.(error, { address: dialled ?? options.route.host, port: options.route.port })
    }
    handler.onClosed(error)
  }

  private leave(): void {
    this.state = { name: 'closed' }
    this.timer?.cancel()
    this.timer = null
    this.held = null
    for (const { onSent } of this.waiting.splice(0)) if (onSent !== undefined) this.host.timers.after(0, onSent)
  }
}

/** The settings say that there is a proxy, and not where. */
export function noProxyNamed(): LibtorrentError {
  return libtorrentError('invalidHostname', {
    operation: 'proxy',
    message: 'proxyType is set, but proxyHostname or proxyPort is not: nothing can be connected to',
  })
}
