import { thrownError } from '../errors/libtorrentError.ts'
import { automaticPieceSize, CreateFlags, CreateTorrent } from '../metainfo/createTorrent.ts'
import { FileFlags } from '../metainfo/fileEntry.ts'
import { FileStorage } from '../metainfo/fileStorage.ts'
import { fileSha1 } from '../node/fileSha1.ts'
import { type FileListing, isUnchanged, listFiles } from '../node/listFiles.ts'
import { type HashFilesOptions, hashFiles } from './hashFiles.ts'

/**
 * Adds a file, or all files below a directory, to `files` (manual, make_torrent, `add_files`). Hidden files are
 * included; directories come depth first, names compared byte by byte, so that the same content always gives the same
 * torrent. Symbolic links stay links (BEP 47) and must lead to something below `path`; `path` itself may be one.
 * @throws LibtorrentError whose `path` names what cannot be read, is neither file nor directory, is a link that leads
 * outside, or has a name that cannot be in a torrent
 */
export async function addFiles(files: FileStorage, path: string): Promise<void> {
  const listing = await listFiles(path)
  addListing(files, listing, listing.name)
}

/**
 * Reads the files of `torrent.files` below `savePath` on all cores and sets the hash of every piece
 * (manual, make_torrent, `set_piece_hashes`), and with `CreateFlags.calculateFileHashes` that of every file.
 * @throws LibtorrentError `fileTooShort` when a file is missing or shorter than it was, or what the system says
 */
export async function setPieceHashes(
  torrent: CreateTorrent,
  savePath: string,
  options: HashFilesOptions = {},
): Promise<void> {
  return hashBelow(torrent, savePath, torrent.files, options)
}

/** What `createTorrentFromPath` makes of the files. */
export interface CreateTorrentOptions extends HashFilesOptions {
  /** Piece length, bytes: a multiple of 16 KiB or a power of two, at most 128 MiB. Default 0: by `automaticPieceSize`. */
  readonly pieceSize?: number
  /** The torrent's name. Default: that of the file or directory. */
  readonly name?: string
  /** Begin every file at a piece boundary, with pad files (BEP 47) between them. Default false. */
  readonly padFiles?: boolean
}

/**
 * Makes a torrent of a file or directory: `addFiles` and `setPieceHashes` in one. Trackers, comment and the like are
 * added to the result, and `generateBytes` gives the .torrent.
 * @throws LibtorrentError what those two throw, `noFilesInTorrent` for an empty directory, `torrentInvalidLength` when
 * all files are empty, `mismatchingFileTimestamp` when a file was changed meanwhile
 */
export async function createTorrentFromPath(path: string, options: CreateTorrentOptions = {}): Promise<CreateTorrent> {
  const listing = await listFiles(path)
  const name = options.name ?? listing.name
  const plain = new FileStorage()
  addListing(plain, listing, name)
  const pieceSize = options.pieceSize || automaticPieceSize(plain.totalSize)
  const files = options.padFiles && listing.isDirectory ? padded(plain, pieceSize) : plain
  const torrent = new CreateTorrent(files, pieceSize, -1, CreateFlags.symlinks)

  await hashBelow(torrent, listing.parent, renamedRoot(torrent.files, name, listing.name), options)
  for (const file of listing.files) {
    if (await isUnchanged(listing, file)) continue
    throw thrownError('mismatchingFileTimestamp', {
      path: file.path || listing.name,
      message: 'it was changed while it was hashed',
    })
  }
  return torrent
}

function addListing(files: FileStorage, listing: FileListing, name: string): void {
  for (const { path, size, mtime, executable, symlink } of listing.files) {
    const flags = executable ? FileFlags.executable : 0
    files.addFile(listing.isDirectory ? `${name}/${path}` : name, size, flags, mtime, symlink)
  }
}

/** `onDisk` is the torrent's layout with the names the files have on disk. */
async function hashBelow(
  torrent: CreateTorrent,
  savePath: string,
  onDisk: FileStorage,
  options: HashFilesOptions,
): Promise<void> {
  const accept = (piece: number, digest: Uint8Array): boolean => {
    torrent.setHash(piece, digest)
    return true
  }
  const { have } = await hashFiles(onDisk, savePath, accept, options)
  for (let piece = 0; piece < torrent.numPieces; piece++) {
    if (have.get(piece)) continue
    const [slice] = onDisk.mapBlock(piece, 0, torrent.pieceSize(piece))
    throw thrownError('fileTooShort', { operation: 'fileRead', path: onDisk.filePath(slice.fileIndex, savePath) })
  }
  if (!torrent.shouldAddFileHashes) return
  for (let file = 0; file < onDisk.numFiles; file++) {
    if (onDisk.padFileAt(file) || onDisk.isSymlink(file)) continue
    torrent.setFileHash(file, await fileSha1(onDisk.filePath(file, savePath)))
  }
}

/** The same files, each beginning at a multiple of `alignment`: libtorrent 2's canonical order without tail padding. */
function padded(files: FileStorage, alignment: number): FileStorage {
  const result = new FileStorage()
  for (let i = 0; i < files.numFiles; i++) {
    const size = files.fileSize(i)
    const gap = (alignment - (result.totalSize % alignment)) % alignment
    if (size > 0 && gap > 0) result.addFile(`${files.name}/.pad/${gap}`, gap, FileFlags.padFile)
    result.addFile(files.filePath(i), size, files.fileFlags(i), files.mtime(i), files.internalSymlink(i))
  }
  return result
}

/** The layout with the torrent's name replaced by that of the file or directory on disk. */
function renamedRoot(files: FileStorage, name: string, onDisk: string): FileStorage {
  if (name === onDisk) return files
  const renamed = files.clone()
  for (let file = 0; file < files.numFiles; file++) {
    renamed.renameFile(file, onDisk + files.filePath(file).slice(name.length))
  }
  return renamed
}
