import { createReadStream } from 'node:fs'
import { promisify } from 'node:util'
import { LibtorrentError, systemError } from '../errors/libtorrentError.ts'

/**
 * All of a file that a user names, or the bytes given in its place. Not more than `maxBytes`: a wrong name may be that of
 * a film, or of something without an end.
 * @throws LibtorrentError of category `system`, with the path
 */
export async function readDataFile(source: string | Uint8Array, maxBytes: number): Promise<Uint8Array> {
  if (typeof source !== 'string') {
    if (source instanceof Uint8Array) return source
    throw new TypeError('the path of a file is needed, or the bytes of one')
  }
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    // One byte more than allowed tells that there are more.
    for await (const chunk of createReadStream(source, { end: maxBytes, highWaterMark: 1 << 20 })) {
      chunks.push(chunk as Uint8Array)
      size += (chunk as Uint8Array).length
    }
  } catch (cause) {
    throw systemError(cause, { operation: 'fileRead', path: source })
  }
  if (size > maxBytes) throw unreadableData(`it is larger than ${maxBytes >> 20} MiB`, source)
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size)
}

/** What is in gzip data; other bytes as they are. Not more than `maxBytes`, however small the data. */
export async function gunzipIfNeeded(bytes: Uint8Array, maxBytes: number, source: unknown): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  const { gunzip } = await import('node:zlib')
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maxBytes })
  } catch (cause) {
    const isTooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    const reason = isTooLarge ? `it unpacks to more than ${maxBytes >> 20} MiB` : 'its gzip data is damaged or cut off'
    throw unreadableData(reason, source, cause)
  }
}

/** What is in the file makes no sense. `reason` is for people; `source` is the file's path, if it has one. */
export function unreadableData(reason: string, source: unknown, cause?: unknown): LibtorrentError {
  const path = typeof source === 'string' ? source : undefined
  return new LibtorrentError({ code: 'EINVAL', value: 22, category: 'system' }, reason, {
    operation: 'fileRead',
    path,
    cause,
  })
}
