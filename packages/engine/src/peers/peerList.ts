import { isLinkLocal, isUnspecified } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { peerPriority } from '../address/peerPriority.ts'
import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import type { Millis } from '../util/flavored.ts'
import { ConnectCandidates, type ConnectCandidatesHost } from './connectCandidates.ts'
import { resolveDuplicateConnection } from './duplicateConnections.ts'
import type { ClosedConnection, ListedConnection, PeerListHost } from './peerListHost.ts'
import { compareConnectCandidates } from './peerOrder.ts'
import { PeerSource, PexFlags } from './peerSource.ts'
import {
  areRulesCurrent,
  isConnectCandidate,
  isEraseCandidate,
  isPrivilegedPort,
  type Standing,
  type StandingRules,
  standingOf,
  standingRules,
} from './peerStanding.ts'
import { PeerStore } from './peerStore.ts'
import { judgeUseless, makeRoom, needsWeeding, type WeededList } from './peerWeeding.ts'
import { MAX_FAILCOUNT, TorrentPeer } from './torrentPeer.ts'

/** Connections to WebRTC peers of one address, which may be a whole school behind its router. */
const MAX_RTC_PEERS_PER_ADDRESS = 32

/** Reconnects at once a peer is allowed in all. */
const MAX_FAST_RECONNECTS = 2

/**
 * All peers known for a torrent, connected or not: libtorrent's `peer_list`.
 *
 * The list owns its `TorrentPeer`s; an entry lives until `onPeerErased`. `addPeer` takes what trackers, DHT and others
 * name, `newConnection` those who connect to us. Here it is kept what each peer counts as while it changes;
 * `ConnectCandidates` says whom to connect to next, `PeerStore` holds the entries.
 */
