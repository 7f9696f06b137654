import { type Endpoint, isV6, sameEndpoint } from '../address/endpoint.ts'
import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import { PeerConnection } from '../peer/peerConnection.ts'
import type { PeerHost } from '../peer/peerHost.ts'
import type { WaitingDialler } from '../peers/attemptBook.ts'
import { leastUseful } from '../peers/disconnectOrder.ts'
import { PeerList } from '../peers/peerList.ts'
import { isPrivilegedPort } from '../peers/peerStanding.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { Random } from '../platform/random.ts'
import type { Stream } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import type { Handshake } from '../wire/handshake.ts'
import { isConnectionFailure } from './connectionEnd.ts'
import { lowestRanking, whoMakesWay } from './connectionRoom.ts'
import { asDisconnectCandidate } from './disconnectCandidate.ts'
import type { PeerNews } from './peerNews.ts'
import type { TorrentHost, Wakeable } from './torrentHost.ts'

export interface SwarmHost {
  readonly session: Pick<TorrentHost, 'attempts' | 'freeConnections' | 'connect' | 'wakeAt'>
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
  /** Makes up to `attempts` connections at once, by `connectOne`; returns how many. */
  boostConnections(attempts: number): number
  /** At the limit of the session this torrent got one more, `numPeers` with it. False when it has to go. */
  makeRoom(numPeers: number): boolean
  onConnectionOpened(peer: PeerConnection): void
  onConnectionClosed(peer: PeerConnection): void
  onPeerErased(entry: TorrentPeer<PeerConnection>): void
}

/** Candidates passed over at a time because nobody may be dialled at their addresses now. */
const MAX_SKIPPED = 20

/** The peers of one torrent: those it knows of, and those it is connected to. */
export class Swarm implements Wakeable, WaitingDialler {
  readonly connections = new Set<PeerConnection>()
  private known: PeerList<PeerConnection> | null = null
  /** Attempts made at once since trackers began to name peers (setting `torrent_connect_boost`). */
  private boosted = 0
  private readonly rankOf = (peer: PeerConnection) => (peer.entry === null ? 0 : this.list.priorityOf(peer.entry))

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

  /** Connections, half-open ones included. */
  get numPeers(): number {
    return this.connections.size
  }

