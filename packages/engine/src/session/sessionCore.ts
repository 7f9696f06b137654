import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { AlertQueue } from '../alerts/alertQueue.ts'
import type { TorrentRef } from '../alerts/alertSink.ts'
import { ExternalIpAlert, SessionErrorAlert, UdpErrorAlert } from '../alerts/sessionAlerts.ts'
import type { StorageConstructor } from '../disk/storageInterface.ts'
import { LibtorrentError, type LibtorrentErrorCode, systemError, thrownError } from '../errors/libtorrentError.ts'
import type { IpFilter } from '../filter/ipFilter.ts'
import type { PortFilter } from '../filter/portFilter.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { BlockSender } from '../peer/blockSender.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import { AttemptBook } from '../peers/attemptBook.ts'
import { makePeerId } from '../peers/peerId.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { BlockPool, StorageHandler, StorageParams, TorrentStorage } from '../platform/disk.ts'
import type { HttpStreams } from '../platform/httpStream.ts'
import type { Platform } from '../platform/platform.ts'
import type { Random } from '../platform/random.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { Tls } from '../platform/tls.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import { WebTrackers } from '../rtc/webTrackers.ts'
import { applySettings, type Settings } from '../settings/settings.ts'
import type { AddTorrentParams } from '../torrent/addTorrentParams.ts'
import type { Swarm } from '../torrent/swarm.ts'
import { Torrent } from '../torrent/torrent.ts'
import type { DialRequest, SlotWaiter, TorrentHost, Wakeable } from '../torrent/torrentHost.ts'
import { TrackerClient } from '../tracker/trackerClient.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis } from '../util/flavored.ts'
import { TransferStats } from '../util/transferStats.ts'
import { AddressFilters } from './addressFilters.ts'
import { CheckingQueue } from './checkingQueue.ts'
import { ConnectionLimit, type ConnectionLimitHost } from './connectionLimit.ts'
import { Connector, type ConnectorHost } from './connector.ts'
import { Dialler } from './dialler.ts'
import { Discovery, type DiscoveryHost } from './discovery.ts'
import { ExternalAddress } from './externalAddress.ts'
import { FlushQueue } from './flushQueue.ts'
import { GuardedDisk, type SessionDisk } from './guardedDisk.ts'
import { guardedPlatform } from './guardedPlatform.ts'
import { I2pService } from './i2pService.ts'
import { IncomingConnections, type IncomingConnectionsHost } from './incomingConnections.ts'
import type { ListenEndpoint } from './listenInterfaces.ts'
import { ListenSockets, type ListenSocketsHost } from './listenSockets.ts'
import { PeerOrigins } from './peerOrigins.ts'
import { PeerTurnover, type PeerTurnoverHost } from './peerTurnover.ts'
import { reportedUdp } from './reportedUdp.ts'
import { ResolverCache } from './resolverCache.ts'
import { RtcPeers, type RtcPeersHost } from './rtcPeers.ts'
import { SessionBandwidth, type SessionBandwidthHost } from './sessionBandwidth.ts'
import { SessionProxy } from './sessionProxy.ts'
import { SessionTicker, type SessionTickerHost } from './sessionTicker.ts'
import { SessionTorrents, type SessionTorrentsHost } from './sessionTorrents.ts'
import type { SharedUdpSocket } from './sharedUdpSocket.ts'
import { StalledPeers } from './stalledPeers.ts'
import { UdpSockets, type UdpSocketsHost } from './udpSockets.ts'
import { Unchoker, type UnchokerHost } from './unchoker.ts'
import { UtpService, type UtpServiceHost } from './utpService.ts'
import { WakeQueue } from './wakeQueue.ts'

/** Torrents that check their files at the same time (libtorrent's `active_checking`). */
const ACTIVE_CHECKING = 1

/**
 * The session below the API: owns the torrents and what they share - sockets, disk, trackers, upload slots, time.
 * Everything in here is synchronous; `Session` puts promises and events on top.
 *
 * There is one timer, once a second, and only while a torrent has connections (`ticker`); everything else that waits for
 * a time is in one queue (`wakes`). So a session of idle torrents does nothing at all.
 */
