import { type Endpoint, isV6, sameEndpoint } from '../address/endpoint.ts'
import { i2pEndpoint } from '../address/i2pAddress.ts'
import { type LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import { PeerConnection } from '../peer/peerConnection.ts'
import type { PeerHost } from '../peer/peerHost.ts'
import type { WaitingDialler } from '../peers/attemptBook.ts'
import { leastUseful } from '../peers/disconnectOrder.ts'
import { PeerList } from '../peers/peerList.ts'
import { PeerSource } from '../peers/peerSource.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { Random } from '../platform/random.ts'
import { isSslSocket, isUtpSocket } from '../platform/socketType.ts'
import type { Stream } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import { equalBytes } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import type { Handshake } from '../wire/handshake.ts'
import { isConnectionFailure } from './connectionEnd.ts'
import { lowestRanking, whoMakesWay } from './connectionRoom.ts'
import { asDisconnectCandidate } from './disconnectCandidate.ts'
import type { Holepunch } from './holepunch.ts'
import { OutgoingEncryption } from './outgoingEncryption.ts'
import type { PeerFilter } from './peerFilter.ts'
import type { PeerNews } from './peerNews.ts'
import type { TorrentHost, Wakeable } from './torrentHost.ts'
import type { TorrentSsl } from './torrentSsl.ts'
import { chooseTransport, type Transport } from './transportChoice.ts'

export interface SwarmHost {
  readonly session: Pick<TorrentHost, 'attempts' | 'freeConnections' | 'connect' | 'wakeAt'>
  readonly settings: Readonly<Settings>
  readonly random: Random
  readonly peerId: Uint8Array
  readonly peerNews: PeerNews
  readonly holepunch: Holepunch
  readonly peerFilter: PeerFilter
  readonly ssl: TorrentSsl
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
  /** Addresses and devices to connect from (manual, use_interface); none: what the settings say. */
  interfaces: readonly string[] = []
  private known: PeerList<PeerConnection> | null = null
  /** Attempts made at once since trackers began to name peers (setting `torrent_connect_boost`). */
  private boosted = 0
  private readonly encryption: OutgoingEncryption
  private readonly rankOf = (peer: PeerConnection) => (peer.entry === null ? 0 : this.list.priorityOf(peer.entry))

  constructor(
    private readonly host: SwarmHost,
    private readonly peerHost: PeerHost,
  ) {
    this.encryption = new OutgoingEncryption(host.settings)
  }

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
    if (this.host.peerFilter.refuses(endpoint)) return
    if (this.list.addPeer(endpoint, source, flags) !== null) this.wantConnections()
  }

  /** Asks the session for connection attempts, if there is anybody to try. */
  wantConnections(): void {
    if (this.hasRoom && this.connectCandidates > 0) this.host.wantsConnections()
  }

  private get hasRoom(): boolean {
    const { isTakingPeers, isFinished, maxConnections, settings, ssl } = this.host
    if (isFinished && !settings.seedingOutgoingConnections) return false
    if (!settings.enableOutgoingTcp && !settings.enableOutgoingUtp) return false
    return isTakingPeers && ssl.isReady && this.connections.size < maxConnections
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

  /**
   * @param how what `chooseTransport` says if left out.
   * @param punched where a peer is met by hole punching.
   */
  private open(
    known: PeerList<PeerConnection>,
    entry: TorrentPeer<PeerConnection>,
    how?: Transport,
    punched?: Endpoint,
  ): PeerConnection {
    const remote = punched ?? entry.endpoint
    const peer = new PeerConnection(this.peerHost, remote, true, null)
    peer.isHolepunched = punched !== undefined
    known.setConnection(entry, peer)
    this.add(peer, entry)
    this.host.session.attempts.dialled(remote.address, peer)
    peer.stats.sentSyn(isV6(remote.address))
    const { interfaces } = this
    const { tls } = this.host.ssl
    const isEncrypted = tls === null && this.encryption.choose(entry)
    peer.isEncryptedAttempt = isEncrypted
    const transport = how ?? chooseTransport(entry, this.host.settings) ?? 'tcp'
    const request = { remote, infoHash: this.peerHost.infoHash, transport, isEncrypted, tls, interfaces }
    peer.attach(this.host.session.connect(request, peer))
    this.host.peerNews.connecting(peer)
    return peer
  }

  private nextCandidate(known: PeerList<PeerConnection>): TorrentPeer<PeerConnection> | null {
    const now = this.host.now()
    for (let skipped = 0; skipped < MAX_SKIPPED; skipped++) {
      const entry = known.connectOnePeer(now)
      // It may have said itself where it listens.
      if (entry !== null && this.host.peerFilter.refuses(entry)) {
        known.erase(entry)
        continue
      }
      if (entry === null || this.host.session.attempts.mayDial(entry.address, this)) return entry
      // Somebody else tries there, or has tried in vain: as if it were us.
      entry.lastConnected = now
    }
    return null
  }

  /** Connects to somebody now, if it may be connected at all; a user asked for it. */
  connectTo(named: Endpoint, source: number): void {
    const endpoint = i2pEndpoint(named) ?? named
    if (this.host.peerFilter.refuses(endpoint)) return
    const entry = this.list.addPeer(endpoint, source)
    if (entry === null || entry.connection !== null) return
    // Whoever asks by name knows better than our memory of earlier failures.
    this.list.forgive(entry)
    this.list.retryNow(endpoint.address)
    this.host.session.attempts.reached(endpoint.address)
    this.wantConnections()
  }

  /**
   * Connects to `endpoint` now, by uTP: a peer we both know has told it to do the same (BEP 55).
   * @param wanted the peer that we asked to be introduced to; null when nobody did, and `endpoint` is a stranger's word.
   */
  punch(endpoint: Endpoint, wanted: TorrentPeer<PeerConnection> | null): void {
    const { host } = this
    if (host.peerFilter.refuses(endpoint) || !this.hasRoom || !host.settings.enableOutgoingUtp || host.ssl.isSslTorrent)
      return
    const isKnown = wanted !== null && wanted.listIndex !== -1
    // Known peers keep their port: the one a router opens for a packet is no place to dial later.
    const entry = this.list.find(endpoint) ?? (isKnown ? wanted : this.list.addPeer(endpoint, PeerSource.pex))
    if (entry === null || entry.banned || (!isKnown && !host.session.attempts.mayDial(endpoint.address, this))) return
    if (entry.connection !== null && !this.giveUpFor(entry.connection, entry)) return
    if (host.session.freeConnections <= 0) return
    this.open(this.list, entry, 'utp', endpoint)
  }

  /** An attempt that cannot get through its router makes way for one that may. */
  private giveUpFor(attempt: PeerConnection, entry: TorrentPeer<PeerConnection>): boolean {
    if (!attempt.isOutgoing || attempt.wasConnected || attempt.isHolepunched || !entry.supportsHolepunch) return false
    attempt.disconnect('duplicatePeerId')
    return entry.connection === null && entry.listIndex !== -1
  }

  /** Takes over a connection a peer opened. Returns why not, or null. */
  accept(stream: Stream, handshake: Handshake, rest: Uint8Array): LibtorrentErrorCode | null {
    const { host } = this
    if (host.peerFilter.refusesIncoming(stream.remote)) return 'bannedByIpFilter'
    if (!host.isTakingPeers) return host.isPaused ? 'torrentPaused' : 'torrentNotReady'
    // Who it takes the place of, or whose address it has, says nothing: anybody can claim to be us.
    if (equalBytes(handshake.peerId, host.peerId)) return 'selfConnection'
    const peer = new PeerConnection(this.peerHost, stream.remote, false, stream)
    peer.peerId = handshake.peerId
    const refusal = this.letIn(peer, this.list.newConnection(peer, host.now()))
    if (refusal === null) peer.accept(handshake, rest)
    return refusal
  }

  /**
   * Takes over a WebRTC connection, which we offered (`isOutgoing`) or somebody else did. Neither side knows an address to
   * dial, and both send their handshake at once. Returns why not, or null.
   */
  adopt(stream: Stream, isOutgoing: boolean): LibtorrentErrorCode | null {
    const { host } = this
    if (host.peerFilter.refusesIncoming(stream.remote)) return 'bannedByIpFilter'
    if (!host.isTakingPeers) return host.isPaused ? 'torrentPaused' : 'torrentNotReady'
    const peer = new PeerConnection(this.peerHost, stream.remote, isOutgoing, stream)
    const refusal = this.letIn(peer, this.list.newRtcConnection(peer, host.now()))
    if (refusal !== null) return refusal
    if (isOutgoing) host.peerNews.connecting(peer)
    peer.begin()
    return null
  }

  /** A connection that stands is added if there is room; `entry` may be the reason why it is not. */
  private letIn(
    peer: PeerConnection,
    entry: TorrentPeer<PeerConnection> | LibtorrentErrorCode,
  ): LibtorrentErrorCode | null {
    if (typeof entry === 'string') return entry
    peer.entry = entry
    if (!this.makeRoomFor(peer)) {
      this.list.connectionClosed(entry, peer, { failed: false }, this.host.now())
      return 'tooManyConnections'
    }
    this.add(peer, entry)
    return null
  }

  /** One of the peers has this id, 20 bytes. */
  hasPeerId(peerId: Uint8Array): boolean {
    for (const peer of this.connections) if (equalBytes(peer.peerId, peerId)) return true
    return false
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
    const { entry, isOutgoing, isRtc, socketType } = peer
    if (entry !== null && isOutgoing && isUtpSocket(socketType)) entry.confirmedSupportsUtp = true
    this.encryption.remember(peer)
    // That there is a browser says nothing of who listens there.
    if (!isRtc) this.host.session.attempts.reached(peer.remote.address)
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
    this.host.peerFilter.onSettingsChanged()
    this.wantConnections()
  }

  /** Disconnects and forgets those that a filter no longer lets through; asked once of each. */
  eraseWhere(isOut: (entry: TorrentPeer<PeerConnection>) => boolean, code: LibtorrentErrorCode): void {
    this.known?.eraseWhere(isOut, code)
  }

  /** A connection has ended. */
  onClosed(peer: PeerConnection, error: LibtorrentError): void {
    if (!this.connections.delete(peer)) return
    const failed = isConnectionFailure(error, peer.wasReady)
    const isUtpRefused = failed && this.isUtpRefused(peer, error)
    this.host.session.attempts.ended(peer.remote.address, peer, failed)
    this.encryption.remember(peer)
    if (peer.entry !== null) {
      const now = this.host.now()
      const isRetry = failed && this.encryption.isWorthRetry(peer, error)
      const fastReconnect = isRetry && this.list.allowFastReconnect(peer.entry, now)
      peer.entry.isSecondTry = fastReconnect
      this.list.connectionClosed(
        peer.entry,
        peer,
        {
          failed: failed && !isUtpRefused && !fastReconnect,
          fastReconnect,
          uploaded: peer.stats.totalPayloadUpload,
          downloaded: peer.stats.totalPayloadDownload,
        },
        now,
      )
    }
    this.host.onConnectionClosed(peer)
    if (isUtpRefused) this.retryByTcp(peer)
    else if (failed && !peer.wasConnected && peer.isOutgoing && !peer.isHolepunched)
      this.host.holepunch.onUnreachable(peer)
    this.wantConnections()
  }

  /** A peer that does not answer to uTP, and may to TCP. */
  private isUtpRefused(peer: PeerConnection, error: LibtorrentError): boolean {
    const { entry, isOutgoing, wasConnected, isHolepunched, socketType } = peer
    if (entry === null || !isOutgoing || wasConnected || isHolepunched || !isUtpSocket(socketType)) return false
    if (!this.host.settings.enableOutgoingTcp || entry.isLocal || !entry.supportsUtp) return false
    // Who answers to uTP, and does not agree on TLS, would not by TCP.
    if (isSslSocket(socketType) && error.operation !== 'connect' && error.code !== 'timedOut') return false
    entry.supportsUtp = false
    return true
  }

  private retryByTcp({ entry }: PeerConnection): void {
    if (entry === null || entry.connection !== null || !this.hasRoom || this.known === null) return
    if (this.host.peerFilter.refuses(entry)) return
    if (entry.listIndex !== -1 && this.known.isConnectCandidate(entry)) this.open(this.known, entry, 'tcp')
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
