import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { UdpHandler, UdpSocket } from '../platform/udp.ts'

/** A protocol spoken on a shared socket. */
export interface PacketReceiver {
  /** Takes `packet`, a view valid only during the call, if it is of its protocol; says whether it is. */
  receive(packet: Uint8Array, from: Endpoint): boolean
}

/** A UDP socket beside a listen socket, on the same address and port, which several protocols share. */
export class SharedUdpSocket implements UdpHandler {
  private socket: UdpSocket | null = null
  private readonly receivers: PacketReceiver[] = []

  constructor(
    /** Where it is, or is to be, bound. */
    readonly local: Endpoint,
    /** It is beside a socket for SSL torrents: what comes here is uTP with TLS on top, and nothing else. */
    readonly ssl: boolean,
    private readonly failed: (socket: SharedUdpSocket, error: LibtorrentError) => void,
  ) {}

  /** It is bound. */
  opened(socket: UdpSocket): void {
    this.socket = socket
  }

  get isOpen(): boolean {
    return this.socket !== null
  }

  /** Offers packets to `receiver` from now on, after those who came before it. */
  addReceiver(receiver: PacketReceiver): void {
    this.receivers.push(receiver)
  }

  removeReceiver(receiver: PacketReceiver): void {
    const index = this.receivers.indexOf(receiver)
    if (index !== -1) this.receivers.splice(index, 1)
  }

  onPacket(packet: Uint8Array, from: Endpoint): void {
    for (const receiver of this.receivers) if (receiver.receive(packet, from)) return
  }

  onError(error: LibtorrentError): void {
    this.socket = null
    this.failed(this, error)
  }

  /** Sends a copy of `packet`. See `UdpSocket.send`. */
  send(packet: Uint8Array, to: Endpoint, failed?: (error: LibtorrentError) => void): void {
    this.socket?.send(packet, to, failed)
  }

  close(): void {
    this.socket?.close()
    this.socket = null
    this.receivers.length = 0
  }
}
