import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Timer } from '../platform/clock.ts'
import type { DefaultRoute } from '../platform/localNetwork.ts'
import type { Millis } from '../util/flavored.ts'
import { type MappingInterface, mappingInterfaces } from './mappingInterfaces.ts'
import type { MapperHost } from './portMapperHost.ts'
import type { PortMapping } from './portMapping.ts'
import { noRouterError } from './portmapErrors.ts'
import { UpnpDevice, type UpnpDeviceHost } from './upnpDevice.ts'
import { UpnpSearch, type UpnpSearchHost } from './upnpSearch.ts'

/** Devices known at once, televisions and the like included; libtorrent's limit. */
const MAX_DEVICES = 50
/** Of one address. A router has one or two; more are made up. */
const MAX_DEVICES_OF_ADDRESS = 4
/** Descriptions fetched at once. */
const MAX_FETCHES = 4
/** Without a router, so often somebody asks again whether there is one; then only a few times. */
const SEARCH_AGAIN_MS: Millis = 30 * 60 * 1000
const ATTEMPTS_AGAIN = 3
/** After a router has gone, it may be back soon. */
const GONE_MS: Millis = 30_000

/** Maps ports by UPnP: searches routers on each interface, and keeps the mappings at all that are found. */
export class UpnpMapper implements UpnpSearchHost, UpnpDeviceHost {
  private readonly searches = new Map<string, UpnpSearch>()
  /** By our address and their location. */
  private readonly devices = new Map<string, UpnpDevice>()
  /** Devices whose descriptions are being fetched, and those that wait for it. */
  private readonly fetching = new Set<UpnpDevice>()
  private readonly waiting: UpnpDevice[] = []
  private interfaces: readonly MappingInterface[] = []
  private again: Timer | null = null
  /** Mappings of which was told that there is no router. */
  private readonly missing = new Set<PortMapping>()
  private running = true

  constructor(private readonly host: MapperHost) {}

  get platform(): MapperHost['platform'] {
    return this.host.platform
  }

  get settings(): MapperHost['settings'] {
    return this.host.settings
  }

  /** Model of the first router that tells one; empty otherwise. */
  get routerModel(): string {
    for (const device of this.devices.values()) if (device.isRouter && device.model !== '') return device.model
    return ''
  }

  start(): void {
    this.networkChanged()
  }

  /** Interfaces or routes are others now: routers that cannot be reached any more are forgotten, others searched. */
  networkChanged(): void {
    this.platform.localNetwork.defaultRoutes((routes) => {
      if (this.running) this.update(routes)
    })
  }

  mappingsChanged(): void {
    for (const device of this.devices.values()) device.mappingsChanged()
    if (this.again !== null) this.platform.timers.after(0, () => this.reportMissing())
  }

  mappingRemoved(mapping: PortMapping): void {
    this.missing.delete(mapping)
    for (const device of this.devices.values()) device.mappingRemoved(mapping)
  }

  /** Takes all mappings back. `done` is called when that is over, perhaps at once. */
  stop(done: () => void): void {
    const devices = [...this.devices.values()]
    this.endSearches()
    let left = devices.length
    if (left === 0) return done()
    for (const device of devices) {
      device.stop(() => {
        if (--left === 0) done()
      })
    }
  }

  /** Closes at once. */
  close(): void {
    this.endSearches()
    for (const device of this.devices.values()) device.close()
    this.devices.clear()
  }

  mappings(): Iterable<PortMapping> {
    return this.host.mappings()
  }

  mapped(mapping: PortMapping, externalPort: number, externalAddress: string | null, localAddress: string): void {
    this.host.mapped(mapping, externalPort, externalAddress, localAddress)
  }

  failed(mapping: PortMapping, error: LibtorrentError, localAddress: string | null): void {
    this.host.failed(mapping, error, localAddress)
  }

  externalAddress(address: string, router: string): void {
    this.host.externalAddress(address, router)
  }

  log(message: () => string): void {
    this.host.log(message)
  }

  hasRouter(search: UpnpSearch): boolean {
    return [...this.devices.values()].some((device) => device.isRouter && device.on.local === search.on.local)
  }

