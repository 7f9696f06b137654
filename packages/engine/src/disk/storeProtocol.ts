import { type ErrorCategory, LibtorrentError, type Operation, systemError } from '../errors/libtorrentError.ts'
import type { MoveFlags } from '../platform/moveFlags.ts'

/**
 * What the network thread and the store in a disk worker say to each other. Messages are handled in order. Numbers
 * announce job batches (see `announceBatch`); everything rarer is an object. All of it survives structured cloning.
 */

/** Given to a store when its worker starts. */
export interface StoreSetup {
  /** The block pool's memory. */
  readonly poolMemory: SharedArrayBuffer
  /** Files this store may hold open. */
  readonly filePoolSize: number
}

/** `absolute`: the file's path is that, and not below the save path. */
export const FileFlag = { pad: 1, executable: 2, symlink: 4, absolute: 8 } as const

/** Where the bytes of a torrent lie: `StorageParams` in a form that is cheap to send, with the files' present names. */
export interface StorageLayout {
  readonly savePath: string
  readonly pieceLength: number
  readonly totalSize: number
  readonly paths: readonly string[]
  readonly offsets: Float64Array
  readonly sizes: Float64Array
  /** `FileFlag` bits. */
  readonly flags: Uint8Array
  /** Targets of the symbolic links, by file index. */
  readonly links: ReadonlyMap<number, string>
}

/** Rare operations; each is answered by one `result`. Those that carry a layout need no open storage. */
export type StoreCall =
  /** Brings to disk all that this store wrote. */
  | { readonly name: 'sync' }
  /** Closes the storage's files and keeps all else. */
  | { readonly name: 'closeFiles' }
  /** Closes the files and forgets the storage, after a sync or without one. */
  | { readonly name: 'release' }
  | { readonly name: 'forget' }
  | { readonly name: 'stat'; readonly layout: StorageLayout }
  | { readonly name: 'initialize'; readonly layout: StorageLayout; readonly allocate: boolean }
  | {
      readonly name: 'move'
      readonly layout: StorageLayout
      readonly savePath: string
      readonly flags: MoveFlags
    }
  | {
      readonly name: 'rename'
      readonly layout: StorageLayout
      readonly file: number
      readonly path: string
      readonly isAbsolute: boolean
    }
  | { readonly name: 'delete'; readonly layout: StorageLayout }

export type StoreRequest =
  | number
  | { readonly kind: 'batchMemory'; readonly id: number; readonly memory: SharedArrayBuffer }
  /** Makes a storage known, or tells its new paths. */
  | { readonly kind: 'open'; readonly storage: number; readonly layout: StorageLayout }
  | { readonly kind: 'call'; readonly id: number; readonly storage: number; readonly call: StoreCall }
  /** Ends a running `initialize`, `move` or check of the storage soon, with an error. */
  | { readonly kind: 'cancel'; readonly storage: number }
  | { readonly kind: 'limits'; readonly filePoolSize: number }
  | { readonly kind: 'stop' }

/** What a call gives beside success. */
export interface StoreAnswer {
  /** Of `stat`. */
  readonly stats?: StatColumns
  /** Of `move`. */
  readonly needFullCheck?: boolean
}

/** Size and time of each file; size -1 when missing. */
export interface StatColumns {
  readonly sizes: Float64Array
  readonly mtimes: Float64Array
}

export type StoreReply =
  /** The id of a batch that was carried out without any error. */
  | number
  /** A part of something long is done: the worker does not hang. */
  | { readonly kind: 'alive' }
  | { readonly kind: 'batchErrors'; readonly id: number; readonly errors: readonly WireError[] }
  | {
      readonly kind: 'result'
      readonly id: number
      readonly error: WireError | null
      readonly answer?: StoreAnswer
    }

/** A LibtorrentError as plain data: structured cloning loses the class and its fields. */
export interface WireError {
  readonly code: string
  readonly value: number
  readonly category: ErrorCategory
  readonly message: string
  readonly operation: Operation
  readonly path: string | undefined
}

/** Whatever was thrown, as data; `operation` and `path` count only when it was not a LibtorrentError yet. */
export function toWireError(cause: unknown, operation: Operation, path?: string): WireError {
  const error = systemError(cause, path === undefined ? { operation } : { operation, path })
  return {
    code: error.code,
    value: error.value,
    category: error.category,
    message: error.message,
    operation: error.operation,
    path: error.path,
  }
}

export function fromWireError(wire: WireError): LibtorrentError {
  const { code, value, category, message, operation, path } = wire
  return new LibtorrentError(
    { code, value, category },
    message,
    path === undefined ? { operation } : { operation, path },
  )
}
