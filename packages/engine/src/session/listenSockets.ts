import type { Endpoint } from '../address/endpoint.ts'
import { isV6 } from '../address/endpoint.ts'
import type { AlertSink } from '../alerts/alertSink.ts'
import { ListenFailedAlert, ListenSucceededAlert } from '../alerts/sessionAlerts.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Stream, Tcp, TcpListener } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'

export interface ListenSocketsHost {
  readonly tcp: Tcp
  readonly alerts: AlertSink
  readonly settings: Readonly<Settings>
  onIncoming(stream: Stream): void
  /** `announceEndpoints` is another. */
  onListenSocketsChanged(): void
}

/** The sockets on which peers reach us (setting `listen_interfaces`). */
export class ListenSockets {
  private readonly listeners: TcpListener[] = []
  private stopped = false
  private lastPort = 0
  /** Counts calls of `open`: what an earlier one still opens is closed again. */
  private generation = 0
  private settled: readonly Endpoint[] = []

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
    const wanted = parseInterfaces(this.host.settings.listenInterfaces)
    const generation = ++this.generation
    const next = () => {
      const endpoint = wanted.shift()
      if (this.stopped || generation !== this.generation) done()
      else if (endpoint === undefined) this.settle(done)
      else this.openOne(endpoint, this.host.settings.maxRetryPortBind, next)
    }
    next()
  }

  close(): void {
    this.stopped = true
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

  private settle(done: () => void): void {
    this.settled = this.listeners.map((listener) => listener.local)
    this.host.onListenSocketsChanged()
    done()
  }

  private openOne(wanted: Endpoint, retries: number, done: () => void): void {
    const port = wanted.port === 0 ? this.port : wanted.port
    const endpoint = { address: wanted.address, port }
    const { generation } = this
    this.host.tcp.listen(
      endpoint,
      (stream) => this.host.onIncoming(stream),
      (result) => {
        if (!(result instanceof LibtorrentError)) {
          if (this.stopped || generation !== this.generation) result.close()
          else this.opened(result)
          done()
        } else if (result.code === 'EADDRINUSE' && !this.stopped && (retries > 0 || this.mayFallBack(wanted))) {
          const next = retries > 0 ? port + 1 : 0
          this.openOne({ address: wanted.address, port: next > 0xffff ? 0 : next }, retries - 1, done)
        } else {
          this.postFailed(endpoint, result)
          done()
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
    if (isV6(endpoint.address) && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')) return
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
