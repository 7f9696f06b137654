import { isLinkLocal, isUnspecified } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { peerPriority } from '../address/peerPriority.ts'
import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import type { Random } from '../platform/random.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import { type ConnectionEnds, resolveDuplicateConnection } from './duplicateConnections.ts'
import { compareConnectCandidates, isBetterToErase } from './peerOrder.ts'
import { PeerSource, PexFlags } from './peerSource.ts'
import { MAX_FAILCOUNT, TorrentPeer } from './torrentPeer.ts'

/** What the list needs of a connection. */
export interface ListedConnection extends ConnectionEnds {
  /** It has failed and is closing. */
  readonly hasFailed: boolean
  disconnect(code: LibtorrentErrorCode): void
}

/** The settings the list goes by. */
export type PeerListSettings = Readonly<
  Pick<
    Settings,
    'maxPeerlistSize' | 'maxPausedPeerlistSize' | 'minReconnectTime' | 'maxFailcount' | 'allowMultipleConnectionsPerIp'
  >
>

/** What the peer list asks of its torrent. */
export interface PeerListHost<C extends ListedConnection> {
  readonly settings: PeerListSettings
  readonly random: Random
  /** Ours, 20 bytes. */
  readonly peerId: Uint8Array
  /** Every wanted piece is there: seeds are of no use any more. */
  readonly isFinished: boolean
  readonly isPaused: boolean
  /** Our address and listen port as peers of that family see them; null while unknown. */
  externalEndpoint(isV6: boolean): Endpoint | null
  /** `peer` has left the list: nothing may refer to it any more. */
  onPeerErased(peer: TorrentPeer<C>): void
}

export interface ClosedConnection {
  /** The attempt or the connection failed: counts against the peer. */
  readonly failed: boolean
  /** It may come back at once, as `allowFastReconnect` said; `lastConnected` stays as it is. */
  readonly fastReconnect?: boolean
  /** Payload bytes in all, those of earlier connections that were handed to this one included. */
  readonly uploaded?: number
  readonly downloaded?: number
}

/** What a peer counts as: one to connect to, one to forget when room is needed, or neither. */
type Standing = 'candidate' | 'erasable' | 'none'

/** Candidates found by one scan, best first. */
const CANDIDATE_COUNT = 10
/** Peers looked at by one scan: bounds its cost whatever the size of the list. */
const SCAN_COUNT = 300
/** Beyond this share of the limit peers are weeded out. */
const WEEDING_SHARE = 0.95
/** Reconnects at once a peer is allowed in all. */
const MAX_FAST_RECONNECTS = 2

/**
 * All peers known for a torrent, connected or not: libtorrent's `peer_list`.
 *
 * The list owns its `TorrentPeer`s; an entry lives until `onPeerErased`. `addPeer` takes what trackers, DHT and others
 * name, `newConnection` those who connect to us. `connectOnePeer` says whom to connect to next: it takes from a small
 * cache of good candidates, refilled by scanning a bounded part of the list, so that an attempt costs the same in a
 * list of ten peers and of ten thousand.
 */
export class PeerList<C extends ListedConnection = ListedConnection> {
  private readonly peers: TorrentPeer<C>[] = []
  /** First entry of each address; others with the same address hang on `nextSameAddress`. */
  private readonly byAddress = new Map<string, TorrentPeer<C>>()
  private candidates: TorrentPeer<C>[] = []
  private candidateCount = 0
  private erasableCount = 0
  private seedCount = 0
  private scanAt = 0
  /** Must not be erased: an operation on it is under way. */
  private locked: TorrentPeer<C> | null = null
  private nextTry: Millis = 0

  /** What `candidateCount` and `nextTry` were computed with. */
  private isFinished: boolean
  private maxFailcount: number
  private minReconnectTime: Seconds

  private readonly priorityOf = (peer: TorrentPeer<C>): number => {
    if (peer.priority === 0) {
      const own = this.host.externalEndpoint(isV6(peer.address))
      if (own !== null) peer.priority = peerPriority(own, peer)
    }
    return peer.priority
  }

