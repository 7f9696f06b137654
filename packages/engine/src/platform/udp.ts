import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'

/** What a UDP socket tells its owner. */
export interface UdpHandler {
  /** `packet` is a view valid only during the call. */
  onPacket(packet: Uint8Array, from: Endpoint): void
  /** The socket failed and is closed. ICMP errors of single packets are not reported. */
  onError(error: LibtorrentError): void
}

/** A bound UDP socket. */
export interface UdpSocket {
  /** What it is bound to, with the port that was picked. */
  readonly local: Endpoint
  /**
   * Sends a copy of `packet`. `failed` is called, later, when the system refuses to: no route (`ENETUNREACH`), not
   * allowed (`EPERM`), ... What gets lost on its way is nobody's knowledge.
   */
  send(packet: Uint8Array, to: Endpoint, failed?: (error: LibtorrentError) => void): void
  /** Nothing is received any more. */
  close(): void
}

/** UDP sockets. */
export interface Udp {
  /** Binds `local` (port 0 picks one); IPv6 sockets are IPv6 only. */
  bind(local: Endpoint, handler: UdpHandler, done: (result: UdpSocket | LibtorrentError) => void): void
}
