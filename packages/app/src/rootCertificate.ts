import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { CliError, reasonOf } from './cliError.ts'

const MAX_FILE_BYTES = 1024 * 1024
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/

/**
 * The root certificate for an SSL torrent, as PEM. Only the certificate: the file may hold the authority's private key as
 * well, and a .torrent goes to everybody.
 */
export async function readRootCertificate(path: string): Promise<string> {
  const [pem] = PEM_CERTIFICATE.exec(await readSmallFile(path)) ?? []
  const certificate = pem === undefined ? null : parseCertificate(pem)
  if (certificate === null) throw new CliError(`--root-cert ${path}: this is no certificate in PEM form.`)
  if (!certificate.ca) {
    throw new CliError(
      `--root-cert ${path}: this certificate may sign no others (it lacks CA:TRUE), so that peers could not have any.`,
    )
  }
  return certificate.toString()
}

/** Whom a root certificate belongs to, in one line; null when it is no certificate. */
export function certificateSubject(pem: string): string | null {
  return parseCertificate(pem)?.subject?.replaceAll('\n', ', ') ?? null
}

function parseCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem)
  } catch {
    return null
  }
}

async function readSmallFile(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) return ''
    return await readFile(path, 'latin1')
  } catch (cause) {
    throw new CliError(`--root-cert ${path}: ${reasonOf(cause)}.`, 1, { cause })
  }
}
