import { posix } from 'node:path'
import { Hasher } from '../src/crypto/sha1.ts'
import { FenceQueue } from '../src/disk/fenceQueue.ts'
import { LibtorrentError, libtorrentError } from '../src/errors/libtorrentError.ts'
import { isAbsolutePath } from '../src/metainfo/filePath.ts'
import type {
  FileStat,
  StorageDone,
  StorageFile,
  StorageHandler,
  StorageMoved,
  StorageParams,
  TorrentStorage,
} from '../src/platform/disk.ts'
import { MoveFlags } from '../src/platform/moveFlags.ts'
import { BLOCK_SIZE_BYTES, type FileIndex, type PieceIndex, type SlotIndex } from '../src/util/flavored.ts'
import type { SeededRandom } from './seededRandom.ts'
import type { SimBlockPool } from './simBlockPool.ts'
import { simError } from './simErrors.ts'
import type { SimFileSystem } from './simFileSystem.ts'

/** A job for the disk. `run` is called when its time is over. */
export interface DiskJob {
  /** Jobs of one lane are carried out in order. */
  readonly lane: number
  /** Bytes to move. */
  readonly bytes: number
  run(): void
  /** The program was killed while this was under way. */
  torn?(random: SeededRandom): void
}

/** What a storage needs of the disk it lies on. */
export interface StorageDisk {
  readonly pool: SimBlockPool
  readonly files: SimFileSystem
  submit(job: DiskJob): void
  soon(callback: () => void): void
  writeQueued(bytes: number): void
  writeDone(bytes: number): void
  waitForSlot(proceed: () => void): void
  wakeWaiters(): void
  closed(storage: TorrentStorage): void
}

/** One torrent's files on a `SimDisk`. */
export class SimStorage implements TorrentStorage {
  private savePath: string
  private readonly paths: string[]
  private readonly queue = new FenceQueue()
  /** Bytes written, or to be written, of pieces whose hash was not asked for yet: those are hashed without reading back. */
  private readonly hot = new Map<PieceIndex, number>()
  private isClosed = false

  constructor(
    private readonly disk: StorageDisk,
    private readonly params: StorageParams,
    private readonly handler: StorageHandler,
  ) {
    this.savePath = params.savePath
    this.paths = params.files.map((file) => file.path)
  }

  writeBlock(piece: PieceIndex, offset: number, length: number, slot: SlotIndex): void {
    this.checkRange(piece, offset, length)
    this.disk.writeQueued(length)
    this.addHot(piece, length)
    const bytes = this.disk.pool.bytes(slot).subarray(0, length)
    this.blockJob(
      {
        lane: piece,
        bytes: length,
        run: () => {
          const error = attempt(() => this.writeRange(piece, offset, bytes))
          if (error !== null) this.addHot(piece, -length)
          this.disk.pool.release(slot)
          this.disk.writeDone(length)
          this.tell(() => this.handler.onBlockWritten(piece, offset, length, error))
        },
        torn: (random: SeededRandom) => {
          if (random.chance(0.5))
            attempt(() => this.writeRange(piece, offset, bytes.subarray(0, random.below(length + 1))))
        },
      },
      true,
    )
  }

  readBlock(piece: PieceIndex, offset: number, length: number, token: number): void {
    this.checkRange(piece, offset, length)
    const withSlot = (proceed: (slot: SlotIndex) => void, drop: () => void) => {
      if (this.isClosed) return drop()
      const slot = this.disk.pool.acquireForRead()
      if (slot >= 0) proceed(slot)
      else this.disk.waitForSlot(() => withSlot(proceed, drop))
    }
    this.enter(() => {
      const leave = this.begin()
      withSlot((slot) => {
        this.disk.submit({
          lane: piece,
          bytes: length,
          run: () => {
            const into = this.disk.pool.bytes(slot).subarray(0, length)
            const error = this.isClosed ? null : attempt(() => this.readRange(piece, offset, into))
            if (this.isClosed || error !== null) this.disk.pool.release(slot)
            this.tell(() => this.handler.onBlockRead(token, error === null ? slot : -1, length, error))
            leave()
          },
        })
      }, leave)
    })
  }

  hashPiece(piece: PieceIndex): void {
    const size = this.pieceSize(piece)
    this.blockJob(
      {
        lane: piece,
        bytes: (this.hot.get(piece) ?? 0) >= size ? 0 : size,
        run: () => {
          if (this.isClosed) return
          let digest: Uint8Array | null = null
          const error = attempt(() => {
            digest = this.hashRange(piece, 0, size)
          })
          this.hot.delete(piece)
          this.tell(() => this.handler.onPieceHashed(piece, digest, error))
        },
      },
      false,
    )
  }

