import type { Endpoint } from '../address/endpoint.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Udp, UdpSocket } from '../platform/udp.ts'

type Waiter = (error: LibtorrentError | null) => void

type SocketState =
  | { readonly name: 'binding'; readonly waiting: Waiter[] }
  | { readonly name: 'open'; readonly socket: UdpSocket }

export interface UdpSocketsHost {
  readonly udp: Udp
  onPacket(packet: Uint8Array, from: Endpoint): void
}

/** The UDP sockets, one for each local address, that all UDP trackers share. Each is opened when first needed. */
export class UdpSockets {
  private readonly states = new Map<string, SocketState>()

  constructor(private readonly host: UdpSocketsHost) {}

  /**
   * Sends from the address `local` now or, while the socket is being opened, later. `failed` is called if it cannot be
   * opened, or the packet not be sent.
   */
  send(local: string, packet: Uint8Array, to: Endpoint, failed: (error: LibtorrentError) => void): void {
    const state = this.states.get(local)
    if (state?.name === 'open') return state.socket.send(packet, to, failed)
    const waiter: Waiter = (error) => (error === null ? this.send(local, packet, to, failed) : failed(error))
    if (state === undefined) this.open(local, [waiter])
    else state.waiting.push(waiter)
  }

  /** Closes all sockets; they are opened again when needed. */
  close(): void {
    const states = [...this.states.values()]
    this.states.clear()
    for (const state of states) if (state.name === 'open') state.socket.close()
  }

  private open(local: string, waiting: Waiter[]): void {
    let state: SocketState = { name: 'binding', waiting }
    this.states.set(local, state)
    /** False when `close` has come first. */
    const forget = () => this.states.get(local) === state && this.states.delete(local)
    const handler = {
      onPacket: (packet: Uint8Array, from: Endpoint) => this.host.onPacket(packet, from),
      onError: forget,
    }
    this.host.udp.bind({ address: local, port: 0 }, handler, (result) => {
      const wanted = forget()
      if (result instanceof LibtorrentError) {
        if (wanted) for (const resume of waiting) resume(result)
        return
      }
      if (!wanted) return result.close()
      state = { name: 'open', socket: result }
      this.states.set(local, state)
      for (const resume of waiting) resume(null)
    })
  }
}
