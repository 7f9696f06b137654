// The four ways to follow what happens. Take the one that suits the program; all of them see every alert.
// Usage: tsx examples/alerts.ts <file.torrent> <directory> [peer host:port]
import { readFile } from 'node:fs/promises'
import { AlertCategory, Session, TorrentInfo } from 'libtorrent-ts'

const [torrentFile, directory, peer] = process.argv.slice(2)
if (torrentFile === undefined || directory === undefined) throw new Error('which torrent, and where to?')

// Which kinds of alerts are wanted is said by the mask: errors only unless you ask for more.
const alertMask = AlertCategory.error | AlertCategory.status | AlertCategory.storage
const session = new Session({ settings: { alertMask, listenInterfaces: '0.0.0.0:0' } })

// 1. Events, with the right type for each name. Listening to a kind turns its category on.
session.on('stateChanged', ({ prevState, state }) => console.log(`event: from ${prevState} to ${state}`))

// 2. Iteration, from now on until the session has ended.
const story = (async () => {
  const kinds: string[] = []
  for await (const alert of session.alerts()) kinds.push(alert.type)
  console.log(`iterated: ${kinds.join(', ')}`)
})()

const torrent = session.addTorrent({ ti: new TorrentInfo(await readFile(torrentFile)), savePath: directory })
if (peer !== undefined) {
  const colon = peer.lastIndexOf(':')
  torrent.connectPeer({ address: peer.slice(0, colon), port: Number(peer.slice(colon + 1)) })
}

// 3. Waiting for the next one, for at most a while; 4. taking all there are.
let finished = torrent.isFinished
while (!finished && (await session.waitForAlert(30_000)) !== null) {
  for (const alert of session.popAlerts()) {
    if (alert.type === 'alertsDropped') console.log(`too slow, missed ${[...alert.droppedAlerts.keys()].join(', ')}`)
    else console.log(`popped: ${alert.message()}`)
    if (alert.type === 'torrentFinished') finished = true
  }
}

await session.abort()
await story
