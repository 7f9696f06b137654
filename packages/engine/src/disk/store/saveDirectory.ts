import { constants } from 'node:fs'
import { dirname, posix, resolve, sep } from 'node:path'
import { systemError } from '../../errors/libtorrentError.ts'
import { errorCode, isMissing, storeError } from './storeErrors.ts'
import type { StoreFs } from './storeFs.ts'

/** Absent on Windows, where opening follows links; there the check of `refuseLink` has to do. */
const NO_FOLLOW: number | undefined = constants.O_NOFOLLOW
/** Opening a pipe someone put in a file's place must not hang the worker; regular files do not notice. */
const NON_BLOCK = constants.O_NONBLOCK ?? 0

/**
 * A save path, and the promise that nothing outside it is ever touched. Paths below it are checked as text, and the
 * directories on the way and the file itself for symbolic links that lead outside. Links that stay inside are fine.
 * Every directory is looked at once, when first used.
 */
export class SaveDirectory {
  /** Directories below the save path that were made here, parents first. */
  readonly made: string[] = []
  private readonly checked = new Set<string>()
  private realRoot = ''

  constructor(
    private readonly fs: StoreFs,
    readonly root: string,
  ) {}

  /**
   * The absolute path of `path` (relative, parts divided by `/`).
   * @throws LibtorrentError `EINVAL` when it would lie outside.
   */
  absolute(path: string): string {
    const parts = path.split('/')
    const harmless = path !== '' && !path.includes('\0') && !(sep === '\\' && /[\\:]/.test(path))
    if (!harmless || parts.some((part) => part === '' || part === '.' || part === '..')) {
      throw storeError('EINVAL', 'fileOpen', path)
    }
    return resolve(this.root, path)
  }

  /** Opens a file; `flags` as in open(2). With O_CREAT its directories are made. Throws what the system says. */
  open(path: string, flags: number, mode: number): number {
    const create = (flags & constants.O_CREAT) !== 0
    try {
      return this.openOnce(path, flags, mode, create)
    } catch (cause) {
      if (!create || !isMissing(cause)) throw cause
      // a directory was removed since it was checked
      this.forget()
      return this.openOnce(path, flags, mode, create)
    }
  }

  /**
   * Makes sure that the directory a file lies in does not lead outside. With `create` it is made if missing,
   * otherwise that is an `ENOENT`.
   */
  enterParent(path: string, create: boolean): void {
    this.absolute(path)
    const parent = posix.dirname(path)
    this.enter(parent === '.' ? '' : parent, create)
  }

  /** Makes the save path itself if it is missing, and says where it really is. */
  ensureRoot(): string {
    this.enter('', true)
    return this.realRoot
  }

  /** Looks at directories afresh. */
  forget(): void {
    this.checked.clear()
  }

  private enter(directory: string, create: boolean): void {
    if (this.checked.has(directory)) return
    if (directory === '') {
      if (create) this.makeWithParents(resolve(this.root))
      this.realRoot = this.fs.realpathSync(this.root)
    } else {
      this.enterParent(directory, create)
      this.enterBelow(this.absolute(directory), create)
    }
    this.checked.add(directory)
  }

  private enterBelow(absolute: string, create: boolean): void {
    let stat = this.fs.lstatSync(absolute, { throwIfNoEntry: false })
    if (stat === undefined && create) {
      this.make(absolute)
      this.made.push(absolute)
      stat = this.fs.lstatSync(absolute, { throwIfNoEntry: false })
    }
    if (stat === undefined) throw storeError('ENOENT', 'fileOpen', absolute)
    if (stat.isSymbolicLink()) this.realPathInside(absolute)
    else if (!stat.isDirectory()) throw storeError('ENOTDIR', 'fileOpen', absolute)
  }

  /**
   * One level at a time. Not `recursive`: that never returns where the system refuses with ENOENT what it has the parent
   * of, as in /proc.
   */
  private makeWithParents(directory: string): void {
    if (this.isDirectory(directory)) return
    const parent = dirname(directory)
    if (parent !== directory) this.makeWithParents(parent)
    this.make(directory)
  }

  private make(directory: string): void {
    try {
      this.fs.mkdirSync(directory)
    } catch (cause) {
      // Another worker may have been faster, whatever the system calls that (EROFS and others for mount points).
      if (errorCode(cause) === 'EEXIST' || this.isDirectory(directory)) return
      throw systemError(cause, { operation: 'mkdir', path: directory })
    }
  }

  private isDirectory(directory: string): boolean {
    try {
      return this.fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true
    } catch {
      return false
    }
  }

  private openOnce(path: string, flags: number, mode: number, create: boolean): number {
    const absolute = this.absolute(path)
    this.enterParent(path, create)
    if (NO_FOLLOW === undefined) {
      const stat = this.fs.lstatSync(absolute, { throwIfNoEntry: false })
      return this.fs.openSync(stat?.isSymbolicLink() ? this.realPathInside(absolute) : absolute, flags, mode)
    }
    const safeFlags = flags | NO_FOLLOW | NON_BLOCK
    try {
      return this.fs.openSync(absolute, safeFlags, mode)
    } catch (cause) {
      // ELOOP is how Linux and macOS say that it is a link, EMLINK how FreeBSD does
      const code = errorCode(cause)
      if (code !== 'ELOOP' && code !== 'EMLINK') throw cause
      return this.fs.openSync(this.realPathInside(absolute), safeFlags, mode)
    }
  }

  /** Where a link leads. @throws an `ELOOP` when that is not inside. */
  private realPathInside(link: string): string {
    const real = this.fs.realpathSync(link)
    if (isBelow(this.realRoot, real)) return real
    throw storeError('ELOOP', 'fileOpen', link)
  }
}

/** Whether absolute path `path` lies in directory `root` (both without links). */
function isBelow(root: string, path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (at === root) return true
    if (at === dirname(at)) return false
  }
}
