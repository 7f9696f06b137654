import { LibtorrentError } from '../errors/libtorrentError.ts'
import { readPemFile } from '../node/readPemFile.ts'
import type { TlsIdentity } from '../platform/tls.ts'

/** What `TorrentHandle.setSslCertificate` names: files in PEM form. */
export interface SslCertificateFiles {
  readonly certificate: string
  readonly privateKey: string
  /** Empty: none. */
  readonly dhParams: string
  readonly passphrase: string
}

/** Reads the files; or which of them cannot be read, and why. */
export async function readSslCertificate(files: SslCertificateFiles): Promise<TlsIdentity | LibtorrentError> {
  const paths = [files.certificate, files.privateKey, ...(files.dhParams === '' ? [] : [files.dhParams])]
  const texts = await Promise.all(paths.map(readPemFile))
  const failed = texts.find((text) => text instanceof LibtorrentError)
  if (failed instanceof LibtorrentError) return failed
  const [certificate, privateKey, dhParams = ''] = texts as string[]
  return { certificate, privateKey, dhParams, passphrase: files.passphrase }
}
