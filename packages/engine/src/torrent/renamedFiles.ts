import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { type GivenPath, givenPath, pathBelow, pathIn } from '../metainfo/filePath.ts'
import { collidingPaths } from '../metainfo/pathIndex.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import type { FileIndex } from '../util/flavored.ts'

/** Rounds of leaving out names that meet others; names that need more are not made by anything that means well. */
const MAX_ROUNDS = 8

export interface RenamedFilesHost {
  /** Shared with whoever added the torrent: replaced by a copy before the first change. */
  info: TorrentInfo
  readonly savePath: string
}

/**
 * The names given to a torrent's files in place of its own. They are seen in `TorrentInfo.files()`; here is what it
 * takes to get them there: from resume data, which may come from anywhere, and from users, whose renames take time.
 */
export class RenamedFiles {
  /** Before the metadata is known these wait; afterwards `info` has them, too. */
  private readonly names = new Map<FileIndex, GivenPath>()
  private ownsInfo = false

  constructor(private readonly host: RenamedFilesHost) {}

  /**
   * Takes over the `mapped_files` of resume data, but for names that lead out of the save path. Absolute ones count
   * only if the paths in the resume data are trusted.
   */
  restore(mapped: readonly string[], areTrusted: boolean): void {
    mapped.forEach((name, file) => {
      const given = name === '' ? null : givenPath(name)
      if (given !== null && (areTrusted || !given.isAbsolute)) this.names.set(file, given)
    })
  }

  /** The metadata is known: the names that wait are given to the files, but for those that would meet. */
  apply(): void {
    const { info } = this.host
    for (const [file, { path }] of this.names) {
      if (file >= info.numFiles || info.files().filePath(file) === path) this.names.delete(file)
    }
    this.dropColliding()
    if (this.names.size > 0)
      this.ownInfo().renameFiles(new Map(Array.from(this.names, ([file, { path }]) => [file, path])))
  }

  /**
   * A user wants another name for a file: keeps the path for it, so that nobody else gets it while the disk is at work.
   * `finish` or `cancel` must follow.
   */
  begin(file: FileIndex, newName: string): GivenPath | LibtorrentError {
    const given = givenPath(newName)
    if (given === null) {
      return libtorrentError('torrentInvalidName', { path: newName, message: `not a path for a file: "${newName}"` })
    }
    if (this.isTaken(given, file)) {
      const message = `another file or directory of the torrent is at "${newName}"`
      return libtorrentError('torrentInvalidName', { path: newName, message })
    }
    if (!this.host.info.files().padFileAt(file)) this.ownInfo().pathIndex().add(given.path, file)
    return given
  }

  /** The file has its new name. */
  finish(file: FileIndex, given: GivenPath): void {
    this.names.set(file, given)
    this.ownInfo().renameFile(file, given.path, true)
    this.cancel(file, given)
  }

  /** The file keeps its old name. */
  cancel(file: FileIndex, given: GivenPath): void {
    const { info } = this.host
    if (!info.files().padFileAt(file)) info.pathIndex().remove(given.path)
  }

  /** For resume data: the path of each file, empty where it has the torrent's own name; null when none was renamed. */
  mapped(): readonly string[] | null {
    const { info } = this.host
    const files = info.files()
    const original = info.origFiles()
    // names the torrent was added with, too; unless its bytes are laid out over other files than its own
    const knowsAll = files !== original && files.numFiles === original.numFiles
    if (!knowsAll && this.names.size === 0) return null
    let length = info.numFiles
    if (!info.isValid) for (const file of this.names.keys()) length = Math.max(length, file + 1)
    const paths = Array.from({ length }, (_, file) => this.names.get(file)?.path ?? '')
    if (knowsAll) {
      for (let file = 0; file < length; file++) {
        const path = files.filePath(file)
        paths[file] = path === original.filePath(file) ? '' : path
      }
    }
    return paths.some((path) => path !== '') ? paths : null
  }

  private isTaken({ path, isAbsolute }: GivenPath, file: FileIndex): boolean {
    const { info, savePath } = this.host
    if (info.files().padFileAt(file)) return false
    const index = info.pathIndex()
    if (index.isTaken(path, file)) return true
    // the same place may be known by its absolute and by its relative path
    const other = isAbsolute ? pathBelow(savePath, path) : pathIn(savePath, path)
    return other !== null && index.isTaken(other, file)
  }

  private dropColliding(): void {
    for (let round = 0; this.names.size > 0; round++) {
      const colliding = collidingPaths(this.plannedPaths())
      if (colliding.size === 0) return
      if (round === MAX_ROUNDS) return this.names.clear()
      for (const file of colliding) this.names.delete(file)
    }
  }

  /** Where every file would lie with the names that wait; null for pad files, which lie nowhere. */
  private plannedPaths(): (string | null)[] {
    const { info, savePath } = this.host
    const files = info.files()
    const hasAbsolute = [...this.names.values()].some(({ isAbsolute }) => isAbsolute)
    return Array.from({ length: files.numFiles }, (_, file) => {
      if (files.padFileAt(file)) return null
      const name = this.names.get(file)
      if (!hasAbsolute) return name?.path ?? files.filePath(file)
      return name?.isAbsolute ? name.path : pathIn(savePath, name?.path ?? files.filePath(file))
    })
  }

  private ownInfo(): TorrentInfo {
    if (!this.ownsInfo) this.host.info = this.host.info.clone()
    this.ownsInfo = true
    return this.host.info
  }
}
