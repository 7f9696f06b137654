// A tracker for browsers, a seed that browsers can download from, and a download over WebRTC that shows that it works.
// Usage: tsx examples/webtorrent.ts <file> <directory to download it to> [--stay]
// With --stay the tracker and the seed go on until Ctrl-C: open the magnet link in a browser on this machine, in any page
// that uses WebTorrent.
// Takes two packages beside libtorrent-ts: npm install node-datachannel ws
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createTorrentFromPath, Session, TorrentInfo } from 'libtorrent-ts'
import { TrackerServer } from 'libtorrent-ts/tracker'

const [file, directory, ...options] = process.argv.slice(2)
if (file === undefined || directory === undefined) throw new Error('which file, and where to download it to?')
const stays = options.includes('--stay')

const tracker = new TrackerServer({ port: 0, hosts: ['127.0.0.1'], udp: false, ws: true, webInterval: 10 })
await tracker.ready // rejects with what to install, when `ws` is missing
const url = tracker.urls('127.0.0.1').find((each) => each.startsWith('ws:')) ?? ''
console.log(`tracker: ${url}`)

const torrent = await createTorrentFromPath(file)
torrent.addTracker(url)
const ti = new TorrentInfo(torrent.generateBytes())

/** Peers come by WebRTC alone, from this machine: no STUN server is asked how others see us. */
function newSession(): Session {
  const session = new Session({
    settings: {
      // Browsers connect to no address of loopback.
      listenInterfaces: stays ? '0.0.0.0:0' : '127.0.0.1:0',
      webtorrentStunServer: '',
      enableIncomingTcp: false,
      enableOutgoingTcp: false,
      enableDht: false,
      enableLsd: false,
      enableUpnp: false,
      enableNatpmp: false,
      // Our own tracker is asked again soon, should an introduction get lost.
      minWebsocketAnnounceInterval: 5,
    },
  })
  // Says what to install, when node-datachannel is missing.
  session.on('trackerError', (alert) => void leave(1, `failed: ${alert.message()}`))
  session.on('peerConnect', ({ socketType, endpoint }) => {
    console.log(`connected by ${socketType} to ${endpoint.address}:${endpoint.port}`)
  })
  return session
}

const seed = newSession()
const download = newSession()

async function leave(code: number, words: string): Promise<void> {
  console.log(words)
  process.exitCode = code
  await Promise.all([seed.abort(), download.abort()])
  await tracker.close()
}

const announced = new Promise((resolve) => seed.once('trackerReply', resolve))
seed.addTorrent({ ti, savePath: dirname(file) })
await announced
console.log(`seeding: magnet:?xt=urn:btih:${ti.infoHash}&tr=${encodeURIComponent(url)}`)

await mkdir(directory, { recursive: true })
download.on('torrentFinished', ({ handle }) => {
  const { offers, answers } = tracker.stats()
  console.log(`the tracker passed on ${offers} offers and ${answers} answers`)
  const { totalPayloadDownload } = handle.status()
  const words = `finished: ${handle.name}, ${totalPayloadDownload} bytes over WebRTC`
  if (stays) console.log(`${words}. Ctrl-C ends.`)
  else void handle.flushCache().then(() => leave(0, words))
})
download.addTorrent({ ti, savePath: directory })
process.once('SIGINT', () => void leave(0, 'bye'))
