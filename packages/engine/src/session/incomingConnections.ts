import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { IncomingConnectionAlert, PeerBlockedReason } from '../alerts/peerAlerts.ts'
import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import type { EncryptedStreamHost, IncomingStreamHost } from '../mse/encryptedStream.ts'
import { KeyExchangeBudget } from '../mse/keyExchangeBudget.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream } from '../platform/tcp.ts'
import type { Tls, TlsClientOptions } from '../platform/tls.ts'
import type { EncPolicy } from '../settings/settingEnums.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import type { Handshake } from '../wire/handshake.ts'
import type { AddressFilters } from './addressFilters.ts'
import { IncomingConnection, type IncomingHost } from './incomingConnection.ts'
import { postBlocked, postRefused } from './refusedConnection.ts'
import { refuseStream } from './refuseStream.ts'
import { SelfAnswers } from './selfAnswers.ts'
import { SslGreeter } from './sslGreeter.ts'

const BITTORRENT = { operation: 'bittorrent' } as const

/** Who takes over a connection once it is known which torrent it is about. */
export interface IncomingTarget {
  /** What alerts name it by. */
  readonly ref: TorrentRef
  /** How its connections are secured; null: by nothing, or there can be none. */
  readonly ssl: { readonly tls: TlsClientOptions | null }
  /** Returns why not, or null. */
  accept(stream: Stream, handshake: Handshake, rest: Uint8Array): LibtorrentErrorCode | null
}

export interface IncomingConnectionsHost {
  readonly clock: Clock
  readonly timers: Timers
  readonly tls: Tls
  readonly alerts: AlertSink
  readonly filters: Pick<AddressFilters, 'refusesAll'>
  readonly random: EncryptedStreamHost['random']
  readonly settings: Readonly<
    Pick<Settings, 'handshakeTimeout' | 'connectionsSlack' | 'enableIncomingTcp' | 'inEncPolicy'>
  > &
    EncryptedStreamHost['settings']
  /** Connections that may still be opened before the limit; 0 or less: none. */
  readonly freeConnections: number
  /** The torrent a handshake is about, null when there is none. */
  targetOf(infoHash: Uint8Array): IncomingTarget | null
  /** The info-hash of a torrent by its `streamKeyHash`, null when there is none. */
  findStreamKey(hash: Uint8Array): Uint8Array | null
  onFault(cause: unknown): void
}

/**
 * Connections whose handshake has not come yet: as many as there is room for, within these bounds. A further one ends the
 * oldest, so that silent ones keep nobody out.
 */
const MIN_WAITING = 200
const MAX_WAITING = 5000

/**
 * The connections strangers opened whose handshake has not come yet. At the connection limit only
 * `connections_slack` of them are let in: the torrent decides whether one takes the place of another peer.
 */
export class IncomingConnections implements IncomingHost {
  /** Somebody came as far as naming a torrent we have: our port is open. */
  hasAny = false
  private readonly waiting = new Set<IncomingConnection>()
  private readonly budget: KeyExchangeBudget
  private readonly greeter: SslGreeter
  private readonly selfAnswers: SelfAnswers
  private closed = false

  constructor(private readonly host: IncomingConnectionsHost) {
    this.budget = new KeyExchangeBudget(host.clock)
    this.greeter = new SslGreeter(host)
    this.selfAnswers = new SelfAnswers(host.timers)
  }

  get timers(): Timers {
    return this.host.timers
  }

  get handshakeTimeout(): Millis {
    return this.host.settings.handshakeTimeout * 1000
  }

  get encPolicy(): EncPolicy {
    return this.host.settings.inEncPolicy
  }

  encryptionFor(address: string): IncomingStreamHost {
    const { random, settings } = this.host
    return {
      random,
      settings,
      mayExchangeKeys: () => this.budget.take(address),
      findStreamKey: (hash) => this.host.findStreamKey(hash),
      onFault: (cause) => this.host.onFault(cause),
    }
  }

  /** `ssl`: it came to a socket for SSL torrents. */
  onIncoming(stream: Stream, ssl = false): void {
    const blocked = this.blockedReason(stream)
    if (blocked !== null) {
      refuseStream(stream)
      if (!this.closed) postBlocked(this.host.alerts, stream.remote.address, blocked)
      return
    }
    const { freeConnections, settings } = this.host
    const room =
      freeConnections > 0
        ? Math.min(MAX_WAITING, Math.max(MIN_WAITING, freeConnections))
        : Math.min(MIN_WAITING, settings.connectionsSlack)
    if (this.closed || room === 0) {
      refuseStream(stream)
      this.postRefused(stream.remote, libtorrentError('tooManyConnections', BITTORRENT))
      return
    }
    if (this.waiting.size >= room) this.dropOldest()
    if (!ssl) {
      this.waiting.add(new IncomingConnection(this, stream))
      return
    }
    const greeted = this.greeter.greet(stream)
    this.waiting.add(new IncomingConnection(this, greeted.stream, greeted))
  }

  private blockedReason({ socketType, remote }: Stream): PeerBlockedReason | null {
    const { settings, filters } = this.host
    if (socketType === SocketType.tcp && !settings.enableIncomingTcp) return PeerBlockedReason.tcpDisabled
    return filters.refusesAll(remote.address) ? PeerBlockedReason.ipFilter : null
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
    // Whoever has a certificate for one torrent gets nothing of another.
    if (connection.ssl !== null && connection.ssl.target !== target) {
      stream.destroy()
      this.postRefused(stream.remote, libtorrentError('invalidSslCert', BITTORRENT), handshake, target.ref)
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
      if (refusal === 'selfConnection') this.selfAnswers.answer(stream, handshake)
      else stream.destroy()
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
