import { type LibtorrentError, type SocksErrorCode, socksError, systemError } from '../errors/libtorrentError.ts'

/** The proxy could not reach the target: `connect`. It is the proxy itself that does not do what we need: `proxy`. */
type Blame = 'connect' | 'proxy'

/** `code` of the category `socks`. */
export function socksFailure(code: SocksErrorCode, operation: Blame): LibtorrentError {
  return socksError(code, { operation })
}

/** An error as the system reports it where there is no proxy. */
export function networkFailure(code: string, errno: number, message: string, operation: Blame): LibtorrentError {
  return systemError({ code, errno, message: `${code}: ${message}` }, { operation })
}

/** What a SOCKS5 reply other than 0 means (RFC 1928, section 6). */
export function socks5Failure(reply: number): LibtorrentError {
  switch (reply) {
    case 2:
      return networkFailure('EPERM', 1, 'the proxy does not allow it', 'connect')
    case 3:
      return networkFailure('ENETUNREACH', 101, 'network is unreachable from the proxy', 'connect')
    case 4:
      return networkFailure('EHOSTUNREACH', 113, 'host is unreachable from the proxy', 'connect')
    case 5:
      return networkFailure('ECONNREFUSED', 111, 'connection refused, the proxy says', 'connect')
    case 6:
      return networkFailure('ETIMEDOUT', 110, 'no answer, the proxy says', 'connect')
    case 7:
      return socksFailure('commandNotSupported', 'proxy')
    case 8:
      return networkFailure('EAFNOSUPPORT', 97, 'the proxy does not know this kind of address', 'connect')
    default:
      return socksFailure('generalFailure', 'connect')
  }
}

/** What a SOCKS4 reply other than 90 means. */
export function socks4Failure(reply: number): LibtorrentError {
  if (reply === 92) return socksFailure('noIdentd', 'proxy')
  if (reply === 93) return socksFailure('identdError', 'proxy')
  return socksFailure('generalFailure', reply === 91 ? 'connect' : 'proxy')
}
