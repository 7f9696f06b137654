import type { Endpoint } from '../address/endpoint.ts'
import { AlertQueue } from '../alerts/alertQueue.ts'
import type { TorrentRef } from '../alerts/alertSink.ts'
import { IncomingConnectionAlert } from '../alerts/peerAlerts.ts'
import { ExternalIpAlert, SessionErrorAlert } from '../alerts/sessionAlerts.ts'
import { TorrentAddedAlert, TorrentRemovedAlert } from '../alerts/torrentAlerts.ts'
import type { StorageConstructor, StorageInterface } from '../disk/storageInterface.ts'
import {
  LibtorrentError,
  type LibtorrentErrorCode,
  libtorrentError,
  systemError,
  thrownError,
} from '../errors/libtorrentError.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { BlockSender } from '../peer/blockSender.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { Clock, Timer, Timers } from '../platform/clock.ts'
import type { BlockPool, DiskIo, StorageHandler, StorageParams, TorrentStorage } from '../platform/disk.ts'
import type { Platform } from '../platform/platform.ts'
import type { Random } from '../platform/random.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import { applySettings, type Settings } from '../settings/settings.ts'
import type { AddTorrentParams } from '../torrent/addTorrentParams.ts'
import { deleteFiles } from '../torrent/diskOperations.ts'
import { Torrent } from '../torrent/torrent.ts'
import type { TorrentHost, Wakeable } from '../torrent/torrentHost.ts'
import { TrackerClient } from '../tracker/trackerClient.ts'
import { fromLatin1 } from '../util/bytes.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis } from '../util/flavored.ts'
import { TransferStats } from '../util/transferStats.ts'
import type { Handshake } from '../wire/handshake.ts'
import { CheckingQueue } from './checkingQueue.ts'
import { Connector, type ConnectorHost } from './connector.ts'
import { ExternalAddress } from './externalAddress.ts'
import { fairShares } from './fairShares.ts'
import { FlushQueue } from './flushQueue.ts'
import { GuardedTimers } from './guardedTimers.ts'
import { IncomingConnection, type IncomingHost } from './incomingConnection.ts'
import { ListenSockets, type ListenSocketsHost } from './listenSockets.ts'
import { postRefused } from './refusedConnection.ts'
import { StalledPeers } from './stalledPeers.ts'
import { Unchoker, type UnchokerHost } from './unchoker.ts'
import { WakeQueue } from './wakeQueue.ts'

/** A disk that also takes storages of the user's own. */
export interface SessionDisk extends DiskIo {
  openCustomStorage?(params: StorageParams, handler: StorageHandler, own: StorageInterface): TorrentStorage
}

const TICK_MS = 1000
/** Torrents that check their files at the same time (libtorrent's `active_checking`). */
const ACTIVE_CHECKING = 1
/** What a negative `connection_speed` means (manual). */
const DEFAULT_CONNECTION_SPEED = 200
/** Connections whose handshake has not come yet: a further one ends the oldest, so that silent ones keep nobody out. */
const MAX_HALF_OPEN_INCOMING = 200

/**
 * The session below the API: owns the torrents and what they share - sockets, disk, trackers, upload slots, time.
 * Everything in here is synchronous; `Session` puts promises and events on top.
 *
 * There is one timer, once a second, and only while a torrent has connections; everything else that waits for a time
 * is in one queue. So a session of idle torrents does nothing at all.
 */
export class SessionCore implements TorrentHost, ListenSocketsHost, IncomingHost, ConnectorHost, UnchokerHost {
  readonly alerts: AlertQueue
  readonly torrents = new Map<string, Torrent>()
  readonly blockSender: BlockSender
  readonly trackerClient: TrackerClient
  readonly listenSockets: ListenSockets
  readonly unchoker: Unchoker
  readonly stats = new TransferStats()
  readonly platform: Platform
  readonly timers: Timers
  readonly peerId: Uint8Array
  readonly trackerKey: number
  /** Payload thrown away over all torrents that were removed; those that are here count their own. */
  removedFailedBytes = 0
  removedRedundantBytes = 0
  numConnections = 0
  hasIncomingConnections = false
  private paused = false
  private closing = false
  /** Torrents that are leaving. */
  private removing = 0
  private onAllRemoved: (() => void) | null = null
  private tickTimer: Timer | null = null
  private lastTick: Millis = 0
  private readonly active = new Set<Torrent>()
  private readonly updated = new Set<Torrent>()
  private readonly incoming = new Set<IncomingConnection>()
  private readonly flushes: FlushQueue
  private readonly stalled: StalledPeers
  private readonly connector: Connector
  private readonly checking = new CheckingQueue(() => ACTIVE_CHECKING)
  private readonly wakes: WakeQueue<Wakeable>
  private readonly external = new ExternalAddress()

