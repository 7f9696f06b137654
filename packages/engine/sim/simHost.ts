import { isV6 } from '../src/address/endpoint.ts'
import type { Millis } from '../src/util/flavored.ts'
import type { SimErrorCode } from './simErrors.ts'
import { SimDownlink, SimUplink } from './simLink.ts'
import { type NatOptions, SimNat } from './simNat.ts'
import { isWildcard, SimPorts } from './simPorts.ts'
import type { VirtualTime } from './virtualTime.ts'

/** The address of a simulated machine and its line to the network. Rates are bytes per second, times ms. */
export interface HostOptions {
  /** The host's address or addresses, canonical text, IPv4 and IPv6. Default: one public IPv4 address of its own. */
  readonly address?: string | readonly string[]
  /** Rate of its line towards the network, bytes per second. 0, the default, is unlimited. */
  readonly up?: number
  /** Rate of its line from the network, bytes per second. 0, the default, is unlimited. */
  readonly down?: number
  /** One-way delay of its line; a packet passes the sender's and the receiver's. Default 10 ms. */
  readonly latency?: Millis
  /** Random extra delay per packet, up to this much. Packets of a TCP stream keep their order. Default 0. */
  readonly jitter?: Millis
  /** Probability that a UDP packet over its line is lost. Default 0. */
  readonly loss?: number
  /** Probability that a UDP packet over its line arrives late, after packets sent later. Default 0. */
  readonly reorder?: number
  /** Probability that a UDP packet over its line arrives twice. Default 0. */
  readonly duplicate?: number
  /** Largest IP packet its line carries; larger UDP packets vanish. 0, the default, is unlimited. */
  readonly mtu?: number
  /**
   * Bytes that may wait in front of its line, in each direction; beyond that UDP packets are dropped and TCP senders
   * slow down. Default 256 KiB.
   */
  readonly queueBytes?: number
  /** The system's default for TCP buffers, bytes in each direction. Default 512 KiB. */
  readonly socketBuffer?: number
  /** IPv4 address of its default gateway. Default: none is known. */
  readonly gateway?: string
  /** The router it is behind. Default: none, everybody can send it what they like. */
  readonly nat?: NatOptions
}

/** Who accepts TCP connections at a port. */
export interface ConnectionTarget<Client> {
  accept(client: Client): void
}

/** Who gets UDP packets at a port. */
export interface PacketTarget {
  receive(packet: Uint8Array, from: { readonly address: string; readonly port: number }): void
  /** The socket fails as a whole. */
  fail(code: SimErrorCode): void
}

/** A machine on the simulated network: its addresses, its line and its ports. Programs on it are `SimProcess`es. */
export class SimHost {
  /** Changed by `SimNetwork.renumber`. */
  addresses: readonly string[]
  readonly uplink: SimUplink
  readonly downlink: SimDownlink
  /** What stays inside the machine takes no line. */
  readonly loopback: SimUplink
  readonly tcpPorts = new SimPorts<ConnectionTarget<unknown>>()
  readonly udpPorts = new SimPorts<PacketTarget>()
  latency: Millis
  jitter: Millis
  loss: number
  reorder: number
  duplicate: number
  mtu: number
  queueBytes: number
  socketBuffer: number
  /** While set, the system refuses to send any UDP packet, with this error. */
  udpFault: SimErrorCode | null = null
  /** IPv4 address of the default gateway; null: none is known. */
  gateway: string | null
  readonly nat: SimNat | null

  constructor(
    time: VirtualTime,
    readonly name: string,
    options: HostOptions & { readonly address: string | readonly string[] },
  ) {
    this.addresses = typeof options.address === 'string' ? [options.address] : [...options.address]
    this.uplink = new SimUplink(time, options.up ?? 0)
    this.downlink = new SimDownlink(time, options.down ?? 0)
    this.loopback = new SimUplink(time, 0)
    this.latency = options.latency ?? 10
    this.jitter = options.jitter ?? 0
    this.loss = options.loss ?? 0
    this.reorder = options.reorder ?? 0
    this.duplicate = options.duplicate ?? 0
    this.mtu = options.mtu ?? 0
    this.queueBytes = options.queueBytes ?? 256 * 1024
    this.socketBuffer = options.socketBuffer ?? 512 * 1024
    this.gateway = options.gateway ?? null
    this.nat = options.nat === undefined ? null : new SimNat(time, options.nat)
  }

  /** The first address; what most scenarios mean by "the address". */
  get address(): string {
    return this.addresses[0]
  }

  /** True when a socket of this host can be bound to `address`. */
  canBind(address: string): boolean {
    return isWildcard(address) || isLoopback(address) || this.addresses.includes(address)
  }

  /** All UDP sockets of the host fail, as when its network stack is restarted. */
  failUdpSockets(code: SimErrorCode): void {
    for (const socket of this.udpPorts.owners()) socket.fail(code)
  }

  /** The address packets to `remote` come from when the socket is bound to none; null without one of that family. */
  sourceFor(remote: string): string | null {
    if (isLoopback(remote)) return isV6(remote) ? '::1' : '127.0.0.1'
    if (this.addresses.includes(remote)) return remote
    return this.addresses.find((address) => isV6(address) === isV6(remote)) ?? null
  }
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
