import type { Endpoint } from '../src/address/endpoint.ts'
import type { UdpSocket } from '../src/platform/udp.ts'
import type { Millis, Seconds } from '../src/util/flavored.ts'
import type { SimHost } from './simHost.ts'
import { SimIgd } from './simIgd.ts'
import { SimLocalNetwork } from './simLocalNetwork.ts'
import { natpmpAnnouncement, SimNatpmp } from './simNatpmp.ts'
import { SimProcess } from './simProcess.ts'
import { SimUdp } from './simUdp.ts'
import type { SimWorld } from './simWorld.ts'

/** What kind of router. */
export interface RouterOptions {
  /** Its address inside. Default 192.168.1.1. */
  readonly address?: string
  /** Its address outside. Default 203.0.113.5. */
  readonly externalAddress?: string
  /** Version of its UPnP gateway; null: it has none. Default 1. */
  readonly igd?: 1 | 2 | null
  /** Default: `pcp` and `natpmp`, as today's routers. */
  readonly speaks?: readonly ('pcp' | 'natpmp')[]
  /** It says nothing to what it does not speak. Default false: it tells which version it does. */
  readonly dropsUnknownVersions?: boolean
  /** UPnP mappings for ever only (error 725). */
  readonly permanentOnly?: boolean
  /** Ports that belong to somebody else, such as `tcp 6881`. */
  readonly taken?: readonly string[]
  /** Name of the model in its description. Default: one of the simulator's. */
  readonly model?: string
  /** What its description says instead of what it should; `%` stands for its service. */
  readonly description?: string
  /** Result of every NAT-PMP and PCP request. Default 0. */
  readonly result?: number
}

/** A port the router forwards. */
export interface RouterMapping {
  readonly protocol: 'tcp' | 'udp'
  /** Port outside. */
  readonly externalPort: number
  /** Address inside. */
  readonly client: string
  /** Port inside. */
  readonly localPort: number
  /** What the client calls it; empty when the protocol has no such field. */
  readonly description: string
  /** Seconds asked for; 0: for ever. */
  readonly lifetime: Seconds
  /** When it is forgotten unless renewed; infinite: never. */
  readonly expiresAt: Millis
  /** Who made it: a PCP nonce in hexadecimal, or empty. */
  readonly nonce: string
}

/** A home router: a UPnP gateway, NAT-PMP and PCP, one table of mappings. It can be switched off, and forgets when it is. */
export class SimRouter {
  readonly host: SimHost
  readonly externalAddress: string
  /** UPnP actions and NAT-PMP and PCP requests carried out, in order, such as `AddPortMapping tcp 6881`. */
  readonly requests: string[] = []
  readonly taken: Set<string>
  private readonly table = new Map<string, RouterMapping>()
  private startedAt: Millis
  private announcer: UdpSocket | null = null
  private isOn = true

  constructor(
    readonly world: SimWorld,
    readonly options: RouterOptions = {},
  ) {
    this.host = world.network.addHost(`router ${options.address ?? ''}`, {
      address: options.address ?? '192.168.1.1',
      latency: 1,
    })
    this.externalAddress = options.externalAddress ?? '203.0.113.5'
    this.taken = new Set(options.taken)
    this.startedAt = world.time.now()
    const process = new SimProcess(world.network, this.host)
    const networkInterface = { name: 'lan', address: this.host.address, prefixLength: 24 }
    const network = new SimLocalNetwork(process)
    if (options.igd !== null) new SimIgd(this, world.web, network, networkInterface)
    if (options.speaks?.length !== 0) {
      const server = new SimNatpmp(this)
      new SimUdp(process).bind({ address: this.host.address, port: 5351 }, server, (socket) => {
        if ('code' in socket) throw socket
        server.socket = socket
        this.announcer = socket
      })
    }
  }

  get now(): Millis {
    return this.world.time.now()
  }

  get on(): boolean {
    return this.isOn
  }

  /** Seconds since it was switched on: the epoch of NAT-PMP and PCP. */
  get epoch(): Seconds {
    return Math.floor((this.now - this.startedAt) / 1000)
  }

  /** What it forwards now, such as `tcp 6881 -> 192.168.1.2:6881`, sorted. */
  get forwards(): readonly string[] {
    return this.mappings
      .map((each) => `${each.protocol} ${each.externalPort} -> ${each.client}:${each.localPort}`)
      .sort()
  }

  get mappings(): readonly RouterMapping[] {
    return [...this.table.values()].filter(({ expiresAt }) => expiresAt > this.now)
  }

  find(protocol: string, externalPort: number): RouterMapping | null {
    const found = this.table.get(`${protocol} ${externalPort}`)
    return found !== undefined && found.expiresAt > this.now ? found : null
  }

  put(mapping: Omit<RouterMapping, 'expiresAt'>): void {
    const expiresAt = mapping.lifetime === 0 ? Number.POSITIVE_INFINITY : this.now + mapping.lifetime * 1000
    this.table.set(`${mapping.protocol} ${mapping.externalPort}`, { ...mapping, expiresAt })
  }

  remove(protocol: string, externalPort: number): boolean {
    return this.table.delete(`${protocol} ${externalPort}`)
  }

  /** Whether `client` may have the port: nobody else has it. */
  isFree(protocol: string, externalPort: number, client: string, localPort: number): boolean {
    if (this.taken.has(`${protocol} ${externalPort}`)) return false
    const holder = this.find(protocol, externalPort)
    return holder === null || (holder.client === client && holder.localPort === localPort)
  }

  switchOff(): void {
    this.isOn = false
    this.table.clear()
    this.world.network.unplug(this.host)
  }

  /** @param announces tells all hosts, as RFC 6886 and RFC 6887 want it. */
  switchOn(announces = false): void {
    this.isOn = true
    this.startedAt = this.now
    this.world.network.plugIn(this.host)
    if (!announces || this.announcer === null) return
    const packet = natpmpAnnouncement(this)
    const from: Endpoint = this.announcer.local
    const group = { address: '224.0.0.1', port: 5350 }
    for (const member of this.world.network.groups.membersOf(group)) {
      this.world.network.carryDatagram(this.host, member.host, packet.length, () => member.receive(packet, from))
    }
  }
}
