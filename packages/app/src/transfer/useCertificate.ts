import type { TorrentHandle } from 'libtorrent-ts'
import { CliError, messageOf } from '../cliError.ts'
import type { CertificateFiles } from '../options/certificate.ts'
import type { Output } from '../output/output.ts'

/** Gives an SSL torrent, whose metadata is known, the certificate it shows its peers. @throws CliError */
export async function useCertificate(
  handle: TorrentHandle,
  files: CertificateFiles | null,
  output: Output,
): Promise<void> {
  const isSsl = (handle.torrentFile()?.sslCert ?? '') !== ''
  if (!isSsl && files !== null) output.warn('This is no SSL torrent: its peers are shown no certificate.')
  if (!isSsl) return
  if (files === null) {
    output.warn('This is an SSL torrent: without a certificate of its publisher (--cert, --key) it has no peers.')
    return
  }
  try {
    await handle.setSslCertificate(files.certificate, files.privateKey, '', files.passphrase)
  } catch (cause) {
    throw new CliError(`${messageOf(cause)}.`, 1, { cause })
  }
}
