import { Sha1Hash } from '../util/digest.ts'

/** What an info-hash begins with in a server name. */
const HEX_HASH = /^[0-9a-f]{40}/i

/** The server name by which a peer is asked for a torrent: its info-hash in hexadecimal (manual, SSL torrents). */
export function serverNameOf(infoHash: Sha1Hash): string {
  return infoHash.toHex()
}

/** The info-hash somebody asks for; null for any other name. What follows the hash is not looked at, as in libtorrent. */
export function infoHashOfServerName(serverName: string): Sha1Hash | null {
  const match = HEX_HASH.exec(serverName)
  return match === null ? null : Sha1Hash.fromHex(match[0])
}
