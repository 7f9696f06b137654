import { isUnspecified } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import type { AlertSink } from '../alerts/alertSink.ts'
import { ListenFailedAlert, ListenSucceededAlert } from '../alerts/sessionAlerts.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { LocalNetwork } from '../platform/localNetwork.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream, Tcp, TcpListener } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import { isDevice, type ListenEndpoint, parseListenInterfaces, sameListenEndpoint } from './listenInterfaces.ts'
import { wantedSockets } from './wantedSockets.ts'

export interface ListenSocketsHost {
  readonly tcp: Tcp
  readonly timers: Timers
  readonly localNetwork: LocalNetwork
  readonly alerts: AlertSink
  readonly settings: Readonly<Settings>
  /** Others can connect to us: no proxy is between. */
  readonly isReachable: boolean
  /** A stranger connected; `ssl`: to a socket for SSL torrents, and nothing was said yet. */
  onIncoming(stream: Stream, ssl: boolean): void
  /** `endpoints` are others. */
  onListenSocketsChanged(): void
}

/** An address to listen on that the machine does not have is looked for again after this, and then half as often. */
const FIRST_RETRY_MS: Millis = 10_000
const LONGEST_RETRY_MS: Millis = 300_000
/** How often it is looked whether a device that is listened on has other addresses. */
const DEVICE_CHECK_MS: Millis = 15_000

/** A round of opening sockets, one after the other. */
interface Round {
  /** Yet to be opened. */
  readonly wanted: ListenEndpoint[]
  /** Addresses the machine does not have: a VPN that is not up yet, say. */
  readonly absent: ListenEndpoint[]
  /** It looks for such addresses again, and is silent about those that are still not there. */
  readonly isRetry: boolean
  readonly done: () => void
}

interface OpenSocket {
  readonly listener: TcpListener
  /** What was asked for; the port that was found may be another. */
  readonly wanted: ListenEndpoint
  readonly endpoint: ListenEndpoint
}

/** The sockets on which peers reach us (settings `listen_interfaces` and `ssl_listen`). */
export class ListenSockets {
  private sockets: OpenSocket[] = []
  private state: 'new' | 'open' | 'stopped' = 'new'
  private hasSslTorrent = false
  private lastPort = 0
  /** The round of opening that is under way. */
  private round: Round | null = null
  /** Who waits for another after it: what is wanted has changed. */
  private updates: (() => void)[] = []
  private settled: readonly ListenEndpoint[] = []
  private plainEndpoints: readonly Endpoint[] = []
  private sslEndpoints: readonly Endpoint[] = []
  private retry: Timer | null = null
  private retryDelay = FIRST_RETRY_MS
  private deviceCheck: Timer | null = null

  constructor(private readonly host: ListenSocketsHost) {}

  get isListening(): boolean {
    return this.sockets.length > 0
  }

  /** Port of the first socket, 0 when there never was one; after `close` still the one trackers know us by. */
  get port(): number {
    return this.portOf(false) ?? this.lastPort
  }

  /** Port of the first socket for SSL torrents, 0 when there is none. */
  get sslPort(): number {
    return this.portOf(true) ?? 0
  }

  /** All sockets that are open, as of when all were opened last. */
  get endpoints(): readonly ListenEndpoint[] {
    return this.settled
  }

  /**
   * Where we can be reached, as trackers are told: the sockets that are open, as of when all were opened last. They stay
   * the same while others are being opened, and after `close`.
   */
  get announceEndpoints(): readonly Endpoint[] {
    return this.plainEndpoints
  }

  /** The same for SSL torrents. */
  get sslAnnounceEndpoints(): readonly Endpoint[] {
    return this.sslEndpoints
  }

  /**
   * The address to speak from to others of a family: the first that the setting names, so that nothing leaves by
   * another way than the user chose, to a proxy neither; null: no address of that family is named. With nothing named the
   * system chooses.
   */
  localAddress(family: 4 | 6): string | null {
    if (parseListenInterfaces(this.host.settings.listenInterfaces).length === 0) return family === 6 ? '::' : '0.0.0.0'
    return this.named().find(({ address }) => isV6(address) === (family === 6))?.address ?? null
  }

