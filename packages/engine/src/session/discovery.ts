import { isUnspecified } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import type { AlertSink } from '../alerts/alertSink.ts'
import { LsdErrorAlert, PortmapAlert, PortmapErrorAlert, PortmapLogAlert } from '../alerts/discoveryAlerts.ts'
import type { DhtState } from '../dht/dhtState.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { LocalDiscovery } from '../lsd/localDiscovery.ts'
import type { LocalDiscoveryHost } from '../lsd/localDiscoveryHost.ts'
import type { Platform } from '../platform/platform.ts'
import { PortMapper } from '../portmap/portMapper.ts'
import type { PortMapped, PortMapperHost, PortmapFailed } from '../portmap/portMapperHost.ts'
import { PortmapTransport } from '../portmap/portMapping.ts'
import type { Settings } from '../settings/settings.ts'
import type { DhtTorrent, TorrentDiscovery } from '../torrent/torrentHost.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { AddressFilters } from './addressFilters.ts'
import { DhtService } from './dhtService.ts'
import { listenedNetwork } from './listenedNetwork.ts'
import type { ListenEndpoint } from './listenInterfaces.ts'
import type { SessionProxy } from './sessionProxy.ts'
import type { SharedUdpSocket } from './sharedUdpSocket.ts'

export interface DiscoveryHost {
  readonly platform: Platform
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly filters: AddressFilters
  /** The UDP sockets beside them that are open. */
  readonly udpSockets: Iterable<SharedUdpSocket>
  /** How the DHT reaches the world, and whether the world reaches us. */
  readonly proxy: Pick<SessionProxy, 'dht' | 'policy'>
  /** All listen sockets. */
  readonly listenEndpoints: readonly ListenEndpoint[]
  onExternalAddress(address: string, source: string): void
  /** A machine on the local network has this torrent. */
  onLocalPeer(infoHash: Sha1Hash, peer: Endpoint): void
}

/**
 * Finding peers without trackers, and being found: DHT, local service discovery, and routers that forward our ports.
 * Each runs while its setting says so and we listen.
 */
export class Discovery implements TorrentDiscovery, LocalDiscoveryHost, PortMapperHost {
  readonly dht: DhtService
  readonly portMapper: PortMapper
  /** The world, as neighbours and routers are met in it: only where we listen. */
  readonly platform: Platform
  private readonly lsd: LocalDiscovery
  /** Our own mappings, by protocol, address and port. */
  private readonly mappings = new Map<string, number>()
  private isListening = false
  private savedDhtState: DhtState | undefined

  constructor(private readonly host: DiscoveryHost) {
    const { platform } = host
    const localNetwork = listenedNetwork(platform.localNetwork, () => host.listenEndpoints)
    this.platform = { ...platform, localNetwork }
    this.dht = new DhtService({
      clock: platform.clock,
      timers: platform.timers,
      random: platform.random,
      udpSockets: host.udpSockets,
      filters: host.filters,
      resolver: host.proxy.dht.resolver,
      settings: host.settings,
      alerts: host.alerts,
      onExternalAddress: (address, source) => host.onExternalAddress(address, source),
    })
    this.lsd = new LocalDiscovery(this)
    this.portMapper = new PortMapper(this)
  }

  // --- starting and stopping ------------------------------------------------------------------------------------

  /** The DHT begins with what an earlier run left. */
  restoreDht(state: DhtState): void {
    this.savedDhtState = state
  }

  /** The listen sockets are open, or others than before. */
  onListening(): void {
    this.isListening = this.host.listenEndpoints.length > 0
    this.lsd.networkChanged()
    this.portMapper.networkChanged()
    this.onSettingsChanged()
  }

  /** Starts what is to run and does not, and the other way round. */
  onSettingsChanged(): void {
    const { settings, proxy } = this.host
    const { isReachable, dht } = proxy.policy
    const may = this.isListening
    const enableDht = settings.enableDht && dht !== 'never'
    const enableLsd = settings.enableLsd && isReachable
    const enableUpnp = settings.enableUpnp && isReachable
    const enableNatpmp = settings.enableNatpmp && isReachable
    this.updateMappings()
    if (may && enableDht) this.dht.start(this.savedDhtState)
    else if (!enableDht && this.dht.isRunning) {
      this.savedDhtState = this.dht.dht?.saveState()
      this.dht.stop()
    }
    if (may && enableLsd) this.lsd.start()
    else if (!enableLsd) this.lsd.stop()
    if (may && enableUpnp) this.portMapper.startUpnp()
    else if (!enableUpnp) this.portMapper.stopUpnp()
    if (may && enableNatpmp) this.portMapper.startNatpmp()
    else if (!enableNatpmp) this.portMapper.stopNatpmp()
  }

