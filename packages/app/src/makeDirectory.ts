import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes `path` and what is missing above it; rejects with what the system says. Not `mkdir` with `recursive`, which never
 * returns where the system refuses with ENOENT what it has the parent of, as in /proc.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeDirectory(dirname(path))
      await mkdir(path).catch((again: unknown) => acceptDirectory(path, again))
    } else await acceptDirectory(path, error)
  }
}

/** Somebody has made it already, whatever `mkdir` calls that (EEXIST; EISDIR, EROFS and others for roots). */
async function acceptDirectory(path: string, error: unknown): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (!found?.isDirectory()) throw error
}
