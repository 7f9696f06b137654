import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'

/** The other side closed the connection, and nothing is wrong: libuv's name and number for it. */
export function endOfStream(): LibtorrentError {
  const cause = { code: 'EOF', errno: -4095, message: 'the peer closed the connection' }
  return systemError(cause, { operation: 'socketRead' })
}
