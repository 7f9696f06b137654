import { normalizeAddress } from '../address/addressBytes.ts'
import { type Endpoint, sameEndpoint } from '../address/endpoint.ts'
import type { TorrentRef } from '../alerts/alertSink.ts'
import { LibtorrentError, thrownError } from '../errors/libtorrentError.ts'
import { makeMagnetUri } from '../metainfo/magnet.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { TrackerSource } from '../metainfo/trackerUrl.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { PartialPieceInfo } from '../picker/piecePicker.ts'
import { MoveFlags } from '../platform/moveFlags.ts'
import type { TlsIdentity } from '../platform/tls.ts'
import { splitInterfaces } from '../session/outgoingAddresses.ts'
import {
  addPiece,
  flushCache,
  moveStorage,
  readPiece,
  renameFile,
  SaveResumeFlags,
  saveResumeData,
} from '../torrent/diskOperations.ts'
import { fileProgress } from '../torrent/fileProgress.ts'
import { type PeerInfo, peerInfo } from '../torrent/peerInfo.ts'
import type { Torrent } from '../torrent/torrent.ts'
import { StatusFlags, type TorrentStatus, torrentStatus } from '../torrent/torrentStatus.ts'
import { webSeedInfo } from '../torrent/webSeedInfo.ts'
import type { AnnounceEntry, TrackerSpec } from '../tracker/announceEntry.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { FileIndex, PieceIndex, Seconds } from '../util/flavored.ts'
import { parseWebSeedUrl } from '../webseed/webSeedLocation.ts'
import { readSslCertificate } from './sslCertificate.ts'

/** Options of `TorrentHandle.pause` (1.0, pause_flags_t). */
export const PauseFlags = {
  /** What was asked of peers is still received; nothing more is asked. */
  gracefulPause: 1,
} as const

/**
 * A torrent in a session (manual, torrent_handle). Getters are snapshots, taken at once; calls that take the disk's
 * time return a promise and also post libtorrent's alert. When the torrent has been removed every call but `isValid`,
 * `infoHash` and `equals` throws (or rejects with) `invalidTorrentHandle`.
 */
export class TorrentHandle implements TorrentRef {
  /** SHA-1 of the torrent's info dictionary: what torrents are known by. */
  readonly infoHash: Sha1Hash

  /** Handles come from `Session`. */
  constructor(private readonly target: Torrent) {
    this.infoHash = target.infoHash
  }

  /** False once the torrent has been removed from its session. */
  get isValid(): boolean {
    return !this.target.isRemoved
  }

  /** True for handles of the same torrent. */
  equals(other: TorrentHandle): boolean {
    return other.target === this.target
  }

  private get torrent(): Torrent {
    if (this.target.isRemoved) throw thrownError('invalidTorrentHandle')
    return this.target
  }

  // --- state ----------------------------------------------------------------------------------------------------

  /** `flags` are `StatusFlags` bits that choose costly fields; default all. */
  status(flags: number = StatusFlags.all): TorrentStatus {
    return torrentStatus(this.torrent, flags)
  }

  /** The torrent's name; what the magnet link called it while the metadata is not known. */
  get name(): string {
    return this.torrent.name
  }

  /** Directory the files are in. */
  get savePath(): string {
    return this.torrent.savePath
  }

  /** What `AddTorrentParams.userdata` was. */
  get userdata(): unknown {
    return this.torrent.params.userdata
  }

  /** Whether the files and piece hashes are known: at once for a .torrent, later for a magnet link. */
  get hasMetadata(): boolean {
    return this.torrent.hasMetadata
  }

  /** Every piece is had. */
  get isSeed(): boolean {
    return this.torrent.isSeed
  }

  /** Everything that is wanted is had. */
  get isFinished(): boolean {
    return this.torrent.isFinished
  }

  /** The torrent itself is paused, by somebody or by an error. A torrent of a paused session does not run either. */
  get isPaused(): boolean {
    return this.torrent.run.isTorrentPaused
  }

  /** Whether the session decides when the torrent runs. */
  get isAutoManaged(): boolean {
    return this.torrent.isAutoManaged
  }

  /** The torrent's metadata, with the names files have on disk; null while it is not known. Do not change it. */
  torrentFile(): TorrentInfo | null {
    return this.torrent.hasMetadata ? this.torrent.info : null
  }

