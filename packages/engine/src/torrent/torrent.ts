import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import type { TorrentState } from '../alerts/torrentState.ts'
import { type LibtorrentError, type LibtorrentErrorCode, systemError } from '../errors/libtorrentError.ts'
import { storageFiles } from '../metainfo/fileStorage.ts'
import { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { BlockSender } from '../peer/blockSender.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'
import type { Clock } from '../platform/clock.ts'
import type { BlockPool, StorageFile, StorageHandler, TorrentStorage } from '../platform/disk.ts'
import type { Random } from '../platform/random.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import type { Settings } from '../settings/settings.ts'
import type { TorrentTrackers } from '../tracker/torrentTrackers.ts'
import type { TrackerClient } from '../tracker/trackerClient.ts'
import { Bitfield } from '../util/bitfield.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis, PieceIndex, SlotIndex } from '../util/flavored.ts'
import { TransferStats } from '../util/transferStats.ts'
import type { Handshake } from '../wire/handshake.ts'
import type { AddTorrentParams } from './addTorrentParams.ts'
import { BlockRequester, type BlockRequesterHost } from './blockRequester.ts'
import { BlockServer, type BlockServerHost } from './blockServer.ts'
import { Completion, type CompletionHost } from './completion.ts'
import { DiskTrouble, type DiskTroubleHost } from './diskTrouble.ts'
import { FilePriorities, type FilePrioritiesHost } from './filePriorities.ts'
import { Interest, type InterestHost } from './interest.ts'
import { MetadataExchange, type MetadataExchangeHost } from './metadataExchange.ts'
import { PeerTicker, type PeerTickerHost } from './peerTicker.ts'
import { PieceReceiver, type PieceReceiverHost } from './pieceReceiver.ts'
import { PieceSuggester, type PieceSuggesterHost } from './pieceSuggester.ts'
import { SeedMode, type SeedModeHost } from './seedMode.ts'
import { Swarm, type SwarmHost } from './swarm.ts'
import { TorrentAnnouncer, type TorrentAnnouncerHost } from './torrentAnnouncer.ts'
import { TorrentCounters } from './torrentCounters.ts'
import type { TorrentHost, Wakeable } from './torrentHost.ts'
import { type LoadedPieces, type LoadingPhase, TorrentLoader, type TorrentLoaderHost } from './torrentLoader.ts'
import { TorrentNews } from './torrentNews.ts'
import { type PeerReportsHost, TorrentPeerHost } from './torrentPeerHost.ts'
import { TorrentPieces } from './torrentPieces.ts'
import { applyResumeState } from './torrentResume.ts'

/** "No limit" for counts of connections. */
const UNLIMITED = 0xff_ffff
/** Connections are scarce when no more than this many are left (libtorrent). */
const SCARCE_CONNECTIONS = 5

/** What exists only once the metadata is known. */
interface Content {
  readonly layout: PieceLayout
  readonly pieces: TorrentPieces
  readonly storage: TorrentStorage
  readonly receiver: PieceReceiver
  readonly loader: TorrentLoader
}

type PartHosts = SwarmHost &
  BlockRequesterHost &
  BlockServerHost &
  FilePrioritiesHost &
  InterestHost &
  MetadataExchangeHost &
  PeerTickerHost &
  PeerReportsHost &
  PieceReceiverHost &
  PieceSuggesterHost &
  TorrentLoaderHost &
  TorrentAnnouncerHost &
  SeedModeHost &
  DiskTroubleHost &
  CompletionHost

/**
 * One torrent of a session: puts its parts together and decides what the state of the whole is.
 *
 * Each part is a file of this folder and sees the torrent through its own Host interface only: `swarm` (connections),
 * `peerHost` (passes on what they report), `requester` (what to ask for), `receiver` (blocks in), `server` (blocks
 * out), `pieces` (had and wanted), `loader` (what is on disk), `metadata` (BEP 9), `announcer` (trackers),
 * `completion` (what pieces gained lead to), `diskTrouble`, `seedMode`, `news` (alerts). The torrent holds what they
 * share, and the transitions: loading -> loaded; online or paused; failed or not.
 */
export class Torrent implements PartHosts, StorageHandler, Wakeable {
  readonly infoHash: Sha1Hash
  /** What alerts name the torrent by: the API's handle. */
  readonly ref: TorrentRef
  readonly swarm: Swarm
  readonly peerHost: TorrentPeerHost
  readonly interest: Interest
  readonly requester: BlockRequester
  readonly server: BlockServer
  readonly suggester: PieceSuggester
  readonly metadata: MetadataExchange
  readonly announcer: TorrentAnnouncer
  readonly files: FilePriorities
  readonly stats = new TransferStats()
  readonly counters = new TorrentCounters()
  readonly news: TorrentNews
  readonly seedMode: SeedMode
  private readonly diskTrouble: DiskTrouble
  private readonly completion: Completion
  private readonly ticker: PeerTicker
  private content: Content | null = null

  state: TorrentState
  /** What stopped the torrent; null while all is well. */
  error: LibtorrentError | null = null
  savePath: string
  /** Set by the user, kept in resume data. */
  isUserPaused: boolean
  isAutoManaged: boolean
  isSequentialDownload: boolean
  /** Nothing is downloaded: asked for, or because the disk refused to write. */
  isUploadMode: boolean
  /** Resume data would say something else than what was saved last. */
  needsSaveResume = true
  maxUploads: number
  connectionLimit: number
  /** Names given to files in place of the torrent's own, by index. */
  readonly renamedFiles = new Map<number, string>()
  hasIncoming = false
  private isAborted = false
  /** Trackers are told, peers are connected. */
  private isOnline = false
  private isPausingGracefully = false
  /** What was last said of it by `torrentPaused` or `torrentResumed`. */
  private wasPaused = false

  constructor(
    readonly host: TorrentHost,
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
    this.isUserPaused = (params.paused ?? false) && !this.isAutoManaged
    this.isSequentialDownload = params.sequentialDownload ?? false
    this.isUploadMode = params.uploadMode ?? false
    this.maxUploads = params.maxUploads ?? -1
    this.connectionLimit = params.maxConnections ?? -1
    this.counters.addedTime = host.clock.unixTime()
    this.state = info.isValid ? 'checkingResumeData' : 'downloadingMetadata'

    this.news = new TorrentNews(this)
    this.peerHost = new TorrentPeerHost(this)
    this.swarm = new Swarm(this, this.peerHost)
    this.interest = new Interest(this)
    this.requester = new BlockRequester(this)
    this.server = new BlockServer(this)
    this.suggester = new PieceSuggester(this)
    this.metadata = new MetadataExchange(this)
    this.ticker = new PeerTicker(this)
    this.files = new FilePriorities(this)
    this.announcer = new TorrentAnnouncer(this)
    this.seedMode = new SeedMode(this)
    this.diskTrouble = new DiskTrouble(this)
    this.completion = new Completion(this)
  }

  // --- what the parts share -------------------------------------------------------------------------------------

  get settings(): Readonly<Settings> {
    return this.host.settings
  }

  get alerts(): AlertSink {
    return this.host.alerts
  }

  get clock(): Clock {
    return this.host.clock
  }

  get random(): Random {
    return this.host.random
  }

  get pool(): BlockPool {
    return this.host.pool
  }

  get isDiskCongested(): boolean {
    return this.host.isDiskCongested
  }

  get blockSender(): BlockSender {
    return this.host.blockSender
  }

  get client(): TrackerClient {
    return this.host.trackerClient
  }

  get trackers(): TorrentTrackers {
    return this.announcer.trackers
  }

  get trackerKey(): number {
    return this.host.trackerKey
  }

  /** In seed mode: the pieces that were verified. Null otherwise. */
  get verified(): Bitfield | null {
    return this.seedMode.verified
  }

  /** Path of the file the last disk error was about, empty if none. */
  get errorFile(): string {
    return this.diskTrouble.errorFile
  }

  get useParoleMode(): boolean {
    return this.settings.useParoleMode
  }

  get disableHashChecks(): boolean {
    return this.settings.disableHashChecks
  }

  get peerId(): Uint8Array {
    return this.host.peerId
  }

  get infoHashBytes(): Uint8Array {
    return this.infoHash.bytes
  }

  get listenPort(): number {
    return this.host.listenPort
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

  get freeConnections(): number {
    return this.host.freeConnections
  }

  get maxConnections(): number {
    return this.connectionLimit < 0 ? UNLIMITED : this.connectionLimit
  }

  get maxMetadataSize(): number {
    return this.settings.maxMetadataSize
  }

  get numPeers(): number {
    return this.swarm.connections.size
  }

  now(): Millis {
    return this.host.clock.now()
  }

  havePiece(piece: PieceIndex): boolean {
    return this.isServing && this.content?.pieces.havePiece(piece) === true
  }

  // --- what state the torrent is in -----------------------------------------------------------------------------

  get name(): string {
    return this.info.name || (this.params.name ?? '')
  }

  get isPaused(): boolean {
    return this.isUserPaused || this.host.isPaused
  }

  get hasMetadata(): boolean {
    return this.content !== null
  }

  get isLoaded(): boolean {
    return this.state === 'downloading' || this.state === 'finished' || this.state === 'seeding'
  }

  get isSeed(): boolean {
    return this.state === 'seeding'
  }

  get isFinished(): boolean {
    return this.state === 'finished' || this.state === 'seeding'
  }

  /** Files are checked, so that it is known what there is to give. */
  get isServing(): boolean {
    return this.isLoaded
  }

  get isPartialSeed(): boolean {
    return this.state === 'finished'
  }

  get isUploadOnly(): boolean {
    return this.isFinished || (this.isUploadMode && this.hasMetadata)
  }

  get isTakingPeers(): boolean {
    if (this.isAborted || this.error !== null || this.isPaused || this.isPausingGracefully) return false
    return this.isLoaded || this.state === 'downloadingMetadata'
  }

  get isDownloadAllowed(): boolean {
    return this.state === 'downloading' && !this.isUploadMode
  }

  get isRequesting(): boolean {
    if (this.isAborted || this.isPaused || this.isPausingGracefully) return false
    return this.isDownloadAllowed && this.error === null
  }

  get areConnectionsScarce(): boolean {
    return this.freeConnections <= SCARCE_CONNECTIONS || this.maxConnections - this.numPeers <= SCARCE_CONNECTIONS
  }

  /** Upload mode because of a write error, not because somebody asked for it. */
  get isUploadModeByError(): boolean {
    return this.diskTrouble.isUploadModeByError
  }

  /** Something is done for this torrent each second. */
  get isActive(): boolean {
    return this.swarm.connections.size > 0 || this.isPausingGracefully || this.diskTrouble.isRetrying
  }

  get isRemoved(): boolean {
    return this.isAborted
  }

  // --- loading --------------------------------------------------------------------------------------------------

  /** Called once, when the session knows the torrent. */
  start(): void {
    const { resume } = this
    this.resume = null
    this.announcer.load(resume)
    if (resume !== null) applyResumeState(this, resume)
    this.wasPaused = this.isPaused
    for (const peer of this.params.peers ?? []) this.swarm.connectTo(peer, 0)
    if (this.info.isValid) this.openContent(resume)
    this.updateOnline()
  }

  /** No files -> files: the metadata is known. */
  private openContent(resume: ResumeState | null): void {
    const layout = new PieceLayout(this.info.totalSize, this.info.pieceLength)
    const files = this.storageFiles()
    const pieces = new TorrentPieces(layout, this.host.random)
    const storage = this.host.openStorage(
      {
        savePath: this.savePath,
        files,
        totalSize: layout.totalSize,
        pieceLength: layout.pieceLength,
        allocation: this.params.storageMode ?? 'sparse',
      },
      this,
      this.params.storage,
    )
    const loader = new TorrentLoader(this, layout, files, storage)
    this.content = {
      layout,
      pieces,
      storage,
      receiver: new PieceReceiver(this, layout, storage),
      loader,
    }
    this.files.onContent(layout)
    for (const peer of [...this.swarm.connections]) peer.metadataKnown(layout)
    if (this.params.seedMode && resume === null) {
      const have = new Bitfield(layout.numPieces, true)
      this.onLoaded({ have, unfinishedBlocks: [], seedMode: true, verified: new Bitfield(layout.numPieces) })
    } else {
      loader.checkResume(resume)
    }
  }

  private storageFiles(): StorageFile[] {
    const files = storageFiles(this.info.files())
    for (const [index, path] of this.renamedFiles) {
      if (files[index] !== undefined) files[index] = { ...files[index], path }
    }
    return files
  }

  onLoadingPhase(phase: LoadingPhase): void {
    this.setState(phase)
  }

  queueForChecking(): void {
    if (!this.isPaused && this.error === null) this.host.queueForChecking(this)
  }

  doneChecking(): void {
    this.host.doneChecking(this)
  }

  beginChecking(): void {
    this.content?.loader.beginChecking()
  }

  /** loading -> downloading, finished or seeding */
  onLoaded(found: LoadedPieces): void {
    const { content } = this
    if (content === null || this.isAborted) return
    content.pieces.replace(found.have)
    this.seedMode.verified = found.seedMode ? found.verified.clone() : null
    const { picker } = content.pieces
    if (picker !== null) {
      this.files.apply()
      for (const id of found.unfinishedBlocks) picker.markAsFinished(id, null)
    }
    this.completion.onLoaded(content.pieces)
    if (!this.isFinished) this.initializeStorage()
    // Pieces whose blocks are all there were never hashed: that is done now.
    for (const id of found.unfinishedBlocks) content.receiver.hashIfComplete(content.layout.pieceOf(id))
    this.news.checked()
    if (this.isFinished) this.news.finished()
    this.needsSaveResume = true
    // Peers that were connected while there was no metadata learn only now what we have and want.
    for (const peer of [...this.swarm.connections]) this.adopt(peer)
    this.updateOnline()
  }

  /** Makes empty files and links, and in mode `allocate` the others. */
  private initializeStorage(): void {
    this.content?.storage.initialize((error) => {
      if (error !== null && !this.isAborted) this.onWriteError(error)
    })
  }

  private adopt(peer: PeerConnection): void {
    this.picker?.incRefcountBits(peer.pieces)
    if (!peer.isReady) return
    this.interest.recount(peer)
    this.announceHave(peer)
    this.peerHost.closeIfRedundant(peer)
    if (!peer.isClosed) this.requester.requestMore(peer)
  }

  /** Tells a peer that got our greeting before the files were checked. */
  private announceHave(peer: PeerConnection): void {
    const { pieces } = this
    if (pieces === null || pieces.numHave === 0) return
    pieces.have().forEachSet((piece) => peer.writer.have(piece))
    peer.touch()
  }

  onLoadError(error: LibtorrentError): void {
    this.fail(error)
  }

  /** any loaded state -> queuedForChecking: what we have is to be found out anew. */
  forceRecheck(): void {
    const { content } = this
    if (content === null || this.isAborted) return
    this.error = null
    this.seedMode.verified = null
    this.swarm.closeAll('torrentNotReady')
    content.loader.stop()
    content.receiver.clear()
    this.server.failWaiting()
    content.pieces.replace(new Bitfield(content.layout.numPieces))
    this.content = { ...content, loader: new TorrentLoader(this, content.layout, this.storageFiles(), content.storage) }
    this.content.loader.checkFiles()
    this.updateOnline()
  }

  // --- metadata (BEP 9) -----------------------------------------------------------------------------------------

  /** The info section we can serve; `metadata` is who does. */
  get infoSection(): Uint8Array | null {
    return this.content === null ? null : this.info.metadata()
  }

  onMetadataComplete(bytes: Uint8Array): boolean {
    if (this.content !== null) return true
    const error = this.info.parseInfoSection(bytes)
    if (error !== null) {
      this.news.metadataFailed(error)
      // The bytes are what the hash says, and still no torrent: no other peer can have better ones.
      if (!error.is('mismatchingInfoHash')) this.fail(error)
      return !error.is('mismatchingInfoHash')
    }
    this.metadata.stopFetching()
    this.news.metadataReceived()
    this.needsSaveResume = true
    this.openContent(null)
    return true
  }

  // --- pieces ---------------------------------------------------------------------------------------------------

  onBlockWritten(piece: PieceIndex, offset: number, _length: number, error: LibtorrentError | null): void {
    try {
      this.content?.receiver.onBlockWritten(piece, offset, error)
    } catch (cause) {
      this.onDiskFault(cause)
    }
    this.needsSaveResume = true
  }

  /** Our own code failed over an answer of the disk: this torrent stops, the others go on. */
  private onDiskFault(cause: unknown): void {
    this.host.onFault(cause)
    if (this.error === null) this.fail(systemError(cause))
  }

  onPieceHashed(piece: PieceIndex, digest: Uint8Array | null, error: LibtorrentError | null): void {
    try {
      this.pieceHashed(piece, digest, error)
    } catch (cause) {
      this.onDiskFault(cause)
    }
  }

  private pieceHashed(piece: PieceIndex, digest: Uint8Array | null, error: LibtorrentError | null): void {
    const { content } = this
    if (content === null) return
    if (content.loader.onPieceHashed(piece, digest, error)) return
    if (this.verified !== null && !this.isRequesting) this.seedMode.onPieceHashed(piece, digest)
    else content.receiver.onPieceHashed(piece, digest, error)
  }

  onBlockRead(token: number, slot: SlotIndex, _length: number, error: LibtorrentError | null): void {
    try {
      this.server.onBlockRead(token, slot, error)
    } catch (cause) {
      this.onDiskFault(cause)
    }
  }

  hashMatches(piece: PieceIndex, digest: Uint8Array): boolean {
    return this.info.isPieceHash(piece, digest)
  }

  onPiecePassed(piece: PieceIndex): void {
    this.completion.onPiecePassed(piece)
  }

  onPieceFailed(piece: PieceIndex, banned: readonly TorrentPeer[]): void {
    this.completion.onPieceFailed(piece, banned)
  }

  cancelElsewhere(blockId: number, from: PeerConnection): void {
    for (const peer of this.swarm.connections) if (peer !== from) peer.cancel(blockId)
  }

  onPrioritiesChanged(): void {
    this.completion.onPrioritiesChanged()
  }

  closeIfRedundant(peer: PeerConnection): void {
    this.peerHost.closeIfRedundant(peer)
  }

  enter(state: 'downloading' | 'finished' | 'seeding'): void {
    this.setState(state)
  }

  // --- errors ---------------------------------------------------------------------------------------------------

  onWriteError(error: LibtorrentError): void {
    this.diskTrouble.onWriteError(error)
  }

  onReadError(error: LibtorrentError): void {
    this.diskTrouble.onReadError(error)
  }

  stayActive(): void {
    this.host.setActive(this, true)
  }

  /** any -> failed; `clearError` ends it. */
  fail(error: LibtorrentError): void {
    this.error = error
    this.news.failed(error)
    this.updateOnline()
  }

  clearError(): void {
    if (this.error === null) return
    this.error = null
    if (this.isUploadModeByError) this.setUploadMode(false)
    this.diskTrouble.forget()
    if (this.content !== null && !this.isLoaded) this.forceRecheck()
    this.updateOnline()
  }

  setUploadMode(on: boolean): void {
    if (this.isUploadMode === on) return
    this.isUploadMode = on
    if (!on) this.diskTrouble.forget()
    this.changed()
    for (const peer of [...this.swarm.connections]) {
      this.interest.update(peer)
      if (on) this.cancelAll(peer)
      else this.requester.requestMore(peer)
    }
  }

  private cancelAll(peer: PeerConnection): void {
    const { picker } = this
    for (const id of peer.download.requests.ids()) {
      if (peer.entry !== null) picker?.abortDownload(id, peer.entry)
      peer.cancel(id)
    }
  }

  // --- starting and stopping ------------------------------------------------------------------------------------

  /** `graceful`: what was asked for is still received. */
  pause(graceful = false): void {
    if (this.isUserPaused) return
    this.needsSaveResume = true
    if (graceful && this.isOnline && this.hasRequestsOutstanding()) {
      this.isPausingGracefully = true
      return
    }
    this.isUserPaused = true
    this.isPausingGracefully = false
    this.updateOnline()
  }

  resumeTorrent(): void {
    this.isPausingGracefully = false
    if (!this.isUserPaused) return
    this.isUserPaused = false
    this.needsSaveResume = true
    this.updateOnline()
  }

  /** Answers are still expected: not from a peer that has been silent for `request_timeout`. */
  private hasRequestsOutstanding(): boolean {
    for (const { download } of this.swarm.connections) {
      if (download.requests.length > 0 && !download.isSnubbed) return true
    }
    return false
  }

  /** Goes online or offline as the state of torrent and session demands. The session calls it when it (un)pauses. */
  updateOnline(): void {
    if (this.isAborted) return
    const shouldBe = this.isTakingPeers
    this.runStopwatches()
    if (this.state === 'queuedForChecking' || this.state === 'checkingFiles') this.updateChecking()
    if (shouldBe !== this.isOnline) {
      this.isOnline = shouldBe
      if (shouldBe) this.goOnline()
      else this.goOffline()
      this.changed()
    }
    if (this.isPaused !== this.wasPaused) this.onPausedChanged()
  }

  /** `torrentPaused` comes when the files are closed, whatever the torrent was doing. */
  private onPausedChanged(): void {
    this.wasPaused = this.isPaused
    this.changed()
    if (!this.wasPaused) this.news.resumed()
    else if (this.content === null) this.news.paused()
    else {
      this.content.storage.releaseFiles(() => {
        if (!this.isAborted) this.news.paused()
      })
    }
  }

  /** A torrent that waits for its check, or is at it, gives its turn to others while it is paused or failed. */
  private updateChecking(): void {
    if (this.error !== null) {
      this.content?.loader.stop()
    } else if (this.isPaused) {
      if (this.state === 'checkingFiles') this.forceRecheck()
      this.host.doneChecking(this)
    } else {
      this.host.queueForChecking(this)
    }
  }

  private goOnline(): void {
    this.announcer.start()
    this.swarm.wantConnections()
  }

  private goOffline(): void {
    this.swarm.closeAll(this.error === null ? 'torrentPaused' : 'stoppingTorrent')
    this.trackers.stop()
    this.host.wakeAt(this.swarm, Number.POSITIVE_INFINITY)
    if (!this.isPaused) this.content?.storage.releaseFiles(() => {})
  }

  private runStopwatches(): void {
    const { activeTime, finishedTime, seedingTime } = this.counters
    const now = this.now()
    const running = !this.isPaused && this.error === null && !this.isAborted
    activeTime.run(running, now)
    finishedTime.run(running && this.isFinished, now)
    seedingTime.run(running && this.isSeed, now)
  }

  /**
   * Leaves the session: connections close, trackers are told `stopped`, disk work is finished.
   * `done` is called when nothing of the torrent is left; bounded by `stop_tracker_timeout` and the disk.
   */
  abort(done: () => void, code: LibtorrentErrorCode = 'torrentRemoved', deleteFiles = false): void {
    if (this.isAborted) return
    this.isAborted = true
    this.runStopwatches()
    this.content?.loader.stop()
    this.swarm.closeAll(code)
    this.host.wakeAt(this.swarm, Number.POSITIVE_INFINITY)
    this.host.setActive(this, false)
    let left = 2
    const part = () => {
      if (--left === 0) done()
    }
    this.trackers.stop(part)
    this.server.abort()
    const { content } = this
    if (content === null) part()
    else if (deleteFiles) part()
    else content.storage.releaseFiles(() => content.storage.close(part))
  }

  // --- each second ----------------------------------------------------------------------------------------------

  tick(now: Millis, elapsed: Millis): void {
    let sees = false
    for (const peer of [...this.swarm.connections]) {
      this.stats.accumulate(peer.stats)
      if (peer.stats.uploadPayload.counter > 0) this.counters.lastUpload = this.host.clock.unixTime()
      if (peer.stats.downloadPayload.counter > 0) this.counters.lastDownload = this.host.clock.unixTime()
      if (peer.isSeed) sees = true
      this.ticker.tick(peer, now, elapsed)
    }
    this.news.stats(this.stats, elapsed)
    this.stats.tick(elapsed)
    if (sees || this.isSeed) this.counters.lastSeenComplete = this.host.clock.unixTime()
    this.metadata.tick(this.swarm.connections)
    if (this.isPausingGracefully && !this.hasRequestsOutstanding()) this.pause()
    this.diskTrouble.tick(now)
    this.swarm.wantConnections()
    this.changed()
    if (!this.isActive && this.stats.uploadRate === 0 && this.stats.downloadRate === 0) this.host.setActive(this, false)
  }

  // --- connections ----------------------------------------------------------------------------------------------

  verifyPiece(piece: PieceIndex): void {
    this.seedMode.verifyPiece(piece)
  }

  requestMore(peer: PeerConnection): void {
    this.requester.requestMore(peer)
  }

  connect(remote: Endpoint, handler: StreamHandler): Stream {
    return this.host.connect(remote, handler)
  }

  accept(stream: Stream, handshake: Handshake, rest: Uint8Array): LibtorrentErrorCode | null {
    const refusal = this.swarm.accept(stream, handshake, rest)
    if (refusal === null) this.hasIncoming = true
    return refusal
  }

  wantsConnections(): void {
    this.host.wantsConnections(this)
  }

  boostConnections(attempts: number): number {
    return this.host.boostConnections(this, attempts)
  }

  makeRoom(numPeers: number): boolean {
    return this.host.makeRoom(numPeers)
  }

  /** Tries the best candidate (for the session's connector). */
  connectOne(): boolean {
    const connected = this.swarm.connectOne()
    if (!connected) this.host.wakeAt(this.swarm, this.swarm.retryAt)
    return connected
  }

  onConnectionOpened(peer: PeerConnection): void {
    this.host.setActive(this, true)
    this.host.onConnectionOpened(this, peer)
  }

  onConnectionClosed(peer: PeerConnection): void {
    this.stats.accumulate(peer.stats)
    this.host.onConnectionClosed(this, peer)
  }

  onPeerErased(entry: TorrentPeer<PeerConnection>): void {
    this.picker?.clearPeer(entry)
  }

  onPeerInterestChanged(peer: PeerConnection): void {
    this.host.onPeerInterestChanged(this, peer)
  }

  onRedundantBytes(length: number): void {
    this.counters.redundantBytes += length
  }

  onExternalAddress(address: string, source: string): void {
    this.host.onExternalAddress(address, source)
  }

  externalEndpoint(v6: boolean): Endpoint | null {
    return this.host.externalEndpoint(v6)
  }

  scheduleFlush(peer: PeerConnection): void {
    this.host.scheduleFlush(peer)
  }

  waitForSlot(peer: PeerConnection): void {
    this.news.performance('outstandingDiskBufferLimitReached')
    this.host.waitForSlot(peer)
  }

  onFault(cause: unknown): void {
    this.host.onFault(cause)
  }

  // --- trackers -------------------------------------------------------------------------------------------------

  wakeAt(when: Millis): void {
    this.host.wakeAt(this, when)
  }

  onWake(now: Millis): void {
    this.trackers.onWake(now)
  }

  onSwarmCounted(): void {
    this.changed()
  }

  // --- transitions ----------------------------------------------------------------------------------------------

  private setState(state: TorrentState): void {
    const prevState = this.state
    if (prevState === state) return
    this.state = state
    this.runStopwatches()
    this.changed()
    this.news.stateChanged(state, prevState)
  }

  private changed(): void {
    this.host.onStateUpdated(this)
  }
}
