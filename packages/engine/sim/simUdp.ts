import { type Endpoint, endpointText, isV6 } from '../src/address/endpoint.ts'
import type { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { Udp, UdpHandler, UdpSocket } from '../src/platform/udp.ts'
import { type SimErrorCode, simError } from './simErrors.ts'
import type { PacketTarget, SimHost } from './simHost.ts'
import type { LinkFlow, LinkPacket } from './simLink.ts'
import type { SimNetwork } from './simNetwork.ts'
import { isWildcard } from './simPorts.ts'
import type { SimProcess, SimResource } from './simProcess.ts'

/** IPv4 and UDP headers; they take room on the line too. */
const HEADER_BYTES = 28
const LARGEST_PACKET = 65_507

/** UDP as one program on a simulated host sees it. */
export class SimUdp implements Udp {
  constructor(private readonly process: SimProcess) {}

  bind(local: Endpoint, handler: UdpHandler, done: (result: UdpSocket | LibtorrentError) => void): void {
    const { process } = this
    if (!process.host.canBind(local.address)) {
      return process.soon(() => done(simError('EADDRNOTAVAIL', 'listen')))
    }
    const socket = new SimUdpSocket(process, handler)
    const bound = process.host.udpPorts.bind(local, socket)
    if (bound === null) return process.soon(() => done(simError('EADDRINUSE', 'listen')))
    socket.local = bound
    process.adopt('udp socket', socket)
    process.soon(() => done(socket))
  }
}

class SimUdpSocket implements UdpSocket, PacketTarget, LinkFlow, SimResource {
  local: Endpoint = { address: '', port: 0 }
  private readonly network: SimNetwork
  private readonly host: SimHost
  private readonly queue: { readonly packet: Uint8Array; readonly to: Endpoint }[] = []
  private queuedBytes = 0
  private closed = false

  constructor(
    private readonly process: SimProcess,
    private readonly handler: UdpHandler,
  ) {
    this.network = process.network
    this.host = process.host
  }

  send(packet: Uint8Array, to: Endpoint, failed?: (error: LibtorrentError) => void): void {
    if (this.closed) return
    const error = this.refusal(packet, to)
    if (error !== null) {
      return this.process.soon(() => {
        if (!this.closed) failed?.(simError(error, 'socketWrite'))
      })
    }
    if (this.queuedBytes + packet.length + HEADER_BYTES > this.host.queueBytes) return
    this.queue.push({ packet: new Uint8Array(packet), to })
    this.queuedBytes += packet.length + HEADER_BYTES
    this.host.uplink.ready(this)
  }

  /** Why the system would not even try. */
  private refusal(packet: Uint8Array, to: Endpoint): SimErrorCode | null {
    if (packet.length > LARGEST_PACKET) return 'EMSGSIZE'
    if (isV6(to.address) !== isV6(this.local.address)) return 'EAFNOSUPPORT'
    if (this.source(to) === null) return isWildcard(this.local.address) ? 'ENETUNREACH' : 'EADDRNOTAVAIL'
    return this.host.udpFault
  }

  /** The address its packets come from; null when it cannot send there. */
  private source(to: Endpoint): string | null {
    const { address } = this.local
    if (isWildcard(address)) return this.host.sourceFor(to.address)
    return this.host.canBind(address) ? address : null
  }

  takePacket(): LinkPacket | null {
    const next = this.queue.shift()
    if (next === undefined) return null
    const size = next.packet.length + HEADER_BYTES
    this.queuedBytes -= size
    return { size, depart: () => this.carry(next.packet, next.to, size) }
  }

  receive(packet: Uint8Array, from: Endpoint): void {
    this.network.log.add(`packet ${packet.length} ${endpointText(from)}>${endpointText(this.local)}`)
    this.network.lend(packet.length, (view) => {
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
    this.host.udpPorts.release(this.local, this)
    this.process.release(this)
  }

  kill(): void {
    this.queue.length = 0
    this.close()
  }

  describe(): string {
    return `on ${endpointText(this.local)}`
  }

  private carry(packet: Uint8Array, to: Endpoint, size: number): void {
    const target = this.network.hostAt(to.address, this.host)
    const source = this.source(to)
    if (target === null || source === null) return
    const inside = { address: source, port: this.local.port }
    const isHere = target === this.host
    const from = isHere ? inside : (this.host.nat?.leave(inside, to) ?? inside)
    this.network.carryDatagram(this.host, target, size, () => {
      const at = isHere || target.nat === null ? to : target.nat.enter(to, from)
      if (at !== null) target.udpPorts.find(at)?.receive(packet, from)
    })
  }
}
