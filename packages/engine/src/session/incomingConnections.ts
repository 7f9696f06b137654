import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { IncomingConnectionAlert } from '../alerts/peerAlerts.ts'
import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import type { Timers } from '../platform/clock.ts'
import type { Stream } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import type { Handshake } from '../wire/handshake.ts'
import { IncomingConnection, type IncomingHost } from './incomingConnection.ts'
import { postRefused } from './refusedConnection.ts'
import { refuseStream } from './refuseStream.ts'

const BITTORRENT = { operation: 'bittorrent' } as const

/** Who takes over a connection once it is known which torrent it is about. */
export interface IncomingTarget {
  /** What alerts name it by. */
  readonly ref: TorrentRef
  /** Returns why not, or null. */
  accept(stream: Stream, handshake: Handshake, rest: Uint8Array): LibtorrentErrorCode | null
}

export interface IncomingConnectionsHost {
  readonly timers: Timers
  readonly alerts: AlertSink
  readonly settings: Readonly<Pick<Settings, 'handshakeTimeout' | 'connectionsSlack'>>
  /** Connections that may still be opened before the limit; 0 or less: none. */
  readonly freeConnections: number
  /** The torrent a handshake is about, null when there is none. */
  targetOf(infoHash: Uint8Array): IncomingTarget | null
  onFault(cause: unknown): void
}

/** Connections whose handshake has not come yet: a further one ends the oldest, so that silent ones keep nobody out. */
const MAX_WAITING = 200

/**
 * The connections strangers opened whose handshake has not come yet. At the connection limit only
 * `connections_slack` of them are let in: the torrent decides whether one takes the place of another peer.
 */
export class IncomingConnections implements IncomingHost {
  /** Somebody came as far as naming a torrent we have: our port is open. */
  hasAny = false
  private readonly waiting = new Set<IncomingConnection>()
  private closed = false

  constructor(private readonly host: IncomingConnectionsHost) {}

  get timers(): Timers {
    return this.host.timers
  }

  get handshakeTimeout(): Millis {
    return this.host.settings.handshakeTimeout * 1000
  }

  onIncoming(stream: Stream): void {
    const room =
      this.host.freeConnections > 0 ? MAX_WAITING : Math.min(MAX_WAITING, this.host.settings.connectionsSlack)
    if (this.closed || room === 0) {
      refuseStream(stream)
      this.postRefused(stream.remote, libtorrentError('tooManyConnections', BITTORRENT))
      return
    }
    if (this.waiting.size >= room) this.dropOldest()
    this.waiting.add(new IncomingConnection(this, stream))
  }

  /** Drops those that wait, and all that come from now on. */
  close(): void {
    this.closed = true
    this.dropWaiting()
  }

  /** Drops those that wait. */
  dropWaiting(): void {
    for (const connection of this.waiting) connection.drop()
    this.waiting.clear()
  }

  onHandshake(connection: IncomingConnection, handshake: Handshake, rest: Uint8Array): void {
    this.waiting.delete(connection)
    const { stream } = connection
    const target = this.closed ? null : this.host.targetOf(handshake.infoHash)
    if (target === null) {
      stream.destroy()
      this.postRefused(stream.remote, libtorrentError('invalidInfoHash', BITTORRENT), handshake)
      return
    }
    const { alerts } = this.host
    if (alerts.wants(IncomingConnectionAlert.category)) {
      alerts.post(new IncomingConnectionAlert({ socketType: stream.socketType, endpoint: stream.remote }))
    }
    this.hasAny = true
    try {
      const refusal = target.accept(stream, handshake, rest)
      if (refusal === null) return
      stream.destroy()
      this.postRefused(stream.remote, libtorrentError(refusal, BITTORRENT), handshake, target.ref)
    } catch (cause) {
      this.host.onFault(cause)
      stream.destroy()
    }
  }

  onFault(cause: unknown): void {
    this.host.onFault(cause)
  }

  onIncomingFailed(connection: IncomingConnection, error: LibtorrentError): void {
    this.waiting.delete(connection)
    this.postRefused(connection.stream.remote, error)
  }

  private dropOldest(): void {
    for (const oldest of this.waiting) {
      this.waiting.delete(oldest)
      oldest.drop()
      this.postRefused(oldest.stream.remote, libtorrentError('tooManyConnections', BITTORRENT))
      return
    }
  }

  private postRefused(
    endpoint: Endpoint,
    error: LibtorrentError,
    handshake: Handshake | null = null,
    torrent: TorrentRef | null = null,
  ): void {
    if (!this.closed) postRefused(this.host.alerts, { endpoint, error, handshake, torrent })
  }
}
