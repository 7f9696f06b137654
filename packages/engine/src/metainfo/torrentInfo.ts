import { bdecode } from '../bencode/bdecode.ts'
import type { BNode } from '../bencode/bNode.ts'
import { bdecodeError } from '../bencode/entry.ts'
import { sha1 } from '../crypto/sha1.ts'
import { LibtorrentError, libtorrentError, thrownError } from '../errors/libtorrentError.ts'
import { EMPTY_BYTES } from '../util/bytes.ts'
import { Sha1Hash } from '../util/digest.ts'
import type { FileIndex, PieceIndex } from '../util/flavored.ts'
import { resolveDuplicateNames } from './duplicateNames.ts'
import type { FileEntry, FileSlice } from './fileEntry.ts'
import { givenPath } from './filePath.ts'
import { FileStorage } from './fileStorage.ts'
import { readInfoSection } from './infoSection.ts'
import { parseMagnetUri } from './magnet.ts'
import { hashList, readOuterKeys, textList } from './outerKeys.ts'
import { collidingPaths, PathIndex } from './pathIndex.ts'
import type { PeerRequest } from './peerRequest.ts'
import { DEFAULT_TORRENT_LIMITS, type TorrentLimits } from './torrentLimits.ts'
import { MAX_TIER, type NodeAddress, TrackerSource, type TrackerUrl, type WebSeedEntry } from './trackerUrl.ts'

/**
 * What a .torrent says: files, pieces, trackers (manual, `torrent_info`). Made from a .torrent's bytes, or from an
 * info-hash alone, as for a magnet link; `parseInfoSection` then adds the metadata when it has arrived.
 *
 * Of the buffer only a copy of the info dictionary is kept; piece hashes are read from there.
 */
export class TorrentInfo {
  private hash: Sha1Hash
  private section: Uint8Array = EMPTY_BYTES
  private hashes: Uint8Array = EMPTY_BYTES
  private original: FileStorage
  private modified: FileStorage | null = null
  private paths: PathIndex | null = null
  private multiFile = false
  private isPrivate = false
  private trackerList: TrackerUrl[] = []
  private seeds: WebSeedEntry[] = []
  private nodeList: NodeAddress[] = []
  private commentText = ''
  private creatorText = ''
  private created: number | null = null
  private outerSimilar: Sha1Hash[] = []
  private outerCollections: string[] = []

  /**
   * @param source the bytes of a .torrent, or the info-hash of a torrent whose metadata is not known yet
   * @throws LibtorrentError what `TorrentInfo.parse` would return
   */
  constructor(source: Uint8Array | Sha1Hash, limits: TorrentLimits = {}) {
    this.original = new FileStorage()
    if (source instanceof Sha1Hash) {
      this.hash = source
      return
    }
    this.hash = Sha1Hash.zero
    const error = this.readTorrent(source, { ...DEFAULT_TORRENT_LIMITS, ...limits })
    if (error !== null) throw error
  }

  /**
   * Reads the bytes of a .torrent. Never throws. What can be wrong: `metadataTooLarge`, `invalidBencoding` (the cause
   * says where), `torrentIsNoDict`, `torrentMissingInfo`, and what `parseInfoSection` finds. Trackers, seeds and nodes
   * that make no sense are left out, not refused.
   */
  static parse(bytes: Uint8Array, limits: TorrentLimits = {}): TorrentInfo | LibtorrentError {
    const torrent = new TorrentInfo(Sha1Hash.zero)
    return torrent.readTorrent(bytes, { ...DEFAULT_TORRENT_LIMITS, ...limits }) ?? torrent
  }

  /**
   * Gives a torrent that has only an info-hash its metadata: the bencoded info dictionary. Null when all is well; else
   * the torrent stays as it was. `mismatchingInfoHash` when the bytes are not the ones the hash is of,
   * `invalidSwarmMetadata` when they are, but make no torrent (the cause says why).
   */
  parseInfoSection(bytes: Uint8Array, limits: TorrentLimits = {}): LibtorrentError | null {
    if (!sha1(bytes).equals(this.hash)) return libtorrentError('mismatchingInfoHash')
    const all = { ...DEFAULT_TORRENT_LIMITS, ...limits }
    const decoded = bdecode(bytes, { depth: all.maxDecodeDepth, tokens: all.maxDecodeTokens, whole: true })
    const error = decoded.ok
      ? this.readInfo(decoded.root, all)
      : libtorrentError('invalidBencoding', { cause: bdecodeError(decoded.code, decoded.offset) })
    return error && libtorrentError('invalidSwarmMetadata', { cause: error })
  }

