import { constants, type Dirent, type Stats } from 'node:fs'
import { access, lstat, readdir, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { systemError, thrownError } from '../errors/libtorrentError.ts'

/** A file found on disk. */
export interface ListedFile {
  /** Below the listed directory with `/` between its parts; empty for the listed file itself. */
  readonly path: string
  /** Bytes; 0 for a symbolic link. */
  readonly size: number
  /** Seconds since 1970. */
  readonly mtime: number
  readonly executable: boolean
  /** Target below the listed directory, in the form of `path`; only symbolic links have one. */
  readonly symlink?: string
}

/** A file, or all files below a directory. */
export interface FileListing {
  /** The directory the file or directory lies in, without symbolic links. */
  readonly parent: string
  /** Name of the file or directory there. */
  readonly name: string
  readonly isDirectory: boolean
  /** In the order of BEP 52: depth first, names compared byte by byte. */
  readonly files: readonly ListedFile[]
}

/**
 * Lists what a torrent of `path` is made of, hidden files included. `path` itself may be a symbolic link. Links below
 * it are listed as links, and must lead to something below it.
 * @throws LibtorrentError of category `system` when something cannot be read, is neither file nor directory (`EINVAL`),
 * or is a link that leads outside or nowhere (`ELOOP`); `path` says what
 */
export async function listFiles(path: string): Promise<FileListing> {
  const root = await attempt('fileStat', path, realpath(path))
  const stat = await attempt('fileStat', root, lstat(root))
  const files: ListedFile[] = []
  if (stat.isDirectory()) await listDirectory(root, '', files)
  else files.push(await listed(root, '', stat))
  return { parent: dirname(root), name: basename(root), isDirectory: stat.isDirectory(), files }
}

/** Whether a file that was listed is still what it was. */
export async function isUnchanged(listing: FileListing, file: ListedFile): Promise<boolean> {
  const path = join(listing.parent, listing.name, file.path)
  const stat = await attempt('fileStat', path, lstat(path))
  return stat.isSymbolicLink() || (stat.size === file.size && seconds(stat) === file.mtime)
}

async function listDirectory(root: string, directory: string, files: ListedFile[]): Promise<void> {
  const absolute = join(root, directory)
  const entries = await attempt('fileRead', absolute, readdir(absolute, { withFileTypes: true }))
  for (const entry of entries.sort(byName)) {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (entry.isDirectory()) await listDirectory(root, path, files)
    else files.push(await listed(root, path, await attempt('fileStat', join(root, path), lstat(join(root, path)))))
  }
}

async function listed(root: string, path: string, stat: Stats): Promise<ListedFile> {
  const absolute = join(root, path)
  const mtime = seconds(stat)
  if (stat.isSymbolicLink()) {
    return { path, size: 0, mtime, executable: false, symlink: await linkTarget(root, path) }
  }
  if (!stat.isFile()) {
    throw systemError({ code: 'EINVAL' }, { path: absolute, message: 'it is neither a file nor a directory' })
  }
  // Better now than after an hour of hashing.
  await attempt('fileOpen', absolute, access(absolute, constants.R_OK))
  return { path, size: stat.size, mtime, executable: (stat.mode & constants.S_IXUSR) !== 0 }
}

/** Where the link at `path` leads, as a path below `root`. */
async function linkTarget(root: string, path: string): Promise<string> {
  const absolute = join(root, path)
  const text = await attempt('fileStat', absolute, readlink(absolute))
  const directory = dirname(absolute)
  const target = relative(root, isAbsolute(text) ? text : join(directory, text))
    .split(sep)
    .join('/')
  const isInside = target !== '' && target !== '..' && !target.startsWith('../') && !isAbsolute(target)
  const exists = isInside && (await realpath(absolute).then(isBelow(root), () => false))
  if (exists) return target
  throw systemError(
    { code: 'ELOOP' },
    { path: absolute, operation: 'symlink', message: `it is a symbolic link that leads outside or nowhere: ${text}` },
  )
}

function isBelow(root: string): (path: string) => boolean {
  return (path) => path.startsWith(root + sep)
}

function byName(a: Dirent, b: Dirent): number {
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))
}

function seconds(stat: Stats): number {
  return Math.floor(stat.mtimeMs / 1000)
}

async function attempt<T>(operation: 'fileStat' | 'fileRead' | 'fileOpen', path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    // Node decodes names that are no UTF-8, after which the file cannot be found by its name.
    if (path.includes('\ufffd')) {
      throw thrownError('torrentInvalidName', { operation, path, cause, message: 'the name is not valid UTF-8' })
    }
    throw systemError(cause, { operation, path })
  }
}
