import { CliError, USAGE_EXIT_CODE } from '../cliError.ts'

/** What an SSL torrent shows its peers; options as commander gives them. */
export interface CertificateOptions {
  readonly cert?: string
  readonly key?: string
  readonly keyPassphrase?: string
}

/** The paths of a certificate and its key. */
export interface CertificateFiles {
  readonly certificate: string
  readonly privateKey: string
  readonly passphrase: string
}

/** Null when no certificate is given. A file may hold both. */
export function certificateFiles({ cert, key, keyPassphrase }: CertificateOptions): CertificateFiles | null {
  if (cert !== undefined) return { certificate: cert, privateKey: key ?? cert, passphrase: keyPassphrase ?? '' }
  if (key === undefined && keyPassphrase === undefined) return null
  const option = key === undefined ? '--key-passphrase' : '--key'
  throw new CliError(`${option} belongs to a certificate: give that with --cert.`, USAGE_EXIT_CODE)
}
