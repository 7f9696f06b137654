import { endpointText } from '../address/endpoint.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Udp } from '../platform/udp.ts'
import type { ListenEndpoint } from './listenInterfaces.ts'
import { SharedUdpSocket } from './sharedUdpSocket.ts'

export interface UdpSocketsHost {
  readonly udp: Udp
  /** Where peers reach us by TCP. */
  readonly listenEndpoints: readonly ListenEndpoint[]
  /** Something would use the sockets. */
  readonly wantsUdp: boolean
  /** Something would use those beside the sockets for SSL torrents, where there is uTP only. */
  readonly wantsSslUdp: boolean
  onUdpOpened(socket: SharedUdpSocket): void
  onUdpClosed(socket: SharedUdpSocket): void
}

/**
 * A UDP socket beside each listen socket, for all that goes over UDP and wants to be reached there: DHT and uTP. Those beside
 * the sockets for SSL torrents are for uTP alone.
 */
export class UdpSockets {
  private readonly sockets = new Map<string, SharedUdpSocket>()
  private closed = false

  constructor(private readonly host: UdpSocketsHost) {}

  /** Those that are open. */
  *[Symbol.iterator](): Iterator<SharedUdpSocket> {
    for (const socket of this.sockets.values()) if (socket.isOpen) yield socket
  }

  /** Closes those nobody wants any more and opens those that are missing; `done` when each stands or has failed. */
  update(done: () => void): void {
    const { listenEndpoints, wantsUdp, wantsSslUdp } = this.host
    const wanted = new Map(
      listenEndpoints
        .filter(({ ssl }) => !this.closed && (ssl ? wantsSslUdp : wantsUdp))
        .map((endpoint) => [endpointText(endpoint), endpoint]),
    )
    for (const [key, socket] of this.sockets) {
      if (wanted.has(key)) continue
      this.sockets.delete(key)
      this.end(socket)
    }
    const missing = [...wanted].filter(([key]) => !this.sockets.has(key))
    let waiting = missing.length
    if (waiting === 0) return done()
    for (const [key, endpoint] of missing) {
      this.open(key, endpoint, () => {
        waiting--
        if (waiting === 0) done()
      })
    }
  }

  /** Closes them all, for good. */
  close(): void {
    this.closed = true
    this.update(() => {})
  }

  private open(key: string, endpoint: ListenEndpoint, done: () => void): void {
    const socket = new SharedUdpSocket(endpoint, endpoint.ssl, () => {
      if (this.sockets.get(key) === socket) this.sockets.delete(key)
      this.host.onUdpClosed(socket)
    })
    this.sockets.set(key, socket)
    // That it failed is told by `udpError`.
    this.host.udp.bind(endpoint, socket, (result) => {
      const isWanted = this.sockets.get(key) === socket
      if (result instanceof LibtorrentError) {
        if (isWanted) this.sockets.delete(key)
      } else if (!isWanted) {
        result.close()
      } else {
        socket.opened(result)
        this.host.onUdpOpened(socket)
      }
      done()
    })
  }

  private end(socket: SharedUdpSocket): void {
    if (!socket.isOpen) return
    this.host.onUdpClosed(socket)
    socket.close()
  }
}