  /** The 0.15 name of `torrentFile`. @throws LibtorrentError `noMetadata` */
  getTorrentInfo(): TorrentInfo {
    const info = this.torrentFile()
    if (info === null) throw thrownError('noMetadata')
    return info
  }

  /** Bytes had of each file. `flags`: `FileProgressFlags`. */
  fileProgress(flags = 0): number[] {
    return fileProgress(this.torrent, flags)
  }

  /** The pieces in progress, with the state of each of their blocks. */
  getDownloadQueue(): PartialPieceInfo<object>[] {
    const { picker, layout } = this.torrent
    if (picker === null || layout === null) return []
    return picker.downloadQueue((piece, block) => layout.blockSize(piece, block))
  }

  /**
   * Whether the session's IP filter applies to this torrent; default true (1.0, apply_ip_filter). When it is turned on,
   * peers that are blocked are disconnected at once. `TorrentStatus.ipFilterApplies` tells.
   */
  applyIpFilter(on: boolean): void {
    this.torrent.peerFilter.set(on)
  }

  /**
   * Whether `PeerInfo.country` is filled in, from the database that `Session.loadCountryDb` loaded; default false
   * (manual, resolve_countries). With an argument it is turned on or off.
   */
  resolveCountries(): boolean
  resolveCountries(on: boolean): void
  resolveCountries(on?: boolean): boolean | undefined {
    if (on === undefined) return this.torrent.resolvesCountries
    this.torrent.resolvesCountries = on
    return undefined
  }

  /** The connections of the torrent, half-open ones and web seeds included. */
  getPeerInfo(): PeerInfo[] {
    const { torrent } = this
    const peers = Array.from(torrent.swarm.connections, (peer) => peerInfo(torrent, peer))
    for (const seed of torrent.webSeeds.connections()) if (seed.isReady) peers.push(webSeedInfo(torrent, seed))
    return peers
  }

  /** Whether a piece is on disk and its hash was right. False while the files are being checked. */
  havePiece(piece: PieceIndex): boolean {
    return this.torrent.havePiece(piece)
  }

  /** How many connected peers have each piece; empty when seeding or without metadata. */
  pieceAvailability(): number[] {
    return this.torrent.picker?.pieceAvailability() ?? []
  }

  /** A magnet link that leads others to this torrent. */
  makeMagnetUri(): string {
    const { torrent } = this
    return makeMagnetUri({
      infoHash: torrent.infoHash,
      name: torrent.name,
      trackers: torrent.trackers.entries(),
      urlSeeds: torrent.webSeeds.urls('urlSeed'),
    })
  }

  // --- starting and stopping ------------------------------------------------------------------------------------

  /**
   * Disconnects all peers and announces nothing more. `flags`: `PauseFlags`. Posts `torrentPaused` when the files are
   * closed. The session may start an auto-managed torrent again: `setAutoManaged(false)` first if it is to stay paused,
   * in this session and, by way of resume data, in the next.
   * @see manual, pause() resume() is_paused()
   */
  pause(flags = 0): void {
    this.torrent.pause((flags & PauseFlags.gracefulPause) !== 0)
  }

  /** Goes on; ends an error as `clearError` does. Posts `torrentResumed`. */
  resume(): void {
    this.torrent.resumeTorrent()
  }

  /** Whether the session decides when the torrent runs. */
  setAutoManaged(on: boolean): void {
    this.torrent.isAutoManaged = on
    this.torrent.needsSaveResume = true
  }

  /** The 0.15 name of `setAutoManaged`. */
  autoManaged(on: boolean): void {
    this.setAutoManaged(on)
  }

  /** Pieces in order instead of rarest first. */
  setSequentialDownload(on: boolean): void {
    this.torrent.isSequentialDownload = on
    this.torrent.needsSaveResume = true
  }

  /** Whether pieces are downloaded in order. */
  get isSequentialDownload(): boolean {
    return this.torrent.isSequentialDownload
  }

  /** Download nothing; what is there is still given. */
  setUploadMode(on: boolean): void {
    this.torrent.uploadMode.set(on)
    this.torrent.needsSaveResume = true
  }

  /** Forgets what is had and hashes everything on disk. `torrentChecked` follows. */
  forceRecheck(): void {
    this.torrent.forceRecheck()
  }

