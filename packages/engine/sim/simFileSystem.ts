import { posix } from 'node:path'
import type { Operation } from '../src/errors/libtorrentError.ts'
import type { Millis, UnixSeconds } from '../src/util/flavored.ts'
import { PagedBytes } from './pagedBytes.ts'
import type { SeededRandom } from './seededRandom.ts'
import { type SimErrorCode, simError } from './simErrors.ts'
import type { VirtualTime } from './virtualTime.ts'

/** What of a file system may be made to fail. `write` includes making files, links and sizes. */
export type FileOperation = 'read' | 'write' | 'stat' | 'rename' | 'remove' | 'sync'

/** What is to go wrong on a disk, and when. */
export interface FaultOptions {
  /** What fails. */
  readonly operation: FileOperation
  /** The file at fault; left out: any. */
  readonly path?: string
  /** The error it fails with. Default `EIO`. */
  readonly code?: SimErrorCode
  /** The fault begins this long after now, ms. Default 0: at once. */
  readonly after?: Millis
  /** How many operations fail. Default: all until the fault is removed. */
  readonly times?: number
}

/**
 * What survives when the power fails, of what was written and not synced.
 * `nothing`: the least a disk guarantees. `prefix`: everything up to some moment. `some`: any selection, even parts of
 * writes, as a disk with its own cache leaves it.
 */
export type CrashKeep = 'nothing' | 'prefix' | 'some'

interface Fault {
  readonly operation: FileOperation
  readonly path: string | null
  readonly code: SimErrorCode
  readonly from: Millis
  left: number
}

interface SimFile {
  /** What programs see. */
  readonly current: PagedBytes
  /** What is there after a power failure. */
  readonly durable: PagedBytes
  mtime: UnixSeconds
  link: string | null
}

type UnsyncedChange =
  | { readonly file: SimFile; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly file: SimFile; readonly truncate: number }

const OPERATION_NAMES: Record<FileOperation, Operation> = {
  read: 'fileRead',
  write: 'fileWrite',
  stat: 'fileStat',
  rename: 'fileRename',
  remove: 'fileRemove',
  sync: 'fileWrite',
}

/**
 * The files of a simulated machine: they outlive the programs on it. Content written is lost by a power failure until
 * it is synced; names, links and removals are durable at once. Methods throw `LibtorrentError`s of the system category.
 */
export class SimFileSystem {
  private readonly files = new Map<string, SimFile>()
  private readonly directories = new Set<string>()
  private unsynced: UnsyncedChange[] = []
  private faults: Fault[] = []
  private used = 0

  /** @param capacity bytes the disk holds; beyond it writes fail with `ENOSPC`. May be changed at any time. */
  constructor(
    private readonly time: VirtualTime,
    private readonly random: SeededRandom,
    public capacity = Number.POSITIVE_INFINITY,
  ) {}

  get usedBytes(): number {
    return this.used
  }

  /** Paths of all files and links, sorted. */
  paths(): readonly string[] {
    return [...this.files.keys()].sort()
  }

  directoryPaths(): readonly string[] {
    return [...this.directories].sort()
  }

  // What a program does.

  write(path: string, offset: number, bytes: Uint8Array): void {
    this.checkFault('write', path)
    const file = this.open(path)
    const growth = file.current.growthOf(offset, bytes.length)
    if (this.used + growth > this.capacity) throw simError('ENOSPC', 'fileWrite', path)
    this.used += growth
    file.current.write(offset, bytes)
    file.mtime = this.time.unixTime()
    this.unsynced.push({ file, offset, bytes: new Uint8Array(bytes) })
  }

  /** Fills `out`; returns how much of it lies within the file. */
  read(path: string, offset: number, out: Uint8Array): number {
    this.checkFault('read', path)
    const file = this.files.get(path)
    if (file === undefined) throw simError('ENOENT', 'fileOpen', path)
    return file.current.read(offset, out)
  }

  /** Makes an empty file unless there is one. */
  create(path: string): void {
    this.checkFault('write', path)
    this.open(path)
  }

  /** Sets the size; what is added is a hole. */
  truncate(path: string, size: number): void {
    this.checkFault('write', path)
    const file = this.open(path)
    this.used -= file.current.allocatedBytes
    file.current.truncate(size)
    this.used += file.current.allocatedBytes
    file.mtime = this.time.unixTime()
    this.unsynced.push({ file, truncate: size })
  }

  makeLink(path: string, target: string): void {
    this.checkFault('write', path)
    this.open(path).link = target
  }

  /** Null when there is no such file. */
  stat(path: string): { readonly size: number; readonly mtime: UnixSeconds } | null {
    this.checkFault('stat', path)
    const file = this.files.get(path)
    return file === undefined ? null : { size: file.current.size, mtime: file.mtime }
  }

  /** Renames a file, replacing what was there. */
  rename(from: string, to: string): void {
    this.checkFault('rename', from)
    const file = this.files.get(from)
    if (file === undefined) throw simError('ENOENT', 'fileRename', from)
    if (from === to) return
    this.forget(to)
    this.files.delete(from)
    this.files.set(to, file)
    this.makeDirectories(to)
  }

