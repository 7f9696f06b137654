import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { type LibtorrentError, libtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { CertificateNames, TlsContext, TlsIdentity } from '../platform/tls.ts'
import { certificateNames } from '../ssl/certificateNames.ts'
import { DerReader, DerTag } from '../ssl/derReader.ts'
import { EMPTY_BYTES } from '../util/bytes.ts'
import { loadTls } from './loadTls.ts'
import { TLS_OPTIONS } from './tlsOptions.ts'

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

const PEM_DH_PARAMS = /-----BEGIN DH PARAMETERS-----([^-]+)-----END DH PARAMETERS-----/

/** An identity and a root certificate as OpenSSL takes them. */
export class TlsCredentials implements TlsContext {
  constructor(
    readonly names: CertificateNames,
    readonly context: SecureContext,
  ) {}
}

/** The first certificate of a PEM text: libtorrent trusts no other. */
function readRoot(pem: string): X509Certificate | LibtorrentError {
  const [root] = readCertificates(pem) ?? []
  return root ?? invalid('the root certificate of the torrent is no certificate in PEM form')
}

/** @throws TypeError for a context that another platform made */
export function credentialsOf(context: TlsContext): TlsCredentials {
  if (context instanceof TlsCredentials) return context
  throw new TypeError('this TLS context was made by another platform')
}

/** Trust in a root certificate, and nothing to show. */
export function readTrust(rootPem: string): TlsCredentials | LibtorrentError {
  const root = readRoot(rootPem)
  if (!(root instanceof X509Certificate)) return root
  try {
    const context = loadTls().createSecureContext({ ...TLS_OPTIONS, ca: root.toString() })
    return new TlsCredentials({ dnsNames: [], commonName: null }, context)
  } catch (cause) {
    return invalid(`the root certificate of the torrent is of no use: ${reasonOf(cause)}`, cause)
  }
}

/**
 * Checks what a user gave before OpenSSL does, which says less, and only of the first connection: that the certificate and
 * the key belong together, and that the root certificate leads to it.
 */
export function readCredentials(rootPem: string, identity: TlsIdentity): TlsCredentials | LibtorrentError {
  const root = readRoot(rootPem)
  if (!(root instanceof X509Certificate)) return root
  const chain = readCertificates(identity.certificate)
  if (chain === null || chain.length === 0) return invalid('the certificate is no certificate in PEM form')
  const [own] = chain
  const key = readKey(identity)
  if (!isKey(key)) return key
  if (!own.checkPrivateKey(key)) return invalid('the private key does not belong to the certificate')
  if (!leadsTo(root, chain)) return invalid('the certificate is not signed by the root certificate of the torrent')
  const names = certificateNames(own.raw)
  if (names === null) return invalid('the names in the certificate cannot be read')
  if (identity.dhParams !== '' && !areDhParams(identity.dhParams)) {
    return invalid('the Diffie-Hellman parameters are none in PEM form')
  }
  try {
    const context = loadTls().createSecureContext({
      ...TLS_OPTIONS,
      ca: root.toString(),
      cert: identity.certificate,
      key: identity.privateKey,
      passphrase: identity.passphrase === '' ? undefined : identity.passphrase,
      dhparam: identity.dhParams === '' ? undefined : identity.dhParams,
    })
    return new TlsCredentials(names, context)
  } catch (cause) {
    // Key and certificate were read already: what is left are the parameters, and keys too weak to be used.
    const part = identity.dhParams === '' ? 'the certificate or its key is' : 'the Diffie-Hellman parameters are'
    return invalid(`${part} of no use: ${reasonOf(cause)}`, cause)
  }
}

function readCertificates(pem: string): X509Certificate[] | null {
  try {
    return (pem.match(PEM_CERTIFICATE) ?? []).map((each) => new X509Certificate(each))
  } catch {
    return null
  }
}

function readKey({ privateKey, passphrase }: TlsIdentity): KeyObject | LibtorrentError {
  try {
    return createPrivateKey({ key: privateKey, passphrase })
  } catch (cause) {
    const isEncrypted = /ENCRYPTED/.test(privateKey)
    if (!isEncrypted) return invalid('the private key is no key in PEM form', cause)
    return invalid(
      passphrase === ''
        ? 'the private key is encrypted: a passphrase is needed'
        : 'the passphrase does not open the private key',
      cause,
    )
  }
}

function isKey(key: KeyObject | LibtorrentError): key is KeyObject {
  return 'asymmetricKeyType' in key
}

/** Node says nothing of parameters that it cannot read. */
function areDhParams(pem: string): boolean {
  const [, base64] = PEM_DH_PARAMS.exec(pem) ?? []
  if (base64 === undefined) return false
  const numbers = new DerReader(new DerReader(Buffer.from(base64, 'base64')).take(DerTag.sequence) ?? EMPTY_BYTES)
  return numbers.take(DerTag.integer) !== null && numbers.take(DerTag.integer) !== null
}

/** Whether each certificate was issued by the next one, whatever their order, up to `root`. */
function leadsTo(root: X509Certificate, chain: readonly X509Certificate[]): boolean {
  let current = chain[0]
  for (let steps = 0; steps < chain.length; steps++) {
    if (isIssuedBy(current, root)) return true
    const issuer = chain.find((each) => each !== current && isIssuedBy(current, each))
    if (issuer === undefined) return false
    current = issuer
  }
  return false
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function invalid(message: string, cause?: unknown): LibtorrentError {
  return libtorrentError('invalidSslCert', { message: `invalid SSL certificate: ${message}`, cause })
}

function reasonOf(cause: unknown): string {
  return systemError(cause).message
}
