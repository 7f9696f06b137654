import { duringOperation, LibtorrentError, sslError, systemError } from '../errors/libtorrentError.ts'
import type { ProxyRoute } from '../platform/proxyRoute.ts'
import type { TlsContext } from '../platform/tls.ts'
import { isCertificateError, notSigned } from './certificateError.ts'

/**
 * The error of a connection to a web server that failed.
 * @param tls of the SSL torrent it was for
 */
export function httpFailure(cause: unknown, tls?: TlsContext): LibtorrentError {
  // Of several addresses that all failed the first tells what is wrong.
  const first = cause instanceof AggregateError ? cause.errors[0] : cause
  const code = String((first as Partial<NodeJS.ErrnoException>)?.code ?? '')
  if (tls !== undefined && isCertificateError(code)) return notSigned('server', code)
  if (tls !== undefined && code.startsWith('ERR_SSL_')) return sslError(first)
  return systemError(first, { operation: code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'hostnameLookup' : 'connect' })
}

/** The same of a connection to the proxy itself, which is named. */
export function proxyFailure(cause: unknown, { host, port }: ProxyRoute): LibtorrentError {
  return duringOperation(httpFailure(cause), 'proxy', `proxy ${host}:${port}`)
}

/** The server ended the connection before its answer was complete. */
export function connectionLost(): LibtorrentError {
  return new LibtorrentError({ code: 'ECONNRESET', value: 104, category: 'system' }, 'connection closed early', {
    operation: 'socketRead',
  })
}
