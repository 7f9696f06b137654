import { isLoopback, isMulticast } from '../src/address/classify.ts'
import { type Endpoint, endpointText, isV6 } from '../src/address/endpoint.ts'
import { broadcastAddress, sameSubnet } from '../src/address/subnet.ts'
import { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { DefaultRoute, LocalNetwork, MulticastOptions, NetworkInterface } from '../src/platform/localNetwork.ts'
import type { UdpHandler, UdpSocket } from '../src/platform/udp.ts'
import { type SimErrorCode, simError } from './simErrors.ts'
import type { GroupMember } from './simGroups.ts'
import type { SimProcess, SimResource } from './simProcess.ts'
import { SimUdp } from './simUdp.ts'

/** IPv4 and UDP headers; they take room on the line too. */
const HEADER_BYTES = 28

/**
 * The networks a simulated host is part of: those of its addresses, IPv4 with 24 and IPv6 with 64 common bits. Hosts
 * whose addresses agree in these share a network, on which packets to groups and to everybody arrive.
 */
export class SimLocalNetwork implements LocalNetwork {
  constructor(private readonly process: SimProcess) {}

  interfaces(): readonly NetworkInterface[] {
    return [
      { name: 'lo', address: '127.0.0.1', prefixLength: 8 },
      ...this.process.host.addresses.map((address, i) => ({
        name: `eth${i}`,
        address,
        prefixLength: isV6(address) ? 64 : 24,
      })),
    ]
  }

  defaultRoutes(done: (routes: readonly DefaultRoute[]) => void): void {
    const { gateway } = this.process.host
    this.process.soon(() => done(gateway === null ? [] : [{ interfaceName: null, gateway }]))
  }

  bindMulticast(
    options: MulticastOptions,
    handler: UdpHandler,
    done: (result: UdpSocket | LibtorrentError) => void,
  ): void {
    const { process } = this
    const { address } = options.networkInterface
    if (!process.host.canBind(address)) return process.soon(() => done(simError('EADDRNOTAVAIL', 'listen')))
    if (options.group !== null) {
      const socket = new SimGroupSocket(process, options, handler, null)
      process.adopt('udp socket', socket)
      return process.soon(() => done(socket))
    }
    new SimUdp(process).bind({ address, port: options.port }, handler, (inner) => {
      if (inner instanceof LibtorrentError) return done(inner)
      done(new SimGroupSocket(process, options, handler, inner))
    })
  }
}

/** A socket that sends to groups. With a group of its own it receives from that; else through `inner`. */
class SimGroupSocket implements UdpSocket, GroupMember, SimResource {
  readonly local: Endpoint
  readonly networkInterface: NetworkInterface
  private closed = false

  constructor(
    private readonly process: SimProcess,
    private readonly options: MulticastOptions,
    private readonly handler: UdpHandler,
    private readonly inner: UdpSocket | null,
  ) {
    this.networkInterface = options.networkInterface
    this.local = inner?.local ?? { address: options.networkInterface.address, port: options.port }
    for (const group of this.joined()) process.network.groups.join(group, this)
  }

  get host() {
    return this.process.host
  }

  send(packet: Uint8Array, to: Endpoint): void {
    if (this.closed) return
    const { network } = this.process
    const { address, prefixLength } = this.networkInterface
    if (!isMulticast(to.address) && to.address !== broadcastAddress(address, prefixLength)) {
      return this.inner?.send(packet, to)
    }
    const copy = new Uint8Array(packet)
    const from = { address, port: this.local.port }
    for (const member of network.groups.membersOf(to)) {
      if (!sameSubnet(member.networkInterface.address, address, prefixLength)) continue
      if (isLoopback(address) && member.host !== this.host) continue
      network.carryDatagram(this.host, member.host, copy.length + HEADER_BYTES, () => member.receive(copy, from))
    }
  }

  receive(packet: Uint8Array, from: Endpoint): void {
    if (this.closed) return
    this.process.network.log.add(`packet ${packet.length} ${endpointText(from)}>${endpointText(this.local)}`)
    this.process.network.lend(packet.length, (view) => {
      view.set(packet)
      this.handler.onPacket(view, from)
    })
  }

  fail(code: SimErrorCode): void {
    if (this.closed) return
    this.close()
    this.handler.onError(simError(code, 'socketRead'))
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    for (const group of this.joined()) this.process.network.groups.leave(group, this)
    this.inner?.close()
    this.process.release(this)
  }

  kill(): void {
    this.close()
  }

  describe(): string {
    return `of group ${this.options.group} on ${endpointText(this.local)}`
  }

  /** A socket bound to no address gets what is sent to everybody as well. */
  private joined(): readonly Endpoint[] {
    const { group, port } = this.options
    if (group === null) return []
    const { address, prefixLength } = this.networkInterface
    const everybody = broadcastAddress(address, prefixLength)
    return everybody === null ? [{ address: group, port }] : [group, everybody].map((each) => ({ address: each, port }))
  }
}