  remove(path: string): void {
    this.checkFault('remove', path)
    if (!this.files.has(path)) throw simError('ENOENT', 'fileRemove', path)
    this.forget(path)
  }

  /** Removes the directory and those above it, up to but not including `top`, as far as they are empty. */
  removeEmptyDirectories(directory: string, top: string): void {
    for (let at = directory; at.length > top.length && at.startsWith(top); at = posix.dirname(at)) {
      const inside = (path: string) => path.startsWith(`${at}/`)
      if ([...this.files.keys()].some(inside) || [...this.directories].some(inside)) return
      this.directories.delete(at)
    }
  }

  /** What was written to the file survives a power failure from now on. */
  sync(path: string): void {
    this.checkFault('sync', path)
    const file = this.files.get(path)
    if (file === undefined) return
    this.unsynced = this.unsynced.filter((change) => change.file !== file)
    file.durable.copyFrom(file.current)
  }

  // What a scenario does.

  /** The content of a file, or null when there is none. */
  readFile(path: string): Uint8Array | null {
    const file = this.files.get(path)
    if (file === undefined) return null
    const out = new Uint8Array(file.current.size)
    file.current.read(0, out)
    return out
  }

  /** Puts a file there, complete and durable. */
  writeFile(path: string, content: Uint8Array): void {
    this.forget(path)
    const file = this.open(path)
    file.current.write(0, content)
    file.durable.copyFrom(file.current)
    this.used += file.current.allocatedBytes
    file.mtime = this.time.unixTime()
  }

  /** Target of a link; null when `path` is none. */
  readLink(path: string): string | null {
    return this.files.get(path)?.link ?? null
  }

  setModificationTime(path: string, mtime: UnixSeconds): void {
    const file = this.files.get(path)
    if (file === undefined) throw new Error(`there is no file ${path}`)
    file.mtime = mtime
  }

  /** Cuts a file behind the program's back. */
  cut(path: string, size: number): void {
    const content = this.readFile(path)
    if (content === null) throw new Error(`there is no file ${path}`)
    this.writeFile(path, content.subarray(0, size))
  }

  /** Inverts `length` stored bytes; the modification time stays. */
  corrupt(path: string, offset: number, length: number): void {
    const file = this.files.get(path)
    if (file === undefined) throw new Error(`there is no file ${path}`)
    const bytes = new Uint8Array(length)
    const within = bytes.subarray(0, file.current.read(offset, bytes))
    for (let i = 0; i < within.length; i++) within[i] ^= 0xff
    file.current.write(offset, within)
    file.durable.write(offset, within)
  }

  /** Makes operations fail. Returns a function that ends the fault. */
  fail(options: FaultOptions): () => void {
    const fault: Fault = {
      operation: options.operation,
      path: options.path ?? null,
      code: options.code ?? 'EIO',
      from: this.time.now() + (options.after ?? 0),
      left: options.times ?? Number.POSITIVE_INFINITY,
    }
    this.faults.push(fault)
    return () => {
      this.faults = this.faults.filter((each) => each !== fault)
    }
  }

  /** The power fails: what was not synced is lost, but for what `keep` leaves. */
  crash(keep: CrashKeep = 'nothing'): void {
    const kept = keep === 'prefix' ? this.random.below(this.unsynced.length + 1) : 0
    this.unsynced.forEach((change, index) => {
      if (keep === 'some' ? this.random.chance(0.5) : index < kept) apply(change, keep === 'some' ? this.random : null)
    })
    this.unsynced = []
    this.used = 0
    for (const file of this.files.values()) {
      file.current.copyFrom(file.durable)
      this.used += file.current.allocatedBytes
    }
  }

  /** Changes a power failure would lose. */
  get unsyncedChanges(): number {
    return this.unsynced.length
  }

  private open(path: string): SimFile {
    const existing = this.files.get(path)
    if (existing !== undefined) return existing
    this.makeDirectories(path)
    const file = { current: new PagedBytes(), durable: new PagedBytes(), mtime: this.time.unixTime(), link: null }
    this.files.set(path, file)
    return file
  }

  private forget(path: string): void {
    const file = this.files.get(path)
    if (file === undefined) return
    this.used -= file.current.allocatedBytes
    this.files.delete(path)
    this.unsynced = this.unsynced.filter((change) => change.file !== file)
  }

  private makeDirectories(path: string): void {
    for (let at = posix.dirname(path); at.length > 1 && !this.directories.has(at); at = posix.dirname(at)) {
      this.directories.add(at)
    }
  }

  private checkFault(operation: FileOperation, path: string): void {
    const now = this.time.now()
    const fault = this.faults.find(
      (each) =>
        each.operation === operation && each.left > 0 && each.from <= now && (each.path === null || each.path === path),
    )
    if (fault === undefined) return
    fault.left--
    throw simError(fault.code, OPERATION_NAMES[operation], path)
  }
}

/** Makes a change durable; with `random`, perhaps only its first part. */
function apply(change: UnsyncedChange, random: SeededRandom | null): void {
  const { durable } = change.file
  if ('truncate' in change) return durable.truncate(change.truncate)
  const whole = random === null || random.chance(0.5)
  durable.write(change.offset, whole ? change.bytes : change.bytes.subarray(0, random.below(change.bytes.length + 1)))
}
