import { constants } from 'node:fs'
import { systemError } from '../../errors/libtorrentError.ts'
import type { StorageFiles } from './storageFiles.ts'
import { errorCode, storeError } from './storeErrors.ts'
import type { StoreFs } from './storeFs.ts'

export interface OpenFile {
  readonly key: number
  readonly storage: number
  readonly fd: number
  readonly writable: boolean
  /** With the save path. */
  readonly path: string
}

/** Keys keep the file index below this: no torrent has as many files. */
const MAX_FILES = 2 ** 24

/** The files a store holds open, at most `limit`; the one used longest ago is closed first. */
export class FilePool {
  /** In order of last use. */
  private readonly open = new Map<number, OpenFile>()
  private last: OpenFile | null = null

  constructor(
    private readonly fs: StoreFs,
    private limit: number,
  ) {}

  setLimit(limit: number): void {
    this.limit = limit
    while (this.open.size > limit) this.closeOldest()
  }

  /**
   * The file, open for reading, or also for writing: then it is made if missing. Valid until the next call.
   * @throws LibtorrentError of operation `fileOpen`
   */
  acquire(files: StorageFiles, file: number, writable: boolean): OpenFile {
    const key = files.id * MAX_FILES + file
    if (this.last?.key === key && (this.last.writable || !writable)) return this.last
    const found = this.open.get(key)
    if (found !== undefined) {
      if (found.writable || !writable) {
        this.open.delete(key)
        this.open.set(key, found)
        return (this.last = found)
      }
      this.close(found)
    }
    while (this.open.size >= this.limit) this.closeOldest()
    const fd = this.openFile(files, file, writable)
    const entry: OpenFile = { key, storage: files.id, fd, writable, path: files.fullPath(file) }
    this.open.set(key, entry)
    return (this.last = entry)
  }

  /** Closes one file, so that it is opened afresh when next used. */
  close(entry: OpenFile): void {
    this.open.delete(entry.key)
    if (this.last === entry) this.last = null
    try {
      this.fs.closeSync(entry.fd)
    } catch {
      // the descriptor is gone either way; errors of delayed writes are found by fsync
    }
  }

  closeStorage(storage: number): void {
    for (const entry of [...this.open.values()]) if (entry.storage === storage) this.close(entry)
  }

  closeAll(): void {
    for (const entry of [...this.open.values()]) this.close(entry)
  }

  private closeOldest(): void {
    for (const entry of this.open.values()) return this.close(entry)
  }

  private openFile(files: StorageFiles, file: number, writable: boolean): number {
    const flags = writable ? constants.O_RDWR | constants.O_CREAT : constants.O_RDONLY
    const place = files.place(file)
    const path = files.fullPath(file)
    for (;;) {
      try {
        return this.regular(place.directory.open(place.path, flags, files.mode(file)), path)
      } catch (cause) {
        const code = errorCode(cause)
        // the process is out of descriptors: make do with fewer
        if ((code === 'EMFILE' || code === 'ENFILE') && this.open.size > 0) this.closeOldest()
        else throw systemError(cause, { operation: 'fileOpen', path })
      }
    }
  }

  private regular(fd: number, path: string): number {
    if (this.fs.fstatSync(fd).isFile()) return fd
    this.fs.closeSync(fd)
    throw storeError('EISDIR', 'fileOpen', path)
  }
}
