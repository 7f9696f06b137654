import type { CertificateNames } from '../platform/tls.ts'
import { equalBytes, utf8 } from '../util/bytes.ts'

/** Covers every torrent. */
const STAR = Uint8Array.of(0x2a)

/**
 * Whether a peer's certificate is one for the torrent called `torrentName`: one of its dNSName fields, or else its last
 * Common Name, is that name byte for byte, or a single asterisk (manual, SSL torrents). A torrent without a name is covered
 * by an asterisk only.
 */
export function coversTorrent({ dnsNames, commonName }: CertificateNames, torrentName: string): boolean {
  const wanted = utf8(torrentName)
  const fits = (name: Uint8Array) => name.length > 0 && (equalBytes(name, STAR) || equalBytes(name, wanted))
  return dnsNames.some(fits) || (commonName !== null && fits(commonName))
}
