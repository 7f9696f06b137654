import type { FileIndex } from '../util/flavored.ts'
import { collisionKey } from './collisionKey.ts'
import type { FileStorage } from './fileStorage.ts'

interface Holder {
  readonly file: FileIndex
  /** A file may hold a path several times: it has it, and is being renamed to it. */
  count: number
}

/**
 * Which paths the files of a torrent take, so that no second file is given one of them, on any file system (see
 * `collisionKey`). Pad files take none: they are never on disk.
 */
export class PathIndex {
  private readonly holders = new Map<string, Holder>()
  /** Directories, and the number of paths in them. */
  private readonly directories = new Map<string, number>()

  constructor(files: FileStorage) {
    for (let file = 0; file < files.numFiles; file++) {
      if (!files.padFileAt(file)) this.add(files.filePath(file), file)
    }
  }

  /**
   * Whether `path` cannot be that of `file`: it is that of another file, or of a directory of the torrent, or one of its
   * directories is a file.
   */
  isTaken(path: string, file: FileIndex): boolean {
    const key = collisionKey(path)
    const holder = this.holders.get(key)
    if (holder !== undefined) return holder.file !== file
    if (this.directories.has(key)) return true
    return someParent(key, (parent) => this.holders.has(parent))
  }

  /** `file` takes `path`, beside those it has. Only if it is not taken. */
  add(path: string, file: FileIndex): void {
    const key = collisionKey(path)
    const holder = this.holders.get(key)
    if (holder !== undefined) {
      holder.count++
      return
    }
    this.holders.set(key, { file, count: 1 })
    eachParent(key, (parent) => this.directories.set(parent, (this.directories.get(parent) ?? 0) + 1))
  }

  /** A file gives `path` back. */
  remove(path: string): void {
    const key = collisionKey(path)
    const holder = this.holders.get(key)
    if (holder === undefined || --holder.count > 0) return
    this.holders.delete(key)
    eachParent(key, (parent) => {
      const paths = (this.directories.get(parent) ?? 1) - 1
      if (paths === 0) this.directories.delete(parent)
      else this.directories.set(parent, paths)
    })
  }
}

/** The entries of `paths` that some other entry takes for a file or a directory; null stands for no path. */
export function collidingPaths(paths: readonly (string | null)[]): Set<FileIndex> {
  const keys = paths.map((path) => (path === null ? null : collisionKey(path)))
  const counts = new Map<string, number>()
  const directories = new Set<string>()
  for (const key of keys) {
    if (key === null) continue
    counts.set(key, (counts.get(key) ?? 0) + 1)
    eachParent(key, (parent) => directories.add(parent))
  }
  const colliding = new Set<FileIndex>()
  keys.forEach((key, file) => {
    if (key === null) return
    const isShared = counts.get(key) !== 1 || directories.has(key)
    if (isShared || someParent(key, (parent) => counts.has(parent))) colliding.add(file)
  })
  return colliding
}

function eachParent(key: string, visit: (parent: string) => void): void {
  someParent(key, (parent) => {
    visit(parent)
    return false
  })
}

/** Whether `test` says so of one of the directories `key` lies in. */
function someParent(key: string, test: (parent: string) => boolean): boolean {
  for (let slash = key.lastIndexOf('/'); slash > 0; slash = key.lastIndexOf('/', slash - 1)) {
    if (test(key.slice(0, slash))) return true
  }
  return false
}
