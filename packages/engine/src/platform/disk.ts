import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { FileIndex, PieceIndex, SlotIndex, UnixSeconds } from '../util/flavored.ts'
import type { MoveFlags } from './moveFlags.ts'

/**
 * The disk as the engine sees it. Blocks travel in 16 KiB slots of one shared pool, so that a byte received from a
 * peer is copied once and written from where it lies. Operations on one piece are carried out in the order they were
 * asked for: a read or a hash after a write sees the written bytes. Answers come later, on the network thread, never
 * from inside the call that asked.
 */
export interface DiskIo {
  readonly pool: BlockPool
  /** Bytes handed to `writeBlock` and not yet on disk, over all torrents. */
  readonly queuedWriteBytes: number
  openStorage(params: StorageParams, handler: StorageHandler): TorrentStorage
  /**
   * Calls `callback` once, when the pool has free slots again and the write queue has fallen to half of
   * `max_queued_disk_bytes`; at the next turn if that is so already. Returns a function that cancels.
   */
  whenWritable(callback: () => void): () => void
  /** True while peers must not be read from: the pool is (nearly) empty or the write queue is over its limit. */
  readonly isCongested: boolean
  /** Changes limits while running. */
  configure(limits: DiskLimits): void
  /**
   * The session is about to close: from now on a worker that has work and answers nothing for 30 seconds is ended, and
   * what it had to do fails. What is on disk stays. Left out: nothing can hang.
   */
  giveUpHanging?(): void
  /** Finishes all queued work, closes every file and stops the workers. */
  stop(done: () => void): void
  /** Set by whoever uses the disk: takes what its own code threw in the event loop, in place of ending the process. */
  onFault?: ((cause: unknown) => void) | undefined
}

/** What may be changed of a disk while it runs. */
export interface DiskLimits {
  /** Setting `max_queued_disk_bytes`: bytes waiting to be written beyond which peers are not read from. */
  readonly maxQueuedDiskBytes: number
  /** Setting `file_pool_size`: files open at once, over all workers. */
  readonly filePoolSize: number
}

/** A fixed number of 16 KiB slots in shared memory. A slot has one owner; ownership passes with the calls below. */
export interface BlockPool {
  readonly capacity: number
  readonly inUse: number
  /** A free slot, owned by the caller from now on, or -1 when there is none. */
  acquire(): SlotIndex
  release(slot: SlotIndex): void
  /** The 16 KiB view of a slot; the same object every time. */
  bytes(slot: SlotIndex): Uint8Array
}

/** A file of a torrent as the disk takes it. */
export interface StorageFile {
  /** Path below the save path, sanitised, with `/` between its parts. */
  readonly path: string
  /** `path` is absolute: the user put the file outside the save path. Default false. */
  readonly absolute?: boolean
  /** Bytes. */
  readonly size: number
  /** Where the file begins in the torrent's bytes. */
  readonly offset: number
  /** A pad file (BEP 47) is never on disk: it reads as zeros, and what is written to it is dropped. */
  readonly pad: boolean
  /** Target of a symbolic link below the save path, same form as `path`. */
  readonly symlink?: string
  /** May be run (BEP 47): the file is made with the permissions for it. Default false. */
  readonly executable?: boolean
  /** Hidden (BEP 47); nothing is made of that. Default false. */
  readonly hidden?: boolean
}

/** How files take their space. `sparse`: blocks are written where they belong; `allocate`: full size first. */
export type StorageAllocation = 'sparse' | 'allocate'

/** What a torrent's storage is made with. */
export interface StorageParams {
  /** Directory the files' paths are below. Relative paths count from the working directory. */
  readonly savePath: string
  /** In the order of their offsets, without gaps between them. */
  readonly files: readonly StorageFile[]
  /** Sum of the sizes of all files, pad files included, bytes. */
  readonly totalSize: number
  /** Bytes of every piece but the last. */
  readonly pieceLength: number
  /** How files take their space. */
  readonly allocation: StorageAllocation
}