  /**
   * Ends an error (`status().error`) and starts the torrent again, which the error had paused. One that had been paused
   * before stays so until `resume`.
   */
  clearError(): void {
    this.torrent.clearError()
  }

  // --- priorities -----------------------------------------------------------------------------------------------

  /** The priority of a piece, or with `priority` (0 to 7; 0 is not downloaded) sets it. */
  piecePriority(piece: PieceIndex): number
  piecePriority(piece: PieceIndex, priority: number): void
  piecePriority(piece: PieceIndex, priority?: number): number | undefined {
    const { torrent } = this
    if (priority === undefined) return torrent.pieces?.piecePriority(piece) ?? 0
    torrent.files.setPiecePriority(piece, checkedPriority(priority))
    return undefined
  }

  /** A priority for each piece. */
  prioritizePieces(priorities: readonly number[]): void {
    this.torrent.files.prioritizePieces(priorities.map(checkedPriority))
  }

  /** The priority of every piece, 0 to 7; empty without metadata. */
  piecePriorities(): number[] {
    return this.torrent.pieces?.piecePriorities().slice() ?? []
  }

  /** The priority of a file, or with `priority` (0 to 7) sets it. A piece has the highest of the files in it. */
  filePriority(index: FileIndex): number
  filePriority(index: FileIndex, priority: number): void
  filePriority(index: FileIndex, priority?: number): number | undefined {
    const { files } = this.torrent
    if (priority === undefined) return files.filePriority(index)
    files.setFilePriority(index, checkedPriority(priority))
    return undefined
  }

  /** A priority for each file. */
  prioritizeFiles(priorities: readonly number[]): void {
    this.torrent.files.prioritizeFiles(priorities.map(checkedPriority))
  }

  /** The priority of every file, 0 to 7; empty without metadata unless given before. */
  filePriorities(): number[] {
    return this.torrent.files.filePriorities()
  }

  // --- peers ----------------------------------------------------------------------------------------------------

  /**
   * Connects to a peer now, whatever else is known of it. `source`: `PeerSource` bits. The `address` of a peer in I2P is the
   * base 32 name of its destination (`....b32.i2p`), or a name its router knows; the port does not matter then.
   */
  connectPeer(endpoint: Endpoint, source = 0): void {
    this.torrent.swarm.connectTo(endpoint, source)
  }

  /**
   * Opens the connections of this torrent from these addresses of the machine, or devices: one, or several separated by
   * commas, used in turn; empty text: as the settings say (manual, use_interface).
   * @throws TypeError for what can be neither
   */
  useInterface(netInterface: string): void {
    const names = splitInterfaces(netInterface)
    const wrong = names.find((name) => normalizeAddress(name) === null && !/^[A-Za-z][\w .@-]*$/.test(name))
    if (wrong !== undefined) throw new TypeError(`'${wrong}' is neither an address nor the name of a network device`)
    this.torrent.swarm.interfaces = names
  }

  /** Most peers unchoked at a time, -1 for no limit. */
  setMaxUploads(limit: number): void {
    this.torrent.maxUploads = limit
    this.torrent.needsSaveResume = true
  }

  /** What `setMaxUploads` set. */
  get maxUploads(): number {
    return this.torrent.maxUploads
  }

  /** Most connections, -1 for no limit; at least 2. Those beyond it end at once, the least useful first. */
  setMaxConnections(limit: number): void {
    this.torrent.setMaxConnections(limit < 0 ? -1 : Math.max(2, limit))
  }

  /** What `setMaxConnections` set. */
  get maxConnections(): number {
    return this.torrent.connectionLimit
  }

  // --- how fast -------------------------------------------------------------------------------------------------

  /**
   * How fast to upload to the peers of this torrent together, bytes a second; -1 or 0 for no limit. The limit of the
   * session holds as well. Peers of the local network are exempt, see the setting `ignoreLimitsOnLocalNetwork`.
   * @throws RangeError for what is no number of bytes
   */
  setUploadLimit(limit: number): void {
    this.torrent.setRateLimit('upload', checkedLimit(limit))
  }

  /** What `setUploadLimit` set; -1 for no limit. */
  get uploadLimit(): number {
    return this.torrent.limits.get('upload') || -1
  }

