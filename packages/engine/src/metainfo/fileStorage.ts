import { thrownError } from '../errors/libtorrentError.ts'
import type { StorageFile } from '../platform/disk.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { FileIndex, PieceIndex } from '../util/flavored.ts'
import { type FileEntry, FileFlags, type FileSlice } from './fileEntry.ts'
import { givenPath } from './filePath.ts'
import { optimizedOrder } from './padFiles.ts'
import type { PeerRequest } from './peerRequest.ts'
import { isInsidePath } from './sanitizePath.ts'

/** Largest torrent, bytes, as in libtorrent: far below 2^53, so that sums stay exact. */
export const MAX_TOTAL_SIZE = 2 ** 48 - 1
/** Largest piece, bytes: 32767 blocks of 16 KiB. */
export const MAX_PIECE_LENGTH = (2 ** 15 - 1) * 0x4000

/** The file is not below the torrent's root directory. */
const NO_ROOT = 0x80
/** The file's name is an absolute path. */
const ABSOLUTE = 0x40
/** `dirs` index of a file without a directory. */
const NO_DIR = -1

/**
 * The files of a torrent and its piece size: what it takes to map pieces to files and back (manual, make_torrent,
 * `file_storage`). Columns instead of objects: about 60 bytes a file beside its name.
 *
 * Paths are relative to the save path, with `/` between parts. With several files all begin with the same directory,
 * the torrent's name.
 */
export class FileStorage {
  private torrentName = ''
  private length = 0
  private pieces = -1
  private total = 0
  private names: string[] = []
  private sizes: number[] = []
  private offsets: number[] = []
  private flags: number[] = []
  /** Index into `dirs` of each file's directory below the root. */
  private dirOf: number[] = []
  private dirs: string[] = []
  private dirIndex = new Map<string, number>()
  private mtimes = new Map<number, number>()
  private bases = new Map<number, number>()
  private links = new Map<number, string>()
  private hashes = new Map<number, Sha1Hash>()

  /** True once the piece length is set. */
  get isValid(): boolean {
    return this.length > 0
  }

  /** Makes room for `numFiles`. Kept for its name: memory grows by itself. */
  reserve(_numFiles: number): void {}

  /** A deep copy, to be changed without changing this one. */
  clone(): FileStorage {
    const copy = new FileStorage()
    copy.torrentName = this.torrentName
    copy.length = this.length
    copy.pieces = this.pieces
    copy.total = this.total
    copy.names = this.names.slice()
    copy.sizes = this.sizes.slice()
    copy.offsets = this.offsets.slice()
    copy.flags = this.flags.slice()
    copy.dirOf = this.dirOf.slice()
    copy.dirs = this.dirs.slice()
    copy.dirIndex = new Map(this.dirIndex)
    copy.mtimes = new Map(this.mtimes)
    copy.bases = new Map(this.bases)
    copy.links = new Map(this.links)
    copy.hashes = new Map(this.hashes)
    return copy
  }