export class PeerList<C extends ListedConnection = ListedConnection>
  implements ConnectCandidatesHost<TorrentPeer<C>>, WeededList<TorrentPeer<C>>
{
  private readonly store = new PeerStore<C>()
  private readonly candidates: ConnectCandidates<TorrentPeer<C>>
  private candidateCount = 0
  private erasableCount = 0
  private seedCount = 0
  /** Must not be erased: an operation on it is under way. */
  private locked: TorrentPeer<C> | null = null
  /** The worst peer seen by the scan for candidates that is under way. */
  private worst: TorrentPeer<C> | null = null

  /** What `candidateCount` and the times of candidates were computed with. */
  private rules: StandingRules

  /** BEP 40 priority of the connection to `peer`, 0 while our address is unknown. */
  readonly priorityOf = (peer: TorrentPeer<C>): number => {
    if (peer.priority === 0) {
      const own = this.host.externalEndpoint(isV6(peer.address))
      if (own !== null) peer.priority = peerPriority(own, peer)
    }
    return peer.priority
  }

  constructor(private readonly host: PeerListHost<C>) {
    this.rules = standingRules(host)
    this.candidates = new ConnectCandidates(this)
  }

  get size(): number {
    return this.store.size
  }

  /** Known peers that told us they are seeds, connected or not. */
  get numSeeds(): number {
    return this.seedCount
  }

  /** Peers we could connect to, those waiting for their reconnect time included. */
  get numConnectCandidates(): number {
    this.recountIfChanged()
    return this.candidateCount
  }

  /** When `connectOnePeer` may succeed: in the past if it may now, Infinity if it cannot before something changes. */
  get retryAt(): Millis {
    this.recountIfChanged()
    return this.candidateCount === 0 ? Number.POSITIVE_INFINITY : this.candidates.retryAt
  }

  [Symbol.iterator](): Iterator<TorrentPeer<C>> {
    return this.store[Symbol.iterator]()
  }

  /** The entry of `endpoint`; where one address is one peer, whatever the port. */
  find(endpoint: Endpoint): TorrentPeer<C> | null {
    const { address, port } = endpoint
    return this.host.settings.allowMultipleConnectionsPerIp
      ? this.store.find(address, port)
      : this.store.findAddress(address)
  }

  /**
   * Takes a peer some source named; a known one has its source, port and flags updated, and a failure forgiven if a
   * tracker named it. `source` is one of `PeerSource`, `flags` are `PexFlags`, `endpoint.address` is canonical.
   * Null when it was ignored: no address anyone could connect to, or no room.
   */
  addPeer(endpoint: Endpoint, source: number, flags = 0): TorrentPeer<C> | null {
    // Ports 0 and 1 are what broken clients announce; a link-local IPv6 address says nothing without its interface.
    if (endpoint.port <= 1 || endpoint.port > 0xffff || isUnspecified(endpoint.address)) return null
    if (isV6(endpoint.address) && isLinkLocal(endpoint.address)) return null
    this.recountIfChanged()
    if (this.rules.noConnectPrivilegedPorts && isPrivilegedPort(endpoint.port)) return null
    const known = this.find(endpoint)
    if (known !== null) {
      this.updatePeer(known, endpoint.port, source, flags)
      return known
    }
    if (this.isFull) {
      if (source === PeerSource.resumeData) return null
      this.erasePeers(false)
      if (this.isFull) return null
    }
    const peer = new TorrentPeer<C>(endpoint, true, source)
    this.store.insert(peer)
    this.applyFlags(peer, flags)
    this.recount(peer, 'none')
    return peer
  }

  /**
   * A peer connected to us (or a connection we opened is to be attached): finds or makes its entry and attaches it.
   * An older connection that loses against it is disconnected. Returns the code to close the new one with instead:
   * `peerBanned`, `duplicatePeerId`, `selfConnection`, `tooManyConnections`.
   */
  newConnection(connection: C, now: Millis): TorrentPeer<C> | LibtorrentErrorCode {
    this.recountIfChanged()
    let peer = this.find(connection.remote)
    if (peer === null) {
      if (this.isFull) {
        this.erasePeers(true)
        if (this.isFull) return 'tooManyConnections'
      }
      peer = new TorrentPeer<C>(connection.remote, false, PeerSource.incoming)
      this.store.insert(peer)
      this.recount(peer, 'none')
    } else if (peer.banned) {
      return 'peerBanned'
    } else if (peer.connection !== null) {
      const code = this.settleDuplicate(peer, peer.connection, connection)
      if (code !== null) return code
    }
    this.setConnection(peer, connection)
    peer.lastConnected = now
    return peer
  }

  /**
   * A WebRTC connection stands: finds or makes its entry and attaches it. Nobody can dial such a peer, and behind one
   * address there may be several: browsers of one home. Returns the code to close it with instead: `peerBanned`,
   * `tooManyConnections`.
   */
  newRtcConnection(connection: C, now: Millis): TorrentPeer<C> | LibtorrentErrorCode {
    this.recountIfChanged()
    const { remote } = connection
    if (this.store.findAddress(remote.address)?.banned) return 'peerBanned'
    let peer: TorrentPeer<C> | null = null
    let connected = 0
    for (let known = this.store.findRtcAddress(remote.address); known !== null; known = known.nextSameAddress) {
      if (known.banned) return 'peerBanned'
      if (known.connection === null) peer = known
      else connected++
    }
    if (connected >= MAX_RTC_PEERS_PER_ADDRESS) return 'tooManyConnections'
    if (peer === null) {
      if (this.isFull) this.erasePeers(true)
      if (this.isFull) return 'tooManyConnections'
      peer = new TorrentPeer<C>(remote, false, PeerSource.tracker, true)
      this.store.insert(peer)
      this.recount(peer, 'none')
    }
    peer.port = remote.port
    peer.priority = 0
    this.setConnection(peer, connection)
    peer.lastConnected = now
    return peer
  }

  /** Attaches a connection we are opening to a peer `connectOnePeer` gave. */
  setConnection(peer: TorrentPeer<C>, connection: C): void {
    const was = standingOf(peer, this.rules)
    peer.connection = connection
    // Whoever it is will tell us itself now.
    peer.maybeUploadOnly = false
    this.recount(peer, was)
  }

  /** To be called once for every connection that was attached, when it is gone. Others are ignored. */
  connectionClosed(peer: TorrentPeer<C>, connection: C, closed: ClosedConnection, now: Millis): void {
    if (peer.connection !== connection) return
    this.recountIfChanged()
    const was = standingOf(peer, this.rules)
    peer.connection = null
    peer.optimisticallyUnchoked = false
    if (closed.fastReconnect !== true) peer.lastConnected = now
    if (closed.failed) peer.failcount = Math.min(MAX_FAILCOUNT, peer.failcount + 1)
    // A connection that was not handed the earlier amounts must not make them less.
    peer.prevAmountUpload = Math.max(peer.prevAmountUpload, Math.floor((closed.uploaded ?? 0) / 1024))
    peer.prevAmountDownload = Math.max(peer.prevAmountDownload, Math.floor((closed.downloaded ?? 0) / 1024))
    this.recount(peer, was)
    // Where an address can be several peers, one that never said where it listens would leave an entry a connection.
    if (this.host.settings.allowMultipleConnectionsPerIp && !peer.connectable) this.erase(peer)
  }

  /**
   * The peer said where it listens, in its extension handshake. False when that makes it a peer we are connected to
   * already: its connection has been disconnected and its entry erased.
   */
  updatePeerPort(peer: TorrentPeer<C>, port: number, source: number): boolean {
    if (peer.port === port && peer.connectable) return true
    this.recountIfChanged()
    if (this.host.settings.allowMultipleConnectionsPerIp && peer.port !== port) {
      const other = this.store.find(peer.address, port)
      if (other !== null && other.connection !== null) {
        const was = standingOf(other, this.rules)
        other.connectable = true
        other.source |= source
        this.recount(other, was)
        this.disconnectLocked(peer, 'duplicatePeerId')
        this.erase(peer)
        return false
      }
      if (other !== null) this.erase(other)
    }
    const was = standingOf(peer, this.rules)
    peer.port = port
    peer.source |= source
    peer.connectable = true
    peer.priority = 0
    this.recount(peer, was)
    return true
  }

  /**
   * The best peer to connect to now, or null; see `retryAt` for when to ask again.
   * The caller attaches a connection with `setConnection`, or counts a failure with `incFailcount`.
   */
  connectOnePeer(now: Millis): TorrentPeer<C> | null {
    this.recountIfChanged()
    if (this.candidateCount === 0) return null
    const peer = this.candidates.take(now)
    const { worst } = this
    this.worst = null
    if (worst !== null) this.erase(worst)
    return peer
  }

  // --- what choosing and weeding ask ------------------------------------------------------------------------------

  isConnectCandidate(peer: TorrentPeer<C>): boolean {
    return isConnectCandidate(peer, this.rules)
  }

  isEraseCandidate(peer: TorrentPeer<C>): boolean {
    return peer !== this.locked && isEraseCandidate(peer, this.rules)
  }

  isForceEraseCandidate(peer: TorrentPeer<C>): boolean {
    return peer !== this.locked && peer.connection === null
  }

  at(index: number): TorrentPeer<C> {
    return this.store.at(index)
  }

  /** When `peer` may be tried: its reconnect time over, once more for each failure. */
  readyAt(peer: TorrentPeer<C>): Millis {
    if (peer.lastConnected === 0) return 0
    return peer.lastConnected + (peer.failcount + 1) * this.rules.minReconnectTime * 1000
  }

  /** Negative when `a` is the better one to connect to. */
  compare(a: TorrentPeer<C>, b: TorrentPeer<C>): number {
    return compareConnectCandidates(a, b, this.rules.isFinished, this.priorityOf)
  }

  /** Weeds the list where it is looked through anyway. True when `peer` was erased. */
  onLookedAt(peer: TorrentPeer<C>): boolean {
    if (!needsWeeding(this.size, this.maxSize) || !this.isEraseCandidate(peer)) return false
    const verdict = judgeUseless(peer, this.worst)
    if (verdict === 'worst') this.worst = peer
    if (verdict !== 'erase') return false
    this.erase(peer)
    return true
  }

  // --- what becomes of a peer -----------------------------------------------------------------------------------

  /** Never to be connected again. Its connection, if any, is the caller's to close. */
  ban(peer: TorrentPeer<C>): void {
    const was = standingOf(peer, this.rules)
    peer.banned = true
    this.recount(peer, was)
  }

  /** An attempt failed before there was a connection. */
  incFailcount(peer: TorrentPeer<C>): void {
    this.setFailcount(peer, Math.min(MAX_FAILCOUNT, peer.failcount + 1))
  }

  /** `failcount` is 0 to 31; 0 once a connection has proven good. */
  setFailcount(peer: TorrentPeer<C>, failcount: number): void {
    const was = standingOf(peer, this.rules)
    peer.failcount = failcount
    this.recount(peer, was)
  }

  /** Whoever listens there is us. */
  setOurselves(peer: TorrentPeer<C>): void {
    const was = standingOf(peer, this.rules)
    peer.isOurselves = true
    // Of no use: forgotten when room is needed.
    peer.failcount = MAX_FAILCOUNT
    this.recount(peer, was)
  }

  /** Earlier attempts say nothing any more. */
  forgive(peer: TorrentPeer<C>): void {
    const was = standingOf(peer, this.rules)
    peer.isOurselves = false
    peer.failcount = 0
    this.recount(peer, was)
  }

  /** The peer told us that it has everything, or no longer. */
  setSeed(peer: TorrentPeer<C>, isSeed: boolean): void {
    if (peer.seed === isSeed) return
    const was = standingOf(peer, this.rules)
    peer.seed = isSeed
    if (peer.listIndex !== -1) this.seedCount += isSeed ? 1 : -1
    this.recount(peer, was)
  }

  /** The peer told us whether it is upload-only (BEP 21). */
  setUploadOnly(peer: TorrentPeer<C>, isUploadOnly: boolean): void {
    const was = standingOf(peer, this.rules)
    peer.uploadOnly = isUploadOnly
    this.recount(peer, was)
  }

  /**
   * Lets a peer be tried again at once, in another way (encrypted, TCP instead of uTP); twice in its life.
   * The caller passes the answer on to `connectionClosed`.
   */
  allowFastReconnect(peer: TorrentPeer<C>, now: Millis): boolean {
    if (peer.fastReconnects >= MAX_FAST_RECONNECTS) return false
    peer.fastReconnects++
    // Far enough back that no failure count makes it wait: before 0 if we have not run for so long.
    peer.lastConnected = now - this.rules.minReconnectTime * 1000 * this.rules.maxFailcount
    this.candidates.reset()
    return true
  }

  /** What kept us from the peers at `address` is over: they may be tried as if they never had been. */
  retryNow(address: string): void {
    for (let peer = this.store.findAddress(address); peer !== null; peer = peer.nextSameAddress) {
      if (peer.connection === null) peer.lastConnected = 0
    }
    this.candidates.reset()
  }

  /** Our external address changed: priorities are to be computed anew. */
  clearPriorities(): void {
    for (const peer of this.store) peer.priority = 0
    this.candidates.reset()
  }

  /** Forgets `peer`. Its connection, if any, is the caller's to close. */
  erase(peer: TorrentPeer<C>): void {
    if (peer.listIndex === -1 || peer === this.locked) return
    const was = standingOf(peer, this.rules)
    if (peer.seed) this.seedCount--
    this.store.remove(peer)
    this.recount(peer, was)
    this.candidates.onErased()
    this.host.onPeerErased(peer)
  }

  /** Disconnects and forgets all that a filter no longer lets through; `code` tells them why. */
  eraseWhere(isFiltered: (peer: TorrentPeer<C>) => boolean, code: LibtorrentErrorCode): void {
    for (const peer of [...this.store]) {
      if (!isFiltered(peer)) continue
      peer.connection?.disconnect(code)
      this.erase(peer)
    }
  }

  /** Forgets everything. Connections are the caller's to close. */
  clear(): void {
    for (const peer of [...this.store]) this.erase(peer)
    this.candidates.reset()
  }

  private get maxSize(): number {
    const { maxPausedPeerlistSize, maxPeerlistSize } = this.host.settings
    return this.host.isPaused ? maxPausedPeerlistSize : maxPeerlistSize
  }

  private get isFull(): boolean {
    return this.maxSize > 0 && this.size >= this.maxSize
  }

  private updatePeer(peer: TorrentPeer<C>, port: number, source: number, flags: number): void {
    const was = standingOf(peer, this.rules)
    peer.connectable = true
    if (peer.port !== port) {
      peer.port = port
      peer.priority = 0
    }
    peer.source |= source
    // Somebody else can connect to it, it seems. Only a tracker is believed in this.
    if (peer.failcount > 0 && source === PeerSource.tracker) peer.failcount--
    this.applyFlags(peer, flags)
    this.recount(peer, was)
  }

  private applyFlags(peer: TorrentPeer<C>, flags: number): void {
    if (flags & PexFlags.encryption) peer.supportsEncryption = true
    if (flags & PexFlags.seed && peer.connection === null) peer.maybeUploadOnly = true
    if (flags & PexFlags.utp) peer.supportsUtp = true
    if (flags & PexFlags.holepunch) peer.supportsHolepunch = true
  }

  /** Decides between two connections to `peer`; returns the code to close the new one with, or null if it stays. */
  private settleDuplicate(peer: TorrentPeer<C>, existing: C, added: C): LibtorrentErrorCode | null {
    switch (resolveDuplicateConnection(existing, added, existing.hasFailed, this.host.peerId)) {
      case 'selfConnection':
        existing.disconnect('selfConnection')
        this.setOurselves(peer)
        return 'selfConnection'
      case 'keepExisting':
        return 'duplicatePeerId'
      case 'keepNew':
        this.disconnectLocked(peer, 'duplicatePeerId')
        return null
    }
  }

  /** Disconnects the connection of `peer` and keeps the entry, even if closing would erase it. */
  private disconnectLocked(peer: TorrentPeer<C>, code: LibtorrentErrorCode): void {
    const connection = peer.connection
    this.locked = peer
    connection?.disconnect(code)
    this.locked = null
    if (peer.connection !== connection) return
    // The connection will report its end later; it is no longer this peer's then.
    const was = standingOf(peer, this.rules)
    peer.connection = null
    this.recount(peer, was)
  }

  /** Erases one or more of no use; when `force`, one that is still good if there is no other. */
  private erasePeers(force: boolean): void {
    // A flood of made-up peers must not cost a scan each.
    if (!force && this.erasableCount === 0) return
    makeRoom(this, this.maxSize, this.host.random.below(this.size), force)
  }

  /** Keeps the counts after a change of `peer`; `was`: its standing before. */
  private recount(peer: TorrentPeer<C>, was: Standing): void {
    const is = standingOf(peer, this.rules)
    if (was === 'candidate') this.candidateCount--
    else if (was === 'erasable') this.erasableCount--
    if (is === 'erasable') this.erasableCount++
    if (is !== 'candidate') return
    this.candidateCount++
    this.candidates.onCandidate(peer)
  }

  /** What makes a candidate has changed for all. */
  private recountIfChanged(): void {
    if (areRulesCurrent(this.rules, this.host)) return
    this.rules = standingRules(this.host)
    this.candidateCount = 0
    this.erasableCount = 0
    this.candidates.reset()
    for (const peer of this.store) this.recount(peer, 'none')
  }
}
