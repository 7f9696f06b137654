import { constants } from 'node:fs'
import type { SaveDirectory } from './saveDirectory.ts'
import { errorCode } from './storeErrors.ts'
import { type StoreFs, syncToDisk, yieldTurn } from './storeFs.ts'
import type { StoreTask } from './storeTask.ts'

const CHUNK_BYTES = 1024 * 1024

/** How to take back, or complete, what was done to one file. */
export interface Relocation {
  /** The original is still there, until `commit`. */
  readonly isCopy: boolean
  undo(): void
  commit(): void
}

/**
 * Brings a file from one place to another: by renaming, or across devices by copying; then the original is removed by
 * `commit`. The directories must have been entered, and nothing be at the target.
 */
export async function relocateFile(
  fs: StoreFs,
  from: SaveDirectory,
  fromPath: string,
  to: SaveDirectory,
  toPath: string,
  task: StoreTask,
): Promise<Relocation> {
  const source = from.absolute(fromPath)
  const target = to.absolute(toPath)
  try {
    fs.renameSync(source, target)
    return { isCopy: false, undo: () => fs.renameSync(target, source), commit: () => {} }
  } catch (cause) {
    if (errorCode(cause) !== 'EXDEV') throw cause
  }
  const relocation: Relocation = {
    isCopy: true,
    undo: () => fs.unlinkSync(target),
    commit: () => fs.unlinkSync(source),
  }
  if (fs.lstatSync(source).isSymbolicLink()) {
    fs.symlinkSync(fs.readlinkSync(source), target)
    return relocation
  }
  const input = from.open(fromPath, constants.O_RDONLY, 0)
  try {
    const stat = fs.fstatSync(input)
    const output = to.open(toPath, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, stat.mode & 0o777)
    try {
      await copyBytes(fs, input, output, stat.size, () => task.check(target))
      // resume data compares the time
      fs.futimesSync(output, stat.atimeMs / 1000, stat.mtimeMs / 1000)
      await syncToDisk(fs, output)
    } catch (cause) {
      relocation.undo()
      throw cause
    } finally {
      fs.closeSync(output)
    }
  } finally {
    fs.closeSync(input)
  }
  return relocation
}

/** Copies `size` bytes; stretches of zeros become holes, or a half-complete sparse file would grow to its full size. */
async function copyBytes(fs: StoreFs, input: number, output: number, size: number, check: () => void): Promise<void> {
  const buffer = Buffer.alloc(CHUNK_BYTES)
  const zeros = Buffer.alloc(CHUNK_BYTES)
  for (let at = 0; at < size; ) {
    check()
    const count = fs.readSync(input, buffer, 0, CHUNK_BYTES, at)
    if (count === 0) break
    if (buffer.compare(zeros, 0, count, 0, count) !== 0) {
      for (let done = 0; done < count; ) done += fs.writeSync(output, buffer, done, count - done, at + done)
    }
    at += count
    await yieldTurn()
  }
  fs.ftruncateSync(output, size)
}