  /**
   * Adds a file behind the others. The first file gives the torrent its name: the first part of its path, or all of it
   * when it has no directory; then it must stay the only file. `flags` are `FileFlags`; `mtime` is seconds since 1970,
   * 0 for none; `symlinkPath` is the target below the torrent's root directory and makes the file a symbolic link.
   * @throws LibtorrentError `torrentInvalidName` for a path that is absolute or has empty, `.` or `..` parts,
   * `torrentInvalidLength` for a size below 0 or a sum beyond 2^48, `torrentFileParseFailed` for a second root.
   */
  addFile(path: string, size: number, flags?: number, mtime?: number, symlinkPath?: string): void
  addFile(entry: Pick<FileEntry, 'path' | 'size'> & Partial<FileEntry>): void
  addFile(
    file: string | (Pick<FileEntry, 'path' | 'size'> & Partial<FileEntry>),
    size = 0,
    flags = 0,
    mtime = 0,
    symlinkPath = '',
  ): void {
    if (typeof file !== 'string') {
      const index = this.numFiles
      const target = belowRoot(file.path, file.symlinkPath ?? '')
      this.addFile(file.path, file.size, flagsOf(file), file.mtime ?? 0, target)
      if (file.fileBase) this.bases.set(index, file.fileBase)
      if (file.filehash) this.hashes.set(index, file.filehash)
      return
    }
    if (!isInsidePath(file)) throw thrownError('torrentInvalidName', { path: file })
    const slash = file.indexOf('/')
    const root = slash < 0 ? file : file.slice(0, slash)
    if (this.numFiles === 0) this.torrentName = root
    else if (slash < 0 || this.dirOf[0] === NO_DIR) throw thrownError('torrentFileParseFailed', { path: file })
    const last = file.lastIndexOf('/')
    const dir = slash < 0 ? null : last === slash ? '' : file.slice(slash + 1, last)
    if (slash >= 0 && root !== this.torrentName) throw thrownError('torrentFileParseFailed', { path: file })
    const error = this.append(dir, last < 0 ? file : file.slice(last + 1), size, flags, mtime, symlinkPath)
    if (error !== null) throw thrownError(error, { path: file })
  }

  /**
   * Adds a file whose names are known to be safe; `dir` is its directory below the root, null for a torrent of one file
   * without a root. Answers what is wrong with the size instead of throwing. For the parser, which has the parts.
   */
  append(
    dir: string | null,
    name: string,
    size: number,
    flags: number,
    mtime: number,
    symlinkPath: string,
  ): 'torrentInvalidLength' | null {
    if (!Number.isSafeInteger(size) || size < 0 || this.total + size > MAX_TOTAL_SIZE) return 'torrentInvalidLength'
    const index = this.names.length
    this.names.push(name)
    this.sizes.push(size)
    this.offsets.push(this.total)
    this.dirOf.push(dir === null ? NO_DIR : this.indexOfDir(dir))
    // a link needs a target: without one it is an ordinary file
    const isLink = symlinkPath !== ''
    this.flags.push((flags & ~FileFlags.symlink) | (isLink ? FileFlags.symlink : 0))
    if (isLink) this.links.set(index, symlinkPath)
    if (mtime !== 0) this.mtimes.set(index, mtime)
    this.total += size
    return null
  }

  /**
   * Gives file `index` another path, which may lie outside the torrent's root directory but not outside the save path;
   * with `allowAbsolute` also an absolute one, which has nothing to do with the save path any more. That no other file
   * has the path is for the caller to see to.
   * @throws LibtorrentError `torrentInvalidName` for a path that has empty, `.` or `..` parts, is absolute unless that
   * is allowed, or cannot be stored by this system; RangeError for a bad index.
   */
  renameFile(index: FileIndex, newFilename: string, allowAbsolute = false): void {
    this.check(index)
    const given = givenPath(newFilename)
    if (given === null || (given.isAbsolute && !allowAbsolute)) {
      throw thrownError('torrentInvalidName', { path: newFilename })
    }
    this.setPath(index, given.path, given.isAbsolute)
  }

  /** `renameFile` for a path that is known to be good. */
  setPath(index: FileIndex, path: string, isAbsolute = false): void {
    const last = path.lastIndexOf('/')
    const slash = path.indexOf('/')
    this.names[index] = path.slice(last + 1)
    this.flags[index] &= ~(NO_ROOT | ABSOLUTE)
    if (isAbsolute) {
      this.names[index] = path
      this.dirOf[index] = NO_DIR
      this.flags[index] |= ABSOLUTE
    } else if (last < 0) {
      this.dirOf[index] = NO_DIR
    } else if (path.slice(0, slash) === this.torrentName) {
      this.dirOf[index] = this.indexOfDir(last === slash ? '' : path.slice(slash + 1, last))
    } else {
      this.dirOf[index] = this.indexOfDir(path.slice(0, last))
      this.flags[index] |= NO_ROOT
    }
  }

  get numFiles(): number {
    return this.names.length
  }

  /** Sum of the sizes of all files, pad files included, bytes. */
  get totalSize(): number {
    return this.total
  }

