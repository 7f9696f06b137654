import { type Endpoint, isV6, sameEndpoint } from '../address/endpoint.ts'
import type { TrackerEvent } from '../alerts/trackerAlerts.ts'
import { TrackerSource } from '../metainfo/trackerUrl.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import type { AnnounceEndpoint } from './announceEndpoint.ts'
import type { AnnounceEntry, TrackerSpec } from './announceEntry.ts'
import { clampIntervals, clampRetry, UNREACHABLE_PAUSE } from './announceIntervals.ts'
import { OpenAnnounces } from './openAnnounces.ts'
import type { TorrentTrackersHost } from './torrentTrackersHost.ts'
import { isUnreachable } from './trackerErrors.ts'
import { TrackerList } from './trackerList.ts'
import { TrackerNews } from './trackerNews.ts'
import type { AnnounceReply, ScrapeReply, TrackerFailure } from './trackerRequest.ts'
import { planAnnounces } from './trackerSchedule.ts'
import { TrackerScrapes } from './trackerScrapes.ts'

/** Within this time all torrents tell their trackers of a new address. */
const ADDRESS_NEWS_SPREAD_MS: Millis = 30_000

const NO_STATISTICS = { uploaded: 0, downloaded: 0, corrupt: 0, redundant: 0 }

/**
 * The trackers of one torrent: whom to tell what, and when. Each of our listen sockets announces for itself. Has no
 * timer: it tells its host when it wants to be woken, and does nothing between. After everything that happens (an
 * answer, a wake, a command) it plans anew.
 */
export class TorrentTrackers {
  private readonly list: TrackerList
  private readonly news: TrackerNews
  private readonly scrapes: TrackerScrapes
  private announcing = false
  /** The download was completed while announcing: trackers that know us are to be told. */
  private finished = false
  /** The listen sockets announces go out from, as of the last plan. */
  private sources: readonly Endpoint[] = []
  private readonly announces = new OpenAnnounces()
  private stopping: { pending: number; readonly done: (() => void)[] } = { pending: 0, done: [] }
  private wish: Millis = Number.POSITIVE_INFINITY
  private lastWorking: AnnounceEntry | null = null
  private lastInterval: Seconds = 0

  constructor(private readonly host: TorrentTrackersHost) {
    this.list = new TrackerList(host.clock)
    this.news = new TrackerNews(host)
    this.scrapes = new TrackerScrapes(host, this.list, this.news)
  }

  /** The trackers as they are now, in the order they are tried: copies. */
  entries(): AnnounceEntry[] {
    return this.list.entries.map((entry) => entry.clone())
  }

  get count(): number {
    return this.list.entries.length
  }

  /** URL of the tracker that worked last; empty: none has yet. */
  get currentTracker(): string {
    return this.lastWorking?.url ?? ''
  }

  /** What the tracker that worked last wants between announces; 0: none has worked yet. */
  get announceInterval(): Seconds {
    return this.lastInterval
  }

  /** Seconds to the next announce to any tracker; 0: it is due, under way or not planned. */
  nextAnnounceIn(): Seconds {
    return Number.isFinite(this.wish) ? Math.max(0, Math.ceil((this.wish - this.host.clock.now()) / 1000)) : 0
  }

  /** Takes the trackers of a torrent that is loaded: shuffled within their tiers, as BEP 12 wants it. */
  load(specs: readonly TrackerSpec[]): void {
    this.replaceList(specs)
    this.list.shuffleTiers(this.host.random)
    this.onListChanged()
  }

  /** Takes exactly these trackers, in this order within their tiers. Those known before keep their state. */
  replace(specs: readonly TrackerSpec[]): void {
    this.replaceList(specs)
    this.onListChanged()
  }

  /** Adds a tracker behind those of its tier. False when it is there already, or has no URL. */
  add(spec: TrackerSpec): boolean {
    const entry = this.list.add(spec)
    if (entry === null) return false
    // What was complete before this tracker came is not news to it.
    entry.completeSent = this.finished || (this.announcing && this.host.announceParams().left === 0)
    this.onListChanged()
    return true
  }

  /** Begins to announce: `started`, at once. Statistics given to the trackers count from here. */
  start(): void {
    if (this.announcing) return
    this.announcing = true
    this.finished = false
    const complete = this.host.announceParams().left === 0
    for (const entry of this.list.entries) {
      entry.reset()
      entry.completeSent = complete
    }
    this.plan()
  }