  constructor(
    world: Platform,
    readonly disk: SessionDisk,
    readonly settings: Settings,
  ) {
    this.timers = new GuardedTimers(world.timers, (cause) => this.onFault(cause))
    const platform = { ...world, timers: this.timers }
    this.platform = platform
    this.alerts = new AlertQueue(platform.clock, { mask: settings.alertMask, sizeLimit: settings.alertQueueSize })
    this.blockSender = new BlockSender(disk.pool)
    this.peerId = makePeerId(settings.peerFingerprint, platform.random)
    this.trackerKey = platform.random.u32()
    this.trackerClient = new TrackerClient(this)
    this.listenSockets = new ListenSockets(this)
    this.unchoker = new Unchoker(this)
    this.flushes = new FlushQueue(platform.timers)
    this.stalled = new StalledPeers(disk)
    this.connector = new Connector(this)
    this.wakes = new WakeQueue<Wakeable>(platform.clock, platform.timers, (owner, now) => owner.onWake(now))
  }

  // --- what the parts share -------------------------------------------------------------------------------------

  get clock(): Clock {
    return this.platform.clock
  }

  get tcp(): Platform['tcp'] {
    return this.platform.tcp
  }

  get random(): Random {
    return this.platform.random
  }

  get resolver(): Resolver {
    return this.platform.resolver
  }

  get pool(): BlockPool {
    return this.disk.pool
  }

  get isDiskCongested(): boolean {
    return this.disk.isCongested
  }

  get listenPort(): number {
    return this.listenSockets.port
  }

  get isPaused(): boolean {
    return this.paused
  }

  get connectionSpeed(): number {
    const { connectionSpeed } = this.settings
    return connectionSpeed < 0 ? DEFAULT_CONNECTION_SPEED : connectionSpeed
  }

  get freeConnections(): number {
    return this.settings.connectionsLimit - this.numConnections
  }

  get handshakeTimeout(): Millis {
    return this.settings.handshakeTimeout * 1000
  }

  activeTorrents(): Iterable<Torrent> {
    return this.active
  }

  // --- torrents -------------------------------------------------------------------------------------------------

  find(infoHash: Sha1Hash): Torrent | null {
    return this.torrents.get(infoHash.toHex()) ?? null
  }

  /**
   * Adds a torrent that is not here yet.
   * @throws LibtorrentError `sessionIsClosing`, `duplicateTorrent`
   */
  add(
    params: Readonly<AddTorrentParams>,
    info: TorrentInfo,
    resume: ResumeState | null,
    makeRef: (torrent: Torrent) => TorrentRef,
  ): Torrent {
    if (this.closing) throw thrownError('sessionIsClosing')
    const key = info.infoHash.toHex()
    if (this.torrents.has(key)) throw thrownError('duplicateTorrent')
    const torrent = new Torrent(this, params, info, resume, makeRef)
    this.torrents.set(key, torrent)
    if (this.alerts.wants(TorrentAddedAlert.category)) this.alerts.post(new TorrentAddedAlert({ handle: torrent.ref }))
    try {
      torrent.start()
    } catch (cause) {
      // A storage of the user's own may throw: nothing of the torrent stays.
      this.remove(torrent, () => {})
      throw cause
    }
    return torrent
  }

  /** `done` is called when nothing of the torrent is left, with the error if its files could not be deleted. */
  remove(
    torrent: Torrent,
    done: (error: LibtorrentError | null) => void,
    code: LibtorrentErrorCode = 'torrentRemoved',
    deletesFiles = false,
  ): void {
    const key = torrent.infoHash.toHex()
    if (this.torrents.get(key) !== torrent) return done(null)
    this.torrents.delete(key)
    this.updated.delete(torrent)
    this.removedFailedBytes += torrent.counters.failedBytes
    this.removedRedundantBytes += torrent.counters.redundantBytes
    this.removing++
    let left = deletesFiles ? 2 : 1
    let failure: LibtorrentError | null = null
    const part = () => {
      if (--left > 0) return
      this.wakes.delete(torrent)
      this.wakes.delete(torrent.swarm)
      done(failure)
      if (--this.removing === 0) this.onAllRemoved?.()
    }
    torrent.abort(part, code, deletesFiles)
    if (this.alerts.wants(TorrentRemovedAlert.category)) {
      this.alerts.post(new TorrentRemovedAlert({ handle: torrent.ref, infoHash: torrent.infoHash }))
    }
    if (!deletesFiles) return
    deleteFiles(torrent, (result) => {
      if (result instanceof LibtorrentError) failure = result
      part()
    })
  }

  onStateUpdated(torrent: Torrent): void {
    if (!torrent.isRemoved && (torrent.params.updateSubscribe ?? true)) this.updated.add(torrent)
  }