  /** Number of pieces; computed from the sizes unless `setNumPieces` was called. 0 without a piece length. */
  get numPieces(): number {
    if (this.pieces >= 0) return this.pieces
    return this.length > 0 ? Math.ceil(this.total / this.length) : 0
  }

  setNumPieces(numPieces: number): void {
    this.pieces = numPieces
  }

  /** Bytes of every piece but the last; 0 while not set. */
  get pieceLength(): number {
    return this.length
  }

  setPieceLength(pieceLength: number): void {
    this.length = pieceLength
  }

  /** Bytes of piece `index`: the piece length, but for the last piece what is left. */
  pieceSize(index: PieceIndex): number {
    return index === this.numPieces - 1 ? this.total - index * this.length : this.length
  }

  /** The torrent's name, and the directory its files lie in when there are several. */
  get name(): string {
    return this.torrentName
  }

  /** Renames the torrent, and with it the root directory of its files; a single file without one keeps its name. */
  setName(name: string): void {
    if (!isInsidePath(name) || name.includes('/')) throw thrownError('torrentInvalidName', { path: name })
    this.torrentName = name
  }

  /** Everything about file `index`. @throws RangeError when there is no such file. */
  at(index: FileIndex): FileEntry {
    this.check(index)
    const flags = this.flags[index]
    return {
      path: this.filePath(index),
      size: this.sizes[index],
      offset: this.offsets[index],
      fileBase: this.fileBase(index),
      padFile: (flags & FileFlags.padFile) !== 0,
      hiddenAttribute: (flags & FileFlags.hidden) !== 0,
      executableAttribute: (flags & FileFlags.executable) !== 0,
      symlinkAttribute: (flags & FileFlags.symlink) !== 0,
      mtime: this.mtime(index),
      symlinkPath: this.symlink(index),
      filehash: this.hash(index),
    }
  }

  /** The files in order (libtorrent's `begin()` and `end()`). */
  *[Symbol.iterator](): Generator<FileEntry, void, undefined> {
    for (let i = 0; i < this.numFiles; i++) yield this.at(i)
  }

  /** The files from the last to the first (libtorrent's `rbegin()` and `rend()`). */
  *reversed(): Generator<FileEntry, void, undefined> {
    for (let i = this.numFiles - 1; i >= 0; i--) yield this.at(i)
  }

  /** Path of file `index` below the save path; with `savePath` that path and `/` in front. An absolute path stays one. */
  filePath(index: FileIndex, savePath = ''): string {
    this.check(index)
    const dir = this.dirOf[index]
    let path = this.names[index]
    if (dir !== NO_DIR) {
      if (this.dirs[dir] !== '') path = `${this.dirs[dir]}/${path}`
      if ((this.flags[index] & NO_ROOT) === 0) path = `${this.torrentName}/${path}`
    }
    return savePath === '' || this.fileAbsolutePath(index) ? path : `${savePath}/${path}`
  }

  /** Whether file `index` was renamed to an absolute path: it does not lie below the save path. */
  fileAbsolutePath(index: FileIndex): boolean {
    this.check(index)
    return (this.flags[index] & ABSOLUTE) !== 0
  }

  /** The last part of the path of file `index`. */
  fileName(index: FileIndex): string {
    const name = this.names[index]
    return this.fileAbsolutePath(index) ? name.slice(name.lastIndexOf('/') + 1) : name
  }

  /** Bytes. */
  fileSize(index: FileIndex): number {
    this.check(index)
    return this.sizes[index]
  }

  /** Where file `index` begins in the torrent, bytes. */
  fileOffset(index: FileIndex): number {
    this.check(index)
    return this.offsets[index]
  }

  /** `FileFlags` of file `index`. */
  fileFlags(index: FileIndex): number {
    this.check(index)
    return this.flags[index] & ~(NO_ROOT | ABSOLUTE)
  }

  /** SHA-1 of the whole file, or null: libtorrent's `hash()`. */
  hash(index: FileIndex): Sha1Hash | null {
    return this.hashes.get(index) ?? null
  }

