import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { type FileStorage, storageFiles } from '../metainfo/fileStorage.ts'
import { PieceLayout } from '../metainfo/pieceLayout.ts'
import { createDiskIo } from '../node/diskWorkers.ts'
import type { DiskIo, FileStat, StorageFile, TorrentStorage } from '../platform/disk.ts'
import { absentPieces, FileChecker } from '../torrent/fileChecker.ts'
import type { Bitfield } from '../util/bitfield.ts'
import type { PieceIndex } from '../util/flavored.ts'

/** How `hashFiles`, `setPieceHashes` and `createTorrentFromPath` go about it. */
export interface HashFilesOptions {
  /**
   * Called after each piece: how many pieces of how many were looked at, those in missing files included. Runs on the
   * network thread: keep it short. Default: nothing is told.
   */
  readonly onProgress?: (checked: number, numPieces: number) => void
  /** Gives up when it is aborted; the promise rejects with its reason. Default: it cannot be stopped. */
  readonly signal?: AbortSignal
  /** Threads, at least 1. Default one per core, at most 4. */
  readonly workerCount?: number
}

/** What `hashFiles` found. */
export interface HashedFiles {
  /** The pieces whose hash was accepted; one bit per piece. */
  readonly have: Bitfield
  /** The pieces that lie in missing files or beyond the end of short ones. */
  readonly absent: Bitfield
  /** Size and time of each file before it was read, in the order of the files. */
  readonly stats: readonly FileStat[]
}

/** Nothing is written, and reading for hashes takes no slots. */
const POOL_BYTES = 1024 * 1024
const FILE_POOL_SIZE = 40

/**
 * Hashes every piece of files on disk, on all cores and without a session. `accept` is given the SHA-1 of each piece
 * that is there (valid only during the call), in any order, and says whether it is the right one.
 * Rejects with the LibtorrentError of the first file that is there and cannot be read.
 */
export async function hashFiles(
  files: FileStorage,
  savePath: string,
  accept: (piece: PieceIndex, digest: Uint8Array) => boolean,
  options: HashFilesOptions = {},
): Promise<HashedFiles> {
  options.signal?.throwIfAborted()
  const disk = createDiskIo(
    { maxQueuedDiskBytes: POOL_BYTES, filePoolSize: FILE_POOL_SIZE },
    { poolBytes: POOL_BYTES, workerCount: options.workerCount },
  )
  try {
    return await new FileHashing(disk, files, savePath, accept, options).run()
  } finally {
    await new Promise<void>((resolve) => disk.stop(resolve))
  }
}

class FileHashing {
  private readonly layout: PieceLayout
  private readonly files: readonly StorageFile[]
  private readonly storage: TorrentStorage
  private checker: FileChecker | null = null

  constructor(
    disk: DiskIo,
    files: FileStorage,
    savePath: string,
    private readonly accept: (piece: PieceIndex, digest: Uint8Array) => boolean,
    private readonly options: HashFilesOptions,
  ) {
    this.layout = new PieceLayout(files.totalSize, files.pieceLength)
    this.files = storageFiles(files)
    const { totalSize, pieceLength } = this.layout
    this.storage = disk.openStorage(
      { savePath, files: this.files, totalSize, pieceLength, allocation: 'sparse' },
      {
        onBlockWritten: () => {},
        onBlockRead: () => {},
        onPieceHashed: (piece, digest, error) => this.checker?.onPieceHashed(piece, digest, error),
      },
    )
  }

  async run(): Promise<HashedFiles> {
    const stats = await this.stat()
    const absent = absentPieces(this.layout, this.files, stats)
    const have = await this.hash()
    this.options.onProgress?.(this.layout.numPieces, this.layout.numPieces)
    return { have, absent, stats }
  }

  private stat(): Promise<readonly FileStat[]> {
    return new Promise((resolve, reject) => {
      this.storage.statFiles((stats) => {
        if (Array.isArray(stats)) resolve(stats)
        else reject(stats as LibtorrentError)
      })
    })
  }

  private hash(): Promise<Bitfield> {
    const { layout, storage, files, options, accept } = this
    const { signal } = options
    return new Promise<Bitfield>((resolve, reject) => {
      const checker = new FileChecker({
        layout,
        storage,
        files,
        hashMatches: accept,
        onCheckProgress: (checked) => options.onProgress?.(checked, layout.numPieces),
        onCheckDone: resolve,
        onCheckError: reject,
      })
      this.checker = checker
      signal?.addEventListener(
        'abort',
        () => {
          checker.stop()
          reject(signal.reason)
        },
        { once: true },
      )
      checker.start()
    })
  }
}
