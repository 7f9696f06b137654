import dgram from 'node:dgram'
import { isIP } from 'node:net'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Udp, UdpHandler, UdpSocket } from '../platform/udp.ts'

/** What the kernel keeps for us while we are busy, bytes, if it lets us. */
const BUFFER_BYTES = 4 << 20

/**
 * UDP for a server with very many short packets: half the time a packet that `NodeUdp` takes. It sends to addresses only,
 * at once, and does not wait to hear whether it went well; no endpoint is made for a packet but the one Node makes.
 */
export class NodeServerUdp implements Udp {
  bind(local: Endpoint, handler: UdpHandler, done: (result: UdpSocket | LibtorrentError) => void): void {
    const v6 = isV6(local.address)
    const socket = dgram.createSocket({
      type: v6 ? 'udp6' : 'udp4',
      ipv6Only: v6,
      recvBufferSize: BUFFER_BYTES,
      sendBufferSize: BUFFER_BYTES,
      // There are no names to look up. Node's own way takes another turn of the event loop even for an address.
      lookup: (address, _options, callback) => callback(null, address, isIP(address)),
    })
    let open = true
    const close = () => {
      if (!open) return
      open = false
      socket.close()
    }
    socket.once('error', (cause) => {
      close()
      done(systemError(cause, { operation: 'listen' }))
    })
    socket.bind({ address: local.address, port: local.port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      socket.on('error', (cause) => {
        close()
        handler.onError(systemError(cause, { operation: 'socketRead' }))
      })
      const { address, port } = socket.address()
      done({
        local: { address, port },
        // Copied because the system takes it later when its buffer is full. Port 0 is a lie that Node throws at.
        send: (packet, to) => {
          if (open && to.port !== 0) socket.send(Buffer.from(packet), to.port, to.address)
        },
        close,
      })
    })
    socket.on('message', (packet, from) => {
      if (open) handler.onPacket(packet, from)
    })
  }
}