  /** The torrents whose status changed since the last call. */
  takeUpdated(): Torrent[] {
    const torrents = [...this.updated]
    this.updated.clear()
    return torrents
  }

  // --- starting and stopping ------------------------------------------------------------------------------------

  pause(): void {
    this.setPaused(true)
  }

  resume(): void {
    this.setPaused(false)
  }

  private setPaused(paused: boolean): void {
    if (this.paused === paused) return
    this.paused = paused
    for (const torrent of this.torrents.values()) torrent.updateOnline()
  }

  /**
   * Ends everything: trackers are told `stopped`, disk work is finished, files and sockets are closed. `done` is called
   * when that is so, at the latest a little after `stop_tracker_timeout` if the disk answers.
   */
  close(done: () => void): void {
    this.closing = true
    this.listenSockets.close()
    this.connector.stop()
    for (const connection of this.incoming) connection.drop()
    this.incoming.clear()
    for (const torrent of [...this.torrents.values()]) this.remove(torrent, () => {}, 'sessionClosing')
    // Those that were being removed before have files open, too.
    if (this.removing === 0) this.release(done)
    else this.onAllRemoved = () => this.release(done)
  }

  private release(done: () => void): void {
    this.tickTimer?.cancel()
    this.tickTimer = null
    this.wakes.stop()
    this.stalled.stop()
    this.trackerClient.close()
    this.disk.stop(done)
  }

  /** Takes over changed settings. @throws as `applySettings` */
  applySettings(changes: Partial<Settings>, done: () => void): void {
    const { listenInterfaces } = this.settings
    applySettings(this.settings, changes)
    // The mask is the API's: it adds what listeners want.
    if (changes.alertQueueSize !== undefined) this.alerts.setSizeLimit(changes.alertQueueSize)
    this.disk.configure({
      maxQueuedDiskBytes: this.settings.maxQueuedDiskBytes,
      filePoolSize: this.settings.filePoolSize,
    })
    for (const torrent of this.torrents.values()) torrent.trackers.onSettingsChanged()
    this.closeSurplusConnections()
    this.connector.resume()
    if (this.settings.listenInterfaces === listenInterfaces) done()
    else this.listenSockets.reopen(done)
  }

  /** More are open than `connections_limit` allows now: the torrents with the most give up some, their least useful. */
  private closeSurplusConnections(): void {
    if (this.freeConnections >= 0) return
    const torrents = [...this.torrents.values()]
    const shares = fairShares(
      torrents.map(({ swarm }) => swarm.connections.size),
      this.settings.connectionsLimit,
    )
    for (const [index, torrent] of torrents.entries()) torrent.swarm.closeSurplus(shares[index])
  }

  // --- each second ----------------------------------------------------------------------------------------------

  setActive(torrent: Torrent, active: boolean): void {
    if (!active) {
      this.active.delete(torrent)
      return
    }
    this.active.add(torrent)
    if (this.tickTimer !== null) return
    this.lastTick = this.clock.now()
    this.tickTimer = this.timers.after(TICK_MS, () => this.tick())
  }

  private tick(): void {
    const now = this.clock.now()
    const elapsed = Math.max(1, now - this.lastTick)
    this.lastTick = now
    // Set before anything can throw: a fault must not be the last thing that happens in this session.
    const timer = this.timers.after(TICK_MS, () => this.tick())
    this.tickTimer = timer
    for (const torrent of [...this.active]) this.tickTorrent(torrent, now, elapsed)
    this.stats.tick(elapsed)
    this.unchoker.tick(now)
    if (this.active.size > 0 || this.stats.uploadRate > 0 || this.stats.downloadRate > 0) return
    timer.cancel()
    this.tickTimer = null
  }

  private tickTorrent(torrent: Torrent, now: Millis, elapsed: Millis): void {
    for (const peer of torrent.swarm.connections) this.stats.accumulate(peer.stats)
    try {
      torrent.tick(now, elapsed)
    } catch (cause) {
      this.onFault(cause)
    }
  }

  // --- connections ----------------------------------------------------------------------------------------------

  connect(remote: Endpoint, handler: StreamHandler): Stream {
    return this.platform.tcp.connect(remote, this.connectOptions(), handler)
  }

  private nextOutgoingPort = 0

  private connectOptions(): { localPort?: number } {
    const { outgoingPort, numOutgoingPorts } = this.settings
    if (outgoingPort === 0) return {}
    this.nextOutgoingPort = (this.nextOutgoingPort + 1) % Math.max(1, numOutgoingPorts)
    return { localPort: Math.min(0xffff, outgoingPort + this.nextOutgoingPort) }
  }