  /**
   * Ends announcing, aborts what is under way, and tells `stopped` to the trackers that know us. `done` is called once
   * when all have answered or have run into `stop_tracker_timeout`; before this returns, if none is to be told.
   */
  stop(done: () => void = () => {}): void {
    if (this.announcing) {
      this.announcing = false
      const { stopTrackerTimeout } = this.host.settings
      // A download that stops the moment it is complete still counts as completed: that announce is waited for.
      this.cancelAll((event) => event !== 'stopped' && (event !== 'completed' || stopTrackerTimeout <= 0))
      this.wake(this.announces.size > 0 ? this.host.clock.now() + stopTrackerTimeout * 1000 : Number.POSITIVE_INFINITY)
      if (stopTrackerTimeout > 0) {
        for (const entry of this.list.entries) {
          for (const endpoint of entry.endpoints) {
            if (this.announces.eventOf(endpoint) === 'completed') this.stopping.pending++
            else if (endpoint.startSent) this.send(entry, endpoint, 'stopped', true)
          }
        }
      }
      this.leaveIntroducers()
    }
    if (this.stopping.pending === 0) done()
    else this.stopping.done.push(done)
  }

  /** Ends everything at once; no tracker is told and nothing is called any more. */
  abort(): void {
    this.announcing = false
    this.leaveIntroducers()
    this.cancelAll(() => true)
    this.stopping = { pending: 0, done: [] }
    this.wake(Number.POSITIVE_INFINITY)
  }

  /** The download is complete, all of it: the trackers in use are told `completed` now. */
  completed(): void {
    if (!this.announcing || this.finished) return
    this.finished = true
    for (const entry of this.list.entries) {
      if (entry.startSent) this.hurryCompleted(entry)
      // Introduced to us as complete; unless it is just being introduced, which is followed by `completed`.
      else if (!entry.updating) entry.completeSent = true
    }
    this.plan()
  }

  /**
   * Announces in `delay` seconds to `tracker`, an index of `entries()` or a URL, whatever the others do, or, with -1, as
   * if the intervals of all were over. Not before a tracker's minimum interval, unless that is to be ignored. An
   * announce that waits for its turn already goes before those that nobody asked for. No such tracker, or not
   * announcing: nothing happens.
   */
  forceReannounce(delay: Seconds = 0, tracker: number | string = -1, ignoreMinInterval = false): void {
    if (!this.announcing) return
    const now = this.host.clock.now()
    const when = now + Math.max(0, delay) * 1000
    const { entries } = this.list
    const one = typeof tracker === 'string' ? this.list.find(tracker) : (entries[tracker] ?? null)
    const chosen = tracker === -1 ? entries : one === null ? [] : [one]
    this.takeSources()
    for (const entry of chosen) {
      if (one !== null) for (const local of this.sourcesOf(entry)) entry.openEndpoint(local).triggeredManually = true
      for (const endpoint of entry.endpoints) {
        endpoint.nextAnnounce = ignoreMinInterval ? when : Math.max(when, endpoint.minAnnounce)
        if (ignoreMinInterval) endpoint.minAnnounce = 0
        if (when <= now) this.announces.hurry(endpoint)
      }
    }
    this.plan(true)
  }

  /**
   * Asks a tracker for the size of the swarm: the one at `trackerIndex` of `entries()`, or, with -1, the one that worked
   * last, else the first. `done` is told of the answer, beside the alert; null: there is no such tracker. Stopping
   * cancels it; then `done` is not called.
   */
  scrape(trackerIndex = -1, done: (result: ScrapeReply | TrackerFailure | null) => void = () => {}): void {
    const { entries } = this.list
    const used = entries.filter((each) => this.isUsed(each))
    const working = used.find((each) => each === this.lastWorking)
    const entry = trackerIndex === -1 ? (working ?? used[0]) : entries[trackerIndex]
    if (entry === undefined || !this.isUsed(entry)) done(null)
    else this.scrapes.scrape(entry, done)
  }

  /** The moment asked for with `wakeAt` has come. */
  onWake(_now: Millis): void {
    this.wish = Number.POSITIVE_INFINITY
    if (this.announcing) this.plan()
    else this.giveUpCompleted()
  }

