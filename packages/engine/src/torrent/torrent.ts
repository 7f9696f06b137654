import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import type { TorrentState } from '../alerts/torrentState.ts'
import type { Direction } from '../bandwidth/direction.ts'
import { RateLimits } from '../bandwidth/rateLimits.ts'
import type { LibtorrentError, LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'
import type { TorrentStorage } from '../platform/disk.ts'
import type { Random } from '../platform/random.ts'
import type { Stream } from '../platform/tcp.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import type { Settings } from '../settings/settings.ts'
import type { TorrentTrackers } from '../tracker/torrentTrackers.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis, PieceIndex } from '../util/flavored.ts'
import { TransferStats } from '../util/transferStats.ts'
import type { Handshake } from '../wire/handshake.ts'
import type { AddTorrentParams } from './addTorrentParams.ts'
import { BlockRequester } from './blockRequester.ts'
import { BlockServer } from './blockServer.ts'
import type { BlockSource } from './blockSource.ts'
import { Completion } from './completion.ts'
import { Content } from './content.ts'
import { DiskAnswers } from './diskAnswers.ts'
import { DiskTrouble } from './diskTrouble.ts'
import { FilePriorities } from './filePriorities.ts'
import { Holepunch } from './holepunch.ts'
import { Interest } from './interest.ts'
import { MetadataExchange } from './metadataExchange.ts'
import type { PartHosts } from './partHosts.ts'
import { PeerDiscovery } from './peerDiscovery.ts'
import { PeerExchange } from './peerExchange.ts'
import { PeerFilter } from './peerFilter.ts'
import { PeerGreeting } from './peerGreeting.ts'
import { PeerNews } from './peerNews.ts'
import { PeerTicker } from './peerTicker.ts'
import type { PieceReceiver } from './pieceReceiver.ts'
import { PieceSuggester } from './pieceSuggester.ts'
import { RatioKeeper } from './ratioKeeper.ts'
import { RenamedFiles } from './renamedFiles.ts'
import { RunState } from './runState.ts'
import { SeedMode } from './seedMode.ts'
import { Swarm } from './swarm.ts'
import { TorrentAnnouncer } from './torrentAnnouncer.ts'
import { TorrentCounters } from './torrentCounters.ts'
import type { SlotWaiter, TorrentHost, Wakeable } from './torrentHost.ts'
import { TorrentIdentity } from './torrentIdentity.ts'
import type { LoadedPieces, TorrentLoader } from './torrentLoader.ts'
import { TorrentNews } from './torrentNews.ts'
import { TorrentPeerHost } from './torrentPeerHost.ts'
import type { TorrentPieces } from './torrentPieces.ts'
import { applyResumeState } from './torrentResume.ts'
import { TorrentSsl } from './torrentSsl.ts'
import { TrackerExchange } from './trackerExchange.ts'
import { UploadMode } from './uploadMode.ts'
import { WebSeeds } from './webSeeds.ts'

/** "No limit" for counts of connections. */
const UNLIMITED = 0xff_ffff

/**
 * One torrent of a session: puts its parts together and holds what they share.
 *
 * Each part is a file of this folder and sees the torrent through its own Host interface only: `run` (running, paused,
 * failed), `content` (pieces and files, once the metadata is known), `swarm` (connections), `greeting` (their start),
 * `peerHost` (passes on what they report), `requester` (what to ask for), `receiver` (blocks in), `server` (blocks out),
 * `diskAnswers` (who asked the disk), `loader` (what is on disk), `metadata` (BEP 9), `exchange` and `trackerExchange`
 * (BEP 11, 28), `holepunch` (BEP 55), `discovery` (DHT, local network), `announcer` (trackers), `webSeeds` (BEP 17, 19), `ssl` (SSL torrents),
 * `completion` (what pieces gained lead to), `uploadMode`, `diskTrouble`, `seedMode`, `peerFilter`
 * (IP and port filter), `news` and `peerNews` (alerts).
 */
export class Torrent implements PartHosts, Wakeable {
  readonly infoHash: Sha1Hash
  /** What alerts name the torrent by: the API's handle. */
  readonly ref: TorrentRef
  readonly run: RunState
  readonly swarm: Swarm
  readonly peerHost: TorrentPeerHost
  readonly greeting: PeerGreeting
  readonly interest: Interest
  readonly requester: BlockRequester
  readonly server: BlockServer
  readonly suggester: PieceSuggester
  readonly metadata: MetadataExchange
  readonly identity: TorrentIdentity
  readonly announcer: TorrentAnnouncer
  readonly files: FilePriorities
  readonly stats = new TransferStats()
  readonly counters = new TorrentCounters()
  readonly news: TorrentNews
  readonly peerNews: PeerNews
  readonly peerFilter: PeerFilter
  readonly seedMode: SeedMode
  readonly uploadMode: UploadMode
  readonly completion: Completion
  readonly discovery: PeerDiscovery
  readonly exchange: PeerExchange
  readonly holepunch: Holepunch
  readonly webSeeds: WebSeeds
  readonly trackerExchange: TrackerExchange
  readonly diskTrouble: DiskTrouble
  readonly ssl: TorrentSsl
  /** How fast its peers may be sent to and received from, all together. */
  readonly limits: RateLimits
  readonly ratioKeeper: RatioKeeper
  private readonly diskAnswers: DiskAnswers
  private readonly ticker: PeerTicker
  /** Null until the metadata is known. */
  content: Content | null = null

  state: TorrentState
  savePath: string
  isAutoManaged: boolean
  isSequentialDownload: boolean
  /** `PeerInfo.country` is filled in. */
  resolvesCountries = false
  /** Resume data would say something else than what was saved last. */
  needsSaveResume = true
  /** Moves of its files that have begun and not ended. */
  movesUnderWay = 0
  maxUploads: number
  connectionLimit: number
  /** 0 to 255: how much quota its peers get of what the session shares out (manual, set_priority). */
  priority = 0
  readonly renamedFiles: RenamedFiles
  hasIncoming = false
  /** It has a tracker in I2P, or was said to be of I2P. Decided when the torrent is started. */
  isI2p = false

  constructor(
    readonly session: TorrentHost,
    readonly params: Readonly<AddTorrentParams>,
    public info: TorrentInfo,
    private resume: ResumeState | null,
    makeRef: (torrent: Torrent) => TorrentRef,
  ) {
    this.infoHash = info.infoHash
    this.ref = makeRef(this)
    this.savePath = params.savePath
    // Nothing starts auto-managed torrents one by one: they all start at once.
    this.isAutoManaged = params.autoManaged ?? true
    this.isSequentialDownload = params.sequentialDownload ?? false
    this.maxUploads = params.maxUploads ?? -1
    this.connectionLimit = params.maxConnections ?? -1
    this.limits = new RateLimits(session.bandwidth)
    this.limits.set('upload', params.uploadLimit ?? 0)
    this.limits.set('download', params.downloadLimit ?? 0)
    this.counters.addedTime = session.clock.unixTime()
    this.state = info.isValid ? 'checkingResumeData' : 'downloadingMetadata'

    this.news = new TorrentNews(this)
    this.renamedFiles = new RenamedFiles(this)
    this.peerNews = new PeerNews(this)
    this.peerFilter = new PeerFilter(this, params.applyIpFilter ?? true)
    this.run = new RunState(this, (params.paused ?? false) && !this.isAutoManaged)
    this.peerHost = new TorrentPeerHost(this)
    this.greeting = new PeerGreeting(this)
    this.swarm = new Swarm(this, this.peerHost)
    this.interest = new Interest(this)
    this.requester = new BlockRequester(this)
    this.server = new BlockServer(this)
    this.suggester = new PieceSuggester(this)
    this.metadata = new MetadataExchange(this)
    this.ticker = new PeerTicker(this)
    this.files = new FilePriorities(this)
    this.identity = new TorrentIdentity(this)
    this.announcer = new TorrentAnnouncer(this)
    this.discovery = new PeerDiscovery(this)
    this.exchange = new PeerExchange(this)
    this.holepunch = new Holepunch(this)
    this.webSeeds = new WebSeeds(this)
    this.trackerExchange = new TrackerExchange(this)
    this.seedMode = new SeedMode(this)
    this.uploadMode = new UploadMode(this, params.uploadMode ?? false)
    this.diskTrouble = new DiskTrouble(this)
    this.diskAnswers = new DiskAnswers(this)
    this.completion = new Completion(this)
    this.ssl = new TorrentSsl(this)
    this.ratioKeeper = new RatioKeeper(this)
  }

  // --- what the parts share -------------------------------------------------------------------------------------

  get settings(): Readonly<Settings> {
    return this.session.settings
  }

  get alerts(): AlertSink {
    return this.session.alerts
  }

  get random(): Random {
    return this.session.random
  }

  get peerId(): Uint8Array {
    return this.identity.peerId
  }

  get infoHashBytes(): Uint8Array {
    return this.infoHash.bytes
  }

  get trackers(): TorrentTrackers {
    return this.announcer.trackers
  }

  get layout(): PieceLayout | null {
    return this.content?.layout ?? null
  }

  get pieces(): TorrentPieces | null {
    return this.content?.pieces ?? null
  }

  get storage(): TorrentStorage | null {
    return this.content?.storage ?? null
  }

  get receiver(): PieceReceiver | null {
    return this.content?.receiver ?? null
  }

  get loader(): TorrentLoader | null {
    return this.content?.loader ?? null
  }

  /** Null until the files are checked, and once every piece is had. */
  get picker(): PiecePicker<TorrentPeer> | null {
    return this.isLoaded ? (this.content?.pieces.picker ?? null) : null
  }

  get maxConnections(): number {
    return this.connectionLimit < 0 ? UNLIMITED : this.connectionLimit
  }

  get bandwidthPriority(): number {
    return 1 + this.priority
  }

  now(): Millis {
    return this.session.clock.now()
  }

  havePiece(piece: PieceIndex): boolean {
    return this.isLoaded && this.content?.pieces.havePiece(piece) === true
  }

  hashMatches(piece: PieceIndex, digest: Uint8Array): boolean {
    return this.info.isPieceHash(piece, digest)
  }

  externalEndpoint(v6: boolean): Endpoint | null {
    const endpoint = this.session.externalEndpoint(v6)
    return endpoint === null ? null : { ...endpoint, port: this.ssl.listenPort }
  }

  // --- what state the torrent is in -----------------------------------------------------------------------------

  get name(): string {
    return this.info.name || (this.params.name ?? '')
  }

  get isPaused(): boolean {
    return this.run.isPaused
  }

  /** What stopped the torrent; null while all is well. */
  get error(): LibtorrentError | null {
    return this.run.error
  }

  get isRemoved(): boolean {
    return this.run.isAborted
  }

  get hasMetadata(): boolean {
    return this.content !== null
  }

  get isLoaded(): boolean {
    return this.state === 'downloading' || this.state === 'finished' || this.state === 'seeding'
  }

  get isReadyForPeers(): boolean {
    return this.isLoaded || this.state === 'downloadingMetadata'
  }

  get isSeed(): boolean {
    return this.state === 'seeding'
  }

  get isFinished(): boolean {
    return this.state === 'finished' || this.state === 'seeding'
  }

  get isUploadOnly(): boolean {
    return this.isFinished || (this.uploadMode.isOn && this.hasMetadata)
  }

  get isTakingPeers(): boolean {
    return this.run.isTakingPeers
  }

  get isDownloadAllowed(): boolean {
    return this.state === 'downloading' && !this.uploadMode.isOn
  }

  get isRequesting(): boolean {
    return this.isDownloadAllowed && this.isTakingPeers
  }

  /** Something is done for this torrent each second. */
  get isActive(): boolean {
    const { swarm, webSeeds, run, diskTrouble } = this
    return swarm.connections.size > 0 || webSeeds.isAwaited || run.isPausing || diskTrouble.isRetrying
  }

  enter(state: TorrentState): void {
    const prevState = this.state
    if (prevState === state) return
    this.state = state
    if (state !== 'downloading') this.webSeeds.stop()
    this.run.runStopwatches()
    this.changed()
    this.news.stateChanged(state, prevState)
  }

  changed(): void {
    this.session.onStateUpdated(this)
  }

  stayActive(): void {
    this.session.setActive(this, true)
  }

  // --- starting and stopping ------------------------------------------------------------------------------------

  /** Called once, when the session knows the torrent. */
  start(): void {
    const { resume, params } = this
    this.announcer.load(resume)
    this.isI2p = params.i2pTorrent ?? (this.info.isI2p || this.trackers.entries().some((entry) => entry.isI2p))
    this.webSeeds.load(resume)
    if (resume !== null) applyResumeState(this, resume)
    this.run.start()
    if (this.info.isValid) this.ssl.onMetadata()
    for (const peer of this.params.peers ?? []) this.swarm.connectTo(peer, 0)
    if (this.info.isValid) this.openContent()
    this.discovery.addDhtNodes()
    this.run.update()
  }

  /** Nothing of it may leave I2P, nor come from elsewhere (setting `allow_i2p_mixed`). */
  get keepsToI2p(): boolean {
    return this.isI2p && !this.settings.allowI2pMixed
  }

  onCredentialsChanged(): void {
    this.trackers.onCredentialsChanged()
    this.webSeeds.onCredentialsChanged()
  }

  /** The session has an I2P router, and there a new address. */
  onI2pReady(): void {
    this.trackers.onI2pReady()
    if (this.isI2p) this.swarm.wantConnections()
  }

  /** `graceful`: what was asked for is still received. */
  pause(graceful = false): void {
    this.run.pause(graceful)
  }

  /** Ends an error, too. */
  resumeTorrent(): void {
    this.run.resume()
    this.clearError()
  }

  /** The session was paused or resumed. */
  updateOnline(): void {
    this.run.update()
  }

  /** any -> failed, and paused; `clearError` ends it. */
  fail(error: LibtorrentError): void {
    this.run.fail(error)
  }

  /** failed -> what it was before */
  clearError(): void {
    if (!this.run.clearError()) return
    this.uploadMode.clearError()
    if (!this.isLoaded) this.content?.retryLoading()
    this.run.update()
  }

  /**
   * Leaves the session: connections close, trackers are told `stopped`, disk work is finished.
   * `done` is called when nothing of the torrent is left; bounded by `stop_tracker_timeout` and the disk.
   */
  abort(done: () => void, code: LibtorrentErrorCode = 'torrentRemoved', deleteFiles = false): void {
    if (!this.run.abort()) return
    this.content?.loader.stop()
    this.peerFilter.end()
    this.discovery.goOffline()
    this.swarm.stop(code)
    this.webSeeds.stop()
    this.session.setActive(this, false)
    this.limits.clear()
    let left = 2
    const part = () => {
      if (--left === 0) done()
    }
    this.trackers.stop(part)
    this.server.abort()
    const { storage } = this
    if (storage === null || deleteFiles) part()
    else storage.releaseFiles(() => storage.close(part))
  }

  // --- metadata, and what is on disk ----------------------------------------------------------------------------

  /** No files -> files: the metadata is known. */
  onMetadata(): void {
    this.needsSaveResume = true
    this.ssl.onMetadata()
    this.trackers.onListenSocketsChanged()
    this.discovery.onMetadata()
    this.trackerExchange.onMetadata()
    this.openContent()
  }

  private openContent(): void {
    const { resume } = this
    this.content = new Content(this, this.diskAnswers)
    this.resume = null
    this.content.load(resume)
  }

  /** Resume data that was given and not compared with the files yet; null when there is none. */
  get claim(): ResumeState | null {
    return this.content === null ? this.resume : this.content.loader.claim
  }

  queueForChecking(): void {
    if (!this.isPaused) this.session.queueForChecking(this)
  }

  beginChecking(): void {
    this.loader?.beginChecking()
  }

  doneChecking(): void {
    this.session.doneChecking(this)
  }

  onCheckProgress(): void {
    this.needsSaveResume = true
    this.changed()
  }

  /** loading -> downloading, finished or seeding */
  onLoaded(found: LoadedPieces): void {
    if (this.isRemoved) return
    this.content?.onLoaded(found)
    this.run.update()
    // One that was online already, fetching its metadata, could not connect while the files were looked at.
    this.swarm.wantConnections()
    this.webSeeds.update()
  }

  /** any loaded state -> queuedForChecking: what we have is to be found out anew. */
  forceRecheck(): void {
    if (this.content === null || this.isRemoved) return
    this.run.clearError()
    this.seedMode.verified = null
    this.swarm.closeAll('torrentNotReady')
    this.webSeeds.stop()
    this.content.recheck()
    this.run.update()
  }

  // --- pieces ---------------------------------------------------------------------------------------------------

  onPiecePassed(piece: PieceIndex): void {
    this.completion.onPiecePassed(piece)
  }

  onPieceFailed(piece: PieceIndex, banned: readonly TorrentPeer[]): void {
    this.completion.onPieceFailed(piece, this.webSeeds.onPieceFailed(piece, banned))
    this.webSeeds.update()
  }

  onLiar(peer: TorrentPeer, piece: PieceIndex): void {
    for (const liar of this.webSeeds.onPieceFailed(piece, [peer])) this.completion.onLiar(liar)
  }

  onPrioritiesChanged(): void {
    this.completion.onPrioritiesChanged()
    this.webSeeds.update()
  }

  // --- connections ----------------------------------------------------------------------------------------------

  accept(stream: Stream, handshake: Handshake, rest: Uint8Array): LibtorrentErrorCode | null {
    if (!this.ssl.admits(stream.socketType)) return 'requiresSslConnection'
    const refusal = this.swarm.accept(stream, handshake, rest)
    if (refusal === null) this.hasIncoming = true
    return refusal
  }

  /** Takes over a WebRTC connection; see `Swarm.adopt`. Returns why not, or null. */
  adopt(stream: Stream, isOutgoing: boolean): LibtorrentErrorCode | null {
    if (!this.ssl.admits(stream.socketType)) return 'requiresSslConnection'
    return this.swarm.adopt(stream, isOutgoing)
  }

  /** `limit`: at least 2, or -1 for none. Surplus connections end at once. */
  setMaxConnections(limit: number): void {
    if (this.connectionLimit === limit) return
    this.connectionLimit = limit
    this.needsSaveResume = true
    this.changed()
    this.swarm.enforceLimit()
    this.swarm.wantConnections()
  }

  /** `limit`: bytes a second; 0, or less, for none. */
  setRateLimit(direction: Direction, limit: number): void {
    if (this.limits.get(direction) === Math.max(0, limit)) return
    this.limits.set(direction, limit)
    this.needsSaveResume = true
    this.changed()
  }

  /** 0 to 255. */
  setPriority(priority: number): void {
    if (this.priority === priority) return
    this.priority = priority
    this.needsSaveResume = true
    this.changed()
  }

  wantsConnections(): void {
    this.session.wantsConnections(this)
  }

  boostConnections(attempts: number): number {
    return this.session.boostConnections(this, attempts)
  }

  makeRoom(numPeers: number): boolean {
    return this.session.makeRoom(numPeers)
  }

  /** Tries the best candidate (for the session's connector). */
  connectOne(): boolean {
    return this.swarm.connectOne()
  }

  onConnectionOpened(peer: PeerConnection): void {
    this.stayActive()
    this.session.onConnectionOpened(this, peer)
  }

  onConnectionClosed(peer: PeerConnection): void {
    this.stats.accumulate(peer.stats)
    this.session.onConnectionClosed(this, peer)
  }

  onPeerErased(entry: TorrentPeer<PeerConnection>): void {
    this.picker?.clearPeer(entry)
    this.receiver?.clearPeer(entry)
  }

  onPeerInterestChanged(peer: PeerConnection): void {
    this.session.onPeerInterestChanged(this, peer)
  }

  cancelElsewhere(blockId: number, from: BlockSource): void {
    for (const peer of this.swarm.connections) if (peer !== from) peer.cancel(blockId)
  }

  waitForSlot(reader: SlotWaiter): void {
    this.news.performance('outstandingDiskBufferLimitReached')
    this.session.waitForSlot(reader)
  }

  // --- time -----------------------------------------------------------------------------------------------------

  tick(now: Millis, elapsed: Millis): void {
    this.ticker.tick(now, elapsed)
    this.webSeeds.tick(elapsed)
    this.news.stats(this.stats, elapsed)
    this.stats.tick(elapsed)
    this.metadata.tick(this.swarm.connections)
    this.exchange.tick(now)
    this.trackerExchange.tick(now)
    this.run.tick()
    this.diskTrouble.tick(now)
    this.swarm.wantConnections()
    this.changed()
    if (!this.isActive && this.stats.uploadRate === 0 && this.stats.downloadRate === 0) {
      this.session.setActive(this, false)
    }
  }

  /** The trackers ask to be woken. */
  wakeAt(when: Millis): void {
    this.session.wakeAt(this, when)
  }

  onWake(now: Millis): void {
    this.trackers.onWake(now)
  }
}
