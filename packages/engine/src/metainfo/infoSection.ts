import type { BNode } from '../bencode/bNode.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { Sha1Hash } from '../util/digest.ts'
import { FileFlags } from './fileEntry.ts'
import { FileStorage, MAX_PIECE_LENGTH } from './fileStorage.ts'
import { sanitizeLatin1Element } from './sanitizePath.ts'
import { sanitizeSymlinks } from './symlinks.ts'
import type { TorrentLimits } from './torrentLimits.ts'

/** Largest file, bytes: its 16 KiB blocks can be counted in 30 bits. */
const MAX_FILE_SIZE = (2 ** 30 - 1) * 0x4000
/** BitComet and its like mark padding by name only. */
const PADDING_NAME = '_____padding_file_'

/** What the info dictionary of a v1 or hybrid torrent says. */
export interface InfoSection {
  readonly files: FileStorage
  /** The torrent has a list of files, even if there is only one in it. */
  readonly isMultiFile: boolean
  /** Offset of the piece hashes in the decoded buffer. */
  readonly hashesOffset: number
  readonly isPrivate: boolean
}

/**
 * Reads an info dictionary (BEP 3, 27, 47). Keys of BEP 52 beside the v1 ones are passed over; a v2-only torrent gives
 * `torrentMissingPieces` with a text that says so. A directory of whose name nothing is left takes `infoHash` for a name.
 */
export function readInfoSection(
  info: BNode,
  infoHash: Sha1Hash,
  limits: Required<TorrentLimits>,
): InfoSection | LibtorrentError {
  if (info.type !== 'dict') return libtorrentError('torrentInfoNoDict')
  const pieceLength = info.getInt('piece length')
  if (pieceLength === null || pieceLength <= 0 || pieceLength > MAX_PIECE_LENGTH) {
    return libtorrentError('torrentMissingPieceLength')
  }

  const rawName = info.get('name.utf-8')?.asLatin1() ?? info.get('name')?.asLatin1() ?? null
  if (rawName === null) return libtorrentError('torrentMissingName')
  const list = info.get('files')
  const isMultiFile = list !== null
  let name = sanitizeLatin1Element(rawName, false, limits.nameRules)
  if (name === '') {
    // of a directory's name nothing may be left, but a file needs one
    if (!isMultiFile) return libtorrentError('torrentMissingName')
    name = rawName === '' ? '_' : infoHash.toHex()
  }

  const files = new FileStorage()
  files.setPieceLength(pieceLength)
  files.setName(name)

  if (list === null && info.get('length') === null && info.get('file tree') !== null) {
    return libtorrentError('torrentMissingPieces', {
      message: 'this is a BitTorrent v2 torrent without the v1 part (BEP 52), which is not supported',
    })
  }
  if (isMultiFile) {
    if (list.type !== 'list') return libtorrentError('torrentFileParseFailed')
    const reader = new FileReader(files, limits)
    for (const item of list) {
      const error = reader.read(item)
      if (error !== null) return error
    }
    sanitizeSymlinks(files)
  } else {
    // alone, a link has nothing to point to
    const attributes = readAttributes(info.get('attr')) & ~FileFlags.symlink
    const size = readSize(info.get('length'), attributes)
    if (size === null) return libtorrentError('torrentInvalidLength')
    const error = files.append(null, name, size, attributes, readTime(info.get('mtime')), '')
    if (error !== null) return libtorrentError(error)
    readFileHash(info.get('sha1'), files, 0)
  }

  if (files.numFiles === 0) return libtorrentError('noFilesInTorrent')
  const numPieces = Math.ceil(files.totalSize / pieceLength)
  if (numPieces > limits.maxPieces) return libtorrentError('tooManyPiecesInTorrent')

  const pieces = info.get('pieces')
  const hashes = pieces?.asString() ?? null
  if (hashes === null) return libtorrentError('torrentMissingPieces')
  if (hashes.length !== numPieces * Sha1Hash.size) return libtorrentError('torrentInvalidHashes')
  if (files.totalSize === 0) return libtorrentError('torrentInvalidLength')
  files.setNumPieces(numPieces)

  return {
    files,
    isMultiFile,
    hashesOffset: pieces!.stringOffset,
    isPrivate: (info.getInt('private') ?? 0) !== 0,
  }
}

