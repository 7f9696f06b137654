// Downloads by encrypted connections only, has nothing to do with the addresses of a list, and uses a proxy if one is named.
// Usage: tsx examples/privacy.ts <file.torrent | magnet link> <directory> <peer host:port> [blocklist [SOCKS5 proxy host:port]]
import { readFile } from 'node:fs/promises'
import { EncPolicy, IpFilter, loadIpFilter, PeerFlags, ProxyType, Session, TorrentInfo } from 'libtorrent-ts'

const [source, directory, peer, blocklist, proxy] = process.argv.slice(2)
if (source === undefined || directory === undefined || peer === undefined) throw new Error('what, where to, from whom?')

function endpoint(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) }
}

// eMule's and PeerGuardian's lists, or lines such as 10.0.0.0/8; plain or gzip.
const ipFilter = new IpFilter()
if (blocklist !== undefined) {
  const { numRanges } = await loadIpFilter(blocklist, ipFilter)
  console.log(`${numRanges} ranges blocked`)
}

const session = new Session({
  ipFilter,
  settings: {
    listenInterfaces: '0.0.0.0:0',
    // In both directions, and the content as well as the handshake where we may choose.
    outEncPolicy: EncPolicy.forced,
    inEncPolicy: EncPolicy.forced,
    preferRc4: true,
    // No name or version of ours, nothing to the local network.
    anonymousMode: true,
    // Peers, trackers, web seeds and the DHT go through it, and nothing goes past it: set before anything is connected to.
    ...(proxy !== undefined && {
      proxyType: ProxyType.socks5,
      proxyHostname: endpoint(proxy).address,
      proxyPort: endpoint(proxy).port,
    }),
  },
})
session.on('peerBlocked', (alert) => console.log(alert.message()))
session.on('socks5', (alert) => console.error(alert.message()))

const torrent = session.addTorrent({
  ...(source.startsWith('magnet:') ? { url: source } : { ti: new TorrentInfo(await readFile(source)) }),
  savePath: directory,
})
torrent.connectPeer(endpoint(peer))

let numEncrypted = 0
session.on('pieceFinished', () => {
  numEncrypted = torrent.getPeerInfo().filter(({ flags }) => flags & PeerFlags.rc4Encrypted).length
})
session.on('torrentFinished', async ({ handle }) => {
  console.log(`finished: ${handle.name}; peers with everything encrypted: ${numEncrypted}`)
  await session.abort()
})
