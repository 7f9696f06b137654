import { normalizeAddress } from '../address/addressBytes.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { AlertCategory } from '../alerts/alert.ts'
import type { AnyAlert as EngineAlert, TypedAlert } from '../alerts/alertTable.ts'
import type { DhtLiveNode } from '../alerts/dhtReports.ts'
import { StateUpdateAlert } from '../alerts/sessionAlerts.ts'
import { FastresumeRejectedAlert } from '../alerts/storageAlerts.ts'
import { AddTorrentAlert } from '../alerts/torrentAlerts.ts'
import { bdecode } from '../bencode/bdecode.ts'
import { bencode } from '../bencode/bencode.ts'
import type { Entry } from '../bencode/entry.ts'
import type { Ed25519Keypair } from '../crypto/ed25519.ts'
import { type DhtState, readDhtState, writeDhtState } from '../dht/dhtState.ts'
import type { SampledInfohashes } from '../dht/nodeLookups.ts'
import { torrentItem } from '../dht/torrentItem.ts'
import { LibtorrentError, libtorrentError, thrownError } from '../errors/libtorrentError.ts'
import { IpFilter } from '../filter/ipFilter.ts'
import { PortFilter } from '../filter/portFilter.ts'
import { parseMagnetUri } from '../metainfo/magnet.ts'
import type { MutableTorrent } from '../metainfo/mutableTorrent.ts'
import { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { createDiskIo, type DiskIoOptions } from '../node/diskWorkers.ts'
import { openMmdb } from '../node/mmdbFile.ts'
import { nodePlatform } from '../node/nodePlatform.ts'
import type { DiskIo } from '../platform/disk.ts'
import type { Platform } from '../platform/platform.ts'
import { readResumeData } from '../resume/readResumeData.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import { SessionCore } from '../session/sessionCore.ts'
import { type SessionStatus, sessionStatus } from '../session/sessionStatus.ts'
import { applySettings, defaultSettings, type Settings } from '../settings/settings.ts'
import type { AddTorrentParams } from '../torrent/addTorrentParams.ts'
import type { Torrent } from '../torrent/torrent.ts'
import { StatusFlags, type TorrentStatus, torrentStatus } from '../torrent/torrentStatus.ts'
import type { Sha1Hash } from '../util/digest.ts'
import type { Millis } from '../util/flavored.ts'
import { AlertHub } from './alertHub.ts'
import { bytesOf, DhtCalls, type DhtMutableItem, type DhtPutResult, type DhtSalt } from './dhtCalls.ts'
import { type DhtSettings, dhtSettingsOf, withDhtPrefix } from './dhtSettings.ts'
import { MutableTorrents } from './mutableTorrents.ts'
import { checkPeSettings, type PeSettings, peSettingsOf } from './peSettings.ts'
import { i2pProxyChanges, i2pProxyView, type ProxySettings, proxyChanges, proxyView } from './proxyView.ts'
import { TorrentHandle } from './torrentHandle.ts'

/** An alert as the session gives it: `handle` is a `TorrentHandle`. */
export type SessionAlert = TypedAlert<
  EngineAlert,
  { readonly handle: TorrentHandle; readonly status: readonly TorrentStatus[]; readonly params: AddTorrentParams }
>

/** Names of alerts for `on`; `alert` stands for all of them. */
export type SessionEvent = EngineAlert['type'] | 'alert'
/** The alert, or union of alerts, that listeners to `Event` get: `AlertFor<'torrentFinished'>`. */
export type AlertFor<Event extends SessionEvent> = Event extends 'alert'
  ? SessionAlert
  : Extract<SessionAlert, { readonly type: Event }>

/** Options of `removeTorrent` (manual, session::options_t). */
export const RemoveFlags = {
  /** The files stay. */
  none: 0,
  /** Delete the torrent's files, too. */
  deleteFiles: 1,
} as const

/** What a session is made with. Everything may be left out. */
export interface SessionParams {
  /** Settings other than the defaults; see docs/settings.md. */
  readonly settings?: Partial<Settings>
  /** Do not listen for peers; then nothing is announced to trackers either. Default false. */
  readonly noListen?: boolean
  /** As `setIpFilter`, before anybody can connect (2.0). Default: all addresses are allowed. */
  readonly ipFilter?: IpFilter
  /** Threads and memory of the disk; or a disk of one's own, which the session stops when it ends. Default: files. */
  readonly disk?: DiskIoOptions | DiskIo
  /** The world to live in: sockets, clock, chance. Default the real one; a simulated one is for tests. */
  readonly platform?: Platform
}

/**
 * A BitTorrent session: the torrents and everything they share (manual, session). Constructing it starts it.
 *
 * Alerts come in four ways, all of which see every alert: `popAlerts()`, `await waitForAlert(ms)`,
 * `on('torrentFinished', alert => ...)`, and `for await (const alert of session.alerts())`.
 *
 * @example
 * const session = new Session()
 * const torrent = session.addTorrent({ ti: new TorrentInfo(bytes), savePath: '.' })
 * session.on('torrentFinished', () => session.abort())
 */
export class Session {
  /** Resolves when each listen socket has been opened or has failed (`listenSucceeded`, `listenFailed`). */
  readonly ready: Promise<void>
  private readonly core: SessionCore
  private readonly hub: AlertHub
  private readonly dht: DhtCalls
  private readonly mutableTorrents: MutableTorrents
  private readonly handles = new WeakMap<Torrent, TorrentHandle>()
  private aborting: Promise<void> | null = null

  /** @throws TypeError or RangeError for settings that do not exist or make no sense */
  constructor(params: SessionParams = {}) {
    const settings = defaultSettings()
    applySettings(settings, params.settings ?? {})
    const platform = params.platform ?? nodePlatform()
    this.core = new SessionCore(platform, diskOf(params.disk, settings), settings)
    if (params.ipFilter !== undefined) this.setIpFilter(params.ipFilter)
    this.hub = new AlertHub(this.core.alerts, platform.timers)
    const dht = () => this.core.discovery.dht.dht
    this.dht = new DhtCalls(dht, this.core.alerts)
    this.mutableTorrents = new MutableTorrents(dht, this.core.timers)
    this.ready = new Promise((resolve) => {
      if (params.noListen) resolve()
      else this.core.listenSockets.open(resolve)
    })
  }

  // --- torrents -------------------------------------------------------------------------------------------------

  /**
   * Adds a torrent. One that is here already gives its handle, unless `duplicateIsError`.
   * @throws LibtorrentError `duplicateTorrent`, `sessionIsClosing`, `missingInfoHashInUri` and other errors of magnet
   * links; TypeError when the parameters do not say which torrent
   */
  addTorrent(params: AddTorrentParams): TorrentHandle {
    const { all, info, resume } = this.prepare(params)
    const existing = this.core.find(info.infoHash)
    if (existing !== null) {
      if (all.duplicateIsError) throw thrownError('duplicateTorrent')
      return this.handleOf(existing)
    }
    const readError = resume instanceof LibtorrentError ? resume : null
    const torrent = this.core.add(all, info, readError === null ? (resume as ResumeState | null) : null, (added) =>
      this.handleOf(added),
    )
    if (readError !== null)
      this.core.alerts.post(new FastresumeRejectedAlert({ handle: torrent.ref, error: readError }))
    return this.handleOf(torrent)
  }

  /**
   * As `addTorrent`, and posts `addTorrent` with the handle or the error (1.0, async_add_torrent).
   * Also takes a mutable torrent (BEP 46), by its magnet link or as `mutableTorrent` alone: the DHT is asked which torrent
   * it is now, and it is added by that info-hash. Rejects as `dhtGetTorrent` does.
   */
  async asyncAddTorrent(params: AddTorrentParams): Promise<TorrentHandle> {
    const { alerts } = this.core
    try {
      const torrent = this.mutableTorrentOf(params)
      const known = torrent === null ? params : { ...params, infoHash: await this.mutableTorrents.find(torrent) }
      const handle = this.addTorrent(known)
      alerts.post(new AddTorrentAlert({ handle, params, error: null }))
      return handle
    } catch (error) {
      if (error instanceof LibtorrentError) {
        const infoHash = params.ti?.infoHash ?? params.infoHash
        if (infoHash !== undefined) alerts.post(new AddTorrentAlert({ handle: { infoHash }, params, error }))
      }
      throw error
    }
  }

  /** Adds a magnet link (manual, add_magnet_uri). */
  addMagnetUri(uri: string, params: AddTorrentParams): TorrentHandle {
    return this.addTorrent({ ...params, url: uri })
  }

  /**
   * Takes a torrent out. Resolves when its trackers were told (at the latest after `stop_tracker_timeout`), its files
   * are closed and, with `RemoveFlags.deleteFiles`, deleted. Rejects when they could not be deleted.
   */
  removeTorrent(handle: TorrentHandle, options: number = RemoveFlags.none): Promise<void> {
    const torrent = this.core.find(handle.infoHash)
    if (torrent === null || !this.handleOf(torrent).equals(handle)) {
      return Promise.reject(libtorrentError('invalidTorrentHandle'))
    }
    const deletes = (options & RemoveFlags.deleteFiles) !== 0
    return new Promise((resolve, reject) => {
      const done = (error: LibtorrentError | null) => {
        if (error === null) resolve()
        else reject(error)
      }
      this.core.remove(torrent, done, 'torrentRemoved', deletes)
    })
  }

  /** Null when there is no such torrent here. */
  findTorrent(infoHash: Sha1Hash): TorrentHandle | null {
    const torrent = this.core.find(infoHash)
    return torrent === null ? null : this.handleOf(torrent)
  }

  /** All torrents, in the order they were added. */
  getTorrents(): TorrentHandle[] {
    return Array.from(this.core.torrents.values(), (torrent) => this.handleOf(torrent))
  }

  /** The status of the torrents `predicate` says true of (1.0). */
  getTorrentStatus(predicate: (status: TorrentStatus) => boolean, flags: number = StatusFlags.all): TorrentStatus[] {
    return Array.from(this.core.torrents.values(), (torrent) => torrentStatus(torrent, flags)).filter(predicate)
  }

  /** The present status of torrents whose older status is given; those removed since are left out (1.0). */
  refreshTorrentStatus(statuses: readonly TorrentStatus[], flags: number = StatusFlags.all): TorrentStatus[] {
    return statuses
      .map((status) => this.core.find(status.infoHash))
      .filter((torrent) => torrent !== null)
      .map((torrent) => torrentStatus(torrent, flags))
  }

  /** Posts `stateUpdate` with the status of every torrent that changed since the last call (1.0). */
  postTorrentUpdates(flags: number = StatusFlags.all): void {
    const status = this.core.takeUpdated().map((torrent) => torrentStatus(torrent, flags))
    this.core.alerts.post(new StateUpdateAlert({ status }))
  }

  // --- the session as a whole -----------------------------------------------------------------------------------

  /** Rates, totals and counts over all torrents, as they are now. */
  status(): SessionStatus {
    return sessionStatus(this.core)
  }

  /** Stops all torrents, whatever they are set to. */
  pause(): void {
    this.core.pause()
  }

  /** Ends `pause`: torrents go on as they are set to. */
  resume(): void {
    this.core.resume()
  }

  /** Whether `pause` is in effect. */
  get isPaused(): boolean {
    return this.core.isPaused
  }

  /** The settings as they are: a copy. */
  settings(): Settings {
    return { ...this.core.settings }
  }

  /**
   * Changes settings while running; resolves when they are in effect, listen sockets included.
   * @throws TypeError for an unknown name or a wrong type, RangeError for a value out of range; then none is changed
   */
  applySettings(changes: Partial<Settings>): Promise<void> {
    return new Promise((resolve) => {
      this.core.applySettings(changes, resolve)
      if (changes.alertMask !== undefined) this.hub.mask = changes.alertMask
    })
  }

  /** The manual's name of `applySettings`. */
  setSettings(settings: Partial<Settings>): Promise<void> {
    return this.applySettings(settings)
  }

  /**
   * Listens on the first free port of the range, on one address or (default) on all (manual, listen_on).
   * Rejects with `listenFailed`'s error when no port is free.
   */
  async listenOn(portRange: readonly [number, number], listenInterface?: string): Promise<void> {
    const [first, last] = portRange
    const host = listenInterface?.includes(':') ? `[${listenInterface}]` : listenInterface
    const listenInterfaces = host === undefined ? `0.0.0.0:${first},[::]:${first}` : `${host}:${first}`
    await this.applySettings({
      listenInterfaces,
      maxRetryPortBind: Math.max(0, last - first),
      listenSystemPortFallback: false,
    })
    if (!this.isListening) throw thrownError('portBlocked', { message: `no port of ${first} to ${last} is free` })
  }

  /** Whether at least one listen socket is open. */
  get isListening(): boolean {
    return this.core.listenSockets.isListening
  }

  /** The port peers reach us at, 0 when we do not listen. */
  get listenPort(): number {
    return this.core.listenPort
  }

  /** The port peers of SSL torrents reach us at, 0 when there is none (1.0, ssl_listen_port; setting `sslListen`). */
  get sslListenPort(): number {
    return this.core.sslListenPort
  }

  /** Our peer id, 20 bytes. */
  get id(): Uint8Array {
    return this.core.peerId.slice()
  }

  /** Connections over all torrents. */
  get numConnections(): number {
    return this.core.numConnections
  }

  /** Peers that are unchoked. */
  get numUploads(): number {
    return this.core.unchoker.numUploads
  }

  /** Most connections over all torrents, at least 2. Those beyond it end at once, the least useful first. */
  setMaxConnections(limit: number): void {
    this.core.applySettings({ connectionsLimit: Math.max(2, limit) }, () => {})
  }

  /** What `setMaxConnections` set. */
  get maxConnections(): number {
    return this.core.settings.connectionsLimit
  }

  /** Most connections that are being opened at a time, -1 for no limit (setting `halfOpenLimit`). */
  setMaxHalfOpenConnections(limit: number): void {
    this.core.applySettings({ halfOpenLimit: Math.max(0, limit) }, () => {})
  }

  /** What `setMaxHalfOpenConnections` set. */
  get maxHalfOpenConnections(): number {
    return this.core.settings.halfOpenLimit || -1
  }

  /** Upload slots over all torrents, -1 for no limit. */
  setMaxUploads(limit: number): void {
    this.core.applySettings({ unchokeSlotsLimit: limit }, () => {})
  }

  /** What `setMaxUploads` set. */
  get maxUploads(): number {
    return this.core.settings.unchokeSlotsLimit
  }

  // --- how fast ------------------------------------------------------------------------------------------------

  /**
   * How fast to upload over all torrents, bytes a second; 0 or -1 for no limit (setting `uploadRateLimit`). It holds from
   * now on. Peers of the local network are exempt unless the setting `ignoreLimitsOnLocalNetwork` is false.
   */
  setUploadRateLimit(bytesPerSecond: number): void {
    this.core.applySettings({ uploadRateLimit: bytesPerSecond }, () => {})
  }

  /** What `setUploadRateLimit` set; 0 for no limit. */
  get uploadRateLimit(): number {
    return Math.max(0, this.core.settings.uploadRateLimit)
  }

  /** As `setUploadRateLimit`, for what peers and web seeds send us (setting `downloadRateLimit`). */
  setDownloadRateLimit(bytesPerSecond: number): void {
    this.core.applySettings({ downloadRateLimit: bytesPerSecond }, () => {})
  }

  /** What `setDownloadRateLimit` set; 0 for no limit. */
  get downloadRateLimit(): number {
    return Math.max(0, this.core.settings.downloadRateLimit)
  }

  /**
   * How fast to upload to peers of the local network while they are exempt from the other limits, bytes a second; 0 or -1
   * for no limit (setting `localUploadRateLimit`).
   */
  setLocalUploadRateLimit(bytesPerSecond: number): void {
    this.core.applySettings({ localUploadRateLimit: bytesPerSecond }, () => {})
  }

  /** What `setLocalUploadRateLimit` set; 0 for no limit. */
  get localUploadRateLimit(): number {
    return Math.max(0, this.core.settings.localUploadRateLimit)
  }

  /** As `setLocalUploadRateLimit`, for what these peers send us (setting `localDownloadRateLimit`). */
  setLocalDownloadRateLimit(bytesPerSecond: number): void {
    this.core.applySettings({ localDownloadRateLimit: bytesPerSecond }, () => {})
  }

  /** What `setLocalDownloadRateLimit` set; 0 for no limit. */
  get localDownloadRateLimit(): number {
    return Math.max(0, this.core.settings.localDownloadRateLimit)
  }

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

  // --- DHT ------------------------------------------------------------------------------------------------------

  /** Turns the DHT on (setting `enableDht`); `state` is what `dhtState` gave in an earlier run (manual, start_dht). */
  startDht(state?: Entry): void {
    if (state !== undefined) this.core.discovery.restoreDht(dhtStateOf(state))
    this.core.applySettings({ enableDht: true }, () => {})
  }

  /** Turns it off (manual, stop_dht). */
  stopDht(): void {
    this.core.applySettings({ enableDht: false }, () => {})
  }

  get isDhtRunning(): boolean {
    return this.core.discovery.dht.isRunning
  }

  /** What to keep for the next run: ids and nodes, in libtorrent's format (manual, dht_state). Null while it is off. */
  dhtState(): Entry | null {
    const { dht } = this.core.discovery.dht
    return dht === null ? null : writeDhtState(dht.saveState())
  }

  /** The settings `dht*`, under the names of `dht_settings` (1.0, get_dht_settings). */
  getDhtSettings(): DhtSettings {
    return dhtSettingsOf(this.core.settings)
  }

  /** @throws TypeError or RangeError as `applySettings` does (manual, set_dht_settings) */
  setDhtSettings(changes: Partial<DhtSettings>): void {
    this.core.applySettings(withDhtPrefix(changes), () => {})
  }

  /** How connections are encrypted (manual, pe_settings). */
  getPeSettings(): PeSettings {
    return peSettingsOf(this.core.settings)
  }

  /** Holds for connections from now on. @throws TypeError or RangeError as `applySettings` does (manual, set_pe_settings) */
  setPeSettings(changes: Partial<PeSettings>): void {
    this.core.applySettings(checkPeSettings(changes), () => {})
  }

  /** A node to try; `host` may be a name (manual, add_dht_node). */
  addDhtNode(node: { readonly host: string; readonly port: number }): void {
    this.core.discovery.addDhtNode(node.host, node.port)
  }

  /** A node to ask while no other is known; it never enters the routing table (manual, add_dht_router). */
  addDhtRouter(node: { readonly host: string; readonly port: number }): void {
    this.core.discovery.dht.addRouter(node.host, node.port)
  }

  /**
   * The immutable item at `target`, null when nobody has it; posts `dhtImmutableItem`. Or the newest mutable item of a
   * public key (32 bytes) and salt; posts `dhtMutableItem` (BEP 44; 1.0, dht_get_item).
   */
  dhtGetItem(target: Sha1Hash): Promise<Entry | null>
  dhtGetItem(key: Uint8Array, salt?: DhtSalt): Promise<DhtMutableItem | null>
  dhtGetItem(what: Sha1Hash | Uint8Array, salt: DhtSalt = ''): Promise<Entry | DhtMutableItem | null> {
    return what instanceof Uint8Array ? this.dht.getMutableItem(what, salt) : this.dht.getImmutableItem(what)
  }

  /**
   * Stores an item of up to 1000 bytes, bencoded, and tells at which target; posts `dhtPut` (BEP 44; 1.0, dht_put_item).
   * The DHT forgets it after two hours unless it is stored again.
   * With keys it is a mutable one: `update` gets what is there, or null, and returns what shall be.
   */
  dhtPutItem(item: Entry): Promise<DhtPutResult & { readonly target: Sha1Hash }>
  dhtPutItem(
    keys: Ed25519Keypair,
    update: (current: DhtMutableItem | null) => Entry,
    salt?: DhtSalt,
  ): Promise<DhtPutResult & { readonly seq: number }>
  dhtPutItem(
    itemOrKeys: Entry | Ed25519Keypair,
    update?: (current: DhtMutableItem | null) => Entry,
    salt: DhtSalt = '',
  ): Promise<DhtPutResult> {
    return update === undefined
      ? this.dht.putImmutableItem(itemOrKeys as Entry)
      : this.dht.putMutableItem(itemOrKeys as Ed25519Keypair, update, salt)
  }

  /**
   * Which torrent the publisher of a key names now (BEP 46). Rejects with `timedOut` when nobody in the DHT knows for a
   * minute, `invalidInfoHash` when what is stored there is no torrent.
   */
  dhtGetTorrent(publicKey: Uint8Array, salt: DhtSalt = ''): Promise<Sha1Hash> {
    return this.mutableTorrents.find({ publicKey, salt: bytesOf(salt) })
  }

  /**
   * Names the newest version of a mutable torrent (BEP 46). The DHT forgets it after two hours unless somebody stores it
   * again; everyone who has added the torrent with `mutableTorrent` does.
   */
  dhtPutTorrent(
    keys: Ed25519Keypair,
    infoHash: Sha1Hash,
    salt: DhtSalt = '',
  ): Promise<DhtPutResult & { readonly seq: number }> {
    return this.dht.putMutableItem(keys, () => torrentItem(infoHash), salt)
  }

  /** The peers the DHT knows for an info-hash (1.2, dht_get_peers). */
  dhtGetPeers(infoHash: Sha1Hash): Promise<Endpoint[]> {
    return this.dht.getPeers(infoHash)
  }

  /** Tells the DHT that there is a peer for an info-hash at our address and `port` (1.2, dht_announce). */
  dhtAnnounce(infoHash: Sha1Hash, port: number, seed = false): Promise<DhtPutResult> {
    return this.dht.announce(infoHash, port, seed)
  }

  /** Asks one node for info-hashes it has peers for (BEP 51; 1.2, dht_sample_infohashes); null without an answer. */
  dhtSampleInfohashes(endpoint: Endpoint, target: Sha1Hash): Promise<SampledInfohashes | null> {
    return this.dht.sampleInfohashes(endpoint, target)
  }

  /** Sends a message of one's own to a node (1.1, dht_direct_request); null without an answer. */
  dhtDirectRequest(endpoint: Endpoint, query: Entry): Promise<Entry | null> {
    return this.dht.directRequest(endpoint, query)
  }

  /**
   * The nodes in the routing table of the node of ours that has this id (`dhtStats` tells the ids); also posts
   * `dhtLiveNodes` (1.1, dht_live_nodes). Empty when there is no such node.
   */
  dhtLiveNodes(nodeId: Sha1Hash): readonly DhtLiveNode[] {
    return this.dht.liveNodes(nodeId)
  }

  /** Posts a `dhtStats` for each of our nodes, one a listen socket; none while the DHT is off (1.1, post_dht_stats). */
  postDhtStats(): void {
    this.dht.postStats()
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

  // --- alerts ---------------------------------------------------------------------------------------------------

  /** All alerts since the last call, oldest first. */
  popAlerts(): SessionAlert[] {
    return this.hub.popAlerts() as SessionAlert[]
  }

  /** The oldest alert, or null. */
  popAlert(): SessionAlert | null {
    return this.hub.popAlert() as SessionAlert | null
  }

  /** Waits up to `maxWait` ms for an alert and returns it without taking it; null when none came. */
  waitForAlert(maxWait: Millis): Promise<SessionAlert | null> {
    return this.hub.waitForAlert(maxWait) as Promise<SessionAlert | null>
  }

  /**
   * Calls `listener` for every alert of a kind, `'alert'` for all. Turns the kind's category on.
   * @throws TypeError when there is no such kind
   */
  on<Event extends SessionEvent>(event: Event, listener: (alert: AlertFor<Event>) => void): this {
    this.hub.on(event, listener as (alert: EngineAlert) => void)
    return this
  }

  /** As `on`, for the next alert of the kind only. */
  once<Event extends SessionEvent>(event: Event, listener: (alert: AlertFor<Event>) => void): this {
    this.hub.once(event, listener as (alert: EngineAlert) => void)
    return this
  }

  /** Takes a listener back. The category stays on while others listen to it. */
  off<Event extends SessionEvent>(event: Event, listener: (alert: AlertFor<Event>) => void): this {
    this.hub.off(event, listener as (alert: EngineAlert) => void)
    return this
  }

  /** Every alert from now on until the session has closed. */
  alerts(): AsyncIterableIterator<SessionAlert> {
    return this.hub.iterate() as AsyncIterableIterator<SessionAlert>
  }

  /** Which alerts are wanted: bits of `AlertCategory` (setting `alertMask`). */
  setAlertMask(mask: number): void {
    const alertMask = mask & AlertCategory.all
    applySettings(this.core.settings, { alertMask })
    this.hub.mask = alertMask
  }

  /** Alerts kept while nobody fetches them (setting `alertQueueSize`); returns the old limit. */
  setAlertQueueSizeLimit(limit: number): number {
    applySettings(this.core.settings, { alertQueueSize: limit })
    return this.core.alerts.setSizeLimit(limit)
  }

  /**
   * Hands every alert to `dispatch` the moment it is posted, in place of the other ways; null ends that. It runs in the
   * middle of the session's work: it must not throw, nor call the session.
   */
  setAlertDispatch(dispatch: ((alert: SessionAlert) => void) | null): void {
    this.core.alerts.setDispatch(dispatch as ((alert: EngineAlert) => void) | null)
  }

  // --- the end --------------------------------------------------------------------------------------------------

  /**
   * Ends the session: announces `stopped` (at the latest given up after `stop_tracker_timeout`), writes what is on its
   * way to disk, closes all files and sockets. Calling again returns the same promise.
   */
  abort(): Promise<void> {
    this.mutableTorrents.stop()
    this.aborting ??= new Promise<void>((resolve) => {
      this.core.close(() => {
        this.hub.end()
        resolve()
      })
    })
    return this.aborting
  }

  /** The same as `abort`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  private handleOf(torrent: Torrent): TorrentHandle {
    let handle = this.handles.get(torrent)
    if (handle === undefined) {
      handle = new TorrentHandle(torrent)
      this.handles.set(torrent, handle)
    }
    return handle
  }

  /** The mutable torrent, if nothing says which version of it is meant. The nodes that come with it are taken. */
  private mutableTorrentOf(params: AddTorrentParams): MutableTorrent | null {
    if (params.ti !== undefined || params.resumeData !== undefined) return null
    const { mutableTorrent, infoHash, dhtNodes } = params.url === undefined ? params : withMagnet(params, params.url)
    if (mutableTorrent === undefined || infoHash !== undefined) return null
    for (const node of dhtNodes ?? []) this.addDhtNode(node)
    return mutableTorrent
  }

  /** Brings together what the parameters, the magnet link and the resume data say. */
  private prepare(params: AddTorrentParams): {
    all: AddTorrentParams
    info: TorrentInfo
    resume: ResumeState | LibtorrentError | null
  } {
    if (typeof params.savePath !== 'string' || params.savePath === '') {
      throw new TypeError('savePath is missing: it says in which directory the files are')
    }
    const resume = params.resumeData === undefined ? null : readResumeData(params.resumeData)
    const known = resume instanceof LibtorrentError ? null : resume
    const all = withResumeFlags(params.url === undefined ? params : withMagnet(params, params.url), known)
    let { ti } = all
    const infoHash = ti?.infoHash ?? all.infoHash ?? known?.infoHash
    if (infoHash === undefined || infoHash === null) {
      if (all.mutableTorrent !== undefined) throw thrownError('missingInfoHashInUri', { message: UNKNOWN_VERSION })
      throw new TypeError('which torrent? Give ti, infoHash, a magnet link as url, or resumeData')
    }
    ti ??= new TorrentInfo(infoHash)
    if (!ti.isValid && known?.info && known.infoHash?.equals(infoHash)) ti.parseInfoSection(known.info)
    return { all, info: ti, resume }
  }
}

const UNKNOWN_VERSION = 'only the DHT knows which version of the torrent is the newest: asyncAddTorrent asks it'

function withMagnet(params: AddTorrentParams, uri: string): AddTorrentParams {
  const magnet = parseMagnetUri(uri)
  if (magnet instanceof LibtorrentError) throw magnet
  if (magnet.infoHash === null && magnet.mutableTorrent === null) {
    throw thrownError('missingInfoHashInUri', {
      message: 'the link is to a v2-only torrent, which is not supported',
    })
  }
  return {
    ...params,
    infoHash: magnet.infoHash ?? params.infoHash,
    mutableTorrent: params.mutableTorrent ?? magnet.mutableTorrent ?? undefined,
    name: params.name ?? magnet.name,
    trackers: [...(params.trackers ?? []), ...magnet.trackers.map((tracker) => tracker.url)],
    urlSeeds: [...(params.urlSeeds ?? []), ...magnet.urlSeeds],
    peers: [...(params.peers ?? []), ...magnet.peers],
    dhtNodes: [...(params.dhtNodes ?? []), ...magnet.dhtNodes],
    selectOnly: params.selectOnly ?? magnet.selectOnly ?? undefined,
  }
}

/** Where peers are not looked for is said by the parameters, or else by the resume data. */
function withResumeFlags(params: AddTorrentParams, resume: ResumeState | null): AddTorrentParams {
  return {
    ...params,
    disableDht: params.disableDht ?? resume?.disableDht ?? false,
    disableLsd: params.disableLsd ?? resume?.disableLsd ?? false,
    disablePex: params.disablePex ?? resume?.disablePex ?? false,
    i2pTorrent: params.i2pTorrent ?? (resume?.i2pTorrent || undefined),
  }
}

/** The state as the DHT takes it; what makes no sense in it is left out. */
function dhtStateOf(state: Entry): DhtState {
  const decoded = bdecode(bencode(state))
  return readDhtState(decoded.ok ? decoded.root : null)
}

function diskOf(disk: DiskIoOptions | DiskIo | undefined, settings: Settings): DiskIo {
  if (disk !== undefined && 'openStorage' in disk) return disk
  return createDiskIo({ maxQueuedDiskBytes: settings.maxQueuedDiskBytes, filePoolSize: settings.filePoolSize }, disk)
}