  /** As `setUploadLimit`, for what peers and web seeds send. @throws RangeError for what is no number of bytes */
  setDownloadLimit(limit: number): void {
    this.torrent.setRateLimit('download', checkedLimit(limit))
  }

  /** What `setDownloadLimit` set; -1 for no limit. */
  get downloadLimit(): number {
    return this.torrent.limits.get('download') || -1
  }

  /**
   * How fast to upload to the connected peer at `endpoint`, bytes a second; -1 or 0 for no limit. Does nothing if nobody
   * is connected there; the limit ends with the connection. @throws RangeError for what is no number of bytes
   */
  setPeerUploadLimit(endpoint: Endpoint, limit: number): void {
    findPeer(this.torrent, endpoint)?.bandwidth.setLimit('upload', checkedLimit(limit))
  }

  /** What `setPeerUploadLimit` set; -1 for no limit, or nobody there (1.0, get_peer_upload_limit). */
  getPeerUploadLimit(endpoint: Endpoint): number {
    return findPeer(this.torrent, endpoint)?.bandwidth.limit('upload') || -1
  }

  /** As `setPeerUploadLimit`, for what the peer sends. @throws RangeError for what is no number of bytes */
  setPeerDownloadLimit(endpoint: Endpoint, limit: number): void {
    findPeer(this.torrent, endpoint)?.bandwidth.setLimit('download', checkedLimit(limit))
  }

  /** What `setPeerDownloadLimit` set; -1 for no limit, or nobody there (1.0, get_peer_download_limit). */
  getPeerDownloadLimit(endpoint: Endpoint): number {
    return findPeer(this.torrent, endpoint)?.bandwidth.limit('download') || -1
  }

  /**
   * How much of what the limits of the session let pass is for the peers of this torrent, 0 (the default) to 255: a peer
   * gets one part more for each (manual, set_priority). A peer of a torrent with 3 gets four times as much as one of a
   * torrent with 0, as long as both want more. `TorrentStatus.priority` tells.
   * @throws RangeError for anything else
   */
  setPriority(priority: number): void {
    if (!Number.isInteger(priority) || priority < 0 || priority > 255) {
      throw new RangeError(`the priority of a torrent is an integer from 0 to 255, not ${priority}`)
    }
    this.torrent.setPriority(priority)
  }

  /**
   * While this torrent downloads, upload to each peer about `ratio` bytes for each byte it sends: 1 or more, or 0 (the
   * default) for as many as it takes (manual, set_ratio). Once it has all that is wanted, nobody is held back.
   * @throws RangeError for anything else
   */
  setRatio(ratio: number): void {
    if (ratio !== 0 && !(ratio >= 1 && ratio < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`a ratio is 0 for none, or at least 1; not ${ratio}`)
    }
    this.torrent.ratioKeeper.set(ratio)
  }

  // --- trackers -------------------------------------------------------------------------------------------------

  /** The trackers, in the order they are tried. */
  trackers(): AnnounceEntry[] {
    return this.torrent.trackers.entries()
  }

  /** Exactly these trackers from now on. */
  replaceTrackers(trackers: readonly TrackerSpec[]): void {
    this.torrent.trackers.replace(trackers)
    this.torrent.needsSaveResume = true
  }

  /** One more tracker; one that is there already is ignored. */
  addTracker(tracker: TrackerSpec): void {
    this.torrent.trackers.add({ ...tracker, source: tracker.source ?? TrackerSource.client })
    this.torrent.needsSaveResume = true
  }

  /** Announces now, or after `seconds`; to one tracker only, by index or URL, or, with -1, to those in use. */
  forceReannounce(seconds: Seconds = 0, tracker: number | string = -1, ignoreMinInterval = false): void {
    this.torrent.trackers.forceReannounce(seconds, tracker, ignoreMinInterval)
  }

  /** Looks for peers in the DHT soon, not only when the interval is over (manual, force_dht_announce). */
  forceDhtAnnounce(): void {
    this.torrent.discovery.forceDhtAnnounce()
  }

  /** Asks a tracker how large the swarm is; `scrapeReply` or `scrapeFailed` follows. */
  scrapeTracker(trackerIndex = -1): void {
    this.torrent.trackers.scrape(trackerIndex)
  }

