import { type Endpoint, endpointText } from '../address/endpoint.ts'
import type { LibtorrentError, Operation } from '../errors/libtorrentError.ts'
import type { SocketType } from '../platform/socketType.ts'
import { Alert, AlertCategory } from './alert.ts'

/** A listen socket could not be opened. @see manual, listen_failed_alert */
export class ListenFailedAlert extends Alert {
  static override readonly category = AlertCategory.status | AlertCategory.error
  readonly type = 'listenFailed'
  /** Where it should have listened. Port 0: even a port of the system's choice was refused. */
  readonly endpoint: Endpoint
  readonly error: LibtorrentError
  readonly sockType: SocketType

  constructor(fields: { readonly endpoint: Endpoint; readonly error: LibtorrentError; readonly sockType: SocketType }) {
    super()
    this.endpoint = fields.endpoint
    this.error = fields.error
    this.sockType = fields.sockType
  }

  /** What was being done: `parseAddress`, `listen`, ... */
  get operation(): Operation {
    return this.error.operation
  }

  override message(): string {
    const where = `${endpointText(this.endpoint)} (${this.sockType})`
    return `listening on ${where} failed: [${this.operation}] ${this.error.message}`
  }
}

/** A listen socket is open. @see manual, listen_succeeded_alert */
export class ListenSucceededAlert extends Alert {
  static override readonly category = AlertCategory.status
  readonly type = 'listenSucceeded'
  /** Where it listens, with the port the system chose if it was asked to. */
  readonly endpoint: Endpoint
  readonly sockType: SocketType

  constructor(fields: { readonly endpoint: Endpoint; readonly sockType: SocketType }) {
    super()
    this.endpoint = fields.endpoint
    this.sockType = fields.sockType
  }

  override message(): string {
    return `successfully listening on ${endpointText(this.endpoint)} (${this.sockType})`
  }
}

/** This machine's address as others see it became known, from a tracker or from peers. @see manual, external_ip_alert */
export class ExternalIpAlert extends Alert {
  static override readonly category = AlertCategory.status
  readonly type = 'externalIp'
  readonly externalAddress: string

  constructor(fields: { readonly externalAddress: string }) {
    super()
    this.externalAddress = fields.externalAddress
  }

  override message(): string {
    return `external IP received: ${this.externalAddress}`
  }
}

/**
 * A UDP socket reported an error: it failed as a whole, or the system refused to send a packet for another reason than
 * that its receiver cannot be reached. @see libtorrent `udp_error_alert` (1.0)
 */
export class UdpErrorAlert extends Alert {
  static override readonly category = AlertCategory.error
  readonly type = 'udpError'
  /** Who was being talked to, or the socket's own endpoint when it failed as a whole. */
  readonly endpoint: Endpoint
  readonly error: LibtorrentError

  constructor(fields: { readonly endpoint: Endpoint; readonly error: LibtorrentError }) {
    super()
    this.endpoint = fields.endpoint
    this.error = fields.error
  }

  /** What was being done: `socketRead`, `socketWrite`. */
  get operation(): Operation {
    return this.error.operation
  }

  override message(): string {
    return `UDP error: ${this.error.message} from: ${endpointText(this.endpoint)}`
  }
}

/**
 * The I2P router cannot be reached, does not do what it is asked for, or has ended our session. It is tried again, after
 * one second at first and five minutes at last. @see libtorrent `i2p_alert` (1.0)
 */
export class I2pAlert extends Alert {
  static override readonly category = AlertCategory.error
  readonly type = 'i2p'
  readonly error: LibtorrentError

  constructor(fields: { readonly error: LibtorrentError }) {
    super()
    this.error = fields.error
  }

  override message(): string {
    return `i2p error: [${this.error.category}] ${this.error.message}`
  }
}

/**
 * The proxy cannot be reached, or does not do what it is asked for. The same reason is told once a minute at most.
 * @see libtorrent `socks5_alert` (1.2); here about every kind of proxy
 */
export class Socks5Alert extends Alert {
  static override readonly category = AlertCategory.error
  readonly type = 'socks5'
  readonly error: LibtorrentError
  /** The proxy; as long as its name has no address the name. */
  readonly ip: Endpoint

  constructor(fields: { readonly error: LibtorrentError; readonly ip: Endpoint }) {
    super()
    this.error = fields.error
    this.ip = fields.ip
  }

  /** What was being done. */
  get op(): Operation {
    return this.error.operation
  }

  override message(): string {
    return `proxy error: ${this.error.message} (${endpointText(this.ip)})`
  }
}

/** Answer to `postTorrentUpdates`: the torrents whose status changed. @see libtorrent `state_update_alert` (1.0) */
export class StateUpdateAlert extends Alert {
  static override readonly category = AlertCategory.status
  readonly type = 'stateUpdate'
  /** The status of each torrent that changed since the last such alert. */
  readonly status: readonly object[]

  constructor(fields: { readonly status: readonly object[] }) {
    super()
    this.status = fields.status
  }

  override message(): string {
    return `state updates for ${this.status.length} torrents`
  }
}

/**
 * Something failed that belongs to no single torrent, peer or tracker: an unexpected exception in the engine, or a
 * failing listener of the user's. @see libtorrent `session_error_alert` (1.1)
 */
export class SessionErrorAlert extends Alert {
  static override readonly category = AlertCategory.error
  readonly type = 'sessionError'
  readonly error: LibtorrentError

  constructor(fields: { readonly error: LibtorrentError }) {
    super()
    this.error = fields.error
  }

  override message(): string {
    return `session error: (${this.error.value} ${this.error.message})`
  }
}

/**
 * The queue was full and alerts were lost: whoever follows them must look at the real state again.
 * Posted whatever the mask says. @see libtorrent `alerts_dropped_alert` (1.2)
 */
export class AlertsDroppedAlert extends Alert {
  static override readonly category = AlertCategory.error
  readonly type = 'alertsDropped'
  /** The kinds that were lost (`type`) and how many of each. */
  readonly droppedAlerts: ReadonlyMap<string, number>

  constructor(fields: { readonly droppedAlerts: ReadonlyMap<string, number> }) {
    super()
    this.droppedAlerts = fields.droppedAlerts
  }

  override message(): string {
    const kinds = [...this.droppedAlerts].map(([kind, count]) => `${kind} ${count}`)
    return `dropped alerts: ${kinds.join(', ')}`
  }
}
