// npm's bittorrent-tracker on 127.0.0.1, WebSockets only. Usage: node server.js PORT
import { Server } from 'bittorrent-tracker'

const server = new Server({ udp: false, http: false, ws: true, stats: false, interval: 5000 })
for (const event of ['start', 'update', 'complete', 'stop']) {
  server.on(event, (peer) => console.log(`${event} ${Buffer.from(peer.peer_id ?? peer, 'hex').toString('latin1')}`))
}
server.on('warning', (error) => console.log(`warning ${error.message}`))
server.on('error', (error) => console.log(`error ${error.message}`))
server.listen(Number(process.argv[2]), '127.0.0.1')
