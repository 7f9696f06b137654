import { createHash } from 'node:crypto'
import { type LibtorrentError, libtorrentError, type Operation, systemError } from '../errors/libtorrentError.ts'
import type {
  FileStat,
  StorageDone,
  StorageHandler,
  StorageMoved,
  StorageParams,
  TorrentStorage,
} from '../platform/disk.ts'
import type { MoveFlags } from '../platform/moveFlags.ts'
import type { FileIndex, PieceIndex, SlotIndex } from '../util/flavored.ts'
import { FenceQueue } from './fenceQueue.ts'
import { PadRanges } from './padRanges.ts'
import { checkBlock, checkPiece, pieceSize } from './storageBounds.ts'
import type { StorageHost } from './storageHost.ts'
import type { StorageInterface } from './storageInterface.ts'

/** Read at a time when a piece is hashed here. */
const HASH_READ_BYTES = 64 * 1024
/** The network thread is not held up longer than hashing this much takes, about a millisecond. */
const HASH_TURN_BYTES = 1024 * 1024

/** A `StorageInterface` behind the same contract as the files: order, answers, slots and closing. */
export class CustomStorage implements TorrentStorage {
  private readonly queue = new FenceQueue()
  private readonly pads: PadRanges
  /** The last operation of each piece that has any under way. Never rejects. */
  private readonly tails = new Map<PieceIndex, Promise<void>>()
  private answers: (() => void)[] = []
  private closed = false

  constructor(
    private readonly host: StorageHost,
    private readonly params: StorageParams,
    private readonly handler: StorageHandler,
    private readonly implementation: StorageInterface,
  ) {
    this.pads = new PadRanges(params.files)
  }

  writeBlock(piece: PieceIndex, offset: number, length: number, slot: SlotIndex): void {
    checkBlock(this.params, piece, offset, length)
    if (this.closed) return this.host.pool.release(slot)
    this.host.addQueuedWrite(length)
    this.queue.hold(() => {
      const bytes = this.host.pool.bytes(slot).subarray(0, length)
      const write = () => {
        if (!this.pads.zero(this.position(piece, offset), bytes)) return this.implementation.write(piece, offset, bytes)
      }
      this.run(piece, 'fileWrite', write, (error) => {
        this.host.subtractQueuedWrite(length)
        this.host.pool.release(slot)
        if (!this.closed) this.handler.onBlockWritten(piece, offset, length, error)
      })
    })
  }

  readBlock(piece: PieceIndex, offset: number, length: number, token: number): void {
    checkBlock(this.params, piece, offset, length)
    if (this.closed) return
    this.queue.hold(() => this.beginRead(piece, offset, length, token))
  }

  hashPiece(piece: PieceIndex): void {
    checkPiece(this.params, piece)
    if (this.closed) return
    this.queue.hold(() => {
      if (this.closed) return
      let digest: Uint8Array | null = null
      const hash = async () => {
        digest = Uint8Array.from(await (this.implementation.hash?.(piece) ?? this.hashByReading(piece)))
      }
      this.run(piece, 'fileRead', hash, (error) => {
        if (!this.closed) this.handler.onPieceHashed(piece, error === null ? digest : null, error)
      })
    })
  }

  hashBlock(piece: PieceIndex, offset: number, length: number): void {
    checkBlock(this.params, piece, offset, length)
    if (this.closed) return
    this.queue.hold(() => {
      if (this.closed) return
      const bytes = new Uint8Array(length)
      const read = () => this.readBytes(piece, offset, bytes)
      this.run(piece, 'fileRead', read, (error) => {
        if (this.closed) return
        const digest = error === null ? Uint8Array.from(createHash('sha1').update(bytes).digest()) : null
        this.handler.onBlockHashed?.(piece, offset, digest, error)
      })
    })
  }

  checkPiece(piece: PieceIndex): void {
    this.hashPiece(piece)
  }

  /** Nothing to forget: hashes are made when asked for. */
  clearPiece(piece: PieceIndex): void {
    checkPiece(this.params, piece)
  }

  statFiles(done: (stats: readonly FileStat[] | LibtorrentError) => void): void {
    let stats: readonly FileStat[] = this.params.files.map((file) => ({ size: file.size, mtime: 0 }))
    const stat = async () => {
      stats = (await this.implementation.stat?.()) ?? stats
    }
    this.runAlone('fileStat', stat, (error) => done(error ?? stats))
  }

  initialize(done: StorageDone): void {
    this.runAlone('fileOpen', () => this.implementation.initialize?.(), done)
  }

  releaseFiles(done: StorageDone): void {
    this.runAlone('fileWrite', () => this.implementation.release?.(), done)
  }

  flush(done: StorageDone): void {
    this.runAlone('fileWrite', () => this.implementation.flush?.(), done)
  }

