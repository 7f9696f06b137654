import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'

/** What OpenSSL thinks of a certificate (X509_V_ERR_...). */
const CERTIFICATE_ERRORS = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE)|PATH_LENGTH|ERROR_IN_CERT)/

/** Whether Node's error of this code says that a certificate has no way to the root, or is not valid now. */
export function isCertificateError(code: string): boolean {
  return CERTIFICATE_ERRORS.test(code)
}

/** The certificate of `whose`, a peer's or a server's, is of no use for a torrent. */
export function invalidCertificateOf(whose: 'peer' | 'server', reason: string): LibtorrentError {
  return libtorrentError('invalidSslCert', {
    operation: 'sslHandshake',
    message: `invalid SSL certificate of the ${whose}: ${reason}`,
  })
}

/** The other side's certificate has no way to the root. */
export function notSigned(whose: 'peer' | 'server', reason: string): LibtorrentError {
  return invalidCertificateOf(whose, `it is not signed by the torrent's root certificate, or not valid now (${reason})`)
}
