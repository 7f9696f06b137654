import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { systemError } from '../errors/libtorrentError.ts'
import { Sha1Hash } from '../util/digest.ts'

/** The SHA-1 of a whole file. @throws LibtorrentError of category `system` */
export async function fileSha1(path: string): Promise<Sha1Hash> {
  const hash = createHash('sha1')
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash)
  } catch (cause) {
    throw systemError(cause, { operation: 'fileRead', path })
  }
  return new Sha1Hash(hash.digest())
}
