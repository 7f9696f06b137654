// Makes a .torrent of a file or a directory.
// Usage: tsx examples/createTorrent.ts <file or directory> <file.torrent to write> [tracker URL...]
import { writeFile } from 'node:fs/promises'
import { createTorrentFromPath, TorrentInfo } from 'libtorrent-ts'

const [path, torrentFile, ...trackers] = process.argv.slice(2)
if (path === undefined || torrentFile === undefined) throw new Error('a torrent of what, and where to write it?')

// Hashes on all cores. For other layouts than that of a directory: FileStorage, CreateTorrent and setPieceHashes.
const torrent = await createTorrentFromPath(path, {
  onProgress: (hashed, numPieces) => process.stdout.write(`\rhashed ${hashed} of ${numPieces} pieces`),
})
torrent.setCreator('libtorrent-ts example')
trackers.forEach((url, tier) => {
  torrent.addTracker(url, tier)
})

const bytes = torrent.generateBytes()
await writeFile(torrentFile, bytes)
const { name, numFiles, totalSize, infoHash } = new TorrentInfo(bytes)
console.log(`\n${name}: ${numFiles} ${numFiles === 1 ? 'file' : 'files'}, ${totalSize} bytes, info-hash ${infoHash}`)
