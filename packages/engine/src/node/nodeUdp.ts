import dgram from 'node:dgram'
import { isIP } from 'node:net'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Udp, UdpHandler, UdpSocket } from '../platform/udp.ts'

/** UDP by Node's sockets. */
export class NodeUdp implements Udp {
  bind(local: Endpoint, handler: UdpHandler, done: (result: UdpSocket | LibtorrentError) => void): void {
    const socket = dgram.createSocket({
      type: isV6(local.address) ? 'udp6' : 'udp4',
      ipv6Only: isV6(local.address),
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
          socket.send(Buffer.from(packet), to.port, to.address, (cause) => {
            if (cause !== null && open) failed?.(systemError(cause, { operation: 'socketWrite' }))
          })
        },
        close,
      })
    })
    socket.on('message', (packet, from) => {
      if (open) handler.onPacket(packet, { address: withoutZone(from.address), port: from.port })
    })
  }
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%')
  return zone === -1 ? address : address.slice(0, zone)
}
