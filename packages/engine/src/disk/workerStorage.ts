import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { isAbsolutePath } from '../metainfo/filePath.ts'
import type {
  FileStat,
  StorageDone,
  StorageFile,
  StorageHandler,
  StorageMoved,
  StorageParams,
  TorrentStorage,
} from '../platform/disk.ts'
import type { MoveFlags } from '../platform/moveFlags.ts'
import type { FileIndex, PieceIndex, SlotIndex } from '../util/flavored.ts'
import { FenceQueue } from './fenceQueue.ts'
import { type JobBatch, JobOp } from './jobBatch.ts'
import { checkBlock, checkPiece, pieceSize } from './storageBounds.ts'
import type { StorageHost } from './storageHost.ts'
import {
  FileFlag,
  fromWireError,
  type StatColumns,
  type StorageLayout,
  type StoreCall,
  type WireError,
} from './storeProtocol.ts'
import type { WorkerLane } from './workerLane.ts'

/** What a storage in the workers needs of the disk it belongs to. */
export interface WorkerStorageHost extends StorageHost {
  readonly lanes: readonly WorkerLane[]
  /** Which worker is to have a piece of `storage` whose first block is to be written now. */
  laneForWriting(storage: number): number
}

/**
 * A torrent's files, network-thread side. It holds no more than its parameters until there is work: a worker learns
 * of it with the first job it gets, and forgets it when the files are released.
 */
export class WorkerStorage implements TorrentStorage {
  private readonly queue = new FenceQueue()
  private savePath: string
  /** New names of renamed files. */
  private renamed: Map<FileIndex, string> | null = null
  private closed = false
  /** For each piece that was written to its worker, counted from 1; null as long as nothing was. */
  private writers: Uint16Array | null = null

  constructor(
    private readonly host: WorkerStorageHost,
    readonly id: number,
    private readonly params: StorageParams,
    private readonly handler: StorageHandler,
  ) {
    this.savePath = params.savePath
  }

  writeBlock(piece: PieceIndex, offset: number, length: number, slot: SlotIndex): void {
    checkBlock(this.params, piece, offset, length)
    if (this.closed) return this.host.pool.release(slot)
    this.host.addQueuedWrite(length)
    if (this.queue.isOpen) this.addJob(JobOp.write, piece, offset, length, slot, 0, length)
    else this.queue.hold(() => this.addJob(JobOp.write, piece, offset, length, slot, 0, length))
  }

  /** A read that waits for a slot does not hold up later writes of the piece, and may see them: they hold slots. */
  readBlock(piece: PieceIndex, offset: number, length: number, token: number): void {
    checkBlock(this.params, piece, offset, length)
    if (this.closed) return
    if (this.queue.isOpen) this.beginRead(piece, offset, length, token)
    else this.queue.hold(() => this.beginRead(piece, offset, length, token))
  }

  hashPiece(piece: PieceIndex): void {
    checkPiece(this.params, piece)
    if (this.closed) return
    if (this.queue.isOpen) this.beginHash(piece)
    else this.queue.hold(() => this.beginHash(piece))
  }

  hashBlock(piece: PieceIndex, offset: number, length: number): void {
    checkBlock(this.params, piece, offset, length)
    if (this.closed) return
    if (this.queue.isOpen) this.beginHashBlock(piece, offset, length)
    else this.queue.hold(() => this.beginHashBlock(piece, offset, length))
  }

  checkPiece(piece: PieceIndex): void {
    checkPiece(this.params, piece)
    if (this.closed) return
    this.queue.hold(() => {
      if (this.closed) return
      const lane = this.laneOf(piece)
      this.queue.started()
      lane.addCheck(this.id, piece, pieceSize(this.params, piece))
    })
  }

  clearPiece(piece: PieceIndex): void {
    checkPiece(this.params, piece)
    if (this.closed) return
    if (this.queue.isOpen) this.addJob(JobOp.clear, piece, 0, 0, -1, 0, 0)
    else this.queue.hold(() => this.addJob(JobOp.clear, piece, 0, 0, -1, 0, 0))
  }

  statFiles(done: (stats: readonly FileStat[] | LibtorrentError) => void): void {
    if (this.refused(done)) return
    this.queue.fence((release) => {
      this.controlLane.call(this.id, { name: 'stat', layout: this.layout() }, (error, { stats }) => {
        release()
        done(error ?? toFileStats(stats as StatColumns))
      })
    })
  }

