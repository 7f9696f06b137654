import { systemError } from '../../errors/libtorrentError.ts'
import { pruneDirectories } from './pruneDirectories.ts'
import { type Relocation, relocateFile } from './relocateFile.ts'
import { SaveDirectory } from './saveDirectory.ts'
import type { StorageFiles } from './storageFiles.ts'
import { isMissing, storeError } from './storeErrors.ts'
import { type StoreFs, yieldTurn } from './storeFs.ts'
import type { StoreTask } from './storeTask.ts'

/** Where a file that is in the way is kept until the move is certain. */
const REPLACED_SUFFIX = '.replaced'

/**
 * Moves the torrent's files, those that exist and have no absolute path, to another save path. Files already there are replaced, as with
 * libtorrent's `always_replace_files`. On failure everything is put back.
 */
export async function moveFiles(fs: StoreFs, files: StorageFiles, savePath: string, task: StoreTask): Promise<void> {
  const from = files.directory
  const to = new SaveDirectory(fs, savePath)
  const steps: Relocation[] = []
  let path = savePath
  try {
    const root = to.ensureRoot()
    const sources = new Set(files.layout.paths.map((_, file) => files.absolutePath(file)))
    if (isSameDirectory(fs, files.layout.savePath, root)) return
    for (let file = 0; file < files.layout.paths.length; file++) {
      path = files.fullPath(file)
      const name = files.layout.paths[file]
      if (files.isPad(file) || files.isAbsolute(file) || !exists(fs, from, name)) continue
      task.check(path)
      to.enterParent(name, true)
      setAside(fs, to.absolute(name), sources, steps)
      steps.push(await relocateFile(fs, from, name, to, name, task))
      if (file % 256 === 255) await yieldTurn()
    }
  } catch (cause) {
    for (const step of steps.reverse()) attempt(step.undo)
    for (const directory of to.made.reverse()) attempt(() => fs.rmdirSync(directory))
    throw systemError(cause, { operation: 'fileRename', path })
  }
  for (const step of steps) attempt(step.commit)
  pruneDirectories(fs, from, files.relativePaths)
}

/** Makes room at the target, in a way that can be undone. */
function setAside(fs: StoreFs, target: string, sources: ReadonlySet<string>, steps: Relocation[]): void {
  const found = fs.lstatSync(target, { throwIfNoEntry: false })
  if (found === undefined) return
  if (found.isDirectory()) throw storeError('EISDIR', 'fileRename', target)
  const aside = target + REPLACED_SUFFIX
  // the new save path may lie inside the old one: then the target may be a file of this torrent, not yet moved
  if (sources.has(target) || fs.lstatSync(aside, { throwIfNoEntry: false }) !== undefined) {
    throw storeError('EEXIST', 'fileRename', target)
  }
  fs.renameSync(target, aside)
  steps.push({ undo: () => fs.renameSync(aside, target), commit: () => fs.unlinkSync(aside) })
}

function isSameDirectory(fs: StoreFs, savePath: string, root: string): boolean {
  try {
    return fs.realpathSync(savePath) === root
  } catch (cause) {
    if (isMissing(cause)) return false
    throw cause
  }
}

function exists(fs: StoreFs, directory: SaveDirectory, path: string): boolean {
  try {
    directory.enterParent(path, false)
  } catch (cause) {
    if (isMissing(cause)) return false
    throw cause
  }
  return fs.lstatSync(directory.absolute(path), { throwIfNoEntry: false }) !== undefined
}

/** The rest must be done even if this fails. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // nothing better can be done with what is in the way now
  }
}