  found(location: URL, search: UpnpSearch): void {
    const key = keyOf(location, search.on)
    const known = this.devices.get(key)
    if (known !== undefined) {
      if (known.canStartAgain && !this.waiting.includes(known)) this.fetch(known, search)
      return
    }
    if (this.devices.size >= MAX_DEVICES) return this.log(() => `too many devices: ignoring ${location.href}`)
    const ofAddress = [...this.devices.values()].filter(
      (device) => device.on === search.on && device.location.hostname === location.hostname,
    )
    if (ofAddress.length >= MAX_DEVICES_OF_ADDRESS) return
    this.log(() => `found ${location.href}`)
    const device = new UpnpDevice(this, location, search.on)
    this.devices.set(key, device)
    this.fetch(device, search)
  }

  deviceKnown(device: UpnpDevice): void {
    this.fetching.delete(device)
    if (device.isRouter) this.missing.clear()
    this.fetchNext()
    this.reportMissing()
  }

  deviceGone(device: UpnpDevice): void {
    this.devices.delete(keyOf(device.location, device.on))
    // That it is gone was said; that there is no other need not be.
    for (const mapping of this.host.mappings()) this.missing.add(mapping)
    this.searchLater(GONE_MS)
  }

  searchOver(search: UpnpSearch): void {
    this.searches.delete(search.on.local.address)
    this.reportMissing()
  }

  private update(routes: readonly DefaultRoute[]): void {
    const found = mappingInterfaces(this.platform.localNetwork.interfaces(), routes)
    // The same object as long as nothing about it changes.
    this.interfaces = found.map((on) => this.interfaces.find((known) => isSame(known, on)) ?? on)
    for (const [key, device] of this.devices) {
      if (this.interfaces.includes(device.on)) continue
      device.close()
      this.fetching.delete(device)
      this.devices.delete(key)
    }
    this.search()
    this.fetchNext()
    if (this.interfaces.length === 0) this.reportMissing()
  }

  private search(maxAttempts?: number): void {
    this.again?.cancel()
    this.again = null
    for (const search of this.searches.values()) search.close()
    this.searches.clear()
    // Devices that were of no use, or did not answer, may be asked again.
    for (const [key, device] of this.devices) {
      if (!device.isRouter && !this.fetching.has(device) && !this.waiting.includes(device)) this.devices.delete(key)
    }
    for (const on of this.interfaces) {
      const search = new UpnpSearch(this, on, maxAttempts)
      this.searches.set(on.local.address, search)
      search.start()
    }
  }

  private searchLater(delay: Millis, maxAttempts?: number): void {
    this.again?.cancel()
    this.again = this.running ? this.platform.timers.after(delay, () => this.search(maxAttempts)) : null
  }

  /** The gateway at once, whoever else keeps us waiting: most others are of no use. */
  private fetch(device: UpnpDevice, search: UpnpSearch): void {
    if (device.location.hostname === search.on.gateway) return this.startFetch(device)
    this.waiting.push(device)
    this.fetchNext()
  }

  private fetchNext(): void {
    while (this.running && this.fetching.size < MAX_FETCHES) {
      const device = this.waiting.shift()
      if (device === undefined) return
      if (this.devices.get(keyOf(device.location, device.on)) === device) this.startFetch(device)
    }
  }

  private startFetch(device: UpnpDevice): void {
    this.fetching.add(device)
    device.start()
  }

  /** When all searches are over and none found a router: said once of each mapping, and searched again later. */
  private reportMissing(): void {
    if (!this.running || this.searches.size > 0 || this.fetching.size > 0 || this.waiting.length > 0) return
    if ([...this.devices.values()].some((device) => device.isRouter)) return
    if (this.again === null) {
      this.log(() => 'no router found')
      this.searchLater(SEARCH_AGAIN_MS, ATTEMPTS_AGAIN)
    }
    for (const mapping of this.host.mappings()) {
      if (this.missing.has(mapping)) continue
      this.missing.add(mapping)
      this.host.failed(mapping, noRouterError(), null)
    }
  }

  private endSearches(): void {
    this.running = false
    this.again?.cancel()
    this.again = null
    for (const search of this.searches.values()) search.close()
    this.searches.clear()
    this.waiting.length = 0
  }
}

function keyOf(location: URL, on: MappingInterface): string {
  return `${on.local.address} ${location.href}`
}

function isSame(a: MappingInterface, b: MappingInterface): boolean {
  return (
    a.local.name === b.local.name &&
    a.local.address === b.local.address &&
    a.local.prefixLength === b.local.prefixLength &&
    a.gateway === b.gateway &&
    a.isPreferred === b.isPreferred
  )
}