  constructor(private readonly host: PeerListHost<C>) {
    this.isFinished = host.isFinished
    this.maxFailcount = host.settings.maxFailcount
    this.minReconnectTime = host.settings.minReconnectTime
  }

  get size(): number {
    return this.peers.length
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
    return this.candidateCount === 0 ? Number.POSITIVE_INFINITY : this.nextTry
  }

  [Symbol.iterator](): Iterator<TorrentPeer<C>> {
    return this.peers[Symbol.iterator]()
  }

  /** The entry of `endpoint`; where one address is one peer, whatever the port. */
  find(endpoint: Endpoint): TorrentPeer<C> | null {
    const first = this.byAddress.get(endpoint.address) ?? null
    return this.host.settings.allowMultipleConnectionsPerIp ? withPort(first, endpoint.port) : first
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
    this.insert(peer)
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
      this.insert(peer)
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

  /** Attaches a connection we are opening to a peer `connectOnePeer` gave. */
  setConnection(peer: TorrentPeer<C>, connection: C): void {
    const was = this.standing(peer)
    peer.connection = connection
    // Whoever it is will tell us itself now.
    peer.maybeUploadOnly = false
    this.recount(peer, was)
  }

  /** To be called once for every connection that was attached, when it is gone. Others are ignored. */
  connectionClosed(peer: TorrentPeer<C>, connection: C, closed: ClosedConnection, now: Millis): void {
    if (peer.connection !== connection) return
    this.recountIfChanged()
    const was = this.standing(peer)
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
      const other = withPort(this.byAddress.get(peer.address) ?? null, port)
      if (other !== null && other.connection !== null) {
        const was = this.standing(other)
        other.connectable = true
        other.source |= source
        this.recount(other, was)
        this.disconnectLocked(peer, 'duplicatePeerId')
        this.erase(peer)
        return false
      }
      if (other !== null) this.erase(other)
    }
    const was = this.standing(peer)
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
    for (;;) {
      const peer = this.candidates.shift()
      if (peer === undefined) {
        if (this.candidateCount === 0 || now < this.nextTry) return null
        this.findCandidates(now)
        if (this.candidates.length === 0) return null
      } else if (this.isConnectCandidate(peer) && this.isReady(peer, now)) {
        return peer
      }
    }
  }

  /** Whether it makes sense to ever connect to `peer`, its reconnect time aside. */
  isConnectCandidate(peer: TorrentPeer<C>): boolean {
    return (
      peer.connection === null &&
      !peer.banned &&
      peer.connectable &&
      peer.listIndex !== -1 &&
      !(this.isFinished && (peer.seed || peer.uploadOnly)) &&
      peer.failcount < this.maxFailcount
    )
  }

  /** Never to be connected again. Its connection, if any, is the caller's to close. */
  ban(peer: TorrentPeer<C>): void {
    const was = this.standing(peer)
    peer.banned = true
    this.recount(peer, was)
  }

  /** An attempt failed before there was a connection. */
  incFailcount(peer: TorrentPeer<C>): void {
    this.setFailcount(peer, Math.min(MAX_FAILCOUNT, peer.failcount + 1))
  }

  /** `failcount` is 0 to 31; 0 once a connection has proven good. */
  setFailcount(peer: TorrentPeer<C>, failcount: number): void {
    const was = this.standing(peer)
    peer.failcount = failcount
    this.recount(peer, was)
  }

  /** The peer told us that it has everything, or no longer. */
  setSeed(peer: TorrentPeer<C>, isSeed: boolean): void {
    if (peer.seed === isSeed) return
    const was = this.standing(peer)
    peer.seed = isSeed
    if (peer.listIndex !== -1) this.seedCount += isSeed ? 1 : -1
    this.recount(peer, was)
  }

  /** The peer told us whether it is upload-only (BEP 21). */
  setUploadOnly(peer: TorrentPeer<C>, isUploadOnly: boolean): void {
    const was = this.standing(peer)
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
    // Far enough back that no failure count makes it wait; 1 and not 0, which would say it was never tried.
    peer.lastConnected = Math.max(1, now - this.minReconnectTime * 1000 * this.maxFailcount)
    this.nextTry = 0
    return true
  }