  /**
   * Opens a socket for each interface named, one after the other; `done` when each has either succeeded or failed.
   * Where the port is 0, the first socket's is tried for the others, so that one number is true for all.
   */
  open(done: () => void): void {
    this.state = 'open'
    this.update(done)
    this.checkDevices()
  }

  close(): void {
    this.lastPort = this.port
    this.state = 'stopped'
    this.retry?.cancel()
    this.deviceCheck?.cancel()
    for (const { listener } of this.sockets) listener.close()
    this.sockets = []
  }

  /** Closes what is not wanted any more, and opens what is: the settings or the machine's addresses have changed. */
  update(done: () => void): void {
    if (this.state !== 'open') return done()
    // A port is not free yet while the socket that had it is being closed: one round after the other.
    if (this.round !== null) {
      this.updates.push(done)
      return
    }
    const wanted = this.wanted()
    const isKept = (open: OpenSocket) => wanted.some((each) => sameListenEndpoint(each, open.wanted))
    for (const open of this.sockets) if (!isKept(open)) open.listener.close()
    this.sockets = this.sockets.filter(isKept)
    this.retryDelay = FIRST_RETRY_MS
    this.begin({ wanted: wanted.filter((each) => !this.isOpen(each)), absent: [], isRetry: false, done })
  }

  /** There is an SSL torrent: it needs a socket of its own kind. */
  needsSsl(): void {
    if (this.hasSslTorrent) return
    this.hasSslTorrent = true
    const { round } = this
    if (round === null) this.update(() => {})
    else if (!round.isRetry) round.wanted.push(...this.wanted().filter(({ ssl }) => ssl))
    else this.updates.push(() => {})
  }

  private isOpen(endpoint: ListenEndpoint): boolean {
    return this.sockets.some((open) => sameListenEndpoint(endpoint, open.wanted))
  }

  private wanted(): ListenEndpoint[] {
    return this.host.isReachable ? this.named() : []
  }

  /** What the settings name, whether it may be listened on or not. */
  private named(): ListenEndpoint[] {
    const { settings, localNetwork } = this.host
    const { hasSslTorrent } = this
    // Asking the system is not free, and only devices need it.
    const present = this.namesDevices ? localNetwork.interfaces() : []
    return wantedSockets({ settings, present, hasSslTorrent })
  }

  private get namesDevices(): boolean {
    return parseListenInterfaces(this.host.settings.listenInterfaces).some(isDevice)
  }

  /** Devices get and lose addresses, and no system tells a Node program: it has to look. */
  private checkDevices(): void {
    this.deviceCheck?.cancel()
    this.deviceCheck = null
    if (this.state !== 'open' || !this.namesDevices) return
    this.deviceCheck = this.host.timers.after(DEVICE_CHECK_MS, () => {
      if (this.round === null && this.isOutdated()) this.update(() => {})
      this.checkDevices()
    })
  }

  private isOutdated(): boolean {
    const wanted = this.wanted()
    return wanted.length !== this.sockets.length || !wanted.every((each) => this.isOpen(each))
  }

  /** The settings have changed. */
  onSettingsChanged(done: () => void): void {
    this.update(done)
    this.checkDevices()
  }

  private portOf(ssl: boolean): number | undefined {
    return this.sockets.find(({ wanted }) => wanted.ssl === ssl)?.endpoint.port
  }

  private begin(round: Round): void {
    this.retry?.cancel()
    this.round = round
    this.next(round)
  }

  private next(round: Round): void {
    const endpoint = round.wanted.shift()
    if (endpoint === undefined || this.state !== 'open') this.settle(round)
    else if (this.isOpen(endpoint)) this.next(round)
    else this.openOne(round, endpoint, this.host.settings.maxRetryPortBind)
  }

  private settle(round: Round): void {
    this.round = null
    if (this.state === 'open') this.takeStock(round)
    round.done()
    const waiting = this.updates
    this.updates = []
    if (waiting.length === 0) return
    this.update(() => {
      for (const done of waiting) done()
    })
  }