  setFileHash(index: FileIndex, hash: Sha1Hash): void {
    this.check(index)
    this.hashes.set(index, hash)
  }

  /** Target of a symbolic link as a path below the save path; empty for other files. */
  symlink(index: FileIndex): string {
    const link = this.links.get(index)
    if (link === undefined) return ''
    // a link on its own has no root; one of several that was moved to the top still leads below it
    return this.dirOf[index] === NO_DIR && this.numFiles === 1 ? link : `${this.torrentName}/${link}`
  }

  /** Target of a symbolic link below the torrent's root directory, as it stands in the torrent. */
  internalSymlink(index: FileIndex): string {
    return this.links.get(index) ?? ''
  }

  /** Redirects a symbolic link; `target` is a path below the torrent's root directory. */
  setSymlink(index: FileIndex, target: string): void {
    if (this.links.has(index)) this.links.set(index, target)
  }

  /** Modification time, seconds since 1970; 0 when unknown. */
  mtime(index: FileIndex): number {
    return this.mtimes.get(index) ?? 0
  }

  isHidden(index: FileIndex): boolean {
    return (this.fileFlags(index) & FileFlags.hidden) !== 0
  }

  isExecutable(index: FileIndex): boolean {
    return (this.fileFlags(index) & FileFlags.executable) !== 0
  }

  isSymlink(index: FileIndex): boolean {
    return (this.fileFlags(index) & FileFlags.symlink) !== 0
  }

  padFileAt(index: FileIndex): boolean {
    return (this.fileFlags(index) & FileFlags.padFile) !== 0
  }

  fileBase(index: FileIndex): number {
    return this.bases.get(index) ?? 0
  }

  /** Sets where in the file on disk the torrent's bytes begin. */
  setFileBase(index: FileIndex, offset: number): void {
    this.check(index)
    this.bases.set(index, offset)
  }

  /** Index into `paths` of the directory of file `index`; -1 when it has none: a single file, or an absolute path. */
  pathIndex(index: FileIndex): number {
    this.check(index)
    return this.dirOf[index]
  }

  /** Directories that hold files, as paths below the torrent's root; empty for the root itself. */
  get paths(): readonly string[] {
    return this.dirs
  }

