import type { Endpoint } from '../address/endpoint.ts'
import { LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Clock, Timer, Timers } from '../platform/clock.ts'
import type { HttpHandler, HttpListener, HttpServer } from '../platform/httpServer.ts'
import type { Random } from '../platform/random.ts'
import type { Udp, UdpSocket } from '../platform/udp.ts'
import type { Millis } from '../util/flavored.ts'
import { ConnectionIds } from './connectionIds.ts'
import { HttpTrackerFront } from './httpTrackerFront.ts'
import { TrackerCore } from './trackerCore.ts'
import { type TrackerServerOptions, trackerRules } from './trackerServerOptions.ts'
import type { TrackerStats } from './trackerStats.ts'
import { UdpTrackerFront } from './udpTrackerFront.ts'
import { WebTrackerFront } from './webTrackerFront.ts'

const DEFAULT_PORT = 6969
const DEFAULT_HOSTS = ['0.0.0.0', '::'] as const
/** A machine without IPv6. */
const NO_FAMILY = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'])
/** Ports tried when any will do, but it has to be free for both protocols and families. */
const PORT_ATTEMPTS = 20
const TICK_MS: Millis = 1000
const NOTHING_HERE = { status: 404, body: new Uint8Array(0) }

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

type Protocol = 'http' | 'udp' | 'ws'

/** A socket that is open, with what is spoken there. */
interface Listener {
  readonly protocols: readonly Protocol[]
  readonly local: Endpoint
  close(done: () => void): void
}

type ServiceState =
  | { readonly name: 'idle' }
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly listeners: readonly Listener[] }
  | { readonly name: 'closed' }

/** A tracker with its sockets: HTTP, UDP and WebSocket, IPv4 and IPv6, all on one port, before one `TrackerCore`. */
export class TrackerService {
  readonly core: TrackerCore
  private state: ServiceState = { name: 'idle' }
  private timer: Timer | null = null
  private readonly http: HttpTrackerFront
  private readonly web: WebTrackerFront
  /** It is spoken to by WebSocket. */
  private hasWebSockets = false
  private readonly ids: ConnectionIds

  /** @throws RangeError for options that make no sense */
  constructor(
    private readonly host: TrackerServiceHost,
    private readonly options: TrackerServerOptions,
  ) {
    const { port = DEFAULT_PORT } = options
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`${port} is no port: 0 to 65535`)
    if (options.http === false && options.udp === false && options.ws !== true) {
      throw new RangeError('a tracker needs a protocol: leave http or udp on, or turn ws on')
    }
    const { maxWebClients = 10_000 } = options
    if (!(maxWebClients >= 1))
      throw new RangeError(`tracker option maxWebClients is ${maxWebClients}; it must be 1 or more`)
    this.core = new TrackerCore(trackerRules(options), host.random)
    this.ids = new ConnectionIds(host.random)
    this.http = new HttpTrackerFront(this.core)
    this.web = new WebTrackerFront(this.core, host.clock, host.random, maxWebClients)
  }

  /** What it listens on; empty before and after. */
  get listeners(): readonly { readonly protocol: Protocol; readonly local: Endpoint }[] {
    const listeners = this.state.name === 'open' ? this.state.listeners : []
    return listeners.flatMap(({ protocols, local }) => protocols.map((protocol) => ({ protocol, local })))
  }

  stats(): TrackerStats {
    return { ...this.core.stats(), ...this.web.stats() }
  }

  /** Opens the sockets: all of them, or none and the reason. */
  open(done: (error: LibtorrentError | null) => void): void {
    if (this.state.name !== 'idle') throw new Error('a tracker is opened once: make a new one')
    this.state = { name: 'opening' }
    this.loadWebSockets((error) => {
      if (error === null) return this.openAll(done)
      this.state = { name: 'closed' }
      done(error)
    })
  }

  /** An error only when they were asked for. */
  private loadWebSockets(done: (error: LibtorrentError | null) => void): void {
    const { ws, http } = this.options
    if (ws === false || (ws === undefined && http === false)) return done(null)
    this.host.httpServer.loadWebSockets((error) => {
      this.hasWebSockets = error === null
      done(ws === true ? error : null)
    })
  }

  private openAll(done: (error: LibtorrentError | null) => void): void {
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
    this.web.tick()
    this.timer = this.host.timers.after(TICK_MS, () => this.tick())
  }

  private tryOpen(attempts: number, done: (result: readonly Listener[] | LibtorrentError) => void): void {
    const { hosts = DEFAULT_HOSTS, port = DEFAULT_PORT } = this.options
    const isOpened = { http: this.options.http !== false || this.hasWebSockets, udp: this.options.udp !== false }
    const sockets = (['http', 'udp'] as const).filter((each) => isOpened[each])
    const wanted = hosts.flatMap((address) => sockets.map((protocol) => ({ address, protocol })))
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

  private openOne(protocol: 'http' | 'udp', local: Endpoint, done: (result: Listener | LibtorrentError) => void): void {
    if (protocol === 'udp') return this.openUdp(local, done)
    const { maxConnections = 2000, maxConnectionsPerIp = 100, trustProxy = false, http } = this.options
    const protocols: Protocol[] = http === false ? ['ws'] : this.hasWebSockets ? ['http', 'ws'] : ['http']
    const handler: HttpHandler = (target, address) =>
      http === false ? NOTHING_HERE : this.http.answer(target, address, this.host.clock.now())
    const opened = (result: HttpListener | LibtorrentError) => {
      if (result instanceof LibtorrentError) return done(result)
      done({ protocols, local: result.local, close: (closed) => result.close(closed) })
    }
    const limits = { maxConnections, maxConnectionsPerIp, trustsProxy: trustProxy }
    this.host.httpServer.listen(local, handler, limits, opened, this.hasWebSockets ? this.web : undefined)
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
      done({ protocols: ['udp'], local: result.local, close })
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
