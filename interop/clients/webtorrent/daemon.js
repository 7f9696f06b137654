// WebTorrent behind the line protocol of ../libtorrentDaemon.py: the commands start, add, connect, status and quit.
// Plain TCP on loopback: no LSD, PEX, uTP, port mapping or encryption, and no DHT unless `start` names a node of it. With the
// setting `webRtc` trackers and WebRTC.
import { createInterface } from 'node:readline'
import WebTorrent from 'webtorrent'

const torrents = []
let client = null

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

const commands = {
  start: ({ port, settings = {} }) =>
    new Promise((resolve) => {
      client = new WebTorrent({
        torrentPort: port,
        dht: settings.enable_dht ? { bootstrap: [settings.dht_bootstrap_nodes] } : false,
        tracker: settings.webRtc ? { rtcConfig: { iceServers: [] } } : false,
        lsd: false,
        utPex: false,
        natUpnp: false,
        natPmp: false,
        utp: false,
        secure: 0,
        webSeeds: false,
      })
      client.on('error', (error) => say({ event: 'error', message: error.message }))
      // The TCP server is opened by the first torrent; the port is ours from the start.
      resolve({ port })
    }),

  add: ({ source, savePath, peers = [], uploadLimit = 0, downloadLimit = 0 }) => {
    client.throttleUpload(uploadLimit > 0 ? uploadLimit : -1)
    client.throttleDownload(downloadLimit > 0 ? downloadLimit : -1)
    const index = torrents.length
    const torrent = client.add(source, { path: savePath })
    torrents.push(torrent)
    torrent.on('metadata', () => say({ event: 'metadata', torrent: index }))
    torrent.on('done', () => say({ event: 'finished', torrent: index }))
    torrent.on('wire', (_wire, address) => say({ event: 'peerConnected', torrent: index, message: address }))
    torrent.on('warning', (error) => say({ event: 'warning', torrent: index, message: error.message ?? String(error) }))
    torrent.on('infoHash', () => {
      for (const [host, port] of peers) torrent.addPeer(`${host}:${port}`)
    })
    return { torrent: index }
  },

  connect: ({ torrent, host, port }) => {
    torrents[torrent].addPeer(`${host}:${port}`)
  },

  status: ({ torrent }) => {
    const { progress, uploaded, downloaded, numPeers, ready, done } = torrents[torrent]
    return { progress: ready ? (done ? 1 : progress) : 0, uploaded, downloaded, peers: numPeers }
  },

  quit: () => process.exit(0),
}

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const { id, cmd, ...fields } = JSON.parse(line)
    try {
      say({ id, ok: true, ...(await commands[cmd](fields)) })
    } catch (error) {
      say({ id, error: error.message })
    }
  })
  .on('close', () => process.exit(0))

say({ event: 'ready' })
