import type { TorrentHandle } from 'libtorrent-ts'
import { CliError, messageOf } from '../cliError.ts'
import type { CertificateFiles } from '../options/certificate.ts'
import type { Output } from '../output/output.ts'

const SAME_FILE = 'Without --key the private key is looked for in the same file. '

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
    // OpenSSL's own words help nobody; --debug shows them.
    const reason = messageOf(cause).replace(/: error:[0-9A-F]+:.*$/s, '')
    throw new CliError(
      `${reason}. ${files.certificate === files.privateKey ? SAME_FILE : ''}See --cert, --key and --key-passphrase.`,
      1,
      { cause },
    )
  }
}
