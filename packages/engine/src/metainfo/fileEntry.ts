import type { Sha1Hash } from '../util/digest.ts'
import type { FileIndex } from '../util/flavored.ts'

/** Attributes of a file (BEP 47), a bit mask: libtorrent's `file_flags_t`. */
export const FileFlags = {
  /** Only there to align the file behind it; never on disk, reads as zeros. */
  padFile: 1,
  hidden: 2,
  executable: 4,
  /** A symbolic link: no data of its own. */
  symlink: 8,
} as const

/** A file of a torrent: libtorrent's `file_entry`. A snapshot; changing it changes nothing. */
export interface FileEntry {
  /**
   * Path below the save path with `/` between its parts; in a multi-file torrent it begins with the torrent's name,
   * unless the file was renamed. Absolute for a file that was given such a path.
   */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Where the file begins in the torrent, bytes. */
  readonly offset: number
  /** Where in the file on disk the torrent's bytes begin; 0 unless several regions share one file. */
  readonly fileBase: number
  readonly padFile: boolean
  readonly hiddenAttribute: boolean
  readonly executableAttribute: boolean
  readonly symlinkAttribute: boolean
  /** Seconds since 1970, 0 when the torrent has none. */
  readonly mtime: number
  /** Target of a symbolic link, in the form of `path`; empty for other files. */
  readonly symlinkPath: string
  /** SHA-1 of the whole file, if the torrent has one. */
  readonly filehash: Sha1Hash | null
}

/** Part of a file: libtorrent's `file_slice`. */
export interface FileSlice {
  readonly fileIndex: FileIndex
  /** Offset in the file, bytes. */
  readonly offset: number
  /** Bytes; `offset + size` is never beyond the end of the file. */
  readonly size: number
}