  /** What kept us from the peers at `address` is over: they may be tried as if they never had been. */
  retryNow(address: string): void {
    for (let peer = this.byAddress.get(address) ?? null; peer !== null; peer = peer.nextSameAddress) {
      if (peer.connection === null) peer.lastConnected = 0
    }
    this.nextTry = 0
  }

  /** Our external address changed: priorities are to be computed anew. */
  clearPriorities(): void {
    for (const peer of this.peers) peer.priority = 0
    this.candidates = []
  }

  /** Forgets `peer`. Its connection, if any, is the caller's to close. */
  erase(peer: TorrentPeer<C>): void {
    if (peer.listIndex === -1 || peer === this.locked) return
    const was = this.standing(peer)
    if (peer.seed) this.seedCount--
    this.unlinkAddress(peer)
    const last = this.peers.pop()!
    if (last !== peer) {
      this.peers[peer.listIndex] = last
      last.listIndex = peer.listIndex
    }
    peer.listIndex = -1
    this.recount(peer, was)
    this.host.onPeerErased(peer)
  }

  /** Forgets everything. Connections are the caller's to close. */
  clear(): void {
    while (this.peers.length > 0) {
      const before = this.peers.length
      this.erase(this.peers[before - 1])
      if (this.peers.length === before) return
    }
    this.candidates = []
  }

  private get maxSize(): number {
    const { maxPausedPeerlistSize, maxPeerlistSize } = this.host.settings
    return this.host.isPaused ? maxPausedPeerlistSize : maxPeerlistSize
  }

  private get isFull(): boolean {
    return this.maxSize > 0 && this.peers.length >= this.maxSize
  }

  private insert(peer: TorrentPeer<C>): void {
    peer.listIndex = this.peers.length
    this.peers.push(peer)
    peer.nextSameAddress = this.byAddress.get(peer.address) ?? null
    this.byAddress.set(peer.address, peer)
  }

  private unlinkAddress(peer: TorrentPeer<C>): void {
    const next = peer.nextSameAddress
    peer.nextSameAddress = null
    let before = this.byAddress.get(peer.address)!
    if (before === peer) {
      if (next === null) this.byAddress.delete(peer.address)
      else this.byAddress.set(peer.address, next)
      return
    }
    while (before.nextSameAddress !== peer) before = before.nextSameAddress!
    before.nextSameAddress = next
  }

  private updatePeer(peer: TorrentPeer<C>, port: number, source: number, flags: number): void {
    const was = this.standing(peer)
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
        this.setFailcount(peer, MAX_FAILCOUNT)
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
    const was = this.standing(peer)
    peer.connection = null
    this.recount(peer, was)
  }

  private isReady(peer: TorrentPeer<C>, now: Millis): boolean {
    return now >= this.readyAt(peer)
  }

  private readyAt(peer: TorrentPeer<C>): Millis {
    if (peer.lastConnected === 0) return 0
    return peer.lastConnected + (peer.failcount + 1) * this.minReconnectTime * 1000
  }

  /** Refills the cache of candidates from the next part of the list, and weeds that part when the list grows large. */
  private findCandidates(now: Millis): void {
    const { peers } = this
    const found: TorrentPeer<C>[] = []
    const weeding = this.maxSize > 0 && peers.length >= this.maxSize * WEEDING_SHARE
    let worst: TorrentPeer<C> | null = null
    let earliest = Number.POSITIVE_INFINITY
    const scanned = Math.min(peers.length, SCAN_COUNT)
    const sawAll = scanned === peers.length
    for (let i = 0; i < scanned && peers.length > 0; i++) {
      if (this.scanAt >= peers.length) this.scanAt = 0
      const peer = peers[this.scanAt]
      if (weeding && this.isEraseCandidate(peer) && (worst === null || !isBetterToErase(worst, peer))) {
        if (peer.source === PeerSource.resumeData) {
          // Another peer moves into its place: the position stays.
          this.erase(peer)
          continue
        }
        worst = peer
      }
      this.scanAt++
      if (!this.isConnectCandidate(peer)) continue
      const readyAt = this.readyAt(peer)
      if (readyAt > now) earliest = Math.min(earliest, readyAt)
      else this.insertCandidate(found, peer)
    }
    if (worst !== null) this.erase(worst)
    this.candidates = found
    // Nothing was ready in the whole list: no scan is worth while before the first of them is.
    this.nextTry = found.length === 0 && sawAll ? earliest : 0
  }

