import dgram from 'node:dgram'
import { isIP } from 'node:net'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Udp, UdpHandler, UdpSocket } from '../platform/udp.ts'

/** UDP by Node's sockets. */
export class NodeUdp implements Udp {
  /** @param bufferBytes what the kernel is to keep for us while we are busy, if it lets us; left out: the system's way. */
  constructor(private readonly bufferBytes?: number) {}

  bind(local: Endpoint, handler: UdpHandler, done: (result: UdpSocket | LibtorrentError) => void): void {
    const socket = dgram.createSocket({
      type: isV6(local.address) ? 'udp6' : 'udp4',
      ipv6Only: isV6(local.address),
      recvBufferSize: this.bufferBytes,
      sendBufferSize: this.bufferBytes,
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
        // The packet is copied because the caller may reuse it before the system has taken it.
        send: (packet, to, failed) => {
          // Port 0 may be a stranger's forgery; Node throws at it.
          if (!open || to.port === 0) return
          // Whoever does not ask how it went saves Node the telling: half the time of a packet.
          if (failed === undefined) socket.send(Buffer.from(packet), to.port, to.address)
          else {
            socket.send(Buffer.from(packet), to.port, to.address, (cause) => {
              if (cause !== null && open) failed(systemError(cause, { operation: 'socketWrite' }))
            })
          }
        },
        close,
      })
    })
    socket.on('message', (packet, from) => {
      if (open) handler.onPacket(packet, withoutZone(from))
    })
  }
}

/** Node names link-local senders with their interface. */
function withoutZone(from: Endpoint): Endpoint {
  const zone = from.address.indexOf('%')
  return zone === -1 ? from : { address: from.address.slice(0, zone), port: from.port }
}
