import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Millis } from '../util/flavored.ts'
import { NatpmpMapper } from './natpmpMapper.ts'
import type { MapperHost, PortMapperHost } from './portMapperHost.ts'
import { MAX_MAPPINGS, type PortMapping, type PortmapProtocol, PortmapTransport } from './portMapping.ts'
import { printable } from './printable.ts'
import { UpnpMapper } from './upnpMapper.ts'

/** Routers have so long to take back our mappings at the end. */
const STOP_TIMEOUT_MS: Millis = 3000

export interface AddMappingOptions {
  /** Only by the router of the interface with this address. Default: by all. `0.0.0.0` is all as well. */
  readonly localAddress?: string
  /** Only by UPnP, or only by NAT-PMP and PCP. Default: by whatever is started. */
  readonly via?: PortmapTransport
}

/**
 * Makes ports of this machine reachable through the routers before it, by UPnP and by NAT-PMP or PCP. Mappings may be
 * added before anything is started; what is started makes them all, renews them, makes them again when the router has
 * forgotten them, and takes them back at the end. For IPv4, as in libtorrent.
 *
 * @see manual, "UPnP and NAT-PMP"; start_upnp, start_natpmp
 */
export class PortMapper {
  private readonly table: (PortMapping | null)[] = []
  private upnp: UpnpMapper | null = null
  private natpmp: NatpmpMapper | null = null
  /** Closes those that are being stopped. */
  private readonly stopping = new Set<() => void>()

  constructor(private readonly host: PortMapperHost) {}

  /** Starts UPnP; nothing happens if it is started. */
  startUpnp(): void {
    if (this.upnp !== null) return
    this.upnp = new UpnpMapper(this.mapperHost(PortmapTransport.upnp))
    this.upnp.start()
  }

  /** Starts NAT-PMP and PCP; nothing happens if they are started. */
  startNatpmp(): void {
    if (this.natpmp !== null) return
    this.natpmp = new NatpmpMapper(this.mapperHost(PortmapTransport.natpmp))
    this.natpmp.start()
  }

  /** Takes the mappings made by UPnP back. `done` is called once, later, within 3 seconds. */
  stopUpnp(done: () => void = () => {}): void {
    const mapper = this.upnp
    this.upnp = null
    this.end(mapper, done)
  }

  /** Takes the mappings made by NAT-PMP and PCP back. `done` is called once, later, within 3 seconds. */
  stopNatpmp(done: () => void = () => {}): void {
    const mapper = this.natpmp
    this.natpmp = null
    this.end(mapper, done)
  }

  /** Stops both, for the end of the session. `done` is called once, later, within 3 seconds. */
  stop(done: () => void): void {
    let left = 2
    const one = () => {
      if (--left === 0) done()
    }
    this.stopUpnp(one)
    this.stopNatpmp(one)
  }

  /** Ends everything at once; mappings stay with the router until they expire. */
  close(): void {
    this.upnp?.close()
    this.natpmp?.close()
    this.upnp = null
    this.natpmp = null
    for (const close of [...this.stopping]) close()
  }

  get isUpnpStarted(): boolean {
    return this.upnp !== null
  }

  get isNatpmpStarted(): boolean {
    return this.natpmp !== null
  }

  /** Model of the UPnP router, if it tells one; else empty. @see manual, router_model */
  get routerModel(): string {
    return this.upnp?.routerModel ?? ''
  }

  /**
   * Adds a mapping from `externalPort` of the routers, a hint, to `localPort`. Returns its index, to which events refer,
   * or -1 when there are 50 already. An index is used again when its mapping was removed.
   * @throws RangeError for ports that are not 1 to 65535.
   * @see manual, add_mapping
   */
  addMapping(
    protocol: PortmapProtocol,
    externalPort: number,
    localPort: number,
    options: AddMappingOptions = {},
  ): number {
    checkPort(externalPort, 'externalPort')
    checkPort(localPort, 'localPort')
    const free = this.table.indexOf(null)
    const index = free === -1 ? this.table.length : free
    if (index >= MAX_MAPPINGS) return -1
    const { localAddress = '0.0.0.0', via = null } = options
    const specific = localAddress === '0.0.0.0' ? null : localAddress
    this.table[index] = { index, protocol, externalPort, localPort, localAddress: specific, via }
    this.upnp?.mappingsChanged()
    this.natpmp?.mappingsChanged()
    return index
  }

  /** Removes a mapping, here and at the routers. An unknown index is ignored. @see manual, delete_mapping */
  deleteMapping(index: number): void {
    const mapping = this.table[index] ?? null
    if (mapping === null) return
    this.table[index] = null
    this.upnp?.mappingRemoved(mapping)
    this.natpmp?.mappingRemoved(mapping)
  }

  /** The mapping with this index, or null. */
  getMapping(index: number): PortMapping | null {
    return this.table[index] ?? null
  }

  /** Addresses or routes of this machine have changed. */
  networkChanged(): void {
    this.upnp?.networkChanged()
    this.natpmp?.networkChanged()
  }

  private end(mapper: UpnpMapper | NatpmpMapper | null, done: () => void): void {
    const { timers } = this.host.platform
    let over = false
    const finish = () => {
      if (over) return
      over = true
      limit.cancel()
      this.stopping.delete(finish)
      mapper?.close()
      timers.after(0, done)
    }
    const limit = timers.after(STOP_TIMEOUT_MS, finish)
    this.stopping.add(finish)
    if (mapper === null) finish()
    else mapper.stop(finish)
  }

  private mapperHost(transport: PortmapTransport): MapperHost {
    const { host, table } = this
    // Nobody hears of a mapping that was removed.
    const isWanted = (mapping: PortMapping) => table[mapping.index] === mapping
    return {
      platform: host.platform,
      settings: host.settings,
      *mappings() {
        for (const mapping of table) {
          if (mapping !== null && (mapping.via === null || mapping.via === transport)) yield mapping
        }
      },
      mapped: (mapping, externalPort, externalAddress, localAddress) => {
        if (!isWanted(mapping)) return
        host.onPortMapped({ mapping, transport, externalPort, externalAddress, localAddress })
      },
      failed: (mapping, error: LibtorrentError, localAddress) => {
        if (isWanted(mapping)) host.onPortmapError({ mapping, transport, error, localAddress })
      },
      log: (message) => {
        if (host.wantsPortmapLog()) host.onPortmapLog(transport, printable(message(), 300))
      },
      externalAddress: (address, router) => host.onExternalAddress(address, router, transport),
    }
  }
}

function checkPort(port: number, name: string): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new RangeError(`${name} must be a port from 1 to 65535, not ${port}`)
  }
}
