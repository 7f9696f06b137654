import { createHash, type Hash } from 'node:crypto'
import { thrownError } from '../../errors/libtorrentError.ts'
import type { FilePool, OpenFile } from './filePool.ts'
import type { PieceHashes } from './pieceHashes.ts'
import type { StorageFiles } from './storageFiles.ts'
import { storeError } from './storeErrors.ts'
import type { StoreFs } from './storeFs.ts'

/** Read at a time: it stays in the second-level cache between being read and being hashed (measured in bench/micro/disk). */
const READ_BYTES = 256 * 1024

/** The hash of a piece in the making. */
export class PieceHash {
  constructor(
    readonly files: StorageFiles,
    readonly hash: Hash,
    /** Where in the torrent to go on. */
    public position: number,
    readonly end: number,
  ) {}

  get isComplete(): boolean {
    return this.position >= this.end
  }

  /** Once, when it is complete. */
  digest(): Uint8Array {
    return this.hash.digest()
  }
}

/** The SHA-1 of pieces: finishes the running hash of what was just written, or reads the piece from disk. */
export class PieceHasher {
  private readonly buffer = new Uint8Array(READ_BYTES)
  private readonly zeros = new Uint8Array(16 * 1024)
  /** Size of the file looked at last; only trusted within a batch. */
  private statKey = -1
  private statSize = 0

  constructor(
    private readonly fs: StoreFs,
    private readonly pool: FilePool,
    private readonly hashes: PieceHashes,
  ) {}

  /** What is known of the files' sizes may be out of date. */
  beginBatch(): void {
    this.statKey = -1
  }

  /** @throws LibtorrentError, `ENOENT` or `fileTooShort` before anything is read when a part of the piece is missing. */
  digest(files: StorageFiles, piece: number): Uint8Array {
    const run = this.begin(files, piece)
    this.advance(run, Number.POSITIVE_INFINITY)
    return run.digest()
  }

  /** The SHA-1 of a part of a piece, read from disk; what runs of the piece's own hash goes on. */
  blockDigest(files: StorageFiles, piece: number, offset: number, length: number): Uint8Array {
    const start = files.pieceStart(piece) + offset
    const run = new PieceHash(files, createHash('sha1'), start, start + length)
    this.advance(run, length)
    return run.digest()
  }

  /** The first part of `digest`: the errors mentioned there come from here. */
  begin(files: StorageFiles, piece: number): PieceHash {
    const { hash, position } = this.hashes.take(files.id, piece)
    const start = files.pieceStart(piece)
    const end = files.pieceEnd(piece)
    for (let at = start; at < end; ) {
      const file = files.fileAt(at)
      const to = Math.max(at + 1, Math.min(end, files.fileEnd(file)))
      if (!files.isPad(file)) this.checkSize(files, file, to - files.layout.offsets[file])
      at = to
    }
    return new PieceHash(files, hash, start + position, end)
  }

  /** Reads and hashes up to `maxBytes` more; answers how many. */
  advance(run: PieceHash, maxBytes: number): number {
    const { files, hash } = run
    const start = run.position
    const end = Math.min(run.end, start + maxBytes)
    while (run.position < end) {
      const at = run.position
      const file = files.fileAt(at)
      const to = Math.max(at + 1, Math.min(end, files.fileEnd(file)))
      if (files.isPad(file)) this.hashZeros(hash, to - at)
      else this.hashFile(hash, files, file, at - files.layout.offsets[file], to - at)
      run.position = to
    }
    return run.position - start
  }

  private checkSize(files: StorageFiles, file: number, needed: number): void {
    const entry = this.pool.acquire(files, file, false)
    if (entry.key !== this.statKey || this.statSize < needed) {
      const stat = this.fs.fstatSync(entry.fd)
      if (stat.nlink === 0) this.refuseRemoved(files, file, entry, stat.ino)
      this.statKey = entry.key
      this.statSize = stat.size
    }
    if (this.statSize < needed) throw thrownError('fileTooShort', { operation: 'fileRead', path: entry.path })
  }

  /** What is written to a file that someone has removed is lost, although every write succeeds. */
  private refuseRemoved(files: StorageFiles, file: number, entry: OpenFile, inode: number): void {
    const found = this.fs.statSync(entry.path, { throwIfNoEntry: false })
    // some network file systems never count links
    if (found?.ino === inode) return
    this.pool.close(entry)
    files.place(file).directory.forget()
    throw storeError('ENOENT', 'fileStat', entry.path)
  }

  private hashFile(hash: Hash, files: StorageFiles, file: number, position: number, length: number): void {
    const { fd, path } = this.pool.acquire(files, file, false)
    for (let done = 0; done < length; ) {
      const wanted = Math.min(READ_BYTES, length - done)
      const count = this.fs.readSync(fd, this.buffer, 0, wanted, position + done)
      if (count === 0) throw thrownError('fileTooShort', { operation: 'fileRead', path })
      hash.update(count === READ_BYTES ? this.buffer : this.buffer.subarray(0, count))
      done += count
    }
  }

  private hashZeros(hash: Hash, length: number): void {
    for (let left = length; left > 0; left -= this.zeros.length) {
      hash.update(left >= this.zeros.length ? this.zeros : this.zeros.subarray(0, left))
    }
  }
}
