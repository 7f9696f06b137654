import { readFile, stat } from 'node:fs/promises'
import { type LibtorrentError, libtorrentError, systemError } from '../errors/libtorrentError.ts'

/** No chain of certificates is larger. */
const MAX_PEM_BYTES = 1024 * 1024

/** The text of a small file; the error names it. */
export async function readPemFile(path: string): Promise<string | LibtorrentError> {
  try {
    const { size } = await stat(path)
    if (size <= MAX_PEM_BYTES) return await readFile(path, 'latin1')
    return libtorrentError('invalidSslCert', { path, message: `invalid SSL certificate: ${path} is too large for one` })
  } catch (cause) {
    return systemError(cause, { operation: 'fileOpen', path })
  }
}
