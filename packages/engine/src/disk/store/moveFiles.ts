import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import { systemError } from '../../errors/libtorrentError.ts'
import { collisionKey } from '../../metainfo/collisionKey.ts'
import { MoveFlags } from '../../platform/moveFlags.ts'
import { pruneDirectories } from './pruneDirectories.ts'
import { type Relocation, relocateFile } from './relocateFile.ts'
import { SaveDirectory } from './saveDirectory.ts'
import type { StorageFiles } from './storageFiles.ts'
import { isMissing, storeError } from './storeErrors.ts'
import { type StoreFs, syncDirectory, yieldTurn } from './storeFs.ts'
import type { StoreTask } from './storeTask.ts'

/** Where a file that is in the way is kept until the move is certain. */
const REPLACED_SUFFIX = '.replaced'

/**
 * Moves the torrent's files, those that exist and have no absolute path, to another save path. What is there already is
 * treated as `flags` says; true when some of it was kept. On failure everything is put back.
 */
export async function moveFiles(
  fs: StoreFs,
  files: StorageFiles,
  savePath: string,
  flags: MoveFlags,
  task: StoreTask,
): Promise<boolean> {
  const from = files.directory
  const to = new SaveDirectory(fs, savePath)
  const ours = new OwnFiles(fs, files)
  const steps: Relocation[] = []
  const copiedTo = new Set<string>()
  let keptSome = false
  let path = savePath
  try {
    if (isSameDirectory(fs, files.layout.savePath, savePath)) return false
    if (flags === MoveFlags.failIfExist) refuseExisting(fs, files, to)
    to.ensureRoot()
    for (let file = 0; file < files.layout.paths.length; file++) {
      path = files.fullPath(file)
      const name = files.layout.paths[file]
      if (files.isPad(file) || files.isAbsolute(file)) continue
      task.check(path)
      const isHere = statIfPresent(fs, from, name) !== undefined
      const target = to.absolute(name)
      const found = statIfPresent(fs, to, name)
      if (found !== undefined && ours.include(found, target)) throw storeError('EEXIST', 'fileRename', target)
      if (found !== undefined && !found.isDirectory() && flags === MoveFlags.dontReplace) {
        keptSome = true
      } else if (isHere) {
        to.enterParent(name, true)
        if (found !== undefined) setAside(fs, target, found, flags, steps)
        const step = await relocateFile(fs, from, name, to, name, task)
        steps.push(step)
        if (step.isCopy) copiedTo.add(dirname(target))
      }
      if (file % 256 === 255) await yieldTurn()
    }
    for (const directory of copiedTo) await syncDirectory(fs, directory)
  } catch (cause) {
    for (const step of steps.reverse()) attempt(step.undo)
    for (const directory of to.made.reverse()) attempt(() => fs.rmdirSync(directory))
    throw systemError(cause, { operation: 'fileRename', path })
  }
  for (const step of steps) attempt(step.commit)
  pruneDirectories(fs, from, files.relativePaths)
  return keptSome
}

/** Also what is no file of ours yet: a file to come would be at its place. */
function refuseExisting(fs: StoreFs, files: StorageFiles, to: SaveDirectory): void {
  for (let file = 0; file < files.layout.paths.length; file++) {
    if (files.isPad(file) || files.isAbsolute(file)) continue
    const name = files.layout.paths[file]
    if (statIfPresent(fs, to, name) !== undefined) throw storeError('EEXIST', 'fileRename', to.absolute(name))
  }
}

/** Makes room at the target, in a way that can be undone. */
function setAside(fs: StoreFs, target: string, found: Stats, flags: MoveFlags, steps: Relocation[]): void {
  if (found.isDirectory()) throw storeError('EISDIR', 'fileRename', target)
  const aside = target + REPLACED_SUFFIX
  const isFree = fs.lstatSync(aside, { throwIfNoEntry: false }) === undefined
  if (flags !== MoveFlags.alwaysReplaceFiles || !isFree) throw storeError('EEXIST', 'fileRename', target)
  fs.renameSync(target, aside)
  steps.push({ isCopy: false, undo: () => fs.renameSync(aside, target), commit: () => fs.unlinkSync(aside) })
}

/**
 * Tells whether what is at a target is a file of the torrent itself: the new save path may lie inside the old one, and
 * files with absolute paths may lie in the new one.
 */
class OwnFiles {
  private paths: Set<string> | null = null
  private readonly inodes = new Set<string>()

  constructor(
    private readonly fs: StoreFs,
    private readonly files: StorageFiles,
  ) {}

  include(found: Stats, target: string): boolean {
    this.paths ??= this.collect()
    // a file with several links is the same under another name only if its path says so
    return this.paths.has(collisionKey(target)) || (found.nlink === 1 && this.inodes.has(identity(found)))
  }

  private collect(): Set<string> {
    const paths = new Set<string>()
    for (let file = 0; file < this.files.layout.paths.length; file++) {
      if (this.files.isPad(file)) continue
      paths.add(collisionKey(this.files.absolutePath(file)))
      const { directory, path } = this.files.place(file)
      const stat = statIfPresent(this.fs, directory, path)
      if (stat !== undefined) this.inodes.add(identity(stat))
    }
    return paths
  }
}

function identity({ dev, ino }: Stats): string {
  return `${dev}:${ino}`
}

function isSameDirectory(fs: StoreFs, one: string, other: string): boolean {
  try {
    return fs.realpathSync(one) === fs.realpathSync(other)
  } catch (cause) {
    if (isMissing(cause)) return false
    throw cause
  }
}

/** A link is looked at itself, not what it leads to. */
function statIfPresent(fs: StoreFs, directory: SaveDirectory, path: string): Stats | undefined {
  try {
    directory.enterParent(path, false)
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw cause
  }
  return fs.lstatSync(directory.absolute(path), { throwIfNoEntry: false })
}

/** The rest must be done even if this fails. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // nothing better can be done with what is in the way now
  }
}
