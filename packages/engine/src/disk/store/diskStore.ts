import { constants } from 'node:fs'
import { systemError } from '../../errors/libtorrentError.ts'
import { announcedBatch, isCheckBatch, JobBatch } from '../jobBatch.ts'
import { SlotMemory } from '../slotMemory.ts'
import {
  type StoreAnswer,
  type StoreCall,
  type StoreReply,
  type StoreRequest,
  type StoreSetup,
  toWireError,
  type WireError,
} from '../storeProtocol.ts'
import { BatchRunner } from './batchRunner.ts'
import { BlockTransfer } from './blockTransfer.ts'
import { CheckQueue } from './checkQueue.ts'
import { deleteFiles } from './deleteFiles.ts'
import { FilePool } from './filePool.ts'
import { initializeFiles } from './initializeFiles.ts'
import { moveFiles } from './moveFiles.ts'
import { PieceHasher } from './pieceHasher.ts'
import { PieceHashes } from './pieceHashes.ts'
import { renameFile } from './renameFile.ts'
import { statFiles } from './statFiles.ts'
import { StorageFiles } from './storageFiles.ts'
import { nodeFs, type StoreFs, syncToDisk } from './storeFs.ts'
import { StoreTask } from './storeTask.ts'

/**
 * The disk itself: takes requests, touches files, replies. One runs in each disk worker. Jobs of blocks are carried
 * out at once, with blocking calls: that is the fastest there is, and this thread has nothing else to do. Operations
 * that may take seconds, and the check of a torrent, are cut into steps, with other requests served between them.
 */
export class DiskStore {
  private readonly storages = new Map<number, StorageFiles>()
  private readonly batches = new Map<number, JobBatch>()
  private readonly tasks = new Set<StoreTask>()
  private readonly pool: FilePool
  private readonly hashes = new PieceHashes()
  private readonly runner: BatchRunner
  private readonly checks: CheckQueue

  constructor(
    setup: StoreSetup,
    private readonly reply: (reply: StoreReply) => void,
    private readonly fs: StoreFs = nodeFs,
  ) {
    const slots = new SlotMemory(setup.poolMemory)
    this.pool = new FilePool(fs, setup.filePoolSize)
    const hasher = new PieceHasher(fs, this.pool, this.hashes)
    const transfer = new BlockTransfer(fs, slots, this.pool)
    this.runner = new BatchRunner(this.storages, slots, transfer, hasher, this.hashes)
    this.checks = new CheckQueue(this.storages, hasher, (batch, errors) => this.batchDone(batch, errors))
  }

  receive(request: StoreRequest): void {
    if (typeof request === 'number') return this.runBatch(request)
    switch (request.kind) {
      case 'batchMemory':
        this.batches.set(request.id, new JobBatch(request.id, request.memory))
        return
      case 'open':
        this.open(request.storage, new StorageFiles(this.fs, request.storage, request.layout))
        return
      case 'call':
        void this.answerCall(request.id, request.storage, request.call)
        return
      case 'cancel':
        for (const task of this.tasks) if (task.storage === request.storage) task.cancelled = true
        this.checks.cancel(request.storage)
        return
      case 'limits':
        this.pool.setLimit(request.filePoolSize)
        return
      case 'stop':
        for (const task of this.tasks) task.cancelled = true
        this.checks.clear()
        this.pool.closeAll()
        return
    }
  }

  private runBatch(announcement: number): void {
    const { id, count } = announcedBatch(announcement)
    const batch = this.batches.get(id)
    if (batch === undefined) throw new Error(`no batch ${id}`)
    batch.count = count
    if (isCheckBatch(announcement)) return this.checks.add(batch)
    this.checks.goBefore(batch)
    this.batchDone(batch, this.runner.run(batch))
  }

  private batchDone({ id }: JobBatch, errors: readonly WireError[]): void {
    this.reply(errors.length === 0 ? id : { kind: 'batchErrors', id, errors })
  }

  /** A storage that changes its paths keeps its running hashes and what is known to be unsynced. */
  private open(storage: number, files: StorageFiles): void {
    const before = this.storages.get(storage)
    if (before !== undefined) for (const file of before.dirty) files.dirty.add(file)
    this.storages.set(storage, files)
  }

  private async answerCall(id: number, storage: number, call: StoreCall): Promise<void> {
    const task = new StoreTask(storage)
    this.tasks.add(task)
    try {
      const answer = (await this.execute(storage, call, task)) ?? {}
      this.reply({ kind: 'result', id, error: null, answer })
    } catch (cause) {
      this.reply({ kind: 'result', id, error: toWireError(cause, 'unknown') })
    } finally {
      this.tasks.delete(task)
    }
  }

  private async execute(storage: number, call: StoreCall, task: StoreTask): Promise<StoreAnswer | undefined> {
    switch (call.name) {
      case 'sync':
        await this.sync(storage)
        return
      case 'closeFiles':
        this.pool.closeStorage(storage)
        return
      case 'release':
        try {
          await this.sync(storage)
        } finally {
          this.forget(storage)
        }
        return
      case 'forget':
        this.forget(storage)
        return
      default:
        return this.executeOnLayout(new StorageFiles(this.fs, storage, call.layout), call, task)
    }
  }

  private async executeOnLayout(
    files: StorageFiles,
    call: Extract<StoreCall, { layout: unknown }>,
    task: StoreTask,
  ): Promise<StoreAnswer | undefined> {
    switch (call.name) {
      case 'stat':
        return { stats: statFiles(this.fs, files) }
      case 'initialize':
        await initializeFiles(this.fs, files, call.allocate, task)
        return
      case 'move':
        return { needFullCheck: await moveFiles(this.fs, files, call.savePath, call.flags, task) }
      case 'rename':
        await renameFile(this.fs, files, call.file, files.placeOf(call.path, call.isAbsolute), task)
        return
      case 'delete':
        await deleteFiles(this.fs, files)
        return
    }
  }

  /** Brings to disk what this store wrote. What is not yet done when it fails stays to be done. */
  private async sync(storage: number): Promise<void> {
    const files = this.storages.get(storage)
    for (const file of [...(files?.dirty ?? [])]) {
      if (files === undefined || !files.dirty.delete(file)) continue
      try {
        // a descriptor of its own: those of the pool may be closed meanwhile
        const { directory, path } = files.place(file)
        const fd = directory.open(path, constants.O_RDWR, 0)
        try {
          await syncToDisk(this.fs, fd)
          this.reply({ kind: 'alive' })
        } finally {
          this.fs.closeSync(fd)
        }
      } catch (cause) {
        files.dirty.add(file)
        throw systemError(cause, { operation: 'fileWrite', path: files.fullPath(file) })
      }
    }
  }

  private forget(storage: number): void {
    this.pool.closeStorage(storage)
    this.hashes.forgetStorage(storage)
    this.storages.delete(storage)
  }
}