  private insertCandidate(found: TorrentPeer<C>[], peer: TorrentPeer<C>): void {
    let at = found.length
    while (at > 0 && compareConnectCandidates(peer, found[at - 1], this.isFinished, this.priorityOf) < 0) at--
    if (at === CANDIDATE_COUNT) return
    if (found.length === CANDIDATE_COUNT) found.pop()
    found.splice(at, 0, peer)
  }

  /** Of no use any more: to be forgotten when room is needed. */
  private isEraseCandidate(peer: TorrentPeer<C>): boolean {
    if (peer.listIndex === -1 || peer.connection !== null || this.isConnectCandidate(peer)) return false
    return peer.failcount > 0 || peer.source === PeerSource.resumeData
  }

  /** Makes room: erases the worst of a part of the list; when `force`, one that is still good if there is no other. */
  private erasePeers(force: boolean): void {
    // A flood of made-up peers must not cost a scan each.
    if (!force && this.erasableCount === 0) return
    const { peers } = this
    const lowWatermark = Math.min(Math.floor(this.maxSize * WEEDING_SHARE), this.maxSize - 1)
    let at = this.host.random.below(peers.length)
    let worst: TorrentPeer<C> | null = null
    let worstForced: TorrentPeer<C> | null = null
    for (let i = Math.min(peers.length, SCAN_COUNT); i > 0 && peers.length >= lowWatermark && peers.length > 0; i--) {
      if (at >= peers.length) at = 0
      const peer = peers[at]
      if (this.isEraseCandidate(peer) && (worst === null || !isBetterToErase(worst, peer))) {
        if (peer.source === PeerSource.resumeData) {
          this.erase(peer)
          continue
        }
        worst = peer
      }
      const erasable = peer !== this.locked && peer.connection === null
      if (erasable && (worstForced === null || !isBetterToErase(worstForced, peer))) worstForced = peer
      at++
    }
    if (worst !== null) this.erase(worst)
    else if (force && worstForced !== null) this.erase(worstForced)
  }

  private standing(peer: TorrentPeer<C>): Standing {
    if (this.isConnectCandidate(peer)) return 'candidate'
    return this.isEraseCandidate(peer) ? 'erasable' : 'none'
  }

  /** Keeps the counts after a change of `peer`; `was`: its standing before. */
  private recount(peer: TorrentPeer<C>, was: Standing): void {
    const is = this.standing(peer)
    if (was === 'candidate') this.candidateCount--
    else if (was === 'erasable') this.erasableCount--
    if (is === 'erasable') this.erasableCount++
    if (is !== 'candidate') return
    this.candidateCount++
    this.nextTry = 0
  }

  /** What makes a candidate has changed for all. */
  private recountIfChanged(): void {
    const { isFinished } = this.host
    const { maxFailcount, minReconnectTime } = this.host.settings
    if (
      isFinished === this.isFinished &&
      maxFailcount === this.maxFailcount &&
      minReconnectTime === this.minReconnectTime
    ) {
      return
    }
    this.isFinished = isFinished
    this.maxFailcount = maxFailcount
    this.minReconnectTime = minReconnectTime
    this.candidateCount = 0
    this.erasableCount = 0
    for (const peer of this.peers) this.recount(peer, 'none')
    this.nextTry = 0
  }
}

function withPort<C>(first: TorrentPeer<C> | null, port: number): TorrentPeer<C> | null {
  let peer = first
  while (peer !== null && peer.port !== port) peer = peer.nextSameAddress
  return peer
}