  /** Settings about trackers have changed. */
  onSettingsChanged(): void {
    this.onListChanged()
  }

  /** Our listen sockets have changed: those that are new announce at once, of those that are gone nothing is kept. */
  onListenSocketsChanged(): void {
    this.plan()
  }

  /** The world sees us at another address of a family: trackers that know the old one are told soon, not all at once. */
  onAddressChanged(v6: boolean): void {
    const now = this.host.clock.now()
    for (const { endpoints } of this.list.entries) {
      for (const endpoint of endpoints) {
        if (!endpoint.startSent || isV6(endpoint.localEndpoint.address) !== v6) continue
        const when = now + this.host.random.below(ADDRESS_NEWS_SPREAD_MS)
        endpoint.nextAnnounce = Math.min(endpoint.nextAnnounce, Math.max(endpoint.minAnnounce, when))
      }
    }
    this.plan()
  }

  /** The connection to a tracker that keeps one broke, and it has forgotten us: it is told anew in `delay` ms. */
  onTrackerLost(url: string, delay: Millis): void {
    const when = this.host.clock.now() + delay
    for (const endpoint of this.list.find(url)?.endpoints ?? []) {
      endpoint.nextAnnounce = Math.min(endpoint.nextAnnounce, when)
      endpoint.minAnnounce = Math.min(endpoint.minAnnounce, when)
    }
    this.plan()
  }

  /** What https trackers are shown is another: those that would not have us are asked again. */
  onCredentialsChanged(): void {
    for (const { url, endpoints } of this.list.entries) {
      if (/^https:/i.test(url) && endpoints.some(({ fails }) => fails > 0)) this.onTrackerLost(url, 0)
    }
  }

  /** Whoever speaks to trackers in I2P has another address there: they are told at once. */
  onI2pReady(): void {
    for (const entry of this.list.entries) if (entry.isI2p) this.onTrackerLost(entry.url, 0)
  }

  private leaveIntroducers(): void {
    if (this.list.entries.some((entry) => entry.isWebSocket))
      this.host.client.leave(this.host.announceParams().infoHash)
  }

  private replaceList(specs: readonly TrackerSpec[]): void {
    const complete = this.announcing && this.host.announceParams().left === 0
    const known = new Set(this.list.entries)
    for (const gone of this.list.replace(specs)) {
      if (gone.isWebSocket) this.host.client.leave(this.host.announceParams().infoHash, gone.url)
      for (const endpoint of gone.endpoints)
        if (this.announces.eventOf(endpoint) !== 'stopped') this.announces.cancel(endpoint)
      if (this.lastWorking === gone) this.lastWorking = null
    }
    for (const entry of this.list.entries) if (!known.has(entry)) entry.completeSent = complete
  }

  private onListChanged(): void {
    if (this.host.settings.preferUdpTrackers) this.list.preferUdp()
    this.plan()
  }

  private plan(urgent = false): void {
    if (!this.announcing) return
    this.takeSources()
    let wakeAt = Number.POSITIVE_INFINITY
    for (const [i, local] of this.sources.entries()) {
      const webSockets = i === 0 && this.host.client.usesWebSockets
      const entries = this.list.entries.filter((entry) => this.isUsed(entry) && (i === 0 || !entry.isI2p))
      const plan = planAnnounces(entries, local, this.host.clock.now(), this.host.settings, webSockets)
      for (const entry of plan.due) {
        const endpoint = entry.openEndpoint(local)
        this.send(entry, endpoint, this.eventFor(entry, endpoint), urgent || endpoint.triggeredManually)
      }
      if (plan.wakeAt !== null) wakeAt = Math.min(wakeAt, plan.wakeAt)
    }
    this.wake(wakeAt)
  }

  /** Notes which listen sockets there are. Those that stayed keep their state; a way that was closed may be open now. */
  private takeSources(): void {
    const { announceEndpoints } = this.host
    if (announceEndpoints === this.sources) return
    this.sources = announceEndpoints
    const isSource = ({ localEndpoint }: AnnounceEndpoint) =>
      announceEndpoints.some((local) => sameEndpoint(local, localEndpoint))
    for (const entry of this.list.entries) {
      for (const endpoint of entry.endpoints) {
        if (!isSource(endpoint)) {
          if (this.announces.eventOf(endpoint) !== 'stopped') this.announces.cancel(endpoint)
        } else if (!endpoint.enabled && !endpoint.updating) {
          endpoint.enabled = true
          endpoint.nextAnnounce = 0
        }
      }
      entry.endpoints = entry.endpoints.filter((endpoint) => isSource(endpoint) || endpoint.updating)
      if (this.finished && !entry.completeSent) this.hurryCompleted(entry)
    }
  }

