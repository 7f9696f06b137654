import { isUnspecified } from '../address/classify.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { isV6 } from '../address/endpoint.ts'
import type { AlertSink } from '../alerts/alertSink.ts'
import { ListenFailedAlert, ListenSucceededAlert } from '../alerts/sessionAlerts.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { Stream, Tcp, TcpListener } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'

export interface ListenSocketsHost {
  readonly tcp: Tcp
  readonly timers: Timers
  readonly alerts: AlertSink
  readonly settings: Readonly<Settings>
  /** Others can connect to us: no proxy is between. */
  readonly isReachable: boolean
  onIncoming(stream: Stream): void
  /** `announceEndpoints` is another. */
  onListenSocketsChanged(): void
}

/** An address to listen on that the machine does not have is looked for again after this, and then half as often. */
const FIRST_RETRY_MS: Millis = 10_000
const LONGEST_RETRY_MS: Millis = 300_000

/** A round of opening sockets, one after the other. */
interface Round {
  /** Yet to be opened. */
  readonly wanted: Endpoint[]
  /** Addresses the machine does not have: a VPN that is not up yet, say. */
  readonly absent: Endpoint[]
  /** It looks for such addresses again, and is silent about those that are still not there. */
  readonly isRetry: boolean
  readonly done: () => void
}

/** The sockets on which peers reach us (setting `listen_interfaces`). */
export class ListenSockets {
  private readonly listeners: TcpListener[] = []
  private stopped = false
  private lastPort = 0
  /** The latest round of opening: what an earlier one still opens is closed again. */
  private round: Round | null = null
  private settled: readonly Endpoint[] = []
  private retry: Timer | null = null
  private retryDelay = FIRST_RETRY_MS

  constructor(private readonly host: ListenSocketsHost) {}

  get isListening(): boolean {
    return this.listeners.length > 0
  }

  /** Port of the first socket, 0 when there never was one; after `close` still the one trackers know us by. */
  get port(): number {
    return this.listeners[0]?.local.port ?? this.lastPort
  }

  /**
   * Where we can be reached, as trackers are told: the sockets that are open, as of when all were opened last. They stay
   * the same while others are being opened, and after `close`.
   */
  get announceEndpoints(): readonly Endpoint[] {
    return this.settled
  }

  /**
   * The address to speak from to others of a family: the first that the setting names, so that nothing leaves by
   * another way than the user chose; null: no address of that family is named. With nothing named the system chooses.
   */
  localAddress(family: 4 | 6): string | null {
    const wanted = parseInterfaces(this.host.settings.listenInterfaces)
    if (wanted.length === 0) return family === 6 ? '::' : '0.0.0.0'
    return wanted.find(({ address }) => isV6(address) === (family === 6))?.address ?? null
  }

  /**
   * Opens a socket for each interface named, one after the other; `done` when each has either succeeded or failed.
   * Where the port is 0, the first socket's is tried for the others, so that one number is true for all.
   */
  open(done: () => void): void {
    this.retryDelay = FIRST_RETRY_MS
    if (!this.host.isReachable) return this.openNone(done)
    this.begin({ wanted: parseInterfaces(this.host.settings.listenInterfaces), absent: [], isRetry: false, done })
  }

  /**
   * Behind a proxy nothing is listened on. Trackers are asked once, from wherever the proxy is, and our UDP sockets keep
   * the port that the setting names (libtorrent).
   */
  private openNone(done: () => void): void {
    this.retry?.cancel()
    this.round = null
    const { port } = parseInterfaces(this.host.settings.listenInterfaces)[0] ?? { port: 0 }
    this.settled = [{ address: '0.0.0.0', port }]
    this.host.onListenSocketsChanged()
    this.host.timers.after(0, done)
  }

  close(): void {
    this.stopped = true
    this.retry?.cancel()
    this.lastPort = this.port
    for (const listener of this.listeners) listener.close()
    this.listeners.length = 0
  }

  /** Closes what is open and opens what the setting says now. */
  reopen(done: () => void): void {
    for (const listener of this.listeners) listener.close()
    this.listeners.length = 0
    this.open(done)
  }

  private begin(round: Round): void {
    this.retry?.cancel()
    this.round = round
    this.next(round)
  }

  private isCurrent(round: Round): boolean {
    return !this.stopped && round === this.round
  }

  private next(round: Round): void {
    if (!this.isCurrent(round)) return round.done()
    const endpoint = round.wanted.shift()
    if (endpoint === undefined) this.settle(round)
    else this.openOne(round, endpoint, this.host.settings.maxRetryPortBind)
  }

  private settle(round: Round): void {
    const before = this.settled.length
    this.settled = this.listeners.map((listener) => listener.local)
    // Looking in vain for an address changes nothing.
    if (!round.isRetry || this.settled.length !== before) this.host.onListenSocketsChanged()
    if (round.absent.length > 0) this.retryLater(round.absent)
    round.done()
  }

  private retryLater(wanted: Endpoint[]): void {
    this.retry = this.host.timers.after(this.retryDelay, () => {
      this.retryDelay = Math.min(LONGEST_RETRY_MS, this.retryDelay * 2)
      this.begin({ wanted, absent: [], isRetry: true, done: () => {} })
    })
  }

  private openOne(round: Round, wanted: Endpoint, retries: number): void {
    const port = wanted.port === 0 ? this.port : wanted.port
    const endpoint = { address: wanted.address, port }
    this.host.tcp.listen(
      endpoint,
      (stream) => this.host.onIncoming(stream),
      (result) => {
        if (!(result instanceof LibtorrentError)) {
          if (this.isCurrent(round)) this.opened(result)
          else result.close()
          this.next(round)
        } else if (result.code === 'EADDRINUSE' && !this.stopped && (retries > 0 || this.mayFallBack(wanted))) {
          const next = retries > 0 ? port + 1 : 0
          this.openOne(round, { address: wanted.address, port: next > 0xffff ? 0 : next }, retries - 1)
        } else {
          if (result.code === 'EADDRNOTAVAIL' && !isUnspecified(wanted.address)) round.absent.push(wanted)
          if (!round.isRetry) this.postFailed(endpoint, result)
          this.next(round)
        }
      },
    )
  }

  private mayFallBack(wanted: Endpoint): boolean {
    return wanted.port !== 0 && this.host.settings.listenSystemPortFallback
  }

  private opened(listener: TcpListener): void {
    this.listeners.push(listener)
    const { alerts } = this.host
    if (alerts.wants(ListenSucceededAlert.category)) {
      alerts.post(new ListenSucceededAlert({ endpoint: listener.local, sockType: 'tcp' }))
    }
  }

  private postFailed(endpoint: Endpoint, error: LibtorrentError): void {
    // A machine without IPv6 is no failure as long as there is another way in.
    if (endpoint.address === '::' && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')) return
    const { alerts } = this.host
    if (alerts.wants(ListenFailedAlert.category)) {
      alerts.post(new ListenFailedAlert({ endpoint, error, sockType: 'tcp' }))
    }
  }
}

/** `0.0.0.0:6881,[::]:6881` as endpoints; parts that make no sense are left out. */
export function parseInterfaces(text: string): Endpoint[] {
  const endpoints: Endpoint[] = []
  for (const part of text.split(',')) {
    const match = /^\s*(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})[sl]*\s*$/.exec(part)
    const port = Number(match?.[3])
    if (match === null || port > 0xffff) continue
    endpoints.push({ address: match[1] ?? match[2], port })
  }
  return endpoints
}
