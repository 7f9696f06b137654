import { join } from 'node:path'
import { FileFlag, type StorageLayout } from '../storeProtocol.ts'
import { SaveDirectory } from './saveDirectory.ts'
import type { StoreFs } from './storeFs.ts'

/** One torrent's files as a store knows them: which byte lies where. */
export class StorageFiles {
  readonly directory: SaveDirectory
  /** Files written since they were last brought to disk. */
  readonly dirty = new Set<number>()
  private lastFile = 0

  constructor(
    fs: StoreFs,
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

  /** Below the save path. */
  path(file: number): string {
    return this.layout.paths[file]
  }

  /** With the save path: for error reports. */
  fullPath(file: number): string {
    return join(this.layout.savePath, this.layout.paths[file])
  }
}