  private isUsed(entry: AnnounceEntry): boolean {
    return this.host.allowsTracker?.(entry) !== false
  }

  /** A WebSocket tracker tells nobody where we listen, one in I2P cannot: one socket speaks for all. */
  private sourcesOf(entry: AnnounceEntry): readonly Endpoint[] {
    return entry.hasOneSource ? this.sources.slice(0, 1) : this.sources
  }

  /** One of them has answered. */
  get hasWorking(): boolean {
    return this.list.entries.some((entry) => entry.verified)
  }

  private wake(when: Millis): void {
    if (when === this.wish) return
    this.wish = when
    this.host.wakeAt(when)
  }

  /** `completed` is told from one listen socket only: it is one download. */
  private eventFor(entry: AnnounceEntry, endpoint: AnnounceEndpoint): TrackerEvent {
    if (!endpoint.startSent) return 'started'
    return this.finished && !entry.completeSent && !this.announces.isTelling(entry, 'completed') ? 'completed' : 'none'
  }

  private send(entry: AnnounceEntry, endpoint: AnnounceEndpoint, event: TrackerEvent, highPriority: boolean): void {
    const now = this.host.clock.now()
    const { partialSeed, numWant, toldPort, ...params } = this.host.announceParams()
    endpoint.updating = true
    endpoint.triggeredManually = false
    endpoint.nextAnnounce = now
    endpoint.minAnnounce = now
    const told = event === 'none' && partialSeed === true ? 'paused' : event
    const stopped = event === 'stopped'
    if (stopped) this.stopping.pending++
    /** Said once, when it is known that there is a way from here to the tracker. */
    let announced = () => {
      announced = () => {}
      this.news.announced(entry, endpoint, told)
    }
    const pending = this.host.client.announce(
      {
        ...params,
        // Whom a stranger recommended learns nothing of what we have done (libtorrent).
        ...(entry.source === TrackerSource.tex ? NO_STATISTICS : null),
        url: entry.url,
        localEndpoint: endpoint.localEndpoint,
        port: this.host.settings.announcePort || (toldPort ?? endpoint.localEndpoint.port),
        event: told,
        numWant: stopped ? 0 : numWant,
        trackerId: entry.trackerid,
        highPriority,
      },
      (result) => {
        this.announces.ended(endpoint)
        if (result.kind === 'reply' || !isUnreachable(result.error)) announced()
        if (result.kind === 'reply') this.onReply(entry, endpoint, event, result)
        else this.onFailure(entry, endpoint, event, result)
        if (stopped) this.onStopEnded(endpoint)
        else if (event === 'completed' && !this.announcing) this.stopAfterCompleted(entry, endpoint)
        this.plan()
      },
      () => announced(),
    )
    this.announces.begun(endpoint, event, pending)
  }

  private onReply(entry: AnnounceEntry, endpoint: AnnounceEndpoint, event: TrackerEvent, reply: AnnounceReply): void {
    const { settings, clock } = this.host
    const least = entry.isWebSocket ? settings.minWebsocketAnnounceInterval : settings.minAnnounceInterval
    const { interval, minInterval } = clampIntervals(reply.interval, reply.minInterval, least)
    const now = clock.now()
    endpoint.enabled = true
    endpoint.fails = 0
    endpoint.lastError = null
    endpoint.message = reply.warning
    endpoint.nextAnnounce = now + interval * 1000
    endpoint.minAnnounce = now + minInterval * 1000
    entry.retired = false
    entry.verified = true
    if (event === 'started') endpoint.startSent = true
    if (event === 'completed') entry.completeSent = true
    if (this.finished && !entry.completeSent && !this.announces.isTelling(entry, 'completed'))
      this.hurryCompleted(entry)
    this.list.moveToFront(entry, isInUse)
    if (event !== 'stopped') {
      this.lastInterval = interval
      this.lastWorking = entry
    }

    if (reply.trackerId !== '' && reply.trackerId !== entry.trackerid) {
      entry.trackerid = reply.trackerId
      this.news.gaveId(entry, endpoint)
    }
    this.news.replied(entry, endpoint, reply)
    if (event === 'stopped') return

    this.scrapes.noteCounts(entry, reply, endpoint)
    if (reply.externalAddress !== '') this.host.onExternalAddress(reply.externalAddress, reply.trackerAddress)
    if (reply.peers.length > 0) this.host.onTrackerPeers(reply.peers, entry.url, reply.trackerAddress)
    for (const peer of reply.namedPeers) this.scrapes.resolvePeer(peer, entry.url, reply.trackerAddress)
  }