  hashBlock(piece: PieceIndex, offset: number, length: number): void {
    this.checkRange(piece, offset, length)
    this.blockJob(
      {
        lane: piece,
        bytes: length,
        run: () => {
          if (this.isClosed) return
          let digest: Uint8Array | null = null
          const error = attempt(() => {
            digest = this.hashRange(piece, offset, length)
          })
          this.tell(() => this.handler.onBlockHashed?.(piece, offset, digest, error))
        },
      },
      false,
    )
  }

  checkPiece(piece: PieceIndex): void {
    this.hashPiece(piece)
  }

  clearPiece(piece: PieceIndex): void {
    this.hot.delete(piece)
  }

  statFiles(done: (stats: readonly FileStat[] | LibtorrentError) => void): void {
    let stats: readonly FileStat[] = []
    this.fence(
      () => {
        stats = this.params.files.map((file, index) => {
          if (file.pad) return { size: file.size, mtime: 0 }
          return this.disk.files.stat(this.pathOf(index)) ?? { size: -1, mtime: 0 }
        })
      },
      (error) => done(error ?? stats),
    )
  }

  initialize(done: StorageDone): void {
    this.fence(() => {
      const { files, allocation } = this.params
      files.forEach((file, index) => {
        const path = this.pathOf(index)
        if (file.pad) return
        if (file.symlink !== undefined) this.disk.files.makeLink(path, file.symlink)
        else if (file.size === 0) this.disk.files.create(path)
        else if (allocation === 'allocate' && (this.disk.files.stat(path)?.size ?? 0) < file.size) {
          this.disk.files.truncate(path, file.size)
        }
      })
    }, done)
  }

  releaseFiles(done: StorageDone): void {
    this.flush(done)
  }

  flush(done: StorageDone): void {
    this.fence(() => {
      for (const index of this.realFiles()) this.disk.files.sync(this.pathOf(index))
    }, done)
  }

  move(savePath: string, flags: MoveFlags, done: StorageMoved): void {
    let keptSome = false
    const move = () => {
      keptSome = this.moveTo(savePath, flags)
    }
    this.fence(move, (error) => done(error, keptSome))
  }

  renameFile(file: FileIndex, path: string, done: StorageDone): void {
    this.fence(() => {
      const from = this.pathOf(file)
      if (!this.params.files[file].pad && this.disk.files.stat(from) !== null) {
        const to = this.located(path)
        if (to !== from && this.disk.files.stat(to) !== null) throw simError('EEXIST', 'fileRename', to)
        this.disk.files.rename(from, to)
        this.disk.files.removeEmptyDirectories(posix.dirname(from), this.savePath)
      }
      this.paths[file] = path
    }, done)
  }

  deleteFiles(done: StorageDone): void {
    this.fence(() => {
      for (const index of this.realFiles()) {
        const path = this.pathOf(index)
        if (this.disk.files.stat(path) !== null) this.disk.files.remove(path)
      }
      for (const index of this.realFiles()) {
        this.disk.files.removeEmptyDirectories(posix.dirname(this.pathOf(index)), this.savePath)
      }
    }, done)
  }

  close(done: () => void): void {
    this.isClosed = true
    this.disk.wakeWaiters()
    this.queue.fence((release) => {
      this.disk.soon(() => {
        this.disk.closed(this)
        release()
        done()
      })
    })
  }

  // Order of work.

  private enter(start: () => void): void {
    if (this.queue.isOpen) start()
    else this.queue.hold(start)
  }

  /** A job begins; the function returned ends it. */
  private begin(): () => void {
    this.queue.started()
    return () => this.queue.finished()
  }

  private blockJob(job: DiskJob, keepWhenClosed: boolean): void {
    this.enter(() => {
      if (this.isClosed && !keepWhenClosed) return
      const leave = this.begin()
      this.disk.submit({
        lane: job.lane,
        bytes: job.bytes,
        run: () => {
          job.run()
          leave()
        },
        torn: job.torn,
      })
    })
  }

  /** An operation on the whole storage, alone. */
  private fence(act: () => void, done: StorageDone): void {
    this.queue.fence((release) => {
      this.disk.submit({
        lane: 0,
        bytes: 0,
        run: () => {
          const error = attempt(act)
          release()
          done(error)
        },
      })
    })
  }

  private tell(report: () => void): void {
    if (!this.isClosed) report()
  }

  private addHot(piece: PieceIndex, bytes: number): void {
    this.hot.set(piece, (this.hot.get(piece) ?? 0) + bytes)
  }

