import { open } from 'node:fs/promises'

/** The bytes of a small file; null when there is none, and nothing at all of one larger than `maxBytes`. */
export async function readBounded(path: string, maxBytes: number): Promise<Uint8Array | null> {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      return size > maxBytes ? new Uint8Array() : await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
