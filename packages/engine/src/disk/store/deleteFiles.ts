import { type LibtorrentError, systemError } from '../../errors/libtorrentError.ts'
import { pruneDirectories } from './pruneDirectories.ts'
import type { StorageFiles } from './storageFiles.ts'
import { isMissing } from './storeErrors.ts'
import { type StoreFs, yieldTurn } from './storeFs.ts'

/**
 * Deletes the torrent's files, then those of its directories that are empty; what else lies in them stays. A file that
 * cannot be deleted does not keep the others; the first such error is thrown at the end. Files with absolute paths are
 * deleted, too; the directories they lie in are not ours.
 */
export async function deleteFiles(fs: StoreFs, files: StorageFiles): Promise<void> {
  let firstError: LibtorrentError | null = null
  for (let file = 0; file < files.layout.paths.length; file++) {
    if (files.isPad(file)) continue
    const { directory, path } = files.place(file)
    try {
      directory.enterParent(path, false)
      fs.unlinkSync(directory.absolute(path))
    } catch (cause) {
      if (!isMissing(cause)) firstError ??= systemError(cause, { operation: 'fileRemove', path: files.fullPath(file) })
    }
    if (file % 256 === 255) await yieldTurn()
  }
  pruneDirectories(fs, files.directory, files.relativePaths)
  if (firstError !== null) throw firstError
}
