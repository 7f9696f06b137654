import { basename, dirname, join, resolve } from 'node:path'
import { FileFlag, type StorageLayout } from '../storeProtocol.ts'
import { SaveDirectory } from './saveDirectory.ts'
import type { StoreFs } from './storeFs.ts'

/** Where a file lies: below the save path, or in a directory the user chose for it. */
export interface FilePlace {
  readonly directory: SaveDirectory
  /** Below `directory`. */
  readonly path: string
}

/** One torrent's files as a store knows them: which byte lies where. */
export class StorageFiles {
  /** The save path. */
  readonly directory: SaveDirectory
  /** Files written since they were last brought to disk. */
  readonly dirty = new Set<number>()
  private lastFile = 0
  /** Directories of files with absolute paths. */
  private readonly elsewhere = new Map<string, SaveDirectory>()

  constructor(
    private readonly fs: StoreFs,
    readonly id: number,
    readonly layout: StorageLayout,
  ) {
    this.directory = new SaveDirectory(fs, layout.savePath)
  }

  pieceStart(piece: number): number {
    return piece * this.layout.pieceLength
  }

  pieceEnd(piece: number): number {
    return Math.min(this.layout.totalSize, (piece + 1) * this.layout.pieceLength)
  }

  /** The file that holds byte `position` of the torrent. */
  fileAt(position: number): number {
    const { offsets, sizes } = this.layout
    const last = this.lastFile
    if (position >= offsets[last] && position < offsets[last] + sizes[last]) return last
    let low = 0
    let high = offsets.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (offsets[middle] <= position) low = middle
      else high = middle
    }
    return (this.lastFile = low)
  }

  /** Where in the torrent a file ends. */
  fileEnd(file: number): number {
    return this.layout.offsets[file] + this.layout.sizes[file]
  }

  isPad(file: number): boolean {
    return (this.layout.flags[file] & FileFlag.pad) !== 0
  }

  isSymlink(file: number): boolean {
    return (this.layout.flags[file] & FileFlag.symlink) !== 0
  }

  /** Permissions a file is made with, before the process's mask. */
  mode(file: number): number {
    return (this.layout.flags[file] & FileFlag.executable) !== 0 ? 0o777 : 0o666
  }

  /** The file has a place of its own, outside the save path: it does not move with it. */
  isAbsolute(file: number): boolean {
    return (this.layout.flags[file] & FileFlag.absolute) !== 0
  }

  /** Where the file is, or will be. */
  place(file: number): FilePlace {
    return this.placeOf(this.layout.paths[file], this.isAbsolute(file))
  }

  placeOf(path: string, isAbsolute: boolean): FilePlace {
    if (!isAbsolute) return { directory: this.directory, path }
    const parent = dirname(path)
    let directory = this.elsewhere.get(parent)
    if (directory === undefined) {
      directory = new SaveDirectory(this.fs, parent)
      this.elsewhere.set(parent, directory)
    }
    return { directory, path: basename(path) }
  }

  /** The paths below the save path. */
  get relativePaths(): string[] {
    return this.layout.paths.filter((_, file) => !this.isAbsolute(file))
  }

  /** The path from the root of the file system, for comparing; nothing is checked. */
  absolutePath(file: number): string {
    return resolve(this.layout.savePath, this.layout.paths[file])
  }

  /** With the save path: for error reports. */
  fullPath(file: number): string {
    const path = this.layout.paths[file]
    return this.isAbsolute(file) ? path : join(this.layout.savePath, path)
  }
}
