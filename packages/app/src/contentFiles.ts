import type { FileEntry, TorrentInfo } from 'libtorrent-ts'

/** The files people know of: without those that only fill pieces up (BEP 47). */
export function contentFiles(info: TorrentInfo): FileEntry[] {
  return Array.from(info.files()).filter((file) => !file.padFile)
}
