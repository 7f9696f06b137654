import type { StorageInterface } from '../disk/storageInterface.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type {
  BlockPool,
  DiskIo,
  DiskLimits,
  FileStat,
  StorageDone,
  StorageHandler,
  StorageMoved,
  StorageParams,
  TorrentStorage,
} from '../platform/disk.ts'
import type { MoveFlags } from '../platform/moveFlags.ts'
import type { FileIndex, PieceIndex, SlotIndex } from '../util/flavored.ts'
import { type FaultReport, guarded } from '../util/guarded.ts'

/** A disk that also takes storages of the user's own. */
export interface SessionDisk extends DiskIo {
  openCustomStorage?(params: StorageParams, handler: StorageHandler, own: StorageInterface): TorrentStorage
}

/**
 * The disk, with a guard at each of its answers. What our own code throws there goes to `report`, or, where the answer
 * is for one torrent, to that (`StorageHandler.onDiskFault`). The handler's other methods are not guarded here: they
 * come for each block, and the torrent has guards of its own.
 */
export class GuardedDisk implements SessionDisk {
  constructor(
    private readonly disk: SessionDisk,
    private readonly report: FaultReport,
  ) {
    disk.onFault = report
  }

  get pool(): BlockPool {
    return this.disk.pool
  }

  get queuedWriteBytes(): number {
    return this.disk.queuedWriteBytes
  }

  get isCongested(): boolean {
    return this.disk.isCongested
  }

  openStorage(params: StorageParams, handler: StorageHandler): TorrentStorage {
    return new GuardedStorage(this.disk.openStorage(params, handler), handler, this.report)
  }

  openCustomStorage(params: StorageParams, handler: StorageHandler, own: StorageInterface): TorrentStorage {
    if (this.disk.openCustomStorage === undefined) throw new TypeError('this disk takes no storage of your own')
    return new GuardedStorage(this.disk.openCustomStorage(params, handler, own), handler, this.report)
  }

  whenWritable(callback: () => void): () => void {
    return this.disk.whenWritable(guarded(callback, this.report))
  }

  configure(limits: DiskLimits): void {
    this.disk.configure(limits)
  }

  giveUpHanging(): void {
    this.disk.giveUpHanging?.()
  }

  stop(done: () => void): void {
    this.disk.stop(guarded(done, this.report))
  }
}

class GuardedStorage implements TorrentStorage {
  private readonly report: FaultReport

  constructor(
    private readonly storage: TorrentStorage,
    handler: StorageHandler,
    report: FaultReport,
  ) {
    this.report = guarded((cause) => {
      if (handler.onDiskFault === undefined) report(cause)
      else handler.onDiskFault(cause)
    }, report)
  }

  writeBlock(piece: PieceIndex, offset: number, length: number, slot: SlotIndex): void {
    this.storage.writeBlock(piece, offset, length, slot)
  }

  readBlock(piece: PieceIndex, offset: number, length: number, token: number): void {
    this.storage.readBlock(piece, offset, length, token)
  }

  hashPiece(piece: PieceIndex): void {
    this.storage.hashPiece(piece)
  }

  hashBlock(piece: PieceIndex, offset: number, length: number): void {
    this.storage.hashBlock(piece, offset, length)
  }

  checkPiece(piece: PieceIndex): void {
    this.storage.checkPiece(piece)
  }

  clearPiece(piece: PieceIndex): void {
    this.storage.clearPiece(piece)
  }

  statFiles(done: (stats: readonly FileStat[] | LibtorrentError) => void): void {
    this.storage.statFiles(guarded(done, this.report))
  }

  initialize(done: StorageDone): void {
    this.storage.initialize(guarded(done, this.report))
  }

  releaseFiles(done: StorageDone): void {
    this.storage.releaseFiles(guarded(done, this.report))
  }

  flush(done: StorageDone): void {
    this.storage.flush(guarded(done, this.report))
  }

  move(savePath: string, flags: MoveFlags, done: StorageMoved): void {
    this.storage.move(savePath, flags, guarded(done, this.report))
  }

  renameFile(file: FileIndex, path: string, done: StorageDone): void {
    this.storage.renameFile(file, path, guarded(done, this.report))
  }

  deleteFiles(done: StorageDone): void {
    this.storage.deleteFiles(guarded(done, this.report))
  }

  close(done: () => void): void {
    this.storage.close(guarded(done, this.report))
  }
}
