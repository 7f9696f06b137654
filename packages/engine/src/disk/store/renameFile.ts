import { systemError } from '../../errors/libtorrentError.ts'
import { pruneDirectories } from './pruneDirectories.ts'
import { relocateFile } from './relocateFile.ts'
import type { StorageFiles } from './storageFiles.ts'
import { isMissing, storeError } from './storeErrors.ts'
import type { StoreFs } from './storeFs.ts'
import type { StoreTask } from './storeTask.ts'

/** Gives a file a new name below the save path. A file that does not exist yet is made under it later. */
export async function renameFile(
  fs: StoreFs,
  files: StorageFiles,
  file: number,
  path: string,
  task: StoreTask,
): Promise<void> {
  const { directory, layout } = files
  const oldPath = files.path(file)
  try {
    const target = directory.absolute(path)
    if (path === oldPath) return
    if (layout.paths.includes(path)) throw storeError('EEXIST', 'fileRename', target)
    if (files.isPad(file)) return
    const source = statIfPresent(fs, files, oldPath)
    if (source === undefined) return
    directory.enterParent(path, true)
    const found = fs.lstatSync(target, { throwIfNoEntry: false })
    // the same file under both names: only the case of letters changes, on a file system that ignores it
    const isSame = found !== undefined && found.ino === source.ino && found.dev === source.dev
    if (found !== undefined && !isSame) throw storeError('EEXIST', 'fileRename', target)
    const relocation = await relocateFile(fs, directory, oldPath, directory, path, task)
    relocation.commit()
    pruneDirectories(fs, directory, [oldPath])
  } catch (cause) {
    throw systemError(cause, { operation: 'fileRename', path: files.fullPath(file) })
  }
}

function statIfPresent(fs: StoreFs, files: StorageFiles, path: string) {
  try {
    files.directory.enterParent(path, false)
    return fs.lstatSync(files.directory.absolute(path), { throwIfNoEntry: false })
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw cause
  }
}