  private onFailure(
    entry: AnnounceEntry,
    endpoint: AnnounceEndpoint,
    event: TrackerEvent,
    failure: TrackerFailure,
  ): void {
    const { settings, clock } = this.host
    endpoint.lastError = failure.error
    endpoint.message = failure.message
    endpoint.enabled = !isUnreachable(failure.error)
    if (failure.permanent) entry.retire()
    // If it never was reached from here, but may well be from another listen socket, all is as it should be.
    const elsewhere = !endpoint.enabled && !endpoint.startSent && this.hasOtherWay(entry, endpoint)
    // `stopped` is not sent again: its failure says little about the announces of the next start.
    if (event !== 'stopped' || failure.permanent) {
      const retryIn = elsewhere ? UNREACHABLE_PAUSE : clampRetry(failure.retryIn)
      endpoint.failed(clock.now(), settings.trackerBackoff, retryIn)
      const isDown = this.sourcesOf(entry).every((local) => entry.findEndpoint(local)?.isWorking() === false)
      if (isDown) this.list.moveToBack(entry)
    }
    if (!endpoint.enabled && !elsewhere) this.retryTogether(entry, endpoint.nextAnnounce)
    if (event === 'completed') this.hurryCompleted(entry)
    if (!elsewhere) this.news.failed(entry, endpoint, failure)
  }

  /** The tracker is out of reach from everywhere: the network is down, it seems, and any way may be the first to open. */
  private retryTogether(entry: AnnounceEntry, when: Millis): void {
    for (const endpoint of entry.endpoints) {
      if (!endpoint.enabled) endpoint.nextAnnounce = Math.min(endpoint.nextAnnounce, when)
    }
  }

  /** Whether there is a listen socket from which `entry` can be reached, or was not tried yet, besides `endpoint`. */
  private hasOtherWay(entry: AnnounceEntry, endpoint: AnnounceEndpoint): boolean {
    return this.sourcesOf(entry).some((local) => {
      const other = entry.findEndpoint(local)
      return other !== endpoint && (other === null || other.enabled)
    })
  }

  /** A tracker was told `stopped`, or could not be. If the torrent was started again meanwhile, it is told so now. */
  private onStopEnded(endpoint: AnnounceEndpoint): void {
    endpoint.reset()
    this.stopping.pending--
    if (this.stopping.pending > 0) return
    const { done } = this.stopping
    this.stopping = { pending: 0, done: [] }
    for (const call of done) call()
  }

  /** The last `completed` of a torrent that is stopping was answered: now it may be told `stopped`. */
  private stopAfterCompleted(entry: AnnounceEntry, endpoint: AnnounceEndpoint): void {
    this.send(entry, endpoint, 'stopped', true)
    this.stopping.pending--
  }

  /** `stop_tracker_timeout` is over and `completed` still not answered. */
  private giveUpCompleted(): void {
    for (const endpoint of this.announces.cancelAll((event) => event === 'completed')) this.onStopEnded(endpoint)
  }

  /** `completed` is due now, whatever the intervals say, where we are known and nothing is wrong. */
  private hurryCompleted(entry: AnnounceEntry): void {
    for (const endpoint of entry.endpoints) {
      if (!endpoint.startSent || !endpoint.isWorking()) continue
      endpoint.nextAnnounce = 0
      endpoint.minAnnounce = 0
    }
  }

  private cancelAll(which: (event: TrackerEvent) => boolean): void {
    this.announces.cancelAll(which)
    this.scrapes.cancelAll()
  }
}

/** A listen socket relies on the tracker, or is about to. */
function isInUse(entry: AnnounceEntry): boolean {
  return entry.endpoints.some(({ fails, startSent, updating }) => fails === 0 && (startSent || updating))
}