export class SessionCore
  implements
    TorrentHost,
    ListenSocketsHost,
    IncomingConnectionsHost,
    ConnectionLimitHost,
    ConnectorHost,
    DiscoveryHost,
    UdpSocketsHost,
    UtpServiceHost,
    UnchokerHost,
    PeerTurnoverHost,
    RtcPeersHost,
    SessionBandwidthHost,
    SessionTickerHost,
    SessionTorrentsHost
{
  readonly alerts: AlertQueue
  readonly torrents: SessionTorrents
  readonly blockSender: BlockSender
  readonly trackerClient: TrackerClient
  readonly webTrackers: WebTrackers
  readonly listenSockets: ListenSockets
  readonly bandwidth: SessionBandwidth
  readonly unchoker: Unchoker
  readonly udpSockets: UdpSockets
  readonly utp: UtpService
  readonly discovery: Discovery
  readonly attempts: AttemptBook
  readonly stats = new TransferStats()
  readonly filters = new AddressFilters()
  readonly origins = new PeerOrigins()
  readonly platform: Platform
  readonly proxy: SessionProxy
  readonly i2p: I2pService
  readonly disk: GuardedDisk
  readonly timers: Timers
  readonly peerId: Uint8Array
  readonly trackerKey: number
  private paused = false
  private closing = false
  private readonly ticker: SessionTicker
  private readonly incoming: IncomingConnections
  private readonly limit: ConnectionLimit
  private readonly turnover: PeerTurnover
  private readonly dialler: Dialler
  private readonly flushes: FlushQueue
  private readonly stalled: StalledPeers
  private readonly connector: Connector
  private readonly checking = new CheckingQueue(() => ACTIVE_CHECKING)
  private readonly wakes: WakeQueue<Wakeable>
  private readonly external: ExternalAddress
  /** When trackers were told of a new address last. */
  private lastAddressNews = Number.NEGATIVE_INFINITY

  constructor(
    world: Platform,
    disk: SessionDisk,
    readonly settings: Settings,
  ) {
    const report = (cause: unknown) => this.onFault(cause)
    const resolver = new ResolverCache({
      ...world,
      get cacheTimeout() {
        return settings.resolverCacheTimeout
      },
    })
    const udp = reportedUdp(world.udp, (endpoint, error) => this.onUdpError(endpoint, error))
    const platform = guardedPlatform({ ...world, udp, resolver }, report)
    this.platform = platform
    this.timers = platform.timers
    this.disk = new GuardedDisk(disk, report)
    this.alerts = new AlertQueue(platform.clock, { mask: settings.alertMask, sizeLimit: settings.alertQueueSize })
    this.blockSender = new BlockSender(disk.pool)
    this.peerId = makePeerId(settings.peerFingerprint, platform.random)
    this.trackerKey = platform.random.u32()
    this.torrents = new SessionTorrents(this)
    this.webTrackers = new WebTrackers(new RtcPeers(this))
    this.proxy = new SessionProxy(this)
    this.i2p = new I2pService(this)
    this.trackerClient = new TrackerClient({
      platform: this.proxy.trackers,
      settings,
      localAddress: (family) => this.localAddress(family),
      checkAddress: (address) => this.checkAddress(address),
      webTrackers: this.webTrackers,
      i2p: this.i2p,
    })
    this.listenSockets = new ListenSockets(this)
    this.bandwidth = new SessionBandwidth(this)
    this.unchoker = new Unchoker(this)
    this.udpSockets = new UdpSockets(this)
    this.utp = new UtpService(this)
    this.discovery = new Discovery(this)
    this.attempts = new AttemptBook(platform.clock)
    this.external = new ExternalAddress(platform.clock)
    this.flushes = new FlushQueue(platform.timers)
    this.stalled = new StalledPeers(this.disk)
    this.ticker = new SessionTicker(this)
    this.incoming = new IncomingConnections(this)
    this.limit = new ConnectionLimit(this)
    this.turnover = new PeerTurnover(this, platform.clock.now())
    this.dialler = new Dialler(this)
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

  get tls(): Tls {
    return this.platform.tls
  }

  get localNetwork(): Platform['localNetwork'] {
    return this.platform.localNetwork
  }

  get peerTcp(): Pick<Platform['tcp'], 'connect'> {
    return this.proxy.peerTcp
  }

  /** Peers or trackers may not learn our address: WebRTC, which tells both, is off. */
  get isHiding(): boolean {
    return this.settings.anonymousMode || !this.isReachable || this.proxy.policy.trackers !== 'direct'
  }

  /** Peers may be spoken to by uTP. */
  get carriesUtp(): boolean {
    return this.proxy.policy.carriesUtp
  }

  get canBeIntroduced(): boolean {
    return this.carriesUtp && this.isReachable
  }

  get isReachable(): boolean {
    return this.proxy.policy.isReachable
  }

  get random(): Random {
    return this.platform.random
  }

  get resolver(): Resolver {
    return this.platform.resolver
  }

  get httpStreams(): HttpStreams {
    return this.proxy.webSeeds
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

  get announceEndpoints(): readonly Endpoint[] {
    return this.listenSockets.announceEndpoints
  }

  get sslListenPort(): number {
    return this.listenSockets.sslPort
  }

  get sslAnnounceEndpoints(): readonly Endpoint[] {
    return this.listenSockets.sslAnnounceEndpoints
  }

  get listenEndpoints(): readonly ListenEndpoint[] {
    return this.listenSockets.endpoints
  }

  needsSsl(): void {
    this.listenSockets.needsSsl()
  }

  localAddress(family: 4 | 6): string | null {
    return this.listenSockets.localAddress(family)
  }

  onListenSocketsChanged(): void {
    this.trackerClient.onNetworkChanged()
    this.udpSockets.update(() => {
      if (!this.closing) this.discovery.onListening()
    })
    for (const torrent of this.torrents.values()) torrent.trackers.onListenSocketsChanged()
  }

  get udp(): Platform['udp'] {
    return this.proxy.dht.udp
  }

  get wantsUdp(): boolean {
    return this.wantsSslUdp || (this.settings.enableDht && this.proxy.policy.dht !== 'never')
  }

  get wantsSslUdp(): boolean {
    const { enableIncomingUtp, enableOutgoingUtp } = this.settings
    return (enableIncomingUtp || enableOutgoingUtp) && this.carriesUtp
  }

  onUdpOpened(socket: SharedUdpSocket): void {
    this.utp.onUdpOpened(socket)
    this.discovery.dht.onUdpOpened(socket)
  }

  onUdpClosed(socket: SharedUdpSocket): void {
    this.utp.onUdpClosed(socket)
    this.discovery.dht.onUdpClosed(socket)
  }

  get isPaused(): boolean {
    return this.paused
  }

  /** Connections over all torrents, half-open ones included. */
  get numConnections(): number {
    return this.limit.inUse
  }

  get freeConnections(): number {
    return this.limit.free
  }

  get halfOpen(): number {
    let count = 0
    for (const { connections } of this.connectedTorrents()) {
      for (const { state } of connections) if (state === 'connecting') count++
    }
    return count
  }

  get hasIncomingConnections(): boolean {
    return this.incoming.hasAny
  }

  activeTorrents(): Iterable<Torrent> {
    return this.ticker.active
  }

  *connectedTorrents(): Iterable<Swarm> {
    for (const torrent of this.ticker.active) yield torrent.swarm
  }

  // --- torrents -------------------------------------------------------------------------------------------------

  find(infoHash: Sha1Hash): Torrent | null {
    return this.torrents.find(infoHash)
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
    return this.torrents.add(info.infoHash, () => new Torrent(this, params, info, resume, makeRef))
  }

  /** `done` is called when nothing of the torrent is left, with the error if its files could not be deleted. */
  remove(
    torrent: Torrent,
    done: (error: LibtorrentError | null) => void,
    code?: LibtorrentErrorCode,
    deletesFiles?: boolean,
  ): void {
    this.torrents.remove(torrent, done, code, deletesFiles)
  }

  onStateUpdated(torrent: Torrent): void {
    this.torrents.onStateUpdated(torrent)
  }

  /** The torrents whose status changed since the last call. */
  takeUpdated(): Torrent[] {
    return this.torrents.takeUpdated()
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
   * when that is so, at the latest a little after `stop_tracker_timeout` if the disk answers; a part of it that hangs is
   * given up after 30 seconds.
   */
  close(done: () => void): void {
    this.closing = true
    this.disk.giveUpHanging()
    this.listenSockets.close()
    this.connector.stop()
    this.incoming.close()
    let left = 2
    const part = () => {
      if (--left === 0) this.release(done)
    }
    // Torrents first: their uTP connections take leave by the sockets that are closed next.
    this.torrents.removeAll('sessionClosing', part)
    this.discovery.close(() => {
      this.udpSockets.close()
      part()
    })
  }

  private release(done: () => void): void {
    this.ticker.stop()
    this.bandwidth.stop()
    this.wakes.stop()
    this.stalled.stop()
    this.trackerClient.close()
    this.webTrackers.close()
    this.i2p.close()
    this.disk.stop(done)
  }

  /** Takes over changed settings. @throws as `applySettings` */
  applySettings(changes: Partial<Settings>, done: () => void): void {
    const { listenInterfaces, sslListen } = this.settings
    applySettings(this.settings, changes)
    // The mask is the API's: it adds what listeners want.
    if (changes.alertQueueSize !== undefined) this.alerts.setSizeLimit(changes.alertQueueSize)
    this.disk.configure({
      maxQueuedDiskBytes: this.settings.maxQueuedDiskBytes,
      filePoolSize: this.settings.filePoolSize,
    })
    this.limit.enforce()
    this.bandwidth.onSettingsChanged()
    const { peersMove, reachabilityChanged } = this.proxy.onSettingsChanged()
    if (peersMove) this.leavePeers()
    this.utp.onSettingsChanged()
    this.webTrackers.onSettingsChanged()
    this.i2p.onSettingsChanged()
    for (const torrent of this.torrents.values()) {
      torrent.trackers.onSettingsChanged()
      torrent.swarm.onSettingsChanged()
      torrent.suggester.onSettingsChanged()
      torrent.webSeeds.onSettingsChanged()
      torrent.discovery.onSettingsChanged()
    }
    this.connector.resume()
    this.udpSockets.update(() => {
      if (!this.closing) this.discovery.onSettingsChanged()
    })
    const { settings } = this
    const isSame = settings.listenInterfaces === listenInterfaces && settings.sslListen === sslListen
    if (isSame && !reachabilityChanged) done()
    else this.listenSockets.onSettingsChanged(done)
  }

  setIpFilter(filter: IpFilter): void {
    this.filters.ipFilter = filter
    for (const torrent of this.torrents.values()) torrent.peerFilter.onIpFilterChanged()
  }

  setPortFilter(filter: PortFilter): void {
    this.filters.portFilter = filter
    for (const torrent of this.torrents.values()) torrent.peerFilter.onPortFilterChanged()
  }

  checkAddress(address: string): LibtorrentError | null {
    return this.filters.refusal(address)
  }

  /** Nothing stays open on a way that the settings have closed. */
  private leavePeers(): void {
    this.incoming.dropWaiting()
    const reason = new LibtorrentError(
      { code: 'ECONNABORTED', value: 103, category: 'system' },
      'peers are connected to in another way now: the settings of the proxy have changed',
      { operation: 'proxy' },
    )
    for (const torrent of this.torrents.values()) {
      torrent.swarm.closeAll(reason)
      torrent.webSeeds.stop()
    }
  }

  // --- each second ----------------------------------------------------------------------------------------------

  setActive(torrent: Torrent, active: boolean): void {
    this.ticker.setActive(torrent, active)
  }

  onTick(now: Millis): void {
    this.bandwidth.tick()
    this.unchoker.tick(now)
    this.turnover.tick(now)
  }

  // --- connections ----------------------------------------------------------------------------------------------

  connect(request: DialRequest, handler: StreamHandler): Stream {
    return this.dialler.dial(request, handler)
  }

  onIncoming(stream: Stream, ssl = false): void {
    this.incoming.onIncoming(stream, ssl)
  }

  targetOf(infoHash: Uint8Array): Torrent | null {
    return this.torrents.findBytes(infoHash)
  }

  findStreamKey(hash: Uint8Array): Uint8Array | null {
    return this.torrents.findStreamKey(hash)?.infoHash.bytes ?? null
  }

  makeRoom(numPeers: number): boolean {
    return this.limit.makeRoom(numPeers)
  }

  wantsConnections(torrent: Torrent): void {
    this.connector.add(torrent)
  }

  boostConnections(torrent: Torrent, attempts: number): number {
    return this.connector.boost(torrent, attempts)
  }

  onConnectionOpened(_torrent: Torrent, _peer: PeerConnection): void {
    this.limit.inUse++
  }

  onConnectionClosed(torrent: Torrent, peer: PeerConnection): void {
    this.limit.inUse--
    this.stats.accumulate(peer.stats)
    this.stalled.remove(peer)
    this.unchoker.onClosed(torrent, peer)
    torrent.swarm.wantConnections()
    this.connector.resume()
  }

  onPeerInterestChanged(torrent: Torrent, peer: PeerConnection): void {
    this.unchoker.onInterestChanged(torrent, peer)
  }

  scheduleFlush(peer: PeerConnection): void {
    this.flushes.add(peer)
  }

  waitForSlot(reader: SlotWaiter): void {
    this.stalled.add(reader)
  }

  addTransfers(stats: TransferStats): void {
    this.stats.accumulate(stats)
  }

  // --- other services for torrents ------------------------------------------------------------------------------

  openStorage(params: StorageParams, handler: StorageHandler, custom?: StorageConstructor): TorrentStorage {
    if (custom === undefined) return this.disk.openStorage(params, handler)
    return this.disk.openCustomStorage(params, handler, custom(params))
  }

  wakeAt(owner: Wakeable, when: Millis): void {
    this.wakes.set(owner, when)
  }

  forgetWake(owner: Wakeable): void {
    this.wakes.delete(owner)
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

  private onUdpError(endpoint: Endpoint, error: LibtorrentError): void {
    if (this.alerts.wants(UdpErrorAlert.category)) this.alerts.post(new UdpErrorAlert({ endpoint, error }))
  }

  onLocalPeer(infoHash: Sha1Hash, peer: Endpoint): void {
    this.find(infoHash)?.discovery.onLocalPeer(peer)
  }

  externalEndpoint(v6: boolean): Endpoint | null {
    const address = this.external.address(v6)
    return address === null ? null : { address, port: this.listenPort }
  }

  onExternalAddress(address: string, source: string): void {
    const v6 = isV6(address)
    const before = this.external.address(v6)
    if (!this.external.vote(address, source)) return
    if (this.alerts.wants(ExternalIpAlert.category)) {
      this.alerts.post(new ExternalIpAlert({ externalAddress: address }))
    }
    for (const torrent of this.torrents.values()) torrent.swarm.onExternalAddressChanged()
    if (before !== null) this.onAddressChanged(v6)
  }

  /** We have moved, it seems. Trackers are to know; but who makes us believe it again and again storms nobody. */
  private onAddressChanged(v6: boolean): void {
    const now = this.clock.now()
    if (now - this.lastAddressNews < this.settings.minAnnounceInterval * 1000) return
    this.lastAddressNews = now
    for (const torrent of this.torrents.values()) torrent.trackers.onAddressChanged(v6)
  }
}
