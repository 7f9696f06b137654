import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import { UrlSeedAlert } from '../alerts/peerAlerts.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { WebSeedEntry, WebSeedType } from '../metainfo/trackerUrl.ts'
import { TorrentPeer } from '../peers/torrentPeer.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import type { Millis, PieceIndex } from '../util/flavored.ts'
import type { TransferStats } from '../util/transferStats.ts'
import { withoutQuery } from '../webseed/requestHeaders.ts'
import type { WebSeedTrouble } from '../webseed/webSeedHost.ts'
import type { AddTorrentParams } from './addTorrentParams.ts'
import type { BlockRequester } from './blockRequester.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentHost } from './torrentHost.ts'
import { WebSeedConnection, type WebSeedConnectionHost, type WebSeedConnectionOwner } from './webSeedConnection.ts'

export interface WebSeedsHost extends WebSeedConnectionHost {
  readonly session: WebSeedConnectionHost['session'] & Pick<TorrentHost, 'addTransfers'>
  readonly params: Readonly<AddTorrentParams>
  readonly alerts: AlertSink
  readonly ref: TorrentRef
  readonly layout: PieceLayout | null
  readonly swarm: Swarm
  readonly requester: BlockRequester
  /** Of the torrent. */
  readonly stats: TransferStats
  /** Something is to be downloaded, and nothing forbids it but that the torrent may be paused. */
  readonly isDownloadAllowed: boolean
  /** Blocks are asked for: online, and something is wanted. */
  readonly isRequesting: boolean
  /** Nothing outside of I2P may be asked. */
  readonly keepsToI2p: boolean
  needsSaveResume: boolean
  /** The torrent has something to do each second. */
  stayActive(): void
}

/** A web seed of the torrent, in use or not. */
interface Listed {
  readonly entry: WebSeedEntry
  /** What the picker knows it by: pieces it had a part in may fail after it was left. */
  readonly peer: TorrentPeer
  connection: WebSeedConnection | null
  /** Why it is not used any more; null while it may be. */
  error: LibtorrentError | null
}

const TYPES: readonly WebSeedType[] = ['urlSeed', 'httpSeed']

/** The web seeds of a torrent (BEP 17, BEP 19): which there are, and those that are downloaded from. */
export class WebSeeds implements WebSeedConnectionOwner {
  private readonly list: Listed[] = []
  /** The `peer` of each that is or was in the list. */
  private senders: WeakSet<TorrentPeer> | null = null

  constructor(private readonly host: WebSeedsHost) {}

  /** Those of the torrent and of whoever added it, or of resume data. */
  load(resume: ResumeState | null): void {
    const { params, info } = this.host
    for (const type of TYPES) {
      const [saved, given] =
        type === 'urlSeed' ? [resume?.urlSeeds, params.urlSeeds] : [resume?.httpSeeds, params.httpSeeds]
      for (const url of saved ?? []) this.insert({ url, type })
      if (saved && !params.mergeResumeHttpSeeds) continue
      for (const entry of info.webSeeds) if (entry.type === type) this.insert(entry)
      for (const url of given ?? []) this.insert({ url, type })
    }
  }

  /** The URLs of one kind, in the order they are used. */
  urls(type: WebSeedType): string[] {
    return this.list.filter(({ entry }) => entry.type === type).map(({ entry }) => entry.url)
  }

  /** What resume data says: null when there is nothing to say that the torrent file does not. */
  saved(type: WebSeedType): string[] | null {
    const urls = this.urls(type)
    return urls.length > 0 || this.host.info.webSeeds.some((entry) => entry.type === type) ? urls : null
  }

  /** One more; one that is there already and was of no use is tried once more. */
  add(entry: WebSeedEntry): void {
    const known = this.list[this.find(entry.url, entry.type)]
    if (known !== undefined) known.error = null
    else if (this.insert(entry)) this.host.needsSaveResume = true
    this.update()
  }

  remove(url: string, type: WebSeedType): void {
    const at = this.find(url, type)
    if (at === -1) return
    const [listed] = this.list.splice(at, 1)
    this.host.needsSaveResume = true
    this.disconnect(listed)
    this.update()
  }

  *connections(): Iterable<WebSeedConnection> {
    for (const { connection } of this.list) if (connection !== null) yield connection
  }

  /** Those in use that can be asked at any time. */
  get numReady(): number {
    let ready = 0
    for (const connection of this.connections()) if (connection.isReady) ready++
    return ready
  }

  /** Blocks are on their way. */
  get isAwaited(): boolean {
    return this.list.some(({ connection }) => connection !== null && connection.seed.outstanding > 0)
  }

  /** Connects to web seeds when there is something to ask for, leaves them when nothing may be downloaded. */
  update(): void {
    const { host } = this
    if (!host.isDownloadAllowed || host.keepsToI2p) return this.stop()
    if (this.list.length === 0 || !host.isRequesting) return
    this.connect()
    for (const connection of [...this.connections()]) connection.pump()
  }

  /** Leaves all. */
  stop(): void {
    if (this.list.length === 0) return
    for (const listed of [...this.list]) this.disconnect(listed)
  }

  onSettingsChanged(): void {
    let surplus = this.numReady - this.host.settings.maxWebSeedConnections
    for (const listed of this.list.toReversed()) {
      if (surplus <= 0 || !listed.connection?.isReady) continue
      this.disconnect(listed)
      surplus--
    }
    this.update()
  }

