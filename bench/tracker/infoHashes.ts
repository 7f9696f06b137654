import { createHash } from 'node:crypto'

/** The torrents of the tracker bench. */
export function infoHashes(count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, i) => createHash('sha1').update(`torrent ${i}`).digest())
}
