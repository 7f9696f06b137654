import { makeMagnetUri } from 'libtorrent-ts'
import type { Output } from '../output/output.ts'
import { readSource } from '../torrentSource.ts'

/** `lt magnet`: the magnet link of a .torrent; of a link the same in its plainest form. */
export async function magnet(source: string, output: Output): Promise<number> {
  const torrent = await readSource(source)
  const uri = makeMagnetUri(torrent.kind === 'torrent' ? torrent.info : torrent.magnet)
  output.report({ type: 'magnet', uri }, uri)
  return 0
}
