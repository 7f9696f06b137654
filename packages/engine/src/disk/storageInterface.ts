import type { FileStat, StorageParams } from '../platform/disk.ts'
import type { MoveFlags } from '../platform/moveFlags.ts'
import type { FileIndex, PieceIndex } from '../util/flavored.ts'

/**
 * A place of one's own for a torrent's bytes: a database, an archive, memory. Two methods are enough; each may do its
 * work at once or return a promise, and reports failure by throwing or rejecting, which becomes the torrent's storage
 * error. Calls for one piece never overlap and come in the order they were asked for; calls for different pieces may.
 * @see libtorrent manual, `storage_interface`
 */
export interface StorageInterface {
  /**
   * Fills all of `target` with the bytes from `offset` of `piece`; never beyond the end of the piece. Bytes that were
   * never written may read as anything, or fail. `target` must not be kept.
   */
  read(piece: PieceIndex, offset: number, target: Uint8Array): void | Promise<void>
  /** Stores `bytes` at `offset` of `piece`. They change once the call, or its promise, is done: copy what must stay. */
  write(piece: PieceIndex, offset: number, bytes: Uint8Array): void | Promise<void>
  /** Called before anything else, unless resume data says that all is there. */
  initialize?(): void | Promise<void>
  /** The 20-byte SHA-1 of a piece. Left out: the piece is read and hashed on the network thread. */
  hash?(piece: PieceIndex): Uint8Array | Promise<Uint8Array>
  /** Makes all writes durable. */
  flush?(): void | Promise<void>
  /** Gives back what is held open; called when the torrent stops, and before it is removed. Use may go on later. */
  release?(): void | Promise<void>
  /**
   * The torrent moves to another save path. True says that what was found there is the torrent's now, and everything
   * must be checked. Left out: nothing happens, successfully.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an async method without a result is fine
  move?(savePath: string, flags: MoveFlags): void | boolean | Promise<void | boolean>
  /** A file gets another path, below the save path or absolute. Left out: nothing happens, successfully. */
  rename?(file: FileIndex, path: string): void | Promise<void>
  /** Removes all that was stored. */
  delete?(): void | Promise<void>
  /** Size and time of every file, in order. Left out: every file has its full size and time 0. */
  stat?(): readonly FileStat[] | Promise<readonly FileStat[]>
}

/** Makes the storage of a torrent when it is added (libtorrent's `storage_constructor_type`). */
export type StorageConstructor = (params: StorageParams) => StorageInterface
