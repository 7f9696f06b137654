import { isLinkLocal, isLoopback } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { broadcastAddress, sameSubnet } from '../address/subnet.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { NetworkInterface } from '../platform/localNetwork.ts'
import type { UdpSocket } from '../platform/udp.ts'
import type { LocalDiscoveryHost } from './localDiscoveryHost.ts'
import { LSD_GROUP_V4, LSD_GROUP_V6, LSD_PORT } from './lsdMessage.ts'

/**
 * Announces do not leave the local network: nobody beyond would believe them, since like libtorrent we listen only to
 * addresses of our own network.
 */
const TTL = 1

/** One address family of one interface. */
export interface LsdInterface {
  /** Another one when anything about it changes. */
  readonly key: string
  /** All its addresses of that family that others can connect to; the first is the one it goes by. */
  readonly addresses: readonly NetworkInterface[]
}

/**
 * Those to announce on, at most `limit`. On loopback other programs of this machine are met, which may listen nowhere else;
 * like others we do so by IPv4 alone, as systems have no IPv6 groups there. Link-local IPv6 addresses are of no use.
 */
export function lsdInterfaces(interfaces: readonly NetworkInterface[], limit: number): readonly LsdInterface[] {
  const found = new Map<string, NetworkInterface[]>()
  for (const each of interfaces) {
    const v6 = isV6(each.address)
    if (v6 && (isLoopback(each.address) || isLinkLocal(each.address))) continue
    const family = `${each.name} ${v6 ? 6 : 4}`
    const siblings = found.get(family)
    if (siblings !== undefined) siblings.push(each)
    else if (found.size < limit) found.set(family, [each])
  }
  return [...found].map(([family, addresses]) => ({
    key: `${family} ${addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`)}`,
    addresses,
  }))
}

export interface LsdSocketHost extends Pick<LocalDiscoveryHost, 'platform' | 'settings'> {
  onLsdPacket(packet: Uint8Array, from: Endpoint, socket: LsdSocket): void
  onLsdOpen(socket: LsdSocket): void
  onLsdError(socket: LsdSocket, error: LibtorrentError): void
}

type SocketState =
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly socket: UdpSocket }
  | { readonly name: 'failed' }
  | { readonly name: 'closed' }

/** Sends to and receives from the group of one address family on one interface. */
export class LsdSocket {
  readonly group: string
  private state: SocketState = { name: 'opening' }

  constructor(
    private readonly host: LsdSocketHost,
    readonly on: LsdInterface,
  ) {
    this.group = isV6(this.address) ? LSD_GROUP_V6 : LSD_GROUP_V4
  }

  /** The address it goes by. */
  get address(): string {
    return this.on.addresses[0].address
  }

  get isOpen(): boolean {
    return this.state.name === 'open'
  }

  get hasFailed(): boolean {
    return this.state.name === 'failed'
  }

  open(): void {
    const networkInterface = this.on.addresses[0]
    const options = { networkInterface, group: this.group, port: LSD_PORT, ttl: TTL, broadcast: true }
    const handler = {
      onPacket: (packet: Uint8Array, from: Endpoint) => this.onPacket(packet, from),
      onError: (error: LibtorrentError) => this.fail(error),
    }
    this.host.platform.localNetwork.bindMulticast(options, handler, (result) => {
      if (result instanceof LibtorrentError) return this.fail(result)
      if (this.state.name !== 'opening') return result.close()
      this.state = { name: 'open', socket: result }
      this.host.onLsdOpen(this)
    })
  }

  send(packet: Uint8Array): void {
    if (this.state.name !== 'open') return
    this.state.socket.send(packet, { address: this.group, port: LSD_PORT })
    if (!this.host.settings.broadcastLsd) return
    const everybody = broadcastAddress(this.address, this.on.addresses[0].prefixLength)
    if (everybody !== null) this.state.socket.send(packet, { address: everybody, port: LSD_PORT })
  }

  close(): void {
    const { state } = this
    this.state = { name: 'closed' }
    if (state.name === 'open') state.socket.close()
  }

  /** Only neighbours are believed; systems give us what other interfaces received as well. */
  private onPacket(packet: Uint8Array, from: Endpoint): void {
    if (this.state.name !== 'open' || isLinkLocal(from.address) !== isLinkLocal(this.address)) return
    const isNear = this.on.addresses.some(({ address, prefixLength }) =>
      sameSubnet(from.address, address, prefixLength),
    )
    if (isNear) this.host.onLsdPacket(packet, from, this)
  }

  private fail(error: LibtorrentError): void {
    if (this.state.name === 'closed' || this.state.name === 'failed') return
    this.close()
    this.state = { name: 'failed' }
    this.host.onLsdError(this, error)
  }
}
