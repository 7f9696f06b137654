import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Replaces a file by one with these bytes, in one step: whoever looks, and whatever fails, there is either the old file
 * or the whole new one. `temporary` is a path in the same directory.
 */
export async function writeAtomically(path: string, bytes: Uint8Array, temporary: string): Promise<void> {
  try {
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(dirname(path))
}

/** Makes the new name last; not every system can. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path)
    await directory.sync().finally(() => directory.close())
  } catch {
    // the file itself is safe
  }
}