  /**
   * The file that holds byte `offset` of the torrent; -1 when there is none. Files without bytes are never meant.
   * Binary search: cheap for any number of files.
   */
  fileIndexAtOffset(offset: number): FileIndex {
    if (!(offset >= 0 && offset < this.total)) return -1
    let low = 0
    let high = this.offsets.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.offsets[middle] <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The file the first byte of `piece` is in, or -1. */
  fileIndexAtPiece(piece: PieceIndex): FileIndex {
    return this.fileIndexAtOffset(piece * this.length)
  }

  /** The first piece that holds bytes of file `index`. */
  pieceIndexAtFile(index: FileIndex): PieceIndex {
    return Math.floor(this.fileOffset(index) / this.length)
  }

  /** The last piece that holds bytes of file `index`; for an empty file the piece it would begin in. */
  lastPieceIndexAtFile(index: FileIndex): PieceIndex {
    return Math.floor((this.fileOffset(index) + Math.max(this.fileSize(index) - 1, 0)) / this.length)
  }

  /**
   * The parts of files that `size` bytes at `offset` of `piece` lie in, in order. What reaches beyond the end of the
   * torrent is cut off; files without bytes are passed over.
   */
  mapBlock(piece: PieceIndex, offset: number, size: number): FileSlice[] {
    const slices: FileSlice[] = []
    let at = piece * this.length + offset
    let left = Math.min(size, this.total - at)
    let file = this.fileIndexAtOffset(at)
    if (file < 0) return slices
    while (left > 0) {
      const inFile = at - this.offsets[file]
      const part = Math.min(this.sizes[file] - inFile, left)
      if (part > 0) {
        slices.push({ fileIndex: file, offset: inFile, size: part })
        at += part
        left -= part
      }
      file++
    }
    return slices
  }

  /**
   * The range of the torrent that `size` bytes at `offset` of a file are. Cut at the end of the torrent; beyond it, or
   * for a file that does not exist, the piece is `numPieces` and the length 0.
   */
  mapFile(file: FileIndex, offset: number, size: number): PeerRequest {
    const at = (this.offsets[file] ?? this.total) + offset
    if (at >= this.total || this.length <= 0) return { piece: this.numPieces, start: 0, length: 0 }
    const piece = Math.floor(at / this.length)
    return { piece, start: at - piece * this.length, length: Math.min(size, this.total - at) }
  }

  /**
   * Reorders the files so that large ones begin at a multiple of `alignment` bytes (default: the piece length) and,
   * with `padFileLimit` >= 0, puts a pad file before each one larger than that which would not
   * (libtorrent 1.0 `optimize`).
   */
  optimize(padFileLimit = -1, alignment = this.length): void {
    const old = this.clone()
    const order = optimizedOrder(old.sizes, old.flags, padFileLimit, alignment)
    this.names = []
    this.sizes = []
    this.offsets = []
    this.flags = []
    this.dirOf = []
    this.mtimes = new Map()
    this.bases = new Map()
    this.links = new Map()
    this.hashes = new Map()
    this.total = 0
    let pads = 0
    for (const item of order) {
      const index = this.names.length
      if ('padding' in item) {
        this.append('.____padding_file', `${pads++}`, item.padding, FileFlags.padFile, 0, '')
        continue
      }
      const from = item.file
      const dir = old.dirOf[from]
      const link = old.internalSymlink(from)
      const flags = old.flags[from]
      this.append(dir === NO_DIR ? null : old.dirs[dir], old.names[from], old.sizes[from], flags, old.mtime(from), link)
      if (old.bases.has(from)) this.bases.set(index, old.fileBase(from))
      const hash = old.hash(from)
      if (hash !== null) this.hashes.set(index, hash)
    }
  }

  /** Exchanges contents with `other`. */
  swap(other: FileStorage): void {
    const mine = { ...this }
    Object.assign(this, other)
    Object.assign(other, mine)
  }

  private check(index: FileIndex): void {
    if (!(index >= 0 && index < this.names.length)) throw new RangeError(`no file ${index} of ${this.names.length}`)
  }

  private indexOfDir(dir: string): number {
    let index = this.dirIndex.get(dir)
    if (index === undefined) {
      index = this.dirs.length
      this.dirs.push(dir)
      this.dirIndex.set(dir, index)
    }
    return index
  }
}

/** The target of a link at `path`, in the form of `FileEntry.symlinkPath`, as a path below the root `path` begins with. */
function belowRoot(path: string, target: string): string {
  const root = path.slice(0, path.indexOf('/') + 1)
  return root !== '' && target.startsWith(root) ? target.slice(root.length) : target
}

function flagsOf(entry: Partial<FileEntry>): number {
  return (
    (entry.padFile ? FileFlags.padFile : 0) |
    (entry.hiddenAttribute ? FileFlags.hidden : 0) |
    (entry.executableAttribute ? FileFlags.executable : 0)
  )
}

/** The files of `files` as the disk layer takes them. */
export function storageFiles(files: FileStorage): StorageFile[] {
  const list: StorageFile[] = []
  for (let i = 0; i < files.numFiles; i++) {
    const flags = files.fileFlags(i)
    const file: { -readonly [K in keyof StorageFile]: StorageFile[K] } = {
      path: files.filePath(i),
      size: files.fileSize(i),
      offset: files.fileOffset(i),
      pad: (flags & FileFlags.padFile) !== 0,
    }
    if (files.fileAbsolutePath(i)) file.absolute = true
    if ((flags & FileFlags.symlink) !== 0) file.symlink = files.symlink(i)
    if ((flags & FileFlags.executable) !== 0) file.executable = true
    if ((flags & FileFlags.hidden) !== 0) file.hidden = true
    list.push(file)
  }
  return list
}
