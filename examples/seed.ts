// Seeds files that are there already, until Ctrl-C.
// Usage: tsx examples/seed.ts <file.torrent> <directory with the files> [port]
import { readFile } from 'node:fs/promises'
import { Session, TorrentInfo } from 'libtorrent-ts'

const [torrentFile, directory, port = '6881'] = process.argv.slice(2)
if (torrentFile === undefined || directory === undefined) throw new Error('which torrent, and where are its files?')

const session = new Session({ settings: { listenInterfaces: `0.0.0.0:${port}` } })
session.on('listenFailed', (alert) => console.error(alert.message()))
session.on('torrentChecked', ({ handle }) => {
  const { isSeeding, numPieces } = handle.status()
  if (isSeeding) console.log(`seeding ${handle.name} on port ${session.listenPort}`)
  else console.log(`only ${numPieces} pieces of ${handle.name} are there: downloading the rest`)
})

await session.ready
session.addTorrent({ ti: new TorrentInfo(await readFile(torrentFile)), savePath: directory })

process.once('SIGINT', async () => {
  console.log(`sent ${session.status().totalPayloadUpload} bytes`)
  await session.abort()
})
