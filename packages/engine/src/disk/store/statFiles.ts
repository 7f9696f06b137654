import { systemError } from '../../errors/libtorrentError.ts'
import type { StatColumns } from '../storeProtocol.ts'
import type { StorageFiles } from './storageFiles.ts'
import { isMissing } from './storeErrors.ts'
import type { StoreFs } from './storeFs.ts'

/** Size and modification time of every file; pad files have their full size, missing files -1. */
export function statFiles(fs: StoreFs, files: StorageFiles): StatColumns {
  const count = files.layout.paths.length
  const sizes = new Float64Array(count)
  const mtimes = new Float64Array(count)
  for (let file = 0; file < count; file++) {
    if (files.isPad(file)) {
      sizes[file] = files.layout.sizes[file]
      continue
    }
    const stat = statOne(fs, files, file)
    sizes[file] = stat === undefined ? -1 : files.isSymlink(file) ? 0 : stat.size
    mtimes[file] = stat === undefined ? 0 : Math.floor(stat.mtimeMs / 1000)
  }
  return { sizes, mtimes }
}

function statOne(fs: StoreFs, files: StorageFiles, file: number) {
  try {
    const place = files.place(file)
    const path = place.directory.absolute(place.path)
    const options = { throwIfNoEntry: false } as const
    return files.isSymlink(file) ? fs.lstatSync(path, options) : fs.statSync(path, options)
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw systemError(cause, { operation: 'fileStat', path: files.fullPath(file) })
  }
}