  /** True when files that were at the new place are kept. */
  private moveTo(savePath: string, flags: MoveFlags): boolean {
    const { files } = this.disk
    if (savePath === this.savePath) return false
    const list = [...this.realFiles()].filter((index) => !isAbsolutePath(this.paths[index], 'posix'))
    const targetOf = (index: FileIndex) => posix.join(savePath, this.paths[index])
    const inTheWay = list.find((index) => files.stat(targetOf(index)) !== null)
    if (inTheWay !== undefined && flags === MoveFlags.failIfExist) {
      throw simError('EEXIST', 'fileRename', targetOf(inTheWay))
    }
    const moved: [string, string][] = []
    const replaced: string[] = []
    const ours = new Set(this.paths.map((path) => this.located(path)))
    let keptSome = false
    const rename = (from: string, to: string) => {
      files.rename(from, to)
      moved.push([from, to])
    }
    try {
      for (const index of list) {
        const from = this.pathOf(index)
        const to = targetOf(index)
        const isThere = files.stat(to) !== null
        if (isThere && ours.has(to)) throw simError('EEXIST', 'fileRename', to)
        if (isThere && flags === MoveFlags.dontReplace) keptSome = true
        else if (files.stat(from) !== null) {
          if (isThere) {
            rename(to, `${to}.replaced`)
            replaced.push(`${to}.replaced`)
          }
          rename(from, to)
        }
      }
    } catch (error) {
      for (const [from, to] of moved.reverse()) files.rename(to, from)
      throw error
    }
    for (const path of replaced) files.remove(path)
    const left = this.savePath
    this.savePath = savePath
    for (const [from] of moved) files.removeEmptyDirectories(posix.dirname(from), left)
    return keptSome
  }

  // Bytes.

  private pieceSize(piece: PieceIndex): number {
    const { pieceLength, totalSize } = this.params
    return Math.min(pieceLength, totalSize - piece * pieceLength)
  }

  private checkRange(piece: PieceIndex, offset: number, length: number): void {
    const fits = offset >= 0 && length >= 1 && length <= BLOCK_SIZE_BYTES && offset + length <= this.pieceSize(piece)
    if (!fits) throw new RangeError(`no ${length} bytes at ${offset} of piece ${piece}`)
  }

  private writeRange(piece: PieceIndex, offset: number, bytes: Uint8Array): void {
    this.eachSlice(piece * this.params.pieceLength + offset, bytes.length, (file, path, at, from, to) => {
      if (!file.pad) this.disk.files.write(path, at, bytes.subarray(from, to))
    })
  }

  private readRange(piece: PieceIndex, offset: number, into: Uint8Array): void {
    this.eachSlice(piece * this.params.pieceLength + offset, into.length, (file, path, at, from, to) => {
      const part = into.subarray(from, to)
      if (file.pad) part.fill(0)
      else if (this.disk.files.read(path, at, part) < part.length) {
        throw libtorrentError('fileTooShort', { operation: 'fileRead', path })
      }
    })
  }

  private hashRange(piece: PieceIndex, offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    this.readRange(piece, offset, bytes)
    return new Hasher().update(bytes).final().bytes
  }

  /** The parts of files that `length` bytes from `start` of the torrent lie in. */
  private eachSlice(
    start: number,
    length: number,
    visit: (file: StorageFile, path: string, at: number, from: number, to: number) => void,
  ): void {
    const { files } = this.params
    let index = lastFileAtOrBefore(files, start)
    for (let done = 0; done < length && index < files.length; index++) {
      const file = files[index]
      const at = start + done - file.offset
      const take = Math.min(file.size - at, length - done)
      if (take <= 0) continue
      visit(file, this.pathOf(index), at, done, done + take)
      done += take
    }
  }

  private pathOf(file: FileIndex): string {
    return this.located(this.paths[file])
  }

  private located(path: string): string {
    return isAbsolutePath(path, 'posix') ? path : posix.join(this.savePath, path)
  }

  private *realFiles(): Iterable<FileIndex> {
    const { files } = this.params
    for (let index = 0; index < files.length; index++) if (!files[index].pad) yield index
  }
}

function lastFileAtOrBefore(files: readonly StorageFile[], position: number): number {
  let low = 0
  let high = files.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (files[middle].offset <= position) low = middle
    else high = middle - 1
  }
  return low
}

/** The error `act` throws, or null. Anything but an error of the disk is a bug and goes on. */
function attempt(act: () => void): LibtorrentError | null {
  try {
    act()
    return null
  } catch (error) {
    if (error instanceof LibtorrentError) return error
    throw error
  }
}
