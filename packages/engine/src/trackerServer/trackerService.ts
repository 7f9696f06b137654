import type { Endpoint } from '../address/endpoint.ts'
import { LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Clock, Timer, Timers } from '../platform/clock.ts'
import type { HttpListener, HttpServer } from '../platform/httpServer.ts'
import type { Random } from '../platform/random.ts'
import type { Udp, UdpSocket } from '../platform/udp.ts'
import type { Millis } from '../util/flavored.ts'
import { ConnectionIds } from './connectionIds.ts'
import { HttpTrackerFront } from './httpTrackerFront.ts'
import { TrackerCore } from './trackerCore.ts'
import { type TrackerServerOptions, trackerRules } from './trackerServerOptions.ts'
import { UdpTrackerFront } from './udpTrackerFront.ts'

const DEFAULT_PORT = 6969
const DEFAULT_HOSTS = ['0.0.0.0', '::'] as const
/** A machine without IPv6. */
const NO_FAMILY = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'])
/** Ports tried when any will do, but it has to be free for both protocols and families. */
const PORT_ATTEMPTS = 20
const TICK_MS: Millis = 1000

/** What a tracker needs of the world. */
export interface TrackerServiceHost {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly udp: Udp
  readonly httpServer: HttpServer
  /** Something went wrong while running; the tracker goes on with what it has. */
  onError(error: LibtorrentError): void
}

type Protocol = 'http' | 'udp'

/** A socket that is open. */
interface Listener {
  readonly protocol: Protocol
  readonly local: Endpoint
  close(done: () => void): void
}

type ServiceState =
  | { readonly name: 'idle' }
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly listeners: readonly Listener[] }
  | { readonly name: 'closed' }

/** A tracker with its sockets: HTTP and UDP, IPv4 and IPv6, all on one port, in front of one `TrackerCore`. */
export class TrackerService {
  readonly core: TrackerCore
  private state: ServiceState = { name: 'idle' }
  private timer: Timer | null = null
  private readonly http: HttpTrackerFront
  private readonly ids: ConnectionIds

  /** @throws RangeError for options that make no sense */
  constructor(
    private readonly host: TrackerServiceHost,
    private readonly options: TrackerServerOptions,
  ) {
    const { port = DEFAULT_PORT } = options
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`${port} is no port: 0 to 65535`)
    if (options.http === false && options.udp === false) {
      throw new RangeError('a tracker needs a protocol: leave http or udp on')
    }
    this.core = new TrackerCore(trackerRules(options), host.random)
    this.ids = new ConnectionIds(host.random)
    this.http = new HttpTrackerFront(this.core)
  }

  /** What it listens on; empty before and after. */
  get listeners(): readonly { readonly protocol: Protocol; readonly local: Endpoint }[] {
    return this.state.name === 'open' ? this.state.listeners : []
  }

  /** Opens the sockets: all of them, or none and the reason. */
  open(done: (error: LibtorrentError | null) => void): void {
    if (this.state.name !== 'idle') throw new Error('a tracker is opened once: make a new one')
    this.state = { name: 'opening' }
    this.tryOpen(PORT_ATTEMPTS, (result) => {
      if (result instanceof LibtorrentError) {
        this.state = { name: 'closed' }
        return done(result)
      }
      if (this.state.name === 'closed') return closeAll(result, () => done(closedError()))
      this.state = { name: 'open', listeners: result }
      this.tick()
      done(null)
    })
  }

  /** Answers what was asked before, for a moment at most, and closes all sockets. */
  close(done: () => void): void {
    const { state } = this
    this.state = { name: 'closed' }
    this.timer?.cancel()
    if (state.name === 'open') closeAll(state.listeners, done)
    else done()
  }

  private tick(): void {
    this.core.tick(this.host.clock.now())
    this.timer = this.host.timers.after(TICK_MS, () => this.tick())
  }

  private tryOpen(attempts: number, done: (result: readonly Listener[] | LibtorrentError) => void): void {
    const { hosts = DEFAULT_HOSTS, port = DEFAULT_PORT } = this.options
    const protocols = (['http', 'udp'] as const).filter((protocol) => this.options[protocol] !== false)
    const wanted = hosts.flatMap((address) => protocols.map((protocol) => ({ address, protocol })))
    const open: Listener[] = []
    const next = (index: number): void => {
      if (index === wanted.length) {
        return open.length > 0 ? done(open) : done(systemError({ code: 'EAFNOSUPPORT', message: 'no address to use' }))
      }
      const { address, protocol } = wanted[index]
      this.openOne(protocol, { address, port: port || (open[0]?.local.port ?? 0) }, (result) => {
        if (!(result instanceof LibtorrentError)) open.push(result)
        else if (this.options.hosts !== undefined || !NO_FAMILY.has(result.code)) {
          const again = port === 0 && open.length > 0 && result.code === 'EADDRINUSE' && attempts > 1
          return closeAll(open, () => (again ? this.tryOpen(attempts - 1, done) : done(result)))
        }
        next(index + 1)
      })
    }
    next(0)
  }

  private openOne(protocol: Protocol, local: Endpoint, done: (result: Listener | LibtorrentError) => void): void {
    if (protocol === 'udp') return this.openUdp(local, done)
    const { maxConnections = 2000, maxConnectionsPerIp = 100 } = this.options
    const handler = (target: string, address: string) => this.http.answer(target, address, this.host.clock.now())
    this.host.httpServer.listen(local, handler, { maxConnections, maxConnectionsPerIp }, (result) => {
      if (result instanceof LibtorrentError) return done(result)
      const listener: HttpListener = result
      done({ protocol, local: listener.local, close: (closed) => listener.close(closed) })
    })
  }

  private openUdp(local: Endpoint, done: (result: Listener | LibtorrentError) => void): void {
    const front = new UdpTrackerFront(this.core, this.ids)
    const { source } = front.query
    const { clock } = this.host
    let socket: UdpSocket | null = null
    const handler = {
      onPacket: (packet: Uint8Array, from: Endpoint) => {
        source.parse(from.address)
        const length = front.answer(packet, clock.now())
        if (length > 0) socket?.send(front.reply.subarray(0, length), from)
      },
      onError: (error: LibtorrentError) => this.host.onError(error),
    }
    this.host.udp.bind(local, handler, (result) => {
      if (result instanceof LibtorrentError) return done(result)
      socket = result
      const close = (closed: () => void) => {
        result.close()
        closed()
      }
      done({ protocol: 'udp', local: result.local, close })
    })
  }
}

function closeAll(listeners: readonly Listener[], done: () => void): void {
  let left = listeners.length
  if (left === 0) return done()
  for (const listener of listeners) listener.close(() => --left === 0 && done())
}

function closedError(): LibtorrentError {
  return systemError({ code: 'ECANCELED', message: 'the tracker was closed while it opened' })
}
