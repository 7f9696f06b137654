import { type ErrorRow, httpErrors, i2pErrors, libtorrentErrors, socksErrors, upnpErrors } from './errorTables.ts'

/** Symbol of an error of the `libtorrent` category. */
export type LibtorrentErrorCode = keyof typeof libtorrentErrors
/** Symbol of an error of the `http` category: a status code by its name. */
export type HttpErrorCode = keyof typeof httpErrors
/** Symbol of an error of the `socks` category. */
export type SocksErrorCode = keyof typeof socksErrors
/** Symbol of an error of the `i2p` category. */
export type I2pErrorCode = keyof typeof i2pErrors
/** Symbol of an error of the `upnp` category. */
export type UpnpErrorCode = keyof typeof upnpErrors

/**
 * Who defines the error: `libtorrent` the manual's own list, `http` a status code, `socks` a proxy, `i2p` an I2P router, `upnp` a router,
 * `system` the operating system (`code` is then Node's: `ENOSPC`, `ECONNREFUSED`, ...), `ssl` the TLS library (`code` is
 * then Node's, too: `ERR_SSL_WRONG_VERSION_NUMBER`, ...).
 */
export type ErrorCategory = 'libtorrent' | 'http' | 'socks' | 'i2p' | 'upnp' | 'ssl' | 'system'

/** What was being done when the error struck (libtorrent's `operation_t`). */
export type Operation =
  | 'unknown'
  | 'bittorrent'
  | 'handshake'
  | 'encryption'
  | 'sslHandshake'
  | 'connect'
  | 'listen'
  | 'accept'
  | 'socketRead'
  | 'socketWrite'
  | 'hostnameLookup'
  | 'fileOpen'
  | 'fileRead'
  | 'fileWrite'
  | 'fileStat'
  | 'fileRename'
  | 'fileRemove'
  | 'fileTruncate'
  | 'mkdir'
  | 'symlink'
  | 'checkResume'
  | 'parseTorrent'
  | 'parseAddress'
  | 'tracker'
  | 'portmap'
  | 'proxy'

export interface ErrorDetails {
  readonly operation?: Operation
  readonly cause?: unknown
  /** Replaces the text of the table. */
  readonly message?: string
  /** The path of the file at fault, if one is. */
  readonly path?: string
}

interface ErrorIdentity {
  readonly code: string
  readonly value: number
  readonly category: ErrorCategory
}

/**
 * Any failure this library reports, thrown, rejected or carried by an alert.
 * Compare `code` (and `category`), never `message`.
 */
export class LibtorrentError extends Error {
  override readonly name = 'LibtorrentError'
  /** camelCase symbol such as `failedHashCheck`; for `system` Node's code such as `ENOSPC`. */
  readonly code: string
  /** libtorrent's number in its category; for `system` the positive errno, 0 if there is none. */
  readonly value: number
  readonly category: ErrorCategory
  readonly operation: Operation
  readonly path: string | undefined

  constructor(identity: ErrorIdentity, message: string, details: ErrorDetails = {}) {
    super(details.message ?? message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = identity.code
    this.value = identity.value
    this.category = identity.category
    this.operation = details.operation ?? 'unknown'
    this.path = details.path
  }

  is(code: LibtorrentErrorCode): boolean {
    return this.category === 'libtorrent' && this.code === code
  }
}

/**
 * Makes an error without a stack trace. Failures of peers, trackers and disks are reported by the thousand and kept in
 * alerts; a trace would tell nothing about them, and keep alive whatever was being done.
 */
function withoutTrace(identity: ErrorIdentity, message: string, details?: ErrorDetails): LibtorrentError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new LibtorrentError(identity, message, details)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** The same failure as part of another operation; `about`, whom it concerns, goes before the text. */
export function duringOperation(error: LibtorrentError, operation: Operation, about: string): LibtorrentError {
  return withoutTrace(error, `${about}: ${error.message}`, { operation, cause: error })
}

/** An error of the manual's own list, to be reported. */
export function libtorrentError(code: LibtorrentErrorCode, details?: ErrorDetails): LibtorrentError {
  const row: ErrorRow = libtorrentErrors[code]
  return withoutTrace({ code, value: row.value, category: 'libtorrent' }, row.message, details)
}

/** The same, to be thrown at the caller: with a trace to where it called. */
export function thrownError(code: LibtorrentErrorCode, details?: ErrorDetails): LibtorrentError {
  const row: ErrorRow = libtorrentErrors[code]
  return new LibtorrentError({ code, value: row.value, category: 'libtorrent' }, row.message, details)
}

const httpCodeOf = new Map(Object.entries(httpErrors).map(([code, row]) => [row.value as number, code]))

/** An error for the HTTP status a server answered with. */
export function httpError(status: number, details?: ErrorDetails): LibtorrentError {
  const code = httpCodeOf.get(status) ?? `http${status}`
  const text = (httpErrors as Record<string, ErrorRow>)[code]?.message ?? 'HTTP error'
  return withoutTrace({ code, value: status, category: 'http' }, `${status} ${text}`, details)
}

/** An error of a SOCKS proxy. */
export function socksError(code: SocksErrorCode, details?: ErrorDetails): LibtorrentError {
  const row: ErrorRow = socksErrors[code]
  return withoutTrace({ code, value: row.value, category: 'socks' }, row.message, details)
}

/** An error of an I2P router. */
export function i2pError(code: I2pErrorCode, details?: ErrorDetails): LibtorrentError {
  const row: ErrorRow = i2pErrors[code]
  return withoutTrace({ code, value: row.value, category: 'i2p' }, row.message, details)
}

const upnpCodeOf = new Map(Object.entries(upnpErrors).map(([code, row]) => [row.value as number, code]))

/** An error for the number a UPnP router answered with; those without a name get one such as `upnp606`. */
export function upnpError(value: number, details?: ErrorDetails): LibtorrentError {
  const code = upnpCodeOf.get(value) ?? `upnp${value}`
  const text = (upnpErrors as Record<string, ErrorRow>)[code]?.message ?? `unknown UPnP error (${value})`
  return withoutTrace({ code, value, category: 'upnp' }, text, details)
}

/** An error of the operating system, from whatever Node threw. */
export function systemError(cause: unknown, details: ErrorDetails = {}): LibtorrentError {
  if (cause instanceof LibtorrentError) return cause
  const { code, errno, message, path } = (cause ?? {}) as Partial<NodeJS.ErrnoException>
  // Reading the trace turns it into text: until then it holds on to every object on the stack.
  if (cause instanceof Error) void cause.stack
  return withoutTrace(
    { code: code ?? 'unknownError', value: Math.abs(errno ?? 0), category: 'system' },
    message ?? String(cause),
    { cause, path, ...details },
  )
}

/** What the TLS library reports of a handshake; errors of the system below it stay what they are. */
export function sslError(cause: unknown): LibtorrentError {
  const details = { operation: 'sslHandshake' } as const
  if (cause instanceof LibtorrentError) return cause
  const { code, syscall, reason, message } = (cause ?? {}) as NodeJS.ErrnoException & { readonly reason?: string }
  if (code === undefined || syscall !== undefined || !/^(ERR_|[A-Z]+_)/.test(code)) return systemError(cause, details)
  if (cause instanceof Error) void cause.stack
  return withoutTrace({ code, value: 0, category: 'ssl' }, reason ?? message, { cause, ...details })
}
