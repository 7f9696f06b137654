import fs from 'node:fs'

/** What the store uses of `node:fs`: tests put failing disks in its place. */
export type StoreFs = Pick<
  typeof fs,
  | 'openSync'
  | 'closeSync'
  | 'fstatSync'
  | 'lstatSync'
  | 'statSync'
  | 'readvSync'
  | 'writevSync'
  | 'readSync'
  | 'writeSync'
  | 'ftruncateSync'
  | 'futimesSync'
  | 'fsync'
  | 'mkdirSync'
  | 'rmdirSync'
  | 'renameSync'
  | 'unlinkSync'
  | 'symlinkSync'
  | 'readlinkSync'
  | 'realpathSync'
>

export const nodeFs: StoreFs = fs

/** Waits until the disk has all that was written to the file. Not in this thread: it may take seconds. */
export function syncToDisk(fs: StoreFs, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(fd, (error) => (error === null ? resolve() : reject(error)))
  })
}

/** Waits until the disk knows the names in a directory. As well as it can: not every system has a way to say so. */
export async function syncDirectory(fs: StoreFs, directory: string): Promise<void> {
  try {
    const fd = fs.openSync(directory, 'r')
    try {
      await syncToDisk(fs, fd)
    } finally {
      fs.closeSync(fd)
    }
  } catch {
    // then it is for the system to write them when it sees fit
  }
}

/** Lets the thread do what else it has to, between the steps of a long operation. */
export function yieldTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
