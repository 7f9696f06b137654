import { thrownError } from '../errors/libtorrentError.ts'
import type { FileStat, StorageParams } from '../platform/disk.ts'
import type { PieceIndex } from '../util/flavored.ts'
import { pieceSize } from './storageBounds.ts'
import type { StorageInterface } from './storageInterface.ts'

/**
 * Keeps a torrent in memory. A piece takes its space with its first block; `delete`, and the end of the process, lose
 * everything. Reading or hashing a piece of which nothing was written fails with `fileTooShort`.
 */
export class MemoryStorage implements StorageInterface {
  private readonly pieces = new Map<PieceIndex, Uint8Array>()

  constructor(private readonly params: StorageParams) {}

  read(piece: PieceIndex, offset: number, target: Uint8Array): void {
    const bytes = this.pieces.get(piece)
    if (bytes === undefined) throw thrownError('fileTooShort', { operation: 'fileRead' })
    target.set(bytes.subarray(offset, offset + target.length))
  }

  write(piece: PieceIndex, offset: number, bytes: Uint8Array): void {
    let stored = this.pieces.get(piece)
    if (stored === undefined) {
      stored = new Uint8Array(pieceSize(this.params, piece))
      this.pieces.set(piece, stored)
    }
    stored.set(bytes, offset)
  }

  delete(): void {
    this.pieces.clear()
  }

  /** A file exists once a byte near it was stored, and is then as large as it will ever be. */
  stat(): readonly FileStat[] {
    return this.params.files.map((file) => {
      const first = Math.floor(file.offset / this.params.pieceLength)
      const last = Math.floor((file.offset + Math.max(0, file.size - 1)) / this.params.pieceLength)
      let stored = file.pad || file.size === 0
      for (let piece = first; piece <= last && !stored; piece++) stored = this.pieces.has(piece)
      return { size: stored ? file.size : -1, mtime: 0 }
    })
  }
}