  move(savePath: string, flags: MoveFlags, done: StorageMoved): void {
    let needFullCheck = false
    const move = async () => {
      needFullCheck = (await this.implementation.move?.(savePath, flags)) === true
    }
    this.runAlone('fileRename', move, (error) => done(error, needFullCheck))
  }

  renameFile(file: FileIndex, path: string, done: StorageDone): void {
    if (!(file >= 0 && file < this.params.files.length)) throw new RangeError(`no file ${file}`)
    this.runAlone('fileRename', () => this.implementation.rename?.(file, path), done)
  }

  deleteFiles(done: StorageDone): void {
    this.runAlone('fileRemove', () => this.implementation.delete?.(), done)
  }

  close(done: () => void): void {
    this.host.dropWaitingReads(this)
    const release = () => this.implementation.release?.()
    const closed = () => {
      this.host.storageClosed(this)
      done()
    }
    if (this.closed) return this.host.defer(closed)
    this.runAlone('fileWrite', release, closed)
    this.closed = true
  }

  private beginRead(piece: PieceIndex, offset: number, length: number, token: number): void {
    if (this.closed) return
    const slot = this.host.pool.acquireForRead()
    if (slot < 0) return this.host.waitForSlot(this, () => this.readBlock(piece, offset, length, token))
    const read = () => this.readBytes(piece, offset, this.host.pool.bytes(slot).subarray(0, length))
    this.run(piece, 'fileRead', read, (error) => {
      if (error !== null || this.closed) this.host.pool.release(slot)
      if (!this.closed) this.handler.onBlockRead(token, error === null ? slot : -1, length, error)
    })
  }

  private async readBytes(piece: PieceIndex, offset: number, target: Uint8Array): Promise<void> {
    const position = this.position(piece, offset)
    if (this.pads.zero(position, target)) return
    await this.implementation.read(piece, offset, target)
    this.pads.zero(position, target)
  }

  private async hashByReading(piece: PieceIndex): Promise<Uint8Array> {
    const size = pieceSize(this.params, piece)
    const buffer = new Uint8Array(Math.min(size, HASH_READ_BYTES))
    const hash = createHash('sha1')
    for (let offset = 0; offset < size; offset += buffer.length) {
      if (offset > 0 && offset % HASH_TURN_BYTES === 0) await new Promise<void>((resolve) => this.host.defer(resolve))
      const part = buffer.subarray(0, Math.min(buffer.length, size - offset))
      await this.readBytes(piece, offset, part)
      hash.update(part)
    }
    return hash.digest()
  }

  /** Runs `operation` after those begun before it on the same piece, and answers later. */
  private run(
    piece: PieceIndex,
    kind: Operation,
    operation: () => void | Promise<void>,
    done: (error: LibtorrentError | null) => void,
  ): void {
    this.queue.started()
    const finish = (error: LibtorrentError | null) => {
      this.answerLater(() => {
        try {
          done(error)
        } finally {
          this.queue.finished()
        }
      })
    }
    const fail = (cause: unknown) => finish(systemError(cause, { operation: kind }))
    const before = this.tails.get(piece)
    let result: void | Promise<void>
    try {
      result = before === undefined ? operation() : before.then(operation)
    } catch (cause) {
      return fail(cause)
    }
    if (result === undefined) return finish(null)
    const tail = result
      .then(() => finish(null), fail)
      .then(() => {
        if (this.tails.get(piece) === tail) this.tails.delete(piece)
      })
    this.tails.set(piece, tail)
  }

  /** Runs `operation` while nothing else is under way. */
  private runAlone(kind: Operation, operation: () => void | Promise<void>, done: StorageDone): void {
    if (this.closed) return this.host.defer(() => done(libtorrentError('destructingTorrent')))
    this.queue.fence((release) => {
      const finish = (error: LibtorrentError | null) => {
        this.answerLater(() => {
          release()
          done(error)
        })
      }
      const attempt = async () => operation()
      attempt().then(
        () => finish(null),
        (cause) => finish(systemError(cause, { operation: kind })),
      )
    })
  }

  /** Answers come from the event loop: never from inside the call that asked, nor from a promise that would eat errors. */
  private answerLater(answer: () => void): void {
    this.answers.push(answer)
    if (this.answers.length === 1) this.host.defer(this.giveAnswers)
  }

  private readonly giveAnswers = (): void => {
    const answers = this.answers
    this.answers = []
    let thrown: { readonly cause: unknown } | null = null
    for (const answer of answers) {
      try {
        answer()
      } catch (cause) {
        thrown ??= { cause }
      }
    }
    if (thrown !== null) throw thrown.cause
  }

  private position(piece: PieceIndex, offset: number): number {
    return piece * this.params.pieceLength + offset
  }
}