  /** Ends everything; mappings are removed, for which routers get a moment. */
  close(done: () => void): void {
    this.isListening = false
    this.dht.stop()
    this.lsd.stop()
    this.portMapper.stop(done)
  }

  // --- torrents -------------------------------------------------------------------------------------------------

  get dhtPort(): number {
    const { policy } = this.host.proxy
    // Behind a proxy others do not reach our port, which is nothing to be told of then.
    return policy.dht === 'direct' && policy.isReachable ? this.dht.port : 0
  }

  joinDht(torrent: DhtTorrent): void {
    this.dht.join(torrent)
  }

  leaveDht(torrent: DhtTorrent): void {
    this.dht.leave(torrent)
  }

  addDhtNode(host: string, port: number): void {
    this.dht.addNode(host, port)
  }

  joinLsd(infoHash: Sha1Hash, isSsl: boolean): void {
    this.lsd.add(infoHash, isSsl)
  }

  leaveLsd(infoHash: Sha1Hash): void {
    this.lsd.remove(infoHash)
  }

  // --- port mapping ---------------------------------------------------------------------------------------------

  /** Has routers forward the TCP port of each IPv4 listen socket, and its UDP port if anything comes there. */
  private updateMappings(): void {
    const wanted = new Map<string, { protocol: 'tcp' | 'udp'; endpoint: Endpoint }>()
    const { isReachable } = this.host.proxy.policy
    for (const endpoint of isReachable ? this.host.listenEndpoints : []) {
      if (isV6(endpoint.address) || endpoint.local) continue
      const key = `${endpoint.address} ${endpoint.port}`
      wanted.set(`tcp ${key}`, { protocol: 'tcp', endpoint })
      if (usesUdp(this.host.settings, endpoint.ssl)) wanted.set(`udp ${key}`, { protocol: 'udp', endpoint })
    }
    for (const [key, index] of this.mappings) {
      if (wanted.has(key)) continue
      this.mappings.delete(key)
      this.portMapper.deleteMapping(index)
    }
    for (const [key, { protocol, endpoint }] of wanted) {
      if (this.mappings.has(key)) continue
      const { address, port } = endpoint
      const index = this.portMapper.addMapping(protocol, port, port, { localAddress: address })
      if (index !== -1) this.mappings.set(key, index)
    }
  }

  // --- what local discovery and port mapping need ---------------------------------------------------------------

  get settings(): Readonly<Settings> {
    return this.host.settings
  }

  listenPort(address: string, ssl: boolean): number {
    for (const endpoint of this.host.listenEndpoints) {
      if (endpoint.ssl !== ssl || isV6(endpoint.address) !== isV6(address)) continue
      if (endpoint.address === address || isUnspecified(endpoint.address)) return endpoint.port
    }
    return 0
  }

  onLocalPeer(infoHash: Sha1Hash, peer: Endpoint): void {
    this.host.onLocalPeer(infoHash, peer)
  }

  onLocalDiscoveryError(localAddress: string, error: LibtorrentError): void {
    const { alerts } = this.host
    if (alerts.wants(LsdErrorAlert.category)) alerts.post(new LsdErrorAlert({ localAddress, error }))
  }

  onPortMapped({ mapping, transport, externalPort }: PortMapped): void {
    const { alerts } = this.host
    if (!alerts.wants(PortmapAlert.category)) return
    alerts.post(new PortmapAlert({ mapping: mapping.index, externalPort, mapType: transport }))
  }

  onPortmapError({ mapping, transport, error }: PortmapFailed): void {
    const { alerts } = this.host
    if (!alerts.wants(PortmapErrorAlert.category)) return
    alerts.post(new PortmapErrorAlert({ mapping: mapping.index, mapType: transport, error }))
  }

  wantsPortmapLog(): boolean {
    return this.host.alerts.wants(PortmapLogAlert.category)
  }

  onPortmapLog(transport: PortmapTransport, message: string): void {
    this.host.alerts.post(new PortmapLogAlert({ mapType: transport, msg: message }))
  }

  onExternalAddress(address: string, router: string, transport: PortmapTransport): void {
    this.host.onExternalAddress(address, `${transport === PortmapTransport.upnp ? 'upnp' : 'nat-pmp'} ${router}`)
  }
}

/** The DHT has nothing to do with the sockets of SSL torrents. */
function usesUdp({ enableDht, enableIncomingUtp }: Readonly<Settings>, ssl: boolean): boolean {
  return enableIncomingUtp || (enableDht && !ssl)
}
