import { type LibtorrentError, type Operation, systemError } from '../src/errors/libtorrentError.ts'

/** Linux's numbers for the system errors the simulator raises, and their texts. */
const SYSTEM_ERRORS = {
  EPERM: [1, 'operation not permitted'],
  ENOENT: [2, 'no such file or directory'],
  EIO: [5, 'i/o error'],
  EACCES: [13, 'permission denied'],
  EEXIST: [17, 'file already exists'],
  EMFILE: [24, 'too many open files'],
  ENOSPC: [28, 'no space left on device'],
  EROFS: [30, 'read-only file system'],
  ENAMETOOLONG: [36, 'name too long'],
  ELOOP: [40, 'too many symbolic links encountered'],
  EMSGSIZE: [90, 'message too long'],
  EAFNOSUPPORT: [97, 'address family not supported by protocol'],
  EADDRINUSE: [98, 'address already in use'],
  EADDRNOTAVAIL: [99, 'address not available'],
  ENETDOWN: [100, 'network is down'],
  ENETUNREACH: [101, 'network is unreachable'],
  ECONNRESET: [104, 'connection reset by peer'],
  ETIMEDOUT: [110, 'connection timed out'],
  ECONNREFUSED: [111, 'connection refused'],
  EHOSTUNREACH: [113, 'host is unreachable'],
  EAI_AGAIN: [3001, 'temporary failure of name resolution'],
  ENOTFOUND: [3008, 'name not found'],
} as const

/** Node's code of an error the simulator can raise. */
export type SimErrorCode = keyof typeof SYSTEM_ERRORS

/** The error a real platform would report for `code`. */
export function simError(code: SimErrorCode, operation: Operation, path?: string): LibtorrentError {
  const [errno, text] = SYSTEM_ERRORS[code]
  return systemError({ code, errno: -errno, message: `${code}: ${text}`, path }, { operation, path })
}
