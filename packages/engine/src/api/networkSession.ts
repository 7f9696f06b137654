import { normalizeAddress } from '../address/addressBytes.ts'
import { IpFilter } from '../filter/ipFilter.ts'
import { PortFilter } from '../filter/portFilter.ts'
import { openMmdb } from '../node/mmdbFile.ts'
import { ConfiguredSession } from './configuredSession.ts'
import { checkPeSettings, type PeSettings, peSettingsOf } from './peSettings.ts'
import { i2pProxyChanges, i2pProxyView, type ProxySettings, proxyChanges, proxyView } from './proxyView.ts'

/** What of `Session` is about the way to others: who may be spoken to, through which proxy, and by which router. */
export abstract class NetworkSession extends ConfiguredSession {
  // --- who may be spoken to, and where they are -----------------------------------------------------------------

  /**
   * Refuses connections to and from the addresses that `filter` blocks (manual, set_ip_filter). The filter is copied:
   * what is changed in it afterwards counts once it is set again. It takes the place of the one before.
   *
   * Peers that are connected and blocked now are disconnected at once (`bannedByIpFilter`), others forgotten; each that is
   * refused from now on is told of by `peerBlocked`. It holds for web seeds as well, for trackers unless setting
   * `applyIpFilterToTrackers` is off, and for the DHT unless `applyFilterToDht` is. Torrents added with
   * `applyIpFilter: false` are exempt, as far as it is about them.
   * @throws TypeError for anything but an IpFilter
   */
  setIpFilter(filter: IpFilter): void {
    if (!(filter instanceof IpFilter))
      throw new TypeError('setIpFilter needs an IpFilter; loadIpFilter makes one of a file')
    this.core.setIpFilter(filter)
  }

  /** A copy of the filter (manual, get_ip_filter). What is changed in it counts once it is set. */
  getIpFilter(): IpFilter {
    return this.core.filters.ipFilter
  }

  /**
   * Connects to no peer and no web seed at a port that `filter` blocks (1.0, set_port_filter); those connected are
   * disconnected at once (`portBlocked`). Who connects to us is let in. The filter is copied, as with `setIpFilter`.
   * @throws TypeError for anything but a PortFilter
   */
  setPortFilter(filter: PortFilter): void {
    if (!(filter instanceof PortFilter)) throw new TypeError('setPortFilter needs a PortFilter')
    this.core.setPortFilter(filter)
  }

  /** A copy of the filter (2.0, get_port_filter). */
  getPortFilter(): PortFilter {
    return this.core.filters.portFilter
  }

  /**
   * Loads a MaxMind database of countries, such as `GeoLite2-Country.mmdb`, or its bytes (manual, load_country_db).
   * `PeerInfo.country` is filled in for torrents that resolve countries. Another call replaces it. libtorrent 0.15's own
   * format, `GeoIP.dat`, is not given out any more.
   * Rejects with a `LibtorrentError` when it cannot be read or is damaged; then nothing changes.
   */
  async loadCountryDb(database: string | Uint8Array): Promise<void> {
    this.core.origins.countries = await openMmdb(database, 'countries')
  }

  /**
   * Loads a MaxMind database of networks, such as `GeoLite2-ASN.mmdb`, or its bytes (manual, load_asnum_db): for
   * `PeerInfo.inetAs`, `PeerInfo.inetAsName` and `asForIp`. Rejects as `loadCountryDb`.
   */
  async loadAsnumDb(database: string | Uint8Array): Promise<void> {
    this.core.origins.networks = await openMmdb(database, 'networks')
  }

  /** Number of the network (autonomous system) an address belongs to; 0 when it is not known (manual, as_for_ip). */
  asForIp(address: string): number {
    const canonical = normalizeAddress(address)
    return canonical === null ? 0 : this.core.origins.network(canonical).inetAs
  }

  // --- encryption -----------------------------------------------------------------------------------------------

  /** How connections are encrypted (manual, pe_settings). */
  getPeSettings(): PeSettings {
    return peSettingsOf(this.core.settings)
  }

  /** Holds for connections from now on. @throws TypeError or RangeError as `applySettings` does (manual, set_pe_settings) */
  setPeSettings(changes: Partial<PeSettings>): void {
    this.core.applySettings(checkPeSettings(changes), () => {})
  }

