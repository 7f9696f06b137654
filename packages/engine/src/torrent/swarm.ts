import type { Endpoint } from '../address/endpoint.ts'
import { isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import { PeerConnection } from '../peer/peerConnection.ts'
import type { PeerHost } from '../peer/peerHost.ts'
import { PeerList } from '../peers/peerList.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { Random } from '../platform/random.ts'
import type { Stream } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import type { Handshake } from '../wire/handshake.ts'
import { isConnectionFailure } from './connectionEnd.ts'
import { compareForDisconnect } from './disconnectOrder.ts'
import type { PeerNews } from './peerNews.ts'
import type { TorrentHost, Wakeable } from './torrentHost.ts'

export interface SwarmHost {
  readonly session: Pick<TorrentHost, 'freeConnections' | 'connect' | 'wakeAt'>
  readonly settings: Readonly<Settings>
  readonly random: Random
  readonly peerId: Uint8Array
  readonly peerNews: PeerNews
  /** Every wanted piece is there. */
  readonly isFinished: boolean
  /** Peers may be connected: not paused, not checking, no error. */
  readonly isTakingPeers: boolean
  readonly isPaused: boolean
  /** `max_connections` of this torrent. */
  readonly maxConnections: number
  now(): Millis
  externalEndpoint(v6: boolean): Endpoint | null
  wantsConnections(): void
  onConnectionOpened(peer: PeerConnection): void
  onConnectionClosed(peer: PeerConnection): void
  onPeerErased(entry: TorrentPeer<PeerConnection>): void
}

/** The peers of one torrent: those it knows of, and those it is connected to. */
export class Swarm implements Wakeable {
  readonly connections = new Set<PeerConnection>()
  private known: PeerList<PeerConnection> | null = null

  constructor(
    private readonly host: SwarmHost,
    private readonly peerHost: PeerHost,
  ) {}

  /** The list of known peers, made when the first one is heard of. */
  get list(): PeerList<PeerConnection> {
    this.known ??= new PeerList<PeerConnection>(this.host)
    return this.known
  }

  get knownPeers(): number {
    return this.known?.size ?? 0
  }

  get knownSeeds(): number {
    return this.known?.numSeeds ?? 0
  }

  get connectCandidates(): number {
    return this.known?.numConnectCandidates ?? 0
  }

  /** The entries, for resume data. */
  entries(): Iterable<TorrentPeer<PeerConnection>> {
    return this.known ?? []
  }

  /** Somebody named a peer. `source` is one of `PeerSource`. */
  addPeer(endpoint: Endpoint, source: number): void {
    if (this.list.addPeer(endpoint, source) !== null) this.wantConnections()
  }

  /** Asks the session for connection attempts, if there is anybody to try. */
  wantConnections(): void {
    if (this.hasRoom && this.connectCandidates > 0) this.host.wantsConnections()
  }

  private get hasRoom(): boolean {
    return this.host.isTakingPeers && this.connections.size < this.host.maxConnections
  }

  /** It may be worth trying again. */
  onWake(): void {
    this.wantConnections()
  }

  /** Connects to the best candidate. False when there is none now, or no room; it is woken when there may be one. */
  connectOne(): boolean {
    const { known, host } = this
    if (known === null) return false
    const entry = this.hasRoom ? known.connectOnePeer(host.now()) : null
    if (entry === null) {
      host.session.wakeAt(this, known.retryAt)
      return false
    }
    this.open(known, entry)
    return true
  }

  private open(known: PeerList<PeerConnection>, entry: TorrentPeer<PeerConnection>): void {
    const remote = entry.endpoint
    const peer = new PeerConnection(this.peerHost, remote, true, null)
    known.setConnection(entry, peer)
    this.add(peer, entry)
    peer.stats.sentSyn(isV6(remote.address))
    peer.attach(this.host.session.connect(remote, peer))
    this.host.peerNews.connecting(peer)
  }

  /** Connects to `endpoint` now, if it may be connected at all; a user asked for it. */
  connectTo(endpoint: Endpoint, source: number): void {
    const entry = this.list.addPeer(endpoint, source)
    if (entry === null || entry.connection !== null) return
    // Whoever asks by name knows better than our memory of earlier failures.
    this.list.setFailcount(entry, 0)
    entry.lastConnected = 0
    this.wantConnections()
  }

  /** Takes over a connection a peer opened. Returns why not, or null. */
  accept(stream: Stream, handshake: Handshake, rest: Uint8Array): LibtorrentErrorCode | null {
    const { host } = this
    if (!host.isTakingPeers) return host.isPaused ? 'torrentPaused' : 'torrentNotReady'
    if (host.session.freeConnections <= 0 || this.connections.size >= host.maxConnections) return 'tooManyConnections'
    const peer = new PeerConnection(this.peerHost, stream.remote, false, stream)
    peer.peerId = handshake.peerId
    const entry = this.list.newConnection(peer, host.now())
    if (typeof entry === 'string') return entry
    this.add(peer, entry)
    peer.accept(handshake, rest)
    return null
  }

  private add(peer: PeerConnection, entry: TorrentPeer<PeerConnection>): void {
    peer.entry = entry
    // The payload of its earlier connections counts, too.
    peer.stats.addStat(entry.prevAmountDownload * 1024, entry.prevAmountUpload * 1024)
    this.connections.add(peer)
    this.host.onConnectionOpened(peer)
  }

  /** A connection has ended. */
  onClosed(peer: PeerConnection, error: LibtorrentError): void {
    if (!this.connections.delete(peer)) return
    if (peer.entry !== null) {
      this.list.connectionClosed(
        peer.entry,
        peer,
        {
          failed: isConnectionFailure(error, peer.wasReady),
          uploaded: peer.stats.totalPayloadUpload,
          downloaded: peer.stats.totalPayloadDownload,
        },
        this.host.now(),
      )
    }
    this.host.onConnectionClosed(peer)
    this.wantConnections()
  }

  ban(entry: TorrentPeer<PeerConnection>): void {
    this.list.ban(entry)
    entry.connection?.fail('tooManyCorruptPieces')
  }

  /** The torrent goes offline: all connections end, and none is tried. */
  stop(code: LibtorrentErrorCode): void {
    this.closeAll(code)
    this.host.session.wakeAt(this, Number.POSITIVE_INFINITY)
  }

  /** Ends the connections beyond `limit`, the least useful ones first. */
  closeSurplus(limit: number): void {
    const surplus = this.connections.size - limit
    if (surplus <= 0) return
    const now = this.host.now()
    const candidates = [...this.connections].sort((a, b) => compareForDisconnect(a, b, now))
    const error = libtorrentError('tooManyConnections')
    for (const peer of candidates.slice(0, surplus)) peer.close(error)
  }

  closeAll(code: LibtorrentErrorCode): void {
    const error = libtorrentError(code)
    for (const peer of [...this.connections]) peer.close(error)
  }
}
