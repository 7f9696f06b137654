import { constants } from 'node:fs'
import { posix } from 'node:path'
import { systemError } from '../../errors/libtorrentError.ts'
import type { StorageFiles } from './storageFiles.ts'
import { errorCode } from './storeErrors.ts'
import { type StoreFs, yieldTurn } from './storeFs.ts'
import type { StoreTask } from './storeTask.ts'

const CHUNK_BYTES = 1024 * 1024

/**
 * Makes the empty files and the symbolic links. With `allocate` every file is also brought to its full size with real
 * zeros, which reserves its space; Node has no call that does it faster. Existing bytes are never changed.
 */
export async function initializeFiles(
  fs: StoreFs,
  files: StorageFiles,
  allocate: boolean,
  task: StoreTask,
): Promise<void> {
  const count = files.layout.paths.length
  for (let file = 0; file < count; file++) {
    if (files.isPad(file)) continue
    if (files.isSymlink(file)) makeLink(fs, files, file)
    else if (files.layout.sizes[file] === 0) fs.closeSync(openForWriting(files, file))
    else if (allocate) await allocateFile(fs, files, file, task)
    if (file % 256 === 255) await yieldTurn()
  }
}

function makeLink(fs: StoreFs, files: StorageFiles, file: number): void {
  const { directory, path } = files.place(file)
  const target = files.layout.links.get(file) ?? ''
  try {
    const absoluteTarget = files.directory.absolute(target)
    directory.enterParent(path, true)
    // relative, so that the torrent stays whole wherever it is moved; unless the link stays where it is
    const leadsTo = files.isAbsolute(file) ? absoluteTarget : posix.relative(posix.dirname(path), target)
    fs.symlinkSync(leadsTo, directory.absolute(path))
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') return
    throw systemError(cause, { operation: 'symlink', path: files.fullPath(file) })
  }
}

function openForWriting(files: StorageFiles, file: number): number {
  const { directory, path } = files.place(file)
  try {
    return directory.open(path, constants.O_RDWR | constants.O_CREAT, files.mode(file))
  } catch (cause) {
    throw systemError(cause, { operation: 'fileOpen', path: files.fullPath(file) })
  }
}

async function allocateFile(fs: StoreFs, files: StorageFiles, file: number, task: StoreTask): Promise<void> {
  const fd = openForWriting(files, file)
  try {
    const size = files.layout.sizes[file]
    const zeros = new Uint8Array(CHUNK_BYTES)
    for (let at = fs.fstatSync(fd).size; at < size; ) {
      task.check(files.fullPath(file))
      at += fs.writeSync(fd, zeros, 0, Math.min(CHUNK_BYTES, size - at), at)
      await yieldTurn()
    }
  } catch (cause) {
    throw systemError(cause, { operation: 'fileWrite', path: files.fullPath(file) })
  } finally {
    fs.closeSync(fd)
  }
}