  // --- proxies --------------------------------------------------------------------------------------------------

  /**
   * Connects through a proxy from now on; `{ type: ProxyType.none }` ends that. What is left out is as by default.
   * Resolves when it is in effect; connections to peers that went another way end (manual, set_proxy).
   * @throws as `applySettings`; TypeError for an I2P router
   */
  setProxy(proxy: Partial<ProxySettings>): Promise<void> {
    return this.applySettings(proxyChanges(proxy))
  }

  /** The proxy, with all its settings (manual, proxy). */
  get proxy(): ProxySettings {
    return proxyView(this.core.settings)
  }

  /** As `setProxy`: there is one proxy for everything since libtorrent 1.0. */
  setPeerProxy(proxy: Partial<ProxySettings>): Promise<void> {
    return this.setProxy(proxy)
  }

  /** As `setProxy`. */
  setWebSeedProxy(proxy: Partial<ProxySettings>): Promise<void> {
    return this.setProxy(proxy)
  }

  /** As `setProxy`. */
  setTrackerProxy(proxy: Partial<ProxySettings>): Promise<void> {
    return this.setProxy(proxy)
  }

  /** As `setProxy`. */
  setDhtProxy(proxy: Partial<ProxySettings>): Promise<void> {
    return this.setProxy(proxy)
  }

  /** As `proxy`. */
  get peerProxy(): ProxySettings {
    return this.proxy
  }

  /** As `proxy`. */
  get webSeedProxy(): ProxySettings {
    return this.proxy
  }

  /** As `proxy`. */
  get trackerProxy(): ProxySettings {
    return this.proxy
  }

  /** As `proxy`. */
  get dhtProxy(): ProxySettings {
    return this.proxy
  }

  /**
   * Names the SAM bridge of an I2P router (1.0, set_i2p_proxy): `hostname` and `port` are the settings `i2pHostname` and
   * `i2pPort`. Torrents with trackers in I2P have their peers through it. An empty name, or `{ type: ProxyType.none }`, ends
   * that. Resolves when it is in effect; whether the router answers is told by `i2p` alerts.
   * @throws as `applySettings`; TypeError for another type of proxy
   */
  setI2pProxy(proxy: Partial<ProxySettings>): Promise<void> {
    return this.applySettings(i2pProxyChanges(proxy))
  }

  /** The I2P router (1.0, i2p_proxy). Its name is empty while there is none. */
  get i2pProxy(): ProxySettings {
    return i2pProxyView(this.core.settings)
  }

  /**
   * Where peers in I2P reach us: the base 32 name of our destination there, which is another one with each session with the
   * router. Empty while there is no session.
   */
  get i2pAddress(): string {
    return this.core.i2p.address ?? ''
  }

  // --- local network --------------------------------------------------------------------------------------------

  /** Turns local service discovery on (setting `enableLsd`; manual, start_lsd). */
  startLsd(): void {
    this.core.applySettings({ enableLsd: true }, () => {})
  }

  stopLsd(): void {
    this.core.applySettings({ enableLsd: false }, () => {})
  }

  /** Has UPnP routers forward our ports (setting `enableUpnp`; manual, start_upnp). */
  startUpnp(): void {
    this.core.applySettings({ enableUpnp: true }, () => {})
  }

  stopUpnp(): void {
    this.core.applySettings({ enableUpnp: false }, () => {})
  }

  /** Has NAT-PMP and PCP routers forward our ports (setting `enableNatpmp`; manual, start_natpmp). */
  startNatpmp(): void {
    this.core.applySettings({ enableNatpmp: true }, () => {})
  }

  stopNatpmp(): void {
    this.core.applySettings({ enableNatpmp: false }, () => {})
  }

  /**
   * Has routers forward another port to us, and returns its index, to which `portmap` and `portmapError` refer; -1 when
   * there are 50 already (1.0, add_port_mapping).
   * @throws RangeError for ports that are not 1 to 65535
   */
  addPortMapping(protocol: 'tcp' | 'udp', externalPort: number, localPort: number): number {
    return this.core.discovery.portMapper.addMapping(protocol, externalPort, localPort)
  }

  /** Takes it back (1.0, delete_port_mapping). */
  deletePortMapping(mapping: number): void {
    this.core.discovery.portMapper.deleteMapping(mapping)
  }
}