const FILE_KEYS = ['length', 'path', 'path.utf-8', 'attr', 'mtime', 'symlink path', 'sha1']

/** Reads the entries of a `files` list into a file storage. */
class FileReader {
  private readonly values: (BNode | null)[] = []
  /** The directory `readPath` found, and the name in it. */
  private dir = ''
  private leaf = ''

  constructor(
    private readonly files: FileStorage,
    private readonly limits: Required<TorrentLimits>,
  ) {}

  read(file: BNode): LibtorrentError | null {
    if (file.type !== 'dict') return libtorrentError('torrentFileParseFailed')
    file.getAll(FILE_KEYS, this.values)
    const [length, path, path8, attr, mtime, target, sha1] = this.values
    let attributes = readAttributes(attr)
    const size = readSize(length, attributes)
    if (size === null) return libtorrentError('torrentInvalidLength')

    const names = path8?.type === 'list' ? path8 : path
    if (names?.type === 'list' && names.size > 0) {
      const error = this.readPath(names, false)
      if (error !== null) return error
    } else if ((attributes & FileFlags.padFile) !== 0) {
      this.dir = '.pad'
      this.leaf = String(size)
    } else {
      return libtorrentError('torrentMissingName')
    }
    const { dir, leaf } = this
    if (leaf.includes(PADDING_NAME) || dir.includes(PADDING_NAME)) attributes |= FileFlags.padFile

    let link = ''
    if ((attributes & FileFlags.symlink) !== 0 && target?.type === 'list') {
      const error = this.readPath(target, true)
      if (error !== null) return error
      link = this.dir === '' ? this.leaf : `${this.dir}/${this.leaf}`
    }

    const index = this.files.numFiles
    const error = this.files.append(dir, leaf, size, attributes, readTime(mtime), link)
    if (error !== null) return libtorrentError(error)
    readFileHash(sha1, this.files, index)
    return null
  }

  /** Takes a path apart, its parts made safe; of a link's target `.` and `..` are left out. */
  private readPath(path: BNode, isTarget: boolean): LibtorrentError | null {
    this.dir = ''
    this.leaf = ''
    let depth = 0
    for (const part of path) {
      if (++depth > this.limits.maxDirectoryDepth) {
        return libtorrentError('torrentInvalidName', { message: 'a path in the torrent has too many directories' })
      }
      const name = part.asLatin1()
      if (name === null) return libtorrentError('torrentInvalidName')
      if (isTarget && (name === '' || name === '.' || name === '..')) continue
      if (this.leaf !== '') this.dir = this.dir === '' ? this.leaf : `${this.dir}/${this.leaf}`
      this.leaf = sanitizeLatin1Element(name, true, this.limits.nameRules)
    }
    return null
  }
}

/** BEP 47 `attr`. */
function readAttributes(attr: BNode | null): number {
  const letters = attr?.asLatin1()
  if (!letters) return 0
  return (
    (letters.includes('p') ? FileFlags.padFile : 0) |
    (letters.includes('h') ? FileFlags.hidden : 0) |
    (letters.includes('x') ? FileFlags.executable : 0) |
    (letters.includes('l') ? FileFlags.symlink : 0)
  )
}

/** `length`; a link has none. Null when it is missing or impossible. */
function readSize(length: BNode | null, attributes: number): number | null {
  if ((attributes & FileFlags.symlink) !== 0) return 0
  const size = length?.asInt() ?? null
  return size === null || size < 0 || size > MAX_FILE_SIZE ? null : size
}

function readTime(mtime: BNode | null): number {
  return Math.max(mtime?.asInt() ?? 0, 0)
}

function readFileHash(sha1: BNode | null, files: FileStorage, index: number): void {
  const hash = sha1?.asString()
  if (hash?.length === Sha1Hash.size) files.setFileHash(index, new Sha1Hash(hash))
}
