// Downloads a torrent, shows how it gets on, and can be stopped and run again: it continues where it was.
// Usage: tsx examples/download.ts <file.torrent | magnet link> <directory> [peer host:port]
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AddTorrentParams, Session, TorrentInfo } from 'libtorrent-ts'

const [source, directory, peer] = process.argv.slice(2)
if (source === undefined || directory === undefined) throw new Error('which torrent, and where to?')

await mkdir(directory, { recursive: true })
const resumeFile = join(directory, '.resume')
const session = new Session({ settings: { listenInterfaces: '0.0.0.0:0' } })

// What to download, and what an earlier run has left.
const params: AddTorrentParams = { savePath: directory }
if (source.startsWith('magnet:')) params.url = source
else params.ti = new TorrentInfo(await readFile(source))
const resumeData = await readFile(resumeFile).catch(() => undefined)
if (resumeData !== undefined) params.resumeData = resumeData

const torrent = session.addTorrent(params)
if (peer !== undefined) {
  const colon = peer.lastIndexOf(':')
  torrent.connectPeer({ address: peer.slice(0, colon), port: Number(peer.slice(colon + 1)) })
}

const progress = setInterval(() => {
  const { state, progress, downloadRate, numPeers } = torrent.status()
  console.log(`${state} ${(progress * 100).toFixed(1)} %, ${(downloadRate / 1e6).toFixed(1)} MB/s, ${numPeers} peers`)
}, 1000)

async function leave(): Promise<void> {
  clearInterval(progress)
  if (torrent.isSeed) await rm(resumeFile, { force: true })
  else if (torrent.hasMetadata) await writeFile(resumeFile, await torrent.saveResumeData())
  await session.abort() // tells the trackers, closes files and sockets
}

session.on('torrentFinished', ({ handle }) => {
  console.log(`finished: ${handle.name}`)
  void leave()
})
session.on('torrentError', ({ error }) => {
  console.error(`failed: ${error.message}`)
  process.exitCode = 1
  void leave()
})
process.once('SIGINT', () => void leave())