  /** What https servers are shown is another: those that would not have us are asked again. */
  onCredentialsChanged(): void {
    for (const listed of [...this.list]) {
      if (/^https:/i.test(listed.entry.url) && listed.connection?.isReady === false) this.disconnect(listed)
    }
    this.update()
  }

  /**
   * What a filter forbade may be allowed now, and the other way round. `refusal` says why an address is not to be spoken
   * to, or null.
   */
  onFilterChanged(refusal: (address: string) => LibtorrentError | null): void {
    for (const listed of [...this.list]) {
      if (listed.error?.is('bannedByIpFilter') || listed.error?.is('portBlocked')) listed.error = null
      const error = listed.connection === null ? null : refusal(listed.connection.remote.address)
      if (error === null) continue
      listed.error = error
      this.disconnect(listed)
      this.postTrouble(withoutQuery(listed.entry.url), error)
    }
    this.update()
  }

  /** Each second, before the rates of the torrent are derived. */
  tick(elapsed: Millis): void {
    const { stats, counters, settings, session } = this.host
    for (const connection of this.connections()) {
      if (settings.reportWebSeedDownloads) stats.accumulate(connection.stats)
      if (connection.stats.downloadPayload.counter > 0) counters.lastDownload = session.clock.unixTime()
      if (connection.isConnected && connection.isSeed) counters.lastSeenComplete = session.clock.unixTime()
      connection.tick(elapsed)
    }
    this.update()
  }

  /** A piece was wrong; `banned` are those to blame. Gives those of them that are not web seeds. */
  onPieceFailed(piece: PieceIndex, banned: readonly TorrentPeer[]): readonly TorrentPeer[] {
    return banned.filter((entry) => {
      if (!this.senders?.has(entry)) return true
      const listed = this.list.find(({ peer }) => peer === entry)
      listed?.connection?.seed.pieceFailed(piece, libtorrentError('failedHashCheck'))
      return false
    })
  }

  // --- what the connections need --------------------------------------------------------------------------------

  /** Of those at work at once there may be only so many, those that have just been waiting included. */
  mayAsk(asking: WebSeedConnection): boolean {
    if (!this.host.isRequesting) return false
    let others = 0
    for (const connection of this.connections()) {
      if (connection !== asking && connection.seed.outstanding > 0) others++
    }
    return others < this.host.settings.maxWebSeedConnections
  }

  onAsked(): void {
    this.host.stayActive()
  }

  onBlocksFree(): void {
    const { host } = this
    if (!host.isRequesting) return
    for (const peer of host.swarm.connections) host.requester.requestMore(peer)
    for (const connection of [...this.connections()]) connection.pump()
  }

  onTrouble(connection: WebSeedConnection, trouble: WebSeedTrouble): void {
    this.postTrouble(trouble.url, trouble.error)
    if (connection.isReady) return
    const listed = this.list.find((each) => each.connection === connection)
    if (listed !== undefined && connection.seed.state.name === 'disabled') {
      listed.error = trouble.error
      this.disconnect(listed)
    }
    // Others may do what this one does not.
    this.update()
  }

  // --------------------------------------------------------------------------------------------------------------

  private connect(): void {
    const { host } = this
    const { layout } = host
    let room = host.settings.maxWebSeedConnections - this.numReady
    for (const listed of this.list) {
      if (room <= 0 || layout === null) return
      if (listed.connection !== null || listed.error !== null) continue
      const connection = new WebSeedConnection(host, this, layout, listed)
      const { state } = connection.seed
      if (state.name === 'disabled') {
        listed.error = state.error
        connection.close()
        this.postTrouble(withoutQuery(listed.entry.url), state.error)
        continue
      }
      listed.connection = connection
      room--
    }
  }

  private postTrouble(url: string, error: LibtorrentError): void {
    const { alerts, ref } = this.host
    if (alerts.wants(UrlSeedAlert.category)) alerts.post(new UrlSeedAlert({ handle: ref, url, error }))
  }

  private disconnect(listed: Listed): void {
    const { connection } = listed
    if (connection === null) return
    const { host } = this
    listed.connection = null
    if (host.settings.reportWebSeedDownloads) host.stats.accumulate(connection.stats)
    host.session.addTransfers(connection.stats)
    connection.close()
  }

  private insert(entry: WebSeedEntry): boolean {
    if (entry.url === '' || this.find(entry.url, entry.type) !== -1) return false
    // The torrent knows a login, or headers, for it.
    const known = this.host.info.webSeeds.find((each) => each.type === entry.type && this.isSame(each.url, entry.url))
    const peer = new TorrentPeer({ address: '0.0.0.0', port: 0 }, false, 0)
    this.senders ??= new WeakSet()
    this.senders.add(peer)
    this.list.push({ entry: known ?? entry, peer, connection: null, error: null })
    return true
  }

  private find(url: string, type: WebSeedType): number {
    return this.list.findIndex(({ entry }) => entry.type === type && this.isSame(entry.url, url))
  }

  /** Of a torrent of several files the URL is that of a directory, with or without a slash. */
  private isSame(a: string, b: string): boolean {
    if (a === b) return true
    const { info } = this.host
    return info.isValid && info.numFiles > 1 && withSlash(a) === withSlash(b)
  }
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}