  /** Name and password for HTTP trackers that ask for them. */
  setTrackerLogin(username: string, password: string): void {
    this.torrent.announcer.login = { username, password }
  }

  // --- web seeds ------------------------------------------------------------------------------------------------

  /**
   * One more web seed (BEP 19): the URL of a web server's copy of the file, or of the directory the torrent's own is in.
   * One that is there already and was found to be of no use is tried once more.
   * @throws LibtorrentError `urlParseError`, `unsupportedUrlProtocol`
   */
  addUrlSeed(url: string): void {
    this.torrent.webSeeds.add({ url: checkedUrl(url), type: 'urlSeed' })
  }

  /** Not this one any more. */
  removeUrlSeed(url: string): void {
    this.torrent.webSeeds.remove(url, 'urlSeed')
  }

  /** The URLs of the web seeds of BEP 19. */
  urlSeeds(): string[] {
    return this.torrent.webSeeds.urls('urlSeed')
  }

  /** As `addUrlSeed`, for web seeds of BEP 17: the URL of a script that gives pieces. */
  addHttpSeed(url: string): void {
    this.torrent.webSeeds.add({ url: checkedUrl(url), type: 'httpSeed' })
  }

  /** Not this one any more. */
  removeHttpSeed(url: string): void {
    this.torrent.webSeeds.remove(url, 'httpSeed')
  }

  /** The URLs of the web seeds of BEP 17. */
  httpSeeds(): string[] {
    return this.torrent.webSeeds.urls('httpSeed')
  }

  // --- SSL torrents ---------------------------------------------------------------------------------------------

  /**
   * What an SSL torrent shows its peers: the paths of our certificate, signed by the root certificate of the torrent and
   * made out to its name or to `*`; of its private key; and, if old peers are to be reached, of Diffie-Hellman parameters.
   * All are PEM; certificates between ours and the root follow it in the same file. `passphrase` opens the key. Nothing of
   * it is kept beyond the session. Until then the torrent connects to nobody (`torrentNeedCert`).
   * Rejects with the error of the disk, `invalidSslCert` whose message says what does not fit, or `notAnSslTorrent`; posts
   * `torrentError` with the same. (1.0, set_ssl_certificate)
   */
  async setSslCertificate(certificate: string, privateKey: string, dhParams = '', passphrase = ''): Promise<void> {
    const { ssl } = this.torrent
    const identity = await readSslCertificate({ certificate, privateKey, dhParams, passphrase })
    if (identity instanceof LibtorrentError) throw ssl.refuse(identity)
    this.useCertificate(identity)
  }

  /**
   * As `setSslCertificate`, with the text of the files in place of their paths (1.0, set_ssl_certificate_buffer).
   * @throws LibtorrentError `invalidSslCert`, `notAnSslTorrent`; `torrentError` is posted, too
   */
  setSslCertificateBuffer(certificate: string, privateKey: string, dhParams = '', passphrase = ''): void {
    this.useCertificate({ certificate, privateKey, dhParams, passphrase })
  }

  private useCertificate(identity: TlsIdentity): void {
    const error = this.torrent.ssl.setCertificate(identity)
    if (error !== null) throw error
  }

  // --- disk -----------------------------------------------------------------------------------------------------

  /**
   * Reads a whole piece that is had. Also posts `readPiece`. Rejects with the error of the disk when it cannot be read,
   * and the torrent is then paused with that error.
   */
  async readPiece(piece: PieceIndex): Promise<Uint8Array> {
    return settle((done) => readPiece(this.torrent, piece, done))
  }

  /**
   * Gives the torrent a whole piece; it counts as had when its hash is right. `flags`: `AddPieceFlags`.
   * @throws LibtorrentError `noMetadata`, `invalidPieceIndex`, `invalidPieceSize`, `noMemory`
   */
  addPiece(piece: PieceIndex, bytes: Uint8Array, flags = 0): void {
    addPiece(this.torrent, piece, bytes, flags)
  }

  /** Waits until everything received so far has reached the disk. Also posts `cacheFlushed`. */
  async flushCache(): Promise<void> {
    return settle((done) => flushCache(this.torrent, done))
  }

