import type { Endpoint } from '../address/endpoint.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Udp, UdpSocket } from '../platform/udp.ts'

/** Takes errors of UDP sockets: of a whole socket, by its own endpoint, or of a packet, by where it should have gone. */
export type UdpErrorReport = (endpoint: Endpoint, error: LibtorrentError) => void

/** That one address cannot be reached from here says something about the address, and whoever sends there knows. */
const UNREACHABLE = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/**
 * UDP that tells `report` when an open socket fails, or the system refuses to send for a reason that is not the
 * receiver's: alert `udpError`. Who binds a socket learns himself that he could not. Packets whose sender does not ask
 * (no `failed`) are not reported on: asking takes half the time of sending.
 */
export function reportedUdp(udp: Udp, report: UdpErrorReport): Udp {
  return {
    bind(local, handler, done) {
      let socket: UdpSocket | null = null
      const reporting = {
        onPacket: handler.onPacket.bind(handler),
        onError: (error: LibtorrentError) => {
          report(socket?.local ?? local, error)
          handler.onError(error)
        },
      }
      udp.bind(local, reporting, (result) => {
        if (result instanceof LibtorrentError) return done(result)
        socket = result
        done(reportedSocket(result, report))
      })
    },
  }
}

function reportedSocket(socket: UdpSocket, report: UdpErrorReport): UdpSocket {
  return {
    local: socket.local,
    send: (packet, to, failed) => {
      if (failed === undefined) return socket.send(packet, to)
      socket.send(packet, to, (error) => {
        if (!UNREACHABLE.has(error.code)) report(to, error)
        failed(error)
      })
    },
    close: () => socket.close(),
  }
}
