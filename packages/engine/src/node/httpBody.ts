import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'

/**
 * Undoes a `Content-Encoding`: none, `gzip` or `deflate` (with or without zlib's header). Never makes more than
 * `maxBytes`: beyond, `packetTooLarge`. Anything else, several encodings included, is `httpFailedDecompress`.
 * `done` may be called before this returns.
 */
export function decodeBody(
  body: Uint8Array,
  encoding: string | undefined,
  maxBytes: number,
  done: (body: Uint8Array | LibtorrentError) => void,
): void {
  const name = (encoding ?? '').trim().toLowerCase()
  if (name === '' || name === 'identity' || body.length === 0) return done(body)
  if (!['gzip', 'x-gzip', 'deflate'].includes(name)) return done(failed(`content encoding ${name.slice(0, 40)}`))
  inflate(body, name === 'deflate', maxBytes).then(done, (cause) => done(errorOf(cause)))
}

async function inflate(body: Uint8Array, deflate: boolean, maxBytes: number): Promise<Uint8Array> {
  const zlib = await import('node:zlib')
  // Some servers leave out the zlib header, whose first byte names method 8.
  const unpack = !deflate ? zlib.gunzip : (body[0] & 0x0f) === 8 ? zlib.inflate : zlib.inflateRaw
  return new Promise((resolve, reject) => {
    unpack(body, { maxOutputLength: Math.max(1, maxBytes) }, (cause, bytes) => {
      if (cause) reject(cause)
      else resolve(bytes)
    })
  })
}

function errorOf(cause: unknown): LibtorrentError {
  const { code } = cause as Partial<NodeJS.ErrnoException>
  if (code === 'ERR_BUFFER_TOO_LARGE') return libtorrentError('packetTooLarge', { operation: 'socketRead', cause })
  return failed(cause)
}

function failed(cause: unknown): LibtorrentError {
  return libtorrentError('httpFailedDecompress', { operation: 'socketRead', cause })
}