/** Size and time of a file on disk. */
export interface FileStat {
  /** Bytes; -1 when the file is missing. */
  readonly size: number
  /** Modification time, whole seconds; 0 when the file is missing. */
  readonly mtime: UnixSeconds
}

/** What a storage reports to the torrent it belongs to. */
export interface StorageHandler {
  /** A block given to `writeBlock` is on disk (in the system's cache at least), or could not be written. */
  onBlockWritten(piece: PieceIndex, offset: number, length: number, error: LibtorrentError | null): void
  /**
   * Answer to `hashPiece` and `checkPiece`. `digest` is the 20-byte SHA-1 (own copy), null with an error. A hole or missing file gives
   * an error with code `ENOENT` or `fileTooShort`.
   */
  onPieceHashed(piece: PieceIndex, digest: Uint8Array | null, error: LibtorrentError | null): void
  /**
   * Answer to `hashBlock`, which only those ask who have this. `digest` is the 20-byte SHA-1 (own copy), null with an
   * error. Answers for one piece come in the order of the questions, those to `hashPiece` among them.
   */
  onBlockHashed?(piece: PieceIndex, offset: number, digest: Uint8Array | null, error: LibtorrentError | null): void
  /** Answer to `readBlock`. On success the handler owns `slot`; with an error `slot` is -1. */
  onBlockRead(token: number, slot: SlotIndex, length: number, error: LibtorrentError | null): void
  /** The torrent's own code threw when it was called back by its storage. Default: it is reported, and that is all. */
  onDiskFault?(cause: unknown): void
}

/** The end of an operation of a storage: an error, or null. */
export type StorageDone = (error: LibtorrentError | null) => void
/** `needFullCheck`: files that were at the new place are the torrent's now, and may hold anything. */
export type StorageMoved = (error: LibtorrentError | null, needFullCheck: boolean) => void

/** One torrent's bytes: what the engine asks of them. Nothing throws but for a place that is not in the torrent. */
export interface TorrentStorage {
  /**
   * Writes `length` bytes from the start of `slot` at byte `offset` of `piece`. Takes the slot and releases it.
   * Directories and files are made as needed, sparse.
   */
  writeBlock(piece: PieceIndex, offset: number, length: number, slot: SlotIndex): void
  /** Reads into a slot of the pool; waits for one when none is free. `length` is 1 to 16 KiB. */
  readBlock(piece: PieceIndex, offset: number, length: number, token: number): void
  /** SHA-1 of a whole piece: of what was just written (hashed while hot) or read back from disk. */
  hashPiece(piece: PieceIndex): void
  /**
   * SHA-1 of a part of a piece, 1 to 16 KiB, as it is on disk after the writes asked for before, and before those asked
   * for later. Takes no slot.
   */
  hashBlock(piece: PieceIndex, offset: number, length: number): void
  /** As `hashPiece`, for checking: nobody waits for it, and what other torrents want goes before it. */
  checkPiece(piece: PieceIndex): void
  /** Forgets running hash state of a piece that failed, so that it can be downloaded again. */
  clearPiece(piece: PieceIndex): void
  /** Size and time of every file, in order; pad files report their full size. */
  statFiles(done: (stats: readonly FileStat[] | LibtorrentError) => void): void
  /** Makes empty files, links and (mode `allocate`) full-size files. */
  initialize(done: StorageDone): void
  /** Waits until all writes asked for so far are on disk, syncs and closes the files. */
  releaseFiles(done: StorageDone): void
  /** Like `releaseFiles` without closing: everything written so far has reached the disk (fsync). */
  flush(done: StorageDone): void
  /**
   * Moves the files to another directory, across devices too; those with absolute paths stay. On failure everything is
   * where it was.
   */
  move(savePath: string, flags: MoveFlags, done: StorageMoved): void
  /** Gives a file another path, below the save path or absolute (see `isAbsolutePath`). Replaces no file. */
  renameFile(file: FileIndex, path: string, done: StorageDone): void
  /** Deletes the torrent's files, and those of its directories that are then empty. */
  deleteFiles(done: StorageDone): void
  /** Drops queued reads and hashes; queued writes are carried out. No handler call comes afterwards. */
  close(done: () => void): void
}
