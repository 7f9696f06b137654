import type { Session } from 'libtorrent-ts'
import { CliError, messageOf } from '../cliError.ts'
import { hexOf } from '../dht/dhtItem.ts'
import type { Output } from '../output/output.ts'
import type { TorrentSource } from '../torrentSource.ts'

/** Whether only the DHT can tell which torrent it is (BEP 46). */
export function isMutable(source: TorrentSource): boolean {
  return source.kind === 'magnet' && source.magnet.infoHash === null && source.magnet.mutableTorrent !== null
}

/** The same link, with the info-hash its publisher names now. @throws CliError when nobody tells */
export async function newestVersion(source: TorrentSource, session: Session, output: Output): Promise<TorrentSource> {
  if (source.kind !== 'magnet' || source.magnet.mutableTorrent === null) return source
  if (!session.isDhtRunning) throw new CliError('This link is to the newest version of a torrent: it needs the DHT.')
  const { publicKey, salt } = source.magnet.mutableTorrent
  const key = hexOf(publicKey)
  for (const node of source.magnet.dhtNodes) session.addDhtNode(node)
  try {
    const infoHash = await session.dhtGetTorrent(publicKey, salt)
    output.report({ type: 'version', key, salt: hexOf(salt), infoHash }, `The newest version is ${infoHash}.`)
    return { ...source, magnet: { ...source.magnet, infoHash } }
  } catch (cause) {
    throw new CliError(`${key}: ${messageOf(cause)}.`, 1, { cause })
  }
}
