import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { UdpHandler, UdpSocket } from './udp.ts'

/** One address of one of this machine's network interfaces that are up, loopback included. */
export interface NetworkInterface {
  /** The system's name, such as `eth0`. An interface with several addresses is listed once for each. */
  readonly name: string
  /** Canonical text, without a zone. */
  readonly address: string
  /** Leading bits that all hosts of the interface's network share, 0 to 32 or 128. */
  readonly prefixLength: number
}

/** A way out of the local network. */
export interface DefaultRoute {
  /** Null when only the address of the gateway is known. */
  readonly interfaceName: string | null
  /** The IPv4 address of the router. */
  readonly gateway: string
}

export interface MulticastOptions {
  /** Packets to many leave through this interface, and the group is joined there. */
  readonly networkInterface: NetworkInterface
  /** Group to receive from, an address of the interface's family; null: only what is sent to this very socket. */
  readonly group: string | null
  /**
   * Port to bind; 0 picks one. With a group the port is shared with other programs of this machine and the socket
   * bound to no address, so that packets to the group and to everybody arrive; without, to the interface's address.
   */
  readonly port: number
  /** How many networks packets to many may cross: 1 is the local one only. */
  readonly ttl: number
  /** May send to broadcast addresses too. Default false. */
  readonly broadcast?: boolean
}

/** The network this machine is part of: what finding routers and neighbours needs. */
export interface LocalNetwork {
  /** Read anew each time; cheap enough for once a minute, not for every packet. */
  interfaces(): readonly NetworkInterface[]
  /** IPv4 default routes, the preferred one first; none when there is none or it cannot be found out. */
  defaultRoutes(done: (routes: readonly DefaultRoute[]) => void): void
  /**
   * Opens a UDP socket that can send to groups. What it sends to a group comes back to those of this machine that
   * joined it, the sender included.
   */
  bindMulticast(
    options: MulticastOptions,
    handler: UdpHandler,
    done: (result: UdpSocket | LibtorrentError) => void,
  ): void
}