  onIncoming(stream: Stream): void {
    if (this.closing || this.freeConnections <= 0) {
      stream.setHandler(IGNORE)
      stream.destroy()
      this.postRefused(stream.remote, libtorrentError('tooManyConnections', BITTORRENT))
      return
    }
    if (this.incoming.size >= MAX_HALF_OPEN_INCOMING) this.dropOldestIncoming()
    this.incoming.add(new IncomingConnection(this, stream))
  }

  private dropOldestIncoming(): void {
    for (const oldest of this.incoming) {
      this.incoming.delete(oldest)
      oldest.drop()
      this.postRefused(oldest.stream.remote, libtorrentError('tooManyConnections', BITTORRENT))
      return
    }
  }

  onHandshake(connection: IncomingConnection, handshake: Handshake, rest: Uint8Array): void {
    this.incoming.delete(connection)
    const { stream } = connection
    const torrent = this.torrents.get(hexOf(handshake.infoHash))
    if (torrent === undefined || this.closing) {
      stream.destroy()
      this.postRefused(stream.remote, libtorrentError('invalidInfoHash', BITTORRENT), handshake)
      return
    }
    if (this.alerts.wants(IncomingConnectionAlert.category)) {
      this.alerts.post(new IncomingConnectionAlert({ socketType: 'tcp', endpoint: stream.remote }))
    }
    this.hasIncomingConnections = true
    try {
      const refusal = torrent.accept(stream, handshake, rest)
      if (refusal === null) return
      stream.destroy()
      this.postRefused(stream.remote, libtorrentError(refusal, BITTORRENT), handshake, torrent.ref)
    } catch (cause) {
      this.onFault(cause)
      stream.destroy()
    }
  }

  onIncomingFailed(connection: IncomingConnection, error: LibtorrentError): void {
    this.incoming.delete(connection)
    this.postRefused(connection.stream.remote, error)
  }

  private postRefused(
    endpoint: Endpoint,
    error: LibtorrentError,
    handshake: Handshake | null = null,
    torrent: TorrentRef | null = null,
  ): void {
    if (!this.closing) postRefused(this.alerts, { endpoint, error, handshake, torrent })
  }

  wantsConnections(torrent: Torrent): void {
    this.connector.add(torrent)
  }

  onConnectionOpened(_torrent: Torrent, _peer: PeerConnection): void {
    this.numConnections++
  }

  onConnectionClosed(torrent: Torrent, peer: PeerConnection): void {
    this.numConnections--
    this.stats.accumulate(peer.stats)
    this.stalled.remove(peer)
    this.unchoker.onClosed(peer)
    torrent.swarm.wantConnections()
    this.connector.resume()
  }

  onPeerInterestChanged(torrent: Torrent, peer: PeerConnection): void {
    this.unchoker.onInterestChanged(torrent, peer)
  }

  scheduleFlush(peer: PeerConnection): void {
    this.flushes.add(peer)
  }

  waitForSlot(peer: PeerConnection): void {
    this.stalled.add(peer)
  }

  // --- other services for torrents ------------------------------------------------------------------------------

  openStorage(params: StorageParams, handler: StorageHandler, custom?: StorageConstructor): TorrentStorage {
    if (custom === undefined) return this.disk.openStorage(params, handler)
    if (this.disk.openCustomStorage === undefined) throw new TypeError('this disk takes no storage of your own')
    return this.disk.openCustomStorage(params, handler, custom(params))
  }

  wakeAt(owner: Wakeable, when: Millis): void {
    this.wakes.set(owner, when)
  }

  queueForChecking(torrent: Torrent): void {
    this.checking.add(torrent)
  }

  doneChecking(torrent: Torrent): void {
    this.checking.remove(torrent)
  }

  /** Our own code threw. The session goes on; whoever reads alerts learns of it. */
  onFault(cause: unknown): void {
    this.alerts.post(new SessionErrorAlert({ error: systemError(cause) }))
  }

  externalEndpoint(v6: boolean): Endpoint | null {
    const address = this.external.address(v6)
    return address === null ? null : { address, port: this.listenPort }
  }

  onExternalAddress(address: string, source: string): void {
    if (!this.external.vote(address, source)) return
    if (this.alerts.wants(ExternalIpAlert.category)) {
      this.alerts.post(new ExternalIpAlert({ externalAddress: address }))
    }
  }
}

const BITTORRENT = { operation: 'bittorrent' } as const

const IGNORE: StreamHandler = { onConnected() {}, onData() {}, onDrain() {}, onClosed() {} }

/** The fingerprint, then random characters that survive in URLs and logs. */
function makePeerId(fingerprint: string, random: Random): Uint8Array {
  const id = new Uint8Array(20)
  const prefix = fromLatin1(fingerprint).subarray(0, 20)
  id.set(prefix)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  for (let i = prefix.length; i < 20; i++) id[i] = alphabet.charCodeAt(random.below(alphabet.length))
  return id
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
