import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'

const errors = {
  ETIMEDOUT: { errno: 110, message: 'connection timed out' },
  ECONNRESET: { errno: 104, message: 'connection reset by peer' },
  ECONNREFUSED: { errno: 111, message: 'connection refused' },
  ECONNABORTED: { errno: 103, message: 'the UDP socket was closed' },
  EADDRNOTAVAIL: { errno: 99, message: 'no free connection id' },
} as const

/** Why a uTP connection ended, in the words of TCP: who uses a stream need not know which it is. */
export function utpError(code: keyof typeof errors, operation: 'connect' | 'socketRead'): LibtorrentError {
  return systemError({ code, ...errors[code] }, { operation })
}