  private takeStock(round: Round): void {
    const before = this.settled.length
    const endpoints = this.host.isReachable ? this.sockets.map(({ endpoint }) => endpoint) : [this.unreachable()]
    // Looking in vain for an address changes nothing.
    if (!round.isRetry || endpoints.length !== before) {
      this.settled = endpoints
      this.plainEndpoints = this.host.isReachable ? this.announced(false) : endpoints
      this.sslEndpoints = this.host.isReachable ? this.announced(true) : endpoints
      this.host.onListenSocketsChanged()
    }
    if (round.absent.length > 0) this.retryLater(round.absent)
  }

  /**
   * Behind a proxy nothing is listened on. Trackers are asked once, from wherever the proxy is, and our UDP sockets keep
   * the port that the setting names (libtorrent).
   */
  private unreachable(): ListenEndpoint {
    const { port } = parseListenInterfaces(this.host.settings.listenInterfaces)[0] ?? { port: 0 }
    return { address: '0.0.0.0', port, ssl: false, local: false }
  }

  private announced(ssl: boolean): Endpoint[] {
    return this.sockets
      .filter(({ endpoint }) => endpoint.ssl === ssl && !endpoint.local)
      .map(({ listener }) => listener.local)
  }

  private retryLater(wanted: ListenEndpoint[]): void {
    this.retry = this.host.timers.after(this.retryDelay, () => {
      this.retryDelay = Math.min(LONGEST_RETRY_MS, this.retryDelay * 2)
      if (this.round === null) this.begin({ wanted, absent: [], isRetry: true, done: () => {} })
    })
  }

  private openOne(round: Round, wanted: ListenEndpoint, retries: number, port = this.firstPort(wanted)): void {
    const endpoint = { address: wanted.address, port }
    this.host.tcp.listen(
      endpoint,
      (stream) => this.host.onIncoming(stream, wanted.ssl),
      (result) => {
        if (result instanceof LibtorrentError) return this.onFailed(round, wanted, retries, endpoint, result)
        // Whatever goes wrong over this socket, the others have their turn.
        try {
          if (this.state === 'open') this.opened(result, wanted)
          else result.close()
        } finally {
          this.next(round)
        }
      },
    )
  }

  private firstPort({ port, ssl }: ListenEndpoint): number {
    return port === 0 ? (this.portOf(ssl) ?? 0) : port
  }

  private onFailed(
    round: Round,
    wanted: ListenEndpoint,
    retries: number,
    endpoint: Endpoint,
    error: LibtorrentError,
  ): void {
    const { settings } = this.host
    if (error.code === 'EADDRINUSE' && endpoint.port !== 0 && this.state === 'open') {
      if (retries > 0 && endpoint.port < 0xffff) return this.openOne(round, wanted, retries - 1, endpoint.port + 1)
      if (wanted.port === 0 || settings.listenSystemPortFallback) return this.openOne(round, wanted, 0, 0)
    }
    if (error.code === 'EADDRNOTAVAIL' && !isUnspecified(wanted.address)) round.absent.push(wanted)
    if (!round.isRetry && this.state === 'open') this.postFailed(endpoint, wanted, error)
    this.next(round)
  }

  private opened(listener: TcpListener, wanted: ListenEndpoint): void {
    const { ssl, local } = wanted
    const endpoint = { ...listener.local, ssl, local }
    this.sockets.push({ listener, wanted, endpoint })
    const { alerts } = this.host
    if (alerts.wants(ListenSucceededAlert.category)) {
      alerts.post(new ListenSucceededAlert({ endpoint: listener.local, sockType: sockType(wanted) }))
    }
  }

  private postFailed(endpoint: Endpoint, wanted: ListenEndpoint, error: LibtorrentError): void {
    // A machine without IPv6 is no failure as long as there is another way in.
    if (endpoint.address === '::' && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')) return
    const { alerts } = this.host
    if (alerts.wants(ListenFailedAlert.category)) {
      alerts.post(new ListenFailedAlert({ endpoint, error, sockType: sockType(wanted) }))
    }
  }
}

function sockType({ ssl }: ListenEndpoint): SocketType {
  return ssl ? SocketType.tcpSsl : SocketType.tcp
}
