import { bencode } from '../bencode/bencode.ts'
import { type Entry, Preformatted } from '../bencode/entry.ts'
import { thrownError } from '../errors/libtorrentError.ts'
import { Sha1Hash } from '../util/digest.ts'
import { BLOCK_SIZE_BYTES, type FileIndex, type PieceIndex } from '../util/flavored.ts'
import { FileFlags } from './fileEntry.ts'
import type { FileStorage } from './fileStorage.ts'
import { TorrentInfo } from './torrentInfo.ts'
import type { NodeAddress } from './trackerUrl.ts'

/** Options of `CreateTorrent`, a bit mask: libtorrent's `create_torrent::flags_t`. */
export const CreateFlags = {
  /** Put large files at piece boundaries, with pad files where `padFileLimit` allows. */
  optimize: 1,
  /** Write modification times. Two people with the same files then get different info-hashes. */
  modificationTime: 4,
  /** Write symbolic links as such, without the data they lead to. */
  symlinks: 8,
  /** Ask whoever hashes the pieces to set a hash for each file too (`setFileHash`). */
  calculateFileHashes: 16,
} as const

/** Largest piece a new torrent may have: some clients take no larger ones. */
const MAX_NEW_PIECE_LENGTH = 128 * 1024 * 1024

/**
 * Piece size for `totalSize` bytes, as libtorrent 2 chooses it: the power of two from 16 KiB to 16 MiB for which the
 * list of hashes has about 2 * sqrt(totalSize) bytes, since then neither the .torrent nor the loss of a bad piece
 * weighs more than the other. 20 bytes of hash for `p` bytes of content: p = 10 * sqrt(totalSize), rounded up.
 */
export function automaticPieceSize(totalSize: number): number {
  let pieceSize = BLOCK_SIZE_BYTES
  while (pieceSize < 16 * 1024 * 1024 && Math.floor((pieceSize / 10) ** 2) < totalSize) pieceSize *= 2
  return pieceSize
}

/**
 * Builds a .torrent (manual, make_torrent, `create_torrent`). Holds no files and reads none: whoever hashes them calls
 * `setHash` for every piece of `files`, whose order and pad files are the constructor's choice.
 */
export class CreateTorrent {
  /** The layout to hash: reordered and padded as the flags demand. Do not change it. */
  readonly files: FileStorage
  private readonly flags: number
  private readonly isMultiFile: boolean
  private readonly hashes: Uint8Array
  /** The info dictionary taken over from a `TorrentInfo`, or null. */
  private readonly verbatim: Uint8Array | null = null
  private trackers: { url: string; tier: number }[] = []
  private urlSeeds: string[] = []
  private httpSeeds: string[] = []
  private nodes: NodeAddress[] = []
  private similar: Sha1Hash[] = []
  private collections: string[] = []
  private comment = ''
  private creator = ''
  private creationDate = 0
  private rootCert = ''
  private isPrivate = false

  /**
   * @param source the files; or a torrent whose info dictionary is copied byte for byte, so that the info-hash stays
   *   and nothing that belongs to it can be changed
   * @param pieceSize bytes, a multiple of 16 KiB or a power of two, at most 128 MiB; 0 (default) chooses by size
   * @param padFileLimit with `optimize`: files larger than this many bytes are aligned with a pad file before them;
   *   0 aligns every file, -1 (default) none
   * @param flags `CreateFlags`; default `optimize`
   * @throws LibtorrentError `noFilesInTorrent`, `torrentInvalidLength` when all files are empty, `invalidPieceSize`
   */
  constructor(
    source: FileStorage | TorrentInfo,
    pieceSize = 0,
    padFileLimit = -1,
    flags: number = CreateFlags.optimize,
  ) {
    this.flags = flags
    if (source instanceof TorrentInfo) {
      if (!source.isValid) throw thrownError('noMetadata')
      this.files = source.origFiles()
      this.isMultiFile = source.isMultiFile
      this.verbatim = source.metadata()
      this.hashes = source.pieceHashes.slice()
      this.copyOuterKeys(source)
      return
    }
    if (source.numFiles === 0) throw thrownError('noFilesInTorrent')
    if (source.totalSize === 0) throw thrownError('torrentInvalidLength')
    this.isMultiFile = source.numFiles > 1 || source.filePath(0).includes('/')
    const length = pieceSize === 0 ? automaticPieceSize(source.totalSize) : pieceSize
    const isPowerOfTwo = Number.isInteger(Math.log2(length))
    if (length <= 0 || length > MAX_NEW_PIECE_LENGTH || (length % BLOCK_SIZE_BYTES !== 0 && !isPowerOfTwo)) {
      throw thrownError('invalidPieceSize')
    }
    this.files = source.clone()
    this.files.setPieceLength(length)
    if ((flags & CreateFlags.optimize) !== 0 && this.isMultiFile) this.files.optimize(padFileLimit)
    this.files.setNumPieces(Math.ceil(this.files.totalSize / length))
    this.hashes = new Uint8Array(this.files.numPieces * Sha1Hash.size)
  }

