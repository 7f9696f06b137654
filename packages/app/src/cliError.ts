/** Exit code of wrong usage: an option that does not exist, a value that makes no sense. */
export const USAGE_EXIT_CODE = 2

/** A failure its reader can do something about: the message says what. Shown without a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError'

  constructor(
    message: string,
    readonly exitCode = 1,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'the port is in use by another program',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed by the other side',
  EHOSTUNREACH: 'the host cannot be reached',
  EISDIR: 'it is a directory',
  ELOOP: 'it is a symbolic link that leads outside the directory',
  EMFILE: 'too many open files (see ulimit -n)',
  ENETUNREACH: 'the network cannot be reached',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  EPERM: 'not permitted',
  EPROTO: 'the secure connection failed: perhaps the other side speaks http, not https',
  EROFS: 'the file system is read-only',
  ETIMEDOUT: 'timed out',
  EDQUOT: 'the disk quota is used up',
}

/** UDP through a proxy that has none, say. */
const NOT_CARRIED = 'the proxy does not carry this, and nothing may go past it'

interface Described {
  readonly message?: unknown
  readonly code?: unknown
  readonly category?: unknown
  readonly cause?: unknown
  readonly operation?: unknown
}

/** Which proxy is at fault; its cause says how. */
const PROXY_TEXT = /^proxy \S+:(?= )/
/** Node's own wording: `ENOENT: no such file or directory, open '/x'`. */
const NODE_TEXT = /^(E[A-Z0-9_]+)(?:: (.*?)(?:, (?:\w+ ?)?(?:'.*)?)?)?$/s

/** What went wrong, in words, without naming a file. */
export function reasonOf(error: unknown): string {
  const { message, code, category, cause, operation } = (error ?? {}) as Described
  const text = typeof message === 'string' && message !== '' ? message : String(code ?? error)
  const proxy = PROXY_TEXT.exec(text)
  if (proxy !== null && cause instanceof Error) return `${proxy[0]} ${reasonOf(cause)}`
  if (code === 'EPERM' && operation === 'proxy') return NOT_CARRIED
  const known = SYSTEM_TEXTS[String(code)]
  const node = NODE_TEXT.exec(text)
  if (known !== undefined && (node !== null || /^(?:connect|getaddrinfo|listen|write EPROTO) /.test(text))) return known
  if (node !== null) return node[2] ?? text
  // Errors of the manual's list say what, their cause says where.
  return category === 'libtorrent' && cause instanceof Error ? `${text}: ${reasonOf(cause)}` : text
}

/** What went wrong, with the file it is about if it is about one. */
export function messageOf(error: unknown): string {
  if (error instanceof CliError) return error.message
  const { path } = (error ?? {}) as { readonly path?: unknown }
  return typeof path === 'string' && path !== '' ? `${path}: ${reasonOf(error)}` : reasonOf(error)
}
