import type { HostOptions, SimHost } from '../../sim/simHost.ts'
import type { SimProgram } from '../../sim/simProgram.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { PortMapper } from '../../src/portmap/portMapper.ts'
import type { PortMapped, PortMapperHost, PortmapFailed } from '../../src/portmap/portMapperHost.ts'
import { DEFAULT_PORT_MAPPER_SETTINGS, type PortMapperSettings } from '../../src/portmap/portMapperSettings.ts'
import { PortmapTransport } from '../../src/portmap/portMapping.ts'

/** A program that has nothing but a port mapper, and what it heard. */
export class PortmapClient implements PortMapperHost {
  readonly host: SimHost
  readonly program: SimProgram
  readonly mapper: PortMapper
  readonly settings: PortMapperSettings
  readonly mapped: PortMapped[] = []
  readonly failed: PortmapFailed[] = []
  readonly addresses: string[] = []
  readonly lines: string[] = []

  constructor(world: SimWorld, settings: Partial<PortMapperSettings> = {}, host: HostOptions & { name?: string } = {}) {
    this.host = world.host(host.name ?? 'client', {
      address: '192.168.1.2',
      gateway: '192.168.1.1',
      latency: 1,
      ...host,
    })
    this.program = world.start(this.host)
    this.settings = { ...DEFAULT_PORT_MAPPER_SETTINGS, ...settings }
    this.mapper = new PortMapper(this)
  }

  get platform() {
    return this.program.platform
  }

  onPortMapped(event: PortMapped): void {
    this.mapped.push(event)
  }

  onPortmapError(event: PortmapFailed): void {
    this.failed.push(event)
  }

  wantsPortmapLog(): boolean {
    return true
  }

  onPortmapLog(_transport: PortmapTransport, message: string): void {
    this.lines.push(message)
  }

  onExternalAddress(address: string, router: string): void {
    this.addresses.push(`${address} by ${router}`)
  }

  /** Mappings reported, such as `upnp 0: 6881`. */
  get reports(): readonly string[] {
    return this.mapped.map(
      ({ transport, mapping, externalPort }) => `${nameOf(transport)} ${mapping.index}: ${externalPort}`,
    )
  }

  /** Failures reported, such as `upnp 0: noRouter`. */
  get failures(): readonly string[] {
    return this.failed.map(({ transport, mapping, error }) => `${nameOf(transport)} ${mapping.index}: ${error.code}`)
  }
}

function nameOf(transport: PortmapTransport): string {
  return transport === PortmapTransport.upnp ? 'upnp' : 'natpmp'
}
