import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Udp, UdpSocket } from '../platform/udp.ts'

type Family = 4 | 6

type Waiter = (error: LibtorrentError | null) => void

type SocketState =
  | { readonly name: 'binding'; readonly waiting: Waiter[] }
  | { readonly name: 'open'; readonly socket: UdpSocket }

export interface UdpSocketsHost {
  readonly udp: Udp
  /** The address to bind for a family; null: do not use that family. */
  localAddress(family: Family): string | null
  onPacket(packet: Uint8Array, from: Endpoint): void
}

/** The two UDP sockets, one for each address family, that all UDP trackers share. Each is opened when first needed. */
export class UdpSockets {
  private readonly states = new Map<Family, SocketState>()

  constructor(private readonly host: UdpSocketsHost) {}

  /** Whether there is a way to reach `address` at all. */
  canReach(address: string): boolean {
    return this.host.localAddress(familyOf(address)) !== null
  }

  /** Sends now or, while the socket is being opened, later. `failed` is called if it cannot be opened or sent. */
  send(packet: Uint8Array, to: Endpoint, failed: (error: LibtorrentError) => void): void {
    const family = familyOf(to.address)
    const state = this.states.get(family)
    if (state?.name === 'open') return state.socket.send(packet, to, failed)
    const waiter: Waiter = (error) => (error === null ? this.send(packet, to, failed) : failed(error))
    if (state === undefined) this.open(family, [waiter])
    else state.waiting.push(waiter)
  }

  /** Closes both sockets; they are opened again when needed, with the local addresses of then. */
  close(): void {
    const states = [...this.states.values()]
    this.states.clear()
    for (const state of states) if (state.name === 'open') state.socket.close()
  }

  private open(family: Family, waiting: Waiter[]): void {
    let state: SocketState = { name: 'binding', waiting }
    this.states.set(family, state)
    /** False when `close` has come first. */
    const forget = () => this.states.get(family) === state && this.states.delete(family)
    const local = { address: this.host.localAddress(family) ?? (family === 6 ? '::' : '0.0.0.0'), port: 0 }
    const handler = {
      onPacket: (packet: Uint8Array, from: Endpoint) => this.host.onPacket(packet, from),
      onError: forget,
    }
    this.host.udp.bind(local, handler, (result) => {
      const wanted = forget()
      if (result instanceof LibtorrentError) {
        if (wanted) for (const resume of waiting) resume(result)
        return
      }
      if (!wanted) return result.close()
      state = { name: 'open', socket: result }
      this.states.set(family, state)
      for (const resume of waiting) resume(null)
    })
  }
}

function familyOf(address: string): Family {
  return isV6(address) ? 6 : 4
}