  /**
   * What is needed to go on in a later session without checking; give it to `AddTorrentParams.resumeData`.
   * While the files are being checked it says which pieces were checked so far: the later session checks the others.
   * `flags`: `SaveResumeFlags`; default waits for the disk. Also posts `saveResumeData` or `saveResumeDataFailed`.
   */
  async saveResumeData(flags: number = SaveResumeFlags.flushDiskCache): Promise<Uint8Array> {
    return settle((done) => saveResumeData(this.torrent, flags, done))
  }

  /** Something has changed since resume data was saved. */
  get needSaveResumeData(): boolean {
    return this.torrent.needsSaveResume
  }

  /**
   * Moves the files to another directory, made when needed; across devices they are copied, and the originals removed
   * when all copies are safe. `flags` says what happens to files that are there already. Files with absolute paths stay.
   * When it fails everything is where it was. Also posts `storageMoved` or `storageMovedFailed`.
   * Rejects with what the system says: `EEXIST` for `MoveFlags.failIfExist`, `ENOSPC`, `EACCES` and so on; with a
   * TypeError for an empty path.
   */
  async moveStorage(savePath: string, flags: MoveFlags = MoveFlags.alwaysReplaceFiles): Promise<void> {
    if (typeof savePath !== 'string' || savePath === '') throw new TypeError('savePath is missing: move to where?')
    return settle((done) => moveStorage(this.torrent, savePath, flags, done))
  }

  /**
   * Gives a file another path, seen in `torrentFile().files()` from then on (`origFiles()` keeps the torrent's own) and
   * kept in resume data. `newName` is a path below the save path; or an absolute one, and then the file stays there when
   * the torrent moves. Whoever passes on names of others must refuse absolute paths. A file that is not there yet is
   * made under its new name. Also posts `fileRenamed` or `fileRenameFailed`.
   * Rejects with `torrentInvalidName` for a path with empty, `.` or `..` parts, or one that another file or a directory
   * of the torrent has, on any file system; with `EEXIST` when something else is there; with `noMetadata`.
   */
  async renameFile(index: FileIndex, newName: string): Promise<void> {
    return settle((done) => renameFile(this.torrent, index, newName, done))
  }

  /**
   * Gives a torrent added by info-hash its metadata: the bencoded info dictionary. One that has it ignores the call.
   * @throws LibtorrentError `mismatchingInfoHash` for the dictionary of another torrent; `invalidSwarmMetadata` when it
   * is that of this one and still makes no torrent (`cause` says why): then the torrent has failed, too
   */
  setMetadata(metadata: Uint8Array): void {
    const error = this.torrent.metadata.take(metadata)
    if (error === null) return
    if (error.is('mismatchingInfoHash')) throw thrownError('mismatchingInfoHash')
    const cause = error.cause instanceof LibtorrentError ? error.cause : error
    throw thrownError('invalidSwarmMetadata', {
      message: `this metadata belongs to the info-hash, but makes no torrent: ${cause.message}`,
      cause,
    })
  }

  /** The same text for all handles of a torrent: its info-hash. */
  toString(): string {
    return this.infoHash.toHex()
  }

  /** As `toString`. */
  toJSON(): string {
    return this.infoHash.toHex()
  }
}

function checkedUrl(url: string): string {
  const location = parseWebSeedUrl(url)
  if (location instanceof LibtorrentError) throw location
  return url
}

/** Bytes a second; 0 for none. */
function checkedLimit(limit: number): number {
  if (!Number.isSafeInteger(limit) || limit < -1) {
    throw new RangeError(`a limit is a whole number of bytes a second, or -1 for none; not ${limit}`)
  }
  return Math.max(0, limit)
}

function findPeer(torrent: Torrent, endpoint: Endpoint): PeerConnection | undefined {
  const address = normalizeAddress(endpoint.address) ?? endpoint.address
  const wanted = { address, port: endpoint.port }
  for (const peer of torrent.swarm.connections) if (sameEndpoint(peer.remote, wanted)) return peer
  return undefined
}

function checkedPriority(priority: number): number {
  if (!Number.isInteger(priority) || priority < 0 || priority > 7) {
    throw new RangeError(`a priority is an integer from 0 to 7, not ${priority}`)
  }
  return priority
}

/** A call with a callback as a promise; an error as the result rejects it. */
function settle<T>(call: (done: (result: T | LibtorrentError) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((result) => {
      if (result instanceof LibtorrentError) reject(result)
      else resolve(result)
    })
  })
}