  /** A copy that can be changed (trackers, seeds, names) without changing this one. The metadata is shared. */
  clone(): TorrentInfo {
    const copy: TorrentInfo = Object.assign(new TorrentInfo(this.hash), this)
    copy.modified = this.modified?.clone() ?? null
    copy.paths = null
    copy.trackerList = this.trackerList.slice()
    copy.seeds = this.seeds.slice()
    copy.nodeList = this.nodeList.slice()
    return copy
  }

  /** True when there is metadata: files and pieces. */
  get isValid(): boolean {
    return this.original.isValid
  }

  /** SHA-1 of the info dictionary as it was found. */
  get infoHash(): Sha1Hash {
    return this.hash
  }

  /** The torrent's name, made safe as a file name. Empty without metadata. */
  get name(): string {
    return this.original.name
  }

  /** Empty when there is none. */
  get comment(): string {
    return this.commentText
  }

  /** The program that made the torrent; empty when it does not say. */
  get creator(): string {
    return this.creatorText
  }

  /** When the torrent was made, seconds since 1970; null when it does not say. */
  get creationDate(): number | null {
    return this.created
  }

  /** Peers may come from trackers only (BEP 27). */
  get priv(): boolean {
    return this.isPrivate
  }

  /** A tracker is an I2P destination. */
  get isI2p(): boolean {
    return this.trackerList.some(({ url }) => /^[a-z]+:\/\/[^/:?#]*\.i2p(?:[/:?#]|$)/i.test(url))
  }

  /** The torrent has a directory of its own, even if there is only one file in it. */
  get isMultiFile(): boolean {
    return this.multiFile
  }

  /** Always false: torrents of BEP 30 are not supported (libtorrent dropped them in 2.0). */
  get isMerkleTorrent(): boolean {
    return false
  }

  get numFiles(): number {
    return this.files().numFiles
  }

  /** Sum of the sizes of all files, bytes. */
  get totalSize(): number {
    return this.original.totalSize
  }

  /** Bytes of every piece but the last. */
  get pieceLength(): number {
    return this.original.pieceLength
  }

  get numPieces(): number {
    return this.original.numPieces
  }

  /** Bytes of piece `index`. */
  pieceSize(index: PieceIndex): number {
    return this.original.pieceSize(index)
  }

  /** The files as they lie on disk: with the names `renameFile` gave and the layout of `remapFiles`. Do not change it. */
  files(): FileStorage {
    return this.modified ?? this.original
  }

  /** The files as the torrent has them, with the names that web seeds know. Do not change it. */
  origFiles(): FileStorage {
    return this.original
  }

  /**
   * Lays the torrent's bytes out over other files, for instance all in one.
   * @throws LibtorrentError `torrentInvalidLength` unless the sizes add up to the same sum, `torrentInvalidName` when
   * two of the files would be one on some file system.
   */
  remapFiles(files: FileStorage): void {
    if (files.totalSize !== this.original.totalSize) throw thrownError('torrentInvalidLength')
    refuseCollisions(files)
    this.modified = files.clone()
    this.modified.setPieceLength(this.original.pieceLength)
    this.modified.setNumPieces(this.original.numPieces)
    this.paths = null
  }

  /**
   * Changes the path of a file on disk; seen in `files()`, not in `origFiles()`. The metadata stays as it is. With
   * `allowAbsolute` the path may be absolute: the file is then not below the save path, and does not move with it.
   * @throws LibtorrentError `torrentInvalidName` for a path that leads out of the save path, or that another file or a
   * directory of the torrent has, on this or another file system; RangeError for a bad index.
   */
  renameFile(index: FileIndex, newFilename: string, allowAbsolute = false): void {
    const paths = this.pathIndex()
    const isPad = this.files().padFileAt(index)
    const path = givenPath(newFilename)?.path ?? newFilename
    if (!isPad && paths.isTaken(path, index)) throw pathTaken(path)
    const files = this.modified ?? this.original.clone()
    const oldPath = files.filePath(index)
    files.renameFile(index, path, allowAbsolute)
    this.modified = files
    if (isPad) return
    paths.add(files.filePath(index), index)
    paths.remove(oldPath)
  }

  /**
   * Renames several files at once, so that they may also exchange names; otherwise like `renameFile`, with absolute
   * paths allowed. @throws LibtorrentError `torrentInvalidName`; then nothing is renamed.
   */
  renameFiles(paths: ReadonlyMap<FileIndex, string>): void {
    const renamed = this.files().clone()
    for (const [file, path] of paths) renamed.renameFile(file, path, true)
    refuseCollisions(renamed)
    this.modified = renamed
    this.paths = null
  }

  /** Who has which path of `files()`; made when first asked for, and then kept up to date. */
  pathIndex(): PathIndex {
    this.paths ??= new PathIndex(this.files())
    return this.paths
  }

  /** File `index` of `files()`. @throws RangeError when there is no such file. */
  fileAt(index: FileIndex): FileEntry {
    return this.files().at(index)
  }

  /** See `FileStorage.mapBlock`. */
  mapBlock(piece: PieceIndex, offset: number, size: number): FileSlice[] {
    return this.files().mapBlock(piece, offset, size)
  }

  /** See `FileStorage.mapFile`. */
  mapFile(file: FileIndex, offset: number, size: number): PeerRequest {
    return this.files().mapFile(file, offset, size)
  }

  /** SHA-1 of piece `index`. @throws RangeError when there is no such piece. */
  hashForPiece(index: PieceIndex): Sha1Hash {
    return new Sha1Hash(this.hashForPiecePtr(index))
  }

  /** The 20 bytes of the hash of piece `index`: a view into the metadata. @throws RangeError */
  hashForPiecePtr(index: PieceIndex): Uint8Array {
    if (!(index >= 0 && index < this.numPieces)) throw new RangeError(`no piece ${index} of ${this.numPieces}`)
    return this.hashes.subarray(index * Sha1Hash.size, (index + 1) * Sha1Hash.size)
  }

  /** All piece hashes, 20 bytes each: a view into the metadata. */
  get pieceHashes(): Uint8Array {
    return this.hashes
  }

  /** Whether `digest` is the hash of piece `index`, without making any object. */
  isPieceHash(index: PieceIndex, digest: Uint8Array): boolean {
    const from = index * Sha1Hash.size
    if (!(index >= 0 && index < this.numPieces) || digest.length !== Sha1Hash.size) return false
    for (let i = 0; i < Sha1Hash.size; i++) if (this.hashes[from + i] !== digest[i]) return false
    return true
  }

  /** The info dictionary, bencoded, as it was found; empty without metadata. A view: do not change it. */
  metadata(): Uint8Array {
    return this.section
  }

  get metadataSize(): number {
    return this.section.length
  }

  /** The value of a key of the info dictionary, or null. Decodes the metadata each time. */
  info(key: string): BNode | null {
    const decoded = bdecode(this.section)
    return decoded.ok ? decoded.root.get(key) : null
  }

  /** The root certificate of an SSL torrent (PEM); empty for others. */
  get sslCert(): string {
    return this.info('ssl-cert')?.asText() ?? ''
  }

  /** Info-hashes of torrents that share files with this one (BEP 38). */
  get similarTorrents(): readonly Sha1Hash[] {
    return [...hashList(this.info('similar')), ...this.outerSimilar]
  }

  /** Names of collections this torrent belongs to (BEP 38). */
  get collections(): readonly string[] {
    return [...textList(this.info('collections')), ...this.outerCollections]
  }

  /** Trackers in order of their tiers; within a tier as the torrent has them. */
  get trackers(): readonly TrackerUrl[] {
    return this.trackerList
  }

  /** Adds a tracker behind those of its tier; one whose URL is known already is not added again. */
  addTracker(url: string, tier = 0, source: number = TrackerSource.client): void {
    if (url === '' || this.trackerList.some((tracker) => tracker.url === url)) return
    const clamped = Math.min(Math.max(Math.trunc(tier), 0), MAX_TIER)
    let at = this.trackerList.length
    while (at > 0 && this.trackerList[at - 1].tier > clamped) at--
    this.trackerList.splice(at, 0, { url, tier: clamped, source })
  }

  clearTrackers(): void {
    this.trackerList = []
  }

  /** Web seeds of both kinds. */
  get webSeeds(): readonly WebSeedEntry[] {
    return this.seeds
  }

  setWebSeeds(seeds: readonly WebSeedEntry[]): void {
    this.seeds = seeds.slice()
  }

  /** URLs of web seeds of BEP 19. */
  get urlSeeds(): readonly string[] {
    return this.seeds.filter(({ type }) => type === 'urlSeed').map(({ url }) => url)
  }

  /** URLs of web seeds of BEP 17. */
  get httpSeeds(): readonly string[] {
    return this.seeds.filter(({ type }) => type === 'httpSeed').map(({ url }) => url)
  }

  addUrlSeed(url: string, auth?: string, extraHeaders?: WebSeedEntry['extraHeaders']): void {
    this.seeds.push({ url, type: 'urlSeed', ...(auth && { auth }), ...(extraHeaders && { extraHeaders }) })
  }

  addHttpSeed(url: string, auth?: string, extraHeaders?: WebSeedEntry['extraHeaders']): void {
    this.seeds.push({ url, type: 'httpSeed', ...(auth && { auth }), ...(extraHeaders && { extraHeaders }) })
  }

  /** DHT nodes the torrent names (BEP 5). */
  get nodes(): readonly NodeAddress[] {
    return this.nodeList
  }

  addNode(node: NodeAddress): void {
    this.nodeList.push(node)
  }

  private readTorrent(bytes: Uint8Array, limits: Required<TorrentLimits>): LibtorrentError | null {
    if (bytes.length > limits.maxBufferSize) return libtorrentError('metadataTooLarge')
    const decoded = bdecode(bytes, { depth: limits.maxDecodeDepth, tokens: limits.maxDecodeTokens })
    if (!decoded.ok) {
      return libtorrentError('invalidBencoding', { cause: bdecodeError(decoded.code, decoded.offset) })
    }
    const root = decoded.root
    if (root.type !== 'dict') return libtorrentError('torrentIsNoDict')
    const info = root.get('info')
    if (info === null) return this.readMagnetTorrent(root)
    if (info.type !== 'dict') return libtorrentError('torrentInfoNoDict')
    this.hash = sha1(info.bytes)
    const error = this.readInfo(info, limits)
    if (error !== null) return error
    const outer = readOuterKeys(root, this.multiFile && this.numFiles > 1, limits.maxUrls)
    this.trackerList = outer.trackers
    this.seeds = outer.webSeeds
    this.nodeList = outer.nodes
    this.commentText = outer.comment
    this.creatorText = outer.creator
    this.created = outer.creationDate
    this.outerSimilar = outer.similar
    this.outerCollections = outer.collections
    return null
  }

  /** Takes the info dictionary over, or leaves everything as it is and says what is wrong. */
  private readInfo(info: BNode, limits: Required<TorrentLimits>): LibtorrentError | null {
    const read = readInfoSection(info, this.hash, limits)
    if (read instanceof LibtorrentError) return read
    const renamed = resolveDuplicateNames(read.files, limits.maxDuplicateFilenames)
    if (renamed === null) {
      return libtorrentError('torrentFileParseFailed', { message: 'too many files of the torrent have the same path' })
    }
    this.original = read.files
    this.modified = renamed.size === 0 ? null : read.files.clone()
    for (const [index, path] of renamed) this.modified?.setPath(index, path)
    this.paths = null
    this.multiFile = read.isMultiFile
    this.isPrivate = read.isPrivate
    // an own copy: the buffer may be large or reused
    this.section = new Uint8Array(info.bytes)
    const hashes = read.hashesOffset - info.start
    this.hashes = this.section.subarray(hashes, hashes + read.files.numPieces * Sha1Hash.size)
    return null
  }

  /** A .torrent may hold a magnet link instead of the info dictionary. */
  private readMagnetTorrent(root: BNode): LibtorrentError | null {
    const uri = root.getText('magnet-uri')
    const magnet = uri === null ? null : parseMagnetUri(uri)
    if (magnet === null) return libtorrentError('torrentMissingInfo')
    if (magnet instanceof LibtorrentError) return magnet
    if (magnet.infoHash === null) return libtorrentError('missingInfoHashInUri')
    this.hash = magnet.infoHash
    for (const { url, tier } of magnet.trackers) this.addTracker(url, tier, TrackerSource.torrent)
    return null
  }
}

function refuseCollisions(files: FileStorage): void {
  const paths = Array.from({ length: files.numFiles }, (_, i) => (files.padFileAt(i) ? null : files.filePath(i)))
  for (const file of collidingPaths(paths)) throw pathTaken(files.filePath(file))
}

function pathTaken(path: string): LibtorrentError {
  return thrownError('torrentInvalidName', {
    path,
    message: `another file or directory of the torrent is at "${path}"`,
  })
}
