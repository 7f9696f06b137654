import { addressToBytes } from '../address/addressBytes.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { sameSubnet } from '../address/subnet.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { DefaultRoute } from '../platform/localNetwork.ts'
import type { UdpSocket } from '../platform/udp.ts'
import { type MappingInterface, mappingInterfaces } from './mappingInterfaces.ts'
import { NatpmpGateway } from './natpmpGateway.ts'
import type { MapperHost } from './portMapperHost.ts'
import type { PortMapping } from './portMapping.ts'

/** Routers tell all hosts here that they started (RFC 6886 section 3.2.1, RFC 6887 section 14.1). */
const ANNOUNCEMENT_GROUP = { address: '224.0.0.1', port: 5350 } as const

interface Lane {
  readonly gateway: NatpmpGateway
  announcements: UdpSocket | null
  open: boolean
}

/** Maps ports by NAT-PMP and PCP, at the default gateway of each interface. */
export class NatpmpMapper {
  private readonly lanes = new Map<string, Lane>()
  private running = true

  constructor(private readonly host: MapperHost) {}

  start(): void {
    this.networkChanged()
  }

  /** Interfaces or routes are others now: new gateways are asked, those that are gone forgotten. */
  networkChanged(): void {
    this.host.platform.localNetwork.defaultRoutes((routes) => {
      if (this.running) this.update(routes)
    })
  }

  mappingsChanged(): void {
    for (const { gateway } of this.lanes.values()) gateway.mappingsChanged()
  }

  mappingRemoved(mapping: PortMapping): void {
    for (const { gateway } of this.lanes.values()) gateway.mappingRemoved(mapping)
  }

  /** Takes all mappings back. `done` is called when that is over, perhaps at once. */
  stop(done: () => void): void {
    this.running = false
    const lanes = [...this.lanes.values()]
    let left = lanes.length
    if (left === 0) return done()
    for (const lane of lanes) {
      this.closeAnnouncements(lane)
      lane.gateway.stop(() => {
        if (--left === 0) done()
      })
    }
  }

  /** Closes at once. */
  close(): void {
    this.running = false
    for (const lane of this.lanes.values()) {
      this.closeAnnouncements(lane)
      lane.gateway.close()
    }
    this.lanes.clear()
  }

  private update(routes: readonly DefaultRoute[]): void {
    const wanted = new Map(
      this.gateways(routes).map((each) => [`${each.gateway} ${each.on.local.address} ${each.on.isPreferred}`, each]),
    )
    for (const [key, lane] of this.lanes) {
      if (wanted.has(key)) continue
      this.closeAnnouncements(lane)
      lane.gateway.close()
      this.lanes.delete(key)
    }
    for (const [key, { on, gateway }] of wanted) if (!this.lanes.has(key)) this.open(key, on, gateway)
    if (wanted.size === 0) this.host.log(() => 'no default gateway found')
  }

  private gateways(routes: readonly DefaultRoute[]) {
    const { localNetwork } = this.host.platform
    const fixed = this.host.settings.natpmpGateway
    const interfaces = mappingInterfaces(localNetwork.interfaces(), routes)
    if (fixed === '') return interfaces.flatMap((on) => (on.gateway === null ? [] : [{ on, gateway: on.gateway }]))
    if (isV6(fixed) || addressToBytes(fixed) === null) return []
    const near = interfaces.filter(({ local }) => sameSubnet(local.address, fixed, local.prefixLength))
    return (near.length > 0 ? near : interfaces).map((on, i) => ({
      on: { local: on.local, isPreferred: i === 0 },
      gateway: fixed,
    }))
  }

  private open(key: string, on: Pick<MappingInterface, 'local' | 'isPreferred'>, address: string): void {
    const { local } = on
    this.host.log(() => `gateway ${address} of ${local.name} (${local.address})`)
    const gateway = new NatpmpGateway(this.host, address, on)
    const lane: Lane = { gateway, announcements: null, open: true }
    this.lanes.set(key, lane)
    gateway.start()
    const options = {
      networkInterface: local,
      group: ANNOUNCEMENT_GROUP.address,
      port: ANNOUNCEMENT_GROUP.port,
      ttl: 1,
    }
    const handler = {
      onPacket: (packet: Uint8Array, from: Endpoint) => gateway.onAnnouncement(packet, from),
      onError: () => {
        lane.announcements = null
      },
    }
    // Without it a restart is noticed at the next renewal: no reason to complain.
    this.host.platform.localNetwork.bindMulticast(options, handler, (result) => {
      if (result instanceof LibtorrentError) return
      if (lane.open) lane.announcements = result
      else result.close()
    })
  }

  private closeAnnouncements(lane: Lane): void {
    lane.open = false
    lane.announcements?.close()
    lane.announcements = null
  }
}
