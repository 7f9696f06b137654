import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type {
  BlockPool,
  FileStat,
  StorageDone,
  StorageFile,
  StorageHandler,
  StorageParams,
  TorrentStorage,
} from '../../../src/platform/disk.ts'
import { MoveFlags } from '../../../src/platform/moveFlags.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'

type Waiter<T> = (value: T) => void

/** Stands in for a torrent: turns the storage's callbacks into promises. Errors are results, as they are for a torrent. */
export class StorageDriver implements StorageHandler {
  storage!: TorrentStorage
  /** Every handler call, in order, for tests that look at order or at silence. */
  readonly calls: string[] = []
  private readonly writes = new Map<string, Waiter<LibtorrentError | null>[]>()
  private readonly hashes = new Map<number, Waiter<Uint8Array | LibtorrentError>[]>()
  private readonly blockHashes = new Map<string, Waiter<Uint8Array | LibtorrentError>[]>()
  private readonly reads = new Map<number, Waiter<Uint8Array | LibtorrentError>>()
  private nextToken = 2 ** 33

  constructor(
    readonly pool: BlockPool,
    readonly params: StorageParams,
  ) {}

  onBlockWritten(piece: number, offset: number, length: number, error: LibtorrentError | null): void {
    this.calls.push(`written ${piece}:${offset}+${length}`)
    this.writes.get(`${piece}:${offset}`)?.shift()?.(error)
  }

  onPieceHashed(piece: number, digest: Uint8Array | null, error: LibtorrentError | null): void {
    this.calls.push(`hashed ${piece}`)
    this.hashes.get(piece)?.shift()?.(digest ?? (error as LibtorrentError))
  }

  onBlockHashed(piece: number, offset: number, digest: Uint8Array | null, error: LibtorrentError | null): void {
    this.calls.push(`hashed ${piece}:${offset}`)
    this.blockHashes.get(`${piece}:${offset}`)?.shift()?.(digest ?? (error as LibtorrentError))
  }

  onBlockRead(token: number, slot: number, length: number, error: LibtorrentError | null): void {
    this.calls.push(`read ${token}`)
    if (error !== null) return this.reads.get(token)?.(error)
    const bytes = Uint8Array.from(this.pool.bytes(slot).subarray(0, length))
    this.pool.release(slot)
    this.reads.get(token)?.(bytes)
  }

  write(piece: number, offset: number, bytes: Uint8Array): Promise<LibtorrentError | null> {
    const slot = this.pool.acquire()
    if (slot < 0) throw new Error('the pool is empty')
    this.pool.bytes(slot).set(bytes)
    return new Promise((resolve) => {
      const key = `${piece}:${offset}`
      this.writes.set(key, [...(this.writes.get(key) ?? []), resolve])
      this.storage.writeBlock(piece, offset, bytes.length, slot)
    })
  }

  read(piece: number, offset: number, length: number): Promise<Uint8Array | LibtorrentError> {
    const token = this.nextToken++
    return new Promise((resolve) => {
      this.reads.set(token, resolve)
      this.storage.readBlock(piece, offset, length, token)
    })
  }

  hash(piece: number): Promise<Uint8Array | LibtorrentError> {
    return new Promise((resolve) => {
      this.hashes.set(piece, [...(this.hashes.get(piece) ?? []), resolve])
      this.storage.hashPiece(piece)
    })
  }

  hashBlock(piece: number, offset: number, length: number): Promise<Uint8Array | LibtorrentError> {
    return new Promise((resolve) => {
      const key = `${piece}:${offset}`
      this.blockHashes.set(key, [...(this.blockHashes.get(key) ?? []), resolve])
      this.storage.hashBlock(piece, offset, length)
    })
  }

  check(piece: number): Promise<Uint8Array | LibtorrentError> {
    return new Promise((resolve) => {
      this.hashes.set(piece, [...(this.hashes.get(piece) ?? []), resolve])
      this.storage.checkPiece(piece)
    })
  }

  /** Writes all blocks of a piece of `content`, in the order given or from the first to the last. */
  async writePiece(content: Uint8Array, piece: number, order?: readonly number[]): Promise<void> {
    const bytes = pieceOf(content, this.params.pieceLength, piece)
    const blocks = order ?? Array.from({ length: Math.ceil(bytes.length / BLOCK_SIZE_BYTES) }, (_, i) => i)
    const results = await Promise.all(
      blocks.map((block) => {
        const offset = block * BLOCK_SIZE_BYTES
        return this.write(piece, offset, bytes.subarray(offset, offset + BLOCK_SIZE_BYTES))
      }),
    )
    for (const error of results) if (error !== null) throw error
  }

  async writeAll(content: Uint8Array): Promise<void> {
    for (let piece = 0; piece * this.params.pieceLength < content.length; piece++) await this.writePiece(content, piece)
  }

  stat(): Promise<readonly FileStat[] | LibtorrentError> {
    return new Promise((resolve) => this.storage.statFiles(resolve))
  }

  async sizes(): Promise<number[]> {
    return ((await this.stat()) as readonly FileStat[]).map((stat) => stat.size)
  }

  initialize = () => this.ask((done) => this.storage.initialize(done))
  release = () => this.ask((done) => this.storage.releaseFiles(done))
  flush = () => this.ask((done) => this.storage.flush(done))
  /** Whether the last move said that everything must be checked. */
  needFullCheck = false
  move = (savePath: string, flags: MoveFlags = MoveFlags.alwaysReplaceFiles) =>
    this.ask((done) => {
      this.storage.move(savePath, flags, (error, needFullCheck) => {
        this.needFullCheck = needFullCheck
        done(error)
      })
    })
  rename = (file: number, path: string) => this.ask((done) => this.storage.renameFile(file, path, done))
  delete = () => this.ask((done) => this.storage.deleteFiles(done))
  close = () => new Promise<void>((resolve) => this.storage.close(resolve))

  private ask(operation: (done: StorageDone) => void): Promise<LibtorrentError | null> {
    return new Promise((resolve) => operation(resolve))
  }
}

/** Files one after the other, as in a torrent. */
export function layFiles(files: readonly (Pick<StorageFile, 'path' | 'size'> & Partial<StorageFile>)[]): StorageFile[] {
  let offset = 0
  return files.map((file) => {
    const laid = { pad: false, ...file, offset }
    offset += file.size
    return laid
  })
}

export function paramsFor(
  savePath: string,
  files: readonly (Pick<StorageFile, 'path' | 'size'> & Partial<StorageFile>)[],
  pieceLength: number,
): StorageParams {
  const laid = layFiles(files)
  const totalSize = laid.reduce((sum, file) => sum + file.size, 0)
  return { savePath, files: laid, totalSize, pieceLength, allocation: 'sparse' }
}

/** Bytes that differ from block to block, and are the same in every run. */
export function contentOf(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export function pieceOf(content: Uint8Array, pieceLength: number, piece: number): Uint8Array {
  return content.subarray(piece * pieceLength, (piece + 1) * pieceLength)
}

export function sha1Of(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(bytes).digest())
}

/** Equal bytes; comparing element by element only to show a difference. */
export function expectBytes(actual: Uint8Array | LibtorrentError, expected: Uint8Array): void {
  if (actual instanceof Uint8Array && Buffer.compare(actual, expected) === 0) return
  expect(actual).toEqual(expected)
}
