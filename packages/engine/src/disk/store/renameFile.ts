import { dirname } from 'node:path'
import { systemError } from '../../errors/libtorrentError.ts'
import { collisionKey } from '../../metainfo/collisionKey.ts'
import { pruneDirectories } from './pruneDirectories.ts'
import { relocateFile } from './relocateFile.ts'
import type { FilePlace, StorageFiles } from './storageFiles.ts'
import { isMissing, storeError } from './storeErrors.ts'
import { type StoreFs, syncDirectory } from './storeFs.ts'
import type { StoreTask } from './storeTask.ts'

/**
 * Gives a file a new place: a name below the save path, or one outside that the user chose; to another device it is
 * copied. A file that does not exist yet is made there later. Nothing is replaced; on failure all is as it was.
 */
export async function renameFile(
  fs: StoreFs,
  files: StorageFiles,
  file: number,
  target: FilePlace,
  task: StoreTask,
): Promise<void> {
  const source = files.place(file)
  try {
    const from = source.directory.absolute(source.path)
    const to = target.directory.absolute(target.path)
    if (from === to) return
    if (belongsToAnother(files, file, target, to)) throw storeError('EEXIST', 'fileRename', to)
    if (files.isPad(file)) return
    const sourceStat = statIfPresent(fs, source)
    if (sourceStat === undefined) return
    try {
      target.directory.enterParent(target.path, true)
      const found = fs.lstatSync(to, { throwIfNoEntry: false })
      // the same file under both names: only the case of letters changes, on a file system that ignores it
      const isSame = found !== undefined && found.ino === sourceStat.ino && found.dev === sourceStat.dev
      if (found !== undefined && !isSame) throw storeError('EEXIST', 'fileRename', to)
      await relocate(fs, source, target, task)
    } catch (cause) {
      for (const directory of target.directory.made.reverse()) attempt(() => fs.rmdirSync(directory))
      throw cause
    }
    if (!files.isAbsolute(file)) pruneDirectories(fs, files.directory, [source.path])
  } catch (cause) {
    throw systemError(cause, { operation: 'fileRename', path: files.fullPath(file) })
  }
}

async function relocate(fs: StoreFs, source: FilePlace, target: FilePlace, task: StoreTask): Promise<void> {
  const relocation = await relocateFile(fs, source.directory, source.path, target.directory, target.path, task)
  if (relocation.isCopy) await syncDirectory(fs, dirname(target.directory.absolute(target.path)))
  try {
    relocation.commit()
  } catch (cause) {
    // a copy whose original cannot be removed: the original stays the one
    attempt(relocation.undo)
    throw cause
  }
}

/** Whether another file of the torrent has the path, even if it is not there yet. */
function belongsToAnother(files: StorageFiles, file: number, target: FilePlace, to: string): boolean {
  const { paths } = files.layout
  const isPlain = target.directory === files.directory && files.relativePaths.length === paths.length
  if (isPlain) return paths.some((path, other) => other !== file && path === target.path && !files.isPad(other))
  const key = collisionKey(to)
  return paths.some((_, other) => {
    return other !== file && !files.isPad(other) && collisionKey(files.absolutePath(other)) === key
  })
}

function statIfPresent(fs: StoreFs, { directory, path }: FilePlace) {
  try {
    directory.enterParent(path, false)
    return fs.lstatSync(directory.absolute(path), { throwIfNoEntry: false })
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw cause
  }
}

/** What went wrong already is what is reported. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // nothing better can be done
  }
}
