import type { Endpoint } from '../address/endpoint.ts'
import { sameSubnet } from '../address/subnet.ts'
import { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Timer } from '../platform/clock.ts'
import type { UdpSocket } from '../platform/udp.ts'
import type { Millis } from '../util/flavored.ts'
import type { MappingInterface } from './mappingInterfaces.ts'
import type { MapperHost } from './portMapperHost.ts'
import { decodeSearchAnswer, SEARCH_PACKETS, SSDP_GROUP } from './ssdp.ts'

/** Asked so often when nobody answers, and when somebody did; the n-th time after 2 n seconds more. As libtorrent. */
const MAX_ATTEMPTS = 12
const ATTEMPTS_WHEN_FOUND = 4
const ATTEMPT_STEP_MS: Millis = 2000
/** UPnP Device Architecture 1.1, section 1.3.2. */
const TTL = 2
/** Answers read in one search; a network has not so many devices. */
const MAX_ANSWERS = 500

type SearchState =
  | { readonly name: 'opening' }
  | { readonly name: 'searching'; readonly socket: UdpSocket; timer: Timer }
  | { readonly name: 'over' }

export interface UpnpSearchHost extends Pick<MapperHost, 'platform' | 'settings' | 'log'> {
  /** A device answered; may be told again. */
  found(location: URL, search: UpnpSearch): void
  /** Whether a router is known on this interface: then it is searched less long. */
  hasRouter(search: UpnpSearch): boolean
  searchOver(search: UpnpSearch): void
}

/** Asks the devices of one interface's network where their descriptions lie, and closes its socket when that is over. */
export class UpnpSearch {
  private state: SearchState = { name: 'opening' }
  private attempts = 0
  private answers = 0

  constructor(
    private readonly host: UpnpSearchHost,
    readonly on: MappingInterface,
    private readonly maxAttempts = MAX_ATTEMPTS,
  ) {}

  start(): void {
    const options = { networkInterface: this.on.local, group: null, port: 0, ttl: TTL }
    const handler = {
      onPacket: (packet: Uint8Array, from: Endpoint) => this.onPacket(packet, from),
      onError: (error: LibtorrentError) => this.fail(error),
    }
    this.host.platform.localNetwork.bindMulticast(options, handler, (result) => {
      if (result instanceof LibtorrentError) return this.fail(result)
      if (this.state.name !== 'opening') return result.close()
      this.state = { name: 'searching', socket: result, timer: { cancel() {} } }
      this.send()
    })
  }

  close(): void {
    const { state } = this
    this.state = { name: 'over' }
    if (state.name !== 'searching') return
    state.timer.cancel()
    state.socket.close()
  }

  private send(): void {
    const { state } = this
    if (state.name !== 'searching') return
    const limit = this.host.hasRouter(this) ? Math.min(ATTEMPTS_WHEN_FOUND, this.maxAttempts) : this.maxAttempts
    if (this.attempts >= limit) return this.end()
    this.host.log(() => `searching routers from ${this.on.local.address}`)
    for (const packet of SEARCH_PACKETS) state.socket.send(packet, SSDP_GROUP)
    this.attempts++
    state.timer = this.host.platform.timers.after(ATTEMPT_STEP_MS * this.attempts, () => this.send())
  }

  private onPacket(packet: Uint8Array, from: Endpoint): void {
    if (this.state.name !== 'searching' || ++this.answers > MAX_ANSWERS) return
    const { local, gateway } = this.on
    // What comes from elsewhere, or from ourselves, is not the router before us.
    if (from.address === local.address || !sameSubnet(from.address, local.address, local.prefixLength)) return
    if (this.host.settings.upnpIgnoreNonrouters && from.address !== gateway) {
      return this.host.log(() => `ignoring ${from.address}, which is not the gateway`)
    }
    const location = decodeSearchAnswer(packet, from.address)
    if (location === null) return this.host.log(() => `ignoring an answer of ${from.address}`)
    this.host.found(location, this)
  }

  private fail(error: LibtorrentError): void {
    if (this.state.name === 'over') return
    this.host.log(() => `searching from ${this.on.local.address} failed: ${error.message}`)
    this.end()
  }

  private end(): void {
    this.close()
    this.host.searchOver(this)
  }
}