  get maxConnections(): number {
    return this.host.maxConnections
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

  /** Somebody named a peer. `source` is one of `PeerSource`, `flags` are `PexFlags`. */
  addPeer(endpoint: Endpoint, source: number, flags = 0): void {
    // Trackers and peers that tell of all they know tell us of ourselves.
    const own = this.host.externalEndpoint(isV6(endpoint.address))
    if (own !== null && sameEndpoint(own, endpoint)) return
    if (this.list.addPeer(endpoint, source, flags) !== null) this.wantConnections()
  }

  /** Asks the session for connection attempts, if there is anybody to try. */
  wantConnections(): void {
    if (this.hasRoom && this.connectCandidates > 0) this.host.wantsConnections()
  }

  private get hasRoom(): boolean {
    const { isTakingPeers, isFinished, maxConnections, settings } = this.host
    if (isFinished && !settings.seedingOutgoingConnections) return false
    return isTakingPeers && this.connections.size < maxConnections
  }

  /** A tracker has named peers: the first of them are tried at once. */
  boost(): void {
    const left = this.host.settings.torrentConnectBoost - this.boosted
    if (left > 0 && this.hasRoom) this.boosted += this.host.boostConnections(left)
  }

  /** It may be worth trying again. */
  onWake(): void {
    this.wantConnections()
  }

  /** Connects to the best candidate. False when there is none now, or no room; it is woken when there may be one. */
  connectOne(): boolean {
    const { known, host } = this
    if (known === null) return false
    const entry = this.hasRoom ? this.nextCandidate(known) : null
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
    this.host.session.attempts.dialled(remote.address, peer)
    peer.stats.sentSyn(isV6(remote.address))
    peer.attach(this.host.session.connect({ remote, infoHash: this.peerHost.infoHash }, peer))
    this.host.peerNews.connecting(peer)
  }

  private nextCandidate(known: PeerList<PeerConnection>): TorrentPeer<PeerConnection> | null {
    const now = this.host.now()
    for (let skipped = 0; skipped < MAX_SKIPPED; skipped++) {
      const entry = known.connectOnePeer(now)
      if (entry === null || this.host.session.attempts.mayDial(entry.address, this)) return entry
      // Somebody else tries there, or has tried in vain: as if it were us.
      entry.lastConnected = now
    }
    return null
  }

  /** Connects to `endpoint` now, if it may be connected at all; a user asked for it. */
  connectTo(endpoint: Endpoint, source: number): void {
    const entry = this.list.addPeer(endpoint, source)
    if (entry === null || entry.connection !== null) return
    // Whoever asks by name knows better than our memory of earlier failures.
    this.list.setFailcount(entry, 0)
    this.list.retryNow(endpoint.address)
    this.host.session.attempts.reached(endpoint.address)
    this.wantConnections()
  }

  /** Takes over a connection a peer opened. Returns why not, or null. */
  accept(stream: Stream, handshake: Handshake, rest: Uint8Array): LibtorrentErrorCode | null {
    const { host } = this
    if (!host.isTakingPeers) return host.isPaused ? 'torrentPaused' : 'torrentNotReady'
    const peer = new PeerConnection(this.peerHost, stream.remote, false, stream)
    peer.peerId = handshake.peerId
    const entry = this.list.newConnection(peer, host.now())
    if (typeof entry === 'string') return entry
    peer.entry = entry
    if (!this.makeRoomFor(peer)) {
      this.list.connectionClosed(entry, peer, { failed: false }, host.now())
      return 'tooManyConnections'
    }
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

  /** The handshake with `peer` is done. */
  onReady(peer: PeerConnection): void {
    this.host.session.attempts.reached(peer.remote.address)
  }

  /** Another torrent has found a BitTorrent client at an address that we wanted to dial. */
  onReached(address: string): void {
    this.known?.retryNow(address)
    this.wantConnections()
  }

  /** At the limit of the torrent one of its own makes way, at that of the session one of another torrent; or nobody. */
  private makeRoomFor(newcomer: PeerConnection): boolean {
    const { host, connections } = this
    if (connections.size >= host.maxConnections) {
      const leaving = whoMakesWay(connections, host.maxConnections, this.rankOf(newcomer), this.rankOf)
      if (leaving === null) return false
      leaving.disconnect('tooManyConnections')
    }
    return host.session.freeConnections > 0 || host.makeRoom(connections.size + 1)
  }

  /** Disconnects the `count` least useful peers. */
  disconnectPeers(count: number, code: LibtorrentErrorCode): void {
    for (const peer of leastUseful(this.connections, count, this.host.now(), asDisconnectCandidate)) {
      peer.disconnect(code)
    }
  }

  disconnectLowestRanking(code: LibtorrentErrorCode): void {
    lowestRanking(this.connections, this.rankOf)?.disconnect(code)
  }

  /** The limit of the torrent may have been lowered. */
  enforceLimit(): void {
    this.disconnectPeers(this.connections.size - this.host.maxConnections, 'tooManyConnections')
  }

  onSettingsChanged(): void {
    if (this.host.settings.noConnectPrivilegedPorts) {
      this.known?.eraseWhere((entry) => isPrivilegedPort(entry.port), 'portBlocked')
    }
    this.wantConnections()
  }

  /** A connection has ended. */
  onClosed(peer: PeerConnection, error: LibtorrentError): void {
    if (!this.connections.delete(peer)) return
    const failed = isConnectionFailure(error, peer.wasReady)
    this.host.session.attempts.ended(peer.remote.address, peer, failed)
    if (peer.entry !== null) {
      this.list.connectionClosed(
        peer.entry,
        peer,
        {
          failed,
          uploaded: peer.stats.totalPayloadUpload,
          downloaded: peer.stats.totalPayloadDownload,
        },
        this.host.now(),
      )
    }
    this.host.onConnectionClosed(peer)
    this.wantConnections()
  }

  ban(entry: TorrentPeer<PeerConnection>, code: LibtorrentErrorCode): void {
    this.list.ban(entry)
    entry.connection?.fail(code)
  }

  /** The torrent goes offline: all connections end, and none is tried. */
  stop(code: LibtorrentErrorCode): void {
    this.closeAll(code)
    this.host.session.wakeAt(this, Number.POSITIVE_INFINITY)
  }

  /** Our address as others see it has changed, and with it who is nearest to us (BEP 40). */
  onExternalAddressChanged(): void {
    this.known?.clearPriorities()
  }

  closeAll(reason: LibtorrentErrorCode | LibtorrentError): void {
    const error = typeof reason === 'string' ? libtorrentError(reason) : reason
    for (const peer of [...this.connections]) peer.close(error)
    // Starting over is starting anew.
    this.boosted = 0
  }
}