  initialize(done: StorageDone): void {
    if (this.refused(done)) return
    this.queue.fence((release) => {
      const allocate = this.params.allocation === 'allocate'
      this.controlLane.call(this.id, { name: 'initialize', layout: this.layout(), allocate }, (error) => {
        release()
        done(error)
      })
    })
  }

  releaseFiles(done: StorageDone): void {
    if (this.refused(done)) return
    this.queue.fence((release) => {
      this.callOpenLanes({ name: 'release' }, (error) => {
        this.writers = null
        release()
        done(error)
      })
    })
  }

  flush(done: StorageDone): void {
    if (this.refused(done)) return
    // not a fence: bringing gigabytes to a slow disk must not stop the download meanwhile
    this.queue.hold(() => {
      this.queue.started()
      this.callOpenLanes({ name: 'sync' }, (error) => {
        this.queue.finished()
        done(error)
      })
    })
  }

  move(savePath: string, flags: MoveFlags, done: StorageMoved): void {
    if (this.refused((error) => done(error, false))) return
    this.relocate({ name: 'move', savePath, flags }, done, () => {
      this.savePath = savePath
    })
  }

  renameFile(file: FileIndex, path: string, done: StorageDone): void {
    if (!(file >= 0 && file < this.params.files.length)) throw new RangeError(`no file ${file}`)
    if (this.refused(done)) return
    this.relocate({ name: 'rename', file, path, isAbsolute: isAbsolutePath(path) }, done, () => {
      this.renamed ??= new Map()
      this.renamed.set(file, path)
    })
  }

  deleteFiles(done: StorageDone): void {
    if (this.refused(done)) return
    this.queue.fence((release) => {
      this.callOpenLanes({ name: 'forget' }, () => {
        this.controlLane.call(this.id, { name: 'delete', layout: this.layout() }, (error) => {
          release()
          done(error)
        })
      })
    })
  }

  close(done: () => void): void {
    this.host.dropWaitingReads(this)
    this.closed = true
    for (const lane of this.host.lanes) {
      if (!this.queue.isOpen || lane.hasOpened(this.id)) lane.cancel(this.id)
    }
    this.queue.fence((release) => {
      this.callOpenLanes({ name: 'forget' }, () => {
        this.host.storageClosed(this)
        release()
        done()
      })
    })
  }

  /** A job came back from its worker. */
  onJobAnswered(batch: JobBatch, job: number, errors: readonly WireError[] | null): void {
    const wire = errors?.[batch.error(job) - 1]
    const error = wire === undefined ? null : fromWireError(wire)
    const piece = batch.piece(job)
    const op = batch.op(job)
    try {
      if (op === JobOp.write) {
        const length = batch.length(job)
        this.host.subtractQueuedWrite(length)
        this.host.pool.release(batch.slot(job))
        if (!this.closed) this.handler.onBlockWritten(piece, batch.offset(job), length, error)
      } else if (op === JobOp.read) {
        const slot = batch.slot(job)
        if (error !== null || this.closed) this.host.pool.release(slot)
        if (!this.closed) {
          this.handler.onBlockRead(batch.token(job), error === null ? slot : -1, batch.length(job), error)
        }
      } else if (op === JobOp.hash && !this.closed) {
        this.handler.onPieceHashed(piece, error === null ? batch.digest(job) : null, error)
      } else if (op === JobOp.hashBlock && !this.closed) {
        this.handler.onBlockHashed?.(piece, batch.offset(job), error === null ? batch.digest(job) : null, error)
      }
    } finally {
      this.queue.finished()
    }
  }

  private beginRead(piece: PieceIndex, offset: number, length: number, token: number): void {
    if (this.closed) return
    const slot = this.host.pool.acquireForRead()
    if (slot >= 0) this.addJob(JobOp.read, piece, offset, length, slot, token, length)
    else this.host.waitForSlot(this, () => this.readBlock(piece, offset, length, token))
  }

  private beginHash(piece: PieceIndex): void {
    if (!this.closed) this.addJob(JobOp.hash, piece, 0, 0, -1, 0, pieceSize(this.params, piece))
  }