  get numPieces(): number {
    return this.files.numPieces
  }

  get pieceLength(): number {
    return this.files.pieceLength
  }

  /** Bytes of piece `index`. */
  pieceSize(index: PieceIndex): number {
    return this.files.pieceSize(index)
  }

  /** Bytes of all files, pad files included. */
  get totalSize(): number {
    return this.files.totalSize
  }

  get priv(): boolean {
    return this.isPrivate
  }

  /** Whether `calculateFileHashes` was asked for. */
  get shouldAddFileHashes(): boolean {
    return (this.flags & CreateFlags.calculateFileHashes) !== 0
  }

  /** SHA-1 of piece `index`; must be called for every piece. @throws RangeError when there is no such piece. */
  setHash(index: PieceIndex, hash: Sha1Hash | Uint8Array): void {
    if (!(index >= 0 && index < this.numPieces)) throw new RangeError(`no piece ${index} of ${this.numPieces}`)
    const bytes = hash instanceof Sha1Hash ? hash.bytes : hash
    if (bytes.length !== Sha1Hash.size) throw new RangeError(`a piece hash has 20 bytes, not ${bytes.length}`)
    this.hashes.set(bytes, index * Sha1Hash.size)
  }

  /** SHA-1 of the whole file `index`; optional. */
  setFileHash(index: FileIndex, hash: Sha1Hash): void {
    this.files.setFileHash(index, hash)
  }

  setComment(comment: string): void {
    this.comment = comment
  }

  /** The program that makes the torrent. */
  setCreator(creator: string): void {
    this.creator = creator
  }

  /** Seconds since 1970; 0 (default) writes none. */
  setCreationDate(seconds: number): void {
    this.creationDate = seconds
  }

  /** Marks the torrent private (BEP 27): peers only from its trackers. */
  setPriv(isPrivate: boolean): void {
    this.isPrivate = isPrivate
  }

  /** Makes it an SSL torrent: the certificate (PEM text) that peers' certificates must be signed by. */
  setRootCert(pem: string): void {
    this.rootCert = pem
  }

  /** A web seed of BEP 19: for several files the directory that holds the torrent's directory. */
  addUrlSeed(url: string): void {
    this.urlSeeds.push(url)
  }

  /** A web seed of BEP 17. */
  addHttpSeed(url: string): void {
    this.httpSeeds.push(url)
  }

  /** A DHT node to start from. */
  addNode(node: NodeAddress): void {
    this.nodes.push(node)
  }

  /** A tracker; lower tiers are tried first. A URL that is there already is not added again. */
  addTracker(url: string, tier = 0): void {
    if (url === '' || this.trackers.some((tracker) => tracker.url === url)) return
    this.trackers.push({ url, tier })
    this.trackers.sort((a, b) => a.tier - b.tier)
  }

  /** A torrent that shares files with this one (BEP 38). */
  addSimilarTorrent(infoHash: Sha1Hash): void {
    this.similar.push(infoHash)
  }

  /** A collection this torrent belongs to (BEP 38). */
  addCollection(name: string): void {
    this.collections.push(name)
  }

