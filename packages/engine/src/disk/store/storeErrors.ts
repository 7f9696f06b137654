import { type LibtorrentError, type Operation, systemError } from '../../errors/libtorrentError.ts'

/** Errors the store finds itself and reports as the system would. */
const reasons = {
  ENOENT: { errno: 2, message: 'no such file or directory' },
  EIO: { errno: 5, message: 'the system took none of the bytes' },
  EEXIST: { errno: 17, message: 'there is a file of that name' },
  ENOTDIR: { errno: 20, message: 'not a directory' },
  EISDIR: { errno: 21, message: 'not a regular file' },
  EINVAL: { errno: 22, message: 'not a path below the save path' },
  ELOOP: { errno: 40, message: 'a symbolic link leads out of the save path' },
  ECANCELED: { errno: 125, message: 'the operation was cancelled' },
} as const

export function storeError(code: keyof typeof reasons, operation: Operation, path: string): LibtorrentError {
  const { errno, message } = reasons[code]
  return systemError({ code, errno, message: `${code}: ${message}, '${path}'` }, { operation, path })
}

/** Whether an error means that there is no such file. */
export function isMissing(cause: unknown): boolean {
  const code = errorCode(cause)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

export function errorCode(cause: unknown): string | undefined {
  return (cause as { code?: string } | undefined)?.code
}