  private beginHashBlock(piece: PieceIndex, offset: number, length: number): void {
    if (!this.closed) this.addJob(JobOp.hashBlock, piece, offset, length, -1, 0, length)
  }

  private addJob(
    op: JobOp,
    piece: PieceIndex,
    offset: number,
    length: number,
    slot: SlotIndex,
    token: number,
    weight: number,
  ): void {
    if (op === JobOp.write) this.chooseWriter(piece)
    const lane = this.laneOf(piece)
    this.queue.started()
    lane.add(op, this.id, piece, offset, length, slot, token, weight)
  }

  private chooseWriter(piece: PieceIndex): void {
    const { pieceLength, totalSize } = this.params
    this.writers ??= new Uint16Array(Math.ceil(totalSize / pieceLength))
    if (this.writers[piece] === 0) this.writers[piece] = 1 + this.host.laneForWriting(this.id)
  }

  /** The worker of the piece, which knows the storage then. */
  private laneOf(piece: PieceIndex): WorkerLane {
    const lanes = this.host.lanes
    const writer = this.writers === null ? 0 : this.writers[piece]
    const lane = lanes[writer > 0 ? writer - 1 : (piece + this.id) % lanes.length]
    if (!lane.hasOpened(this.id)) lane.open(this.id, this.layout())
    return lane
  }

  /** The worker that carries out what concerns the storage as a whole. */
  private get controlLane(): WorkerLane {
    return this.host.lanes[this.id % this.host.lanes.length]
  }

  private get openLanes(): readonly WorkerLane[] {
    return this.host.lanes.filter((lane) => lane.hasOpened(this.id))
  }

  /** Asks all workers that know the storage; `done`, later and with the first error, when all have answered. */
  private callOpenLanes(call: StoreCall, done: StorageDone): void {
    const lanes = this.openLanes
    let running = lanes.length
    let firstError: LibtorrentError | null = null
    if (running === 0) return this.host.defer(() => done(null))
    for (const lane of lanes) {
      lane.call(this.id, call, (error) => {
        firstError ??= error
        if (--running === 0) done(firstError)
      })
      if (call.name === 'release' || call.name === 'forget') lane.forgotten(this.id)
    }
  }

  /** Closes the files, lets the control worker give them new paths, and tells the others. */
  private relocate(
    change:
      | { name: 'move'; savePath: string; flags: MoveFlags }
      | { name: 'rename'; file: FileIndex; path: string; isAbsolute: boolean },
    done: StorageMoved,
    apply: () => void,
  ): void {
    this.queue.fence((release) => {
      this.callOpenLanes({ name: 'closeFiles' }, () => {
        this.controlLane.call(this.id, { ...change, layout: this.layout() }, (error, { needFullCheck = false }) => {
          if (error === null) {
            apply()
            for (const lane of this.openLanes) lane.open(this.id, this.layout())
          }
          release()
          done(error, needFullCheck)
        })
      })
    })
  }

  private refused(done: (error: LibtorrentError) => void): boolean {
    if (this.closed) this.host.defer(() => done(libtorrentError('destructingTorrent')))
    return this.closed
  }

  private layout(): StorageLayout {
    const { files, pieceLength, totalSize } = this.params
    const links = new Map<number, string>()
    files.forEach((file, index) => {
      if (file.symlink !== undefined) links.set(index, file.symlink)
    })
    return {
      savePath: this.savePath,
      pieceLength,
      totalSize,
      paths: files.map((file, index) => this.renamed?.get(index) ?? file.path),
      offsets: Float64Array.from(files, (file) => file.offset),
      sizes: Float64Array.from(files, (file) => file.size),
      flags: Uint8Array.from(files, (file, index) => fileFlags(file, this.renamed?.get(index))),
      links,
    }
  }
}

function fileFlags(file: StorageFile, newPath: string | undefined): number {
  const isAbsolute = newPath === undefined ? file.absolute === true : isAbsolutePath(newPath)
  return (
    (isAbsolute ? FileFlag.absolute : 0) |
    (file.pad ? FileFlag.pad : 0) |
    (file.executable === true ? FileFlag.executable : 0) |
    (file.symlink !== undefined ? FileFlag.symlink : 0)
  )
}

function toFileStats({ sizes, mtimes }: StatColumns): FileStat[] {
  return Array.from(sizes, (size, index) => ({ size, mtime: mtimes[index] }))
}