  /**
   * The .torrent as an entry, to which keys may be added before it is bencoded.
   * @throws LibtorrentError `invalidHashEntry` while a piece has no hash.
   */
  generate(): Map<string, Entry> {
    const root = new Map<string, Entry>()
    const [first] = this.trackers
    if (first !== undefined) root.set('announce', first.url)
    if (this.trackers.length > 1) root.set('announce-list', this.tiers())
    if (this.comment !== '') root.set('comment', this.comment)
    if (this.creator !== '') root.set('created by', this.creator)
    if (this.creationDate !== 0) root.set('creation date', Math.floor(this.creationDate))
    if (this.nodes.length > 0) {
      root.set(
        'nodes',
        this.nodes.map(({ host, port }) => [host, port]),
      )
    }
    if (this.urlSeeds.length > 0) root.set('url-list', oneOrMore(this.urlSeeds))
    if (this.httpSeeds.length > 0) root.set('httpseeds', oneOrMore(this.httpSeeds))
    root.set('info', this.verbatim === null ? this.infoDict() : new Preformatted(this.verbatim))
    return root
  }

  /** The .torrent, bencoded. @throws LibtorrentError like `generate` */
  generateBytes(): Uint8Array {
    return bencode(this.generate())
  }

  private infoDict(): Map<string, Entry> {
    for (let piece = 0; piece < this.numPieces; piece++) {
      const from = piece * Sha1Hash.size
      // no data has this hash; libtorrent too takes it for a hash that was never set
      if (this.hashes.subarray(from, from + Sha1Hash.size).every((byte) => byte === 0)) {
        throw thrownError('invalidHashEntry', { message: `the hash of piece ${piece} is missing` })
      }
    }
    const info = new Map<string, Entry>()
    if (this.isMultiFile)
      info.set(
        'files',
        Array.from({ length: this.files.numFiles }, (_, i) => this.fileDict(i)),
      )
    else for (const [key, value] of this.fileDict(0)) info.set(key, value)
    if (this.collections.length > 0) info.set('collections', this.collections)
    if (this.similar.length > 0) {
      info.set(
        'similar',
        this.similar.map(({ bytes }) => bytes),
      )
    }
    info.set('name', this.files.name)
    info.set('piece length', this.files.pieceLength)
    info.set('pieces', this.hashes)
    if (this.isPrivate) info.set('private', 1)
    if (this.rootCert !== '') info.set('ssl-cert', this.rootCert)
    return info
  }

  private fileDict(index: FileIndex): Map<string, Entry> {
    const { files } = this
    const dict = new Map<string, Entry>()
    dict.set('length', files.fileSize(index))
    if (this.isMultiFile) dict.set('path', files.filePath(index).split('/').slice(1))
    const mtime = files.mtime(index)
    if ((this.flags & CreateFlags.modificationTime) !== 0 && mtime !== 0) dict.set('mtime', Math.floor(mtime))
    const isLink = files.isSymlink(index) && (this.flags & CreateFlags.symlinks) !== 0
    const attributes = attributeLetters(files.fileFlags(index), isLink)
    if (attributes !== '') dict.set('attr', attributes)
    if (isLink) dict.set('symlink path', files.internalSymlink(index).split('/'))
    const hash = files.hash(index)
    if (hash !== null) dict.set('sha1', hash.bytes)
    return dict
  }

  private tiers(): string[][] {
    const tiers = new Map<number, string[]>()
    for (const { url, tier } of this.trackers) {
      const urls = tiers.get(tier)
      if (urls === undefined) tiers.set(tier, [url])
      else urls.push(url)
    }
    return [...tiers.values()]
  }

  private copyOuterKeys(source: TorrentInfo): void {
    this.comment = source.comment
    this.creator = source.creator
    this.creationDate = source.creationDate ?? 0
    this.isPrivate = source.priv
    this.trackers = source.trackers.map(({ url, tier }) => ({ url, tier }))
    this.urlSeeds = [...source.urlSeeds]
    this.httpSeeds = [...source.httpSeeds]
    this.nodes = [...source.nodes]
  }
}

/** BEP 47 `attr`. */
function attributeLetters(flags: number, isLink: boolean): string {
  return (
    ((flags & FileFlags.padFile) !== 0 ? 'p' : '') +
    ((flags & FileFlags.hidden) !== 0 ? 'h' : '') +
    ((flags & FileFlags.executable) !== 0 ? 'x' : '') +
    (isLink ? 'l' : '')
  )
}

function oneOrMore(urls: readonly string[]): Entry {
  return urls.length === 1 ? urls[0] : urls
}
