import type { TrackerEvent } from '../alerts/trackerAlerts.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import type { AnnounceEntry, TrackerSpec } from './announceEntry.ts'
import { clampIntervals, clampRetry } from './announceIntervals.ts'
import type { TorrentTrackersHost } from './torrentTrackersHost.ts'
import type { PendingAnnounce } from './trackerClient.ts'
import { TrackerList } from './trackerList.ts'
import { TrackerNews } from './trackerNews.ts'
import type { AnnounceReply, ScrapeReply, SwarmCounts, TrackerFailure, TrackerPeer } from './trackerRequest.ts'
import { planAnnounces } from './trackerSchedule.ts'

/**
 * The trackers of one torrent: whom to tell what, and when. Has no timer: it tells its host when it wants to be woken,
 * and does nothing between. After everything that happens (an answer, a wake, a command) it plans anew.
 */
export class TorrentTrackers {
  private readonly list: TrackerList
  private readonly news: TrackerNews
  private announcing = false
  /** The download was completed while announcing: trackers that know us are to be told. */
  private finished = false
  /** The announce of each tracker that is `updating`. */
  private readonly announces = new Map<
    AnnounceEntry,
    { readonly event: TrackerEvent; readonly pending: PendingAnnounce }
  >()
  /** Scrapes and lookups of peers' names under way. */
  private readonly others = new Set<() => void>()
  private stopping: { pending: number; readonly done: (() => void)[] } = { pending: 0, done: [] }
  private wish: Millis = Number.POSITIVE_INFINITY
  private lastWorking: AnnounceEntry | null = null
  private lastInterval: Seconds = 0

  constructor(private readonly host: TorrentTrackersHost) {
    this.list = new TrackerList(host.clock)
    this.news = new TrackerNews(host)
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
          if (this.announces.get(entry)?.event === 'completed') this.stopping.pending++
          else if (entry.startSent) this.send(entry, 'stopped', true)
        }
      }
    }
    if (this.stopping.pending === 0) done()
    else this.stopping.done.push(done)
  }

  /** Ends everything at once; no tracker is told and nothing is called any more. */
  abort(): void {
    this.announcing = false
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
   * Announces in `delay` seconds to the tracker at `trackerIndex` of `entries()`, whatever the others do, or, with -1,
   * as if the intervals of all were over. Not before a tracker's minimum interval, unless that is to be ignored.
   * An announce that waits for its turn already goes before those that nobody asked for.
   * Out of range or not announcing: nothing happens.
   */
  forceReannounce(delay: Seconds = 0, trackerIndex = -1, ignoreMinInterval = false): void {
    if (!this.announcing) return
    const now = this.host.clock.now()
    const when = now + Math.max(0, delay) * 1000
    const chosen = trackerIndex === -1 ? this.list.entries : this.list.entries.slice(trackerIndex, trackerIndex + 1)
    if (trackerIndex < -1) return
    for (const entry of chosen) {
      entry.nextAnnounce = ignoreMinInterval ? when : Math.max(when, entry.minAnnounce)
      if (ignoreMinInterval) entry.minAnnounce = 0
      if (trackerIndex !== -1) entry.triggeredManually = true
      if (when <= now) this.announces.get(entry)?.pending.hurry()
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
    const entry = trackerIndex === -1 ? (this.lastWorking ?? entries[0]) : entries[trackerIndex]
    if (entry === undefined) return done(null)
    const { infoHash, login, privateTorrent } = this.host.announceParams()
    const cancel = this.host.client.scrape(
      { url: entry.url, infoHash, login, privateTorrent, highPriority: true },
      (result) => {
        this.others.delete(cancel)
        if (result.kind === 'scrape') this.onScraped(entry, result)
        else this.onScrapeFailed(entry, result)
        done(result)
      },
    )
    this.others.add(cancel)
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

  private replaceList(specs: readonly TrackerSpec[]): void {
    const complete = this.announcing && this.host.announceParams().left === 0
    const known = new Set(this.list.entries)
    for (const gone of this.list.replace(specs)) {
      const announce = this.announces.get(gone)
      if (announce !== undefined && announce.event !== 'stopped') {
        announce.pending.cancel()
        this.announces.delete(gone)
      }
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
    const plan = planAnnounces(this.list.entries, this.host.clock.now(), this.host.settings)
    for (const entry of plan.due) this.send(entry, this.eventFor(entry), urgent || entry.triggeredManually)
    this.wake(plan.wakeAt ?? Number.POSITIVE_INFINITY)
  }

  private wake(when: Millis): void {
    if (when === this.wish) return
    this.wish = when
    this.host.wakeAt(when)
  }

  private eventFor(entry: AnnounceEntry): TrackerEvent {
    if (!entry.startSent) return 'started'
    return this.finished && !entry.completeSent ? 'completed' : 'none'
  }

  private send(entry: AnnounceEntry, event: TrackerEvent, highPriority: boolean): void {
    const now = this.host.clock.now()
    const { partialSeed, numWant, ...params } = this.host.announceParams()
    entry.updating = true
    entry.triggeredManually = false
    entry.nextAnnounce = now
    entry.minAnnounce = now
    const told = event === 'none' && partialSeed === true ? 'paused' : event
    const stopped = event === 'stopped'
    if (stopped) this.stopping.pending++
    const pending = this.host.client.announce(
      {
        ...params,
        url: entry.url,
        event: told,
        numWant: stopped ? 0 : numWant,
        trackerId: entry.trackerid,
        highPriority,
      },
      (result) => {
        this.announces.delete(entry)
        entry.updating = false
        if (result.kind === 'reply') this.onReply(entry, event, result)
        else this.onFailure(entry, event, result)
        if (stopped) this.onStopEnded(entry)
        else if (event === 'completed' && !this.announcing) this.stopAfterCompleted(entry)
        this.plan()
      },
    )
    this.announces.set(entry, { event, pending })
    this.news.announced(entry, told)
  }

  private onReply(entry: AnnounceEntry, event: TrackerEvent, reply: AnnounceReply): void {
    const { settings, clock } = this.host
    const { interval, minInterval } = clampIntervals(reply.interval, reply.minInterval, settings.minAnnounceInterval)
    const now = clock.now()
    entry.fails = 0
    entry.lastError = null
    entry.verified = true
    entry.message = reply.warning
    entry.nextAnnounce = now + interval * 1000
    entry.minAnnounce = now + minInterval * 1000
    if (event === 'started') entry.startSent = true
    if (event === 'completed') entry.completeSent = true
    if (this.finished && entry.startSent && !entry.completeSent) this.hurryCompleted(entry)
    this.list.moveToFront(entry)
    if (event !== 'stopped') {
      this.lastInterval = interval
      this.lastWorking = entry
    }

    if (reply.trackerId !== '' && reply.trackerId !== entry.trackerid) {
      entry.trackerid = reply.trackerId
      this.news.gaveId(entry)
    }
    this.news.replied(entry, reply)
    if (event === 'stopped') return

    this.noteCounts(entry, reply)
    if (reply.externalAddress !== '') this.host.onExternalAddress(reply.externalAddress, reply.trackerAddress)
    if (reply.peers.length > 0) this.host.onTrackerPeers(reply.peers, entry.url)
    for (const peer of reply.namedPeers) this.resolvePeer(peer, entry.url)
  }

  private onFailure(entry: AnnounceEntry, event: TrackerEvent, failure: TrackerFailure): void {
    const { settings, clock } = this.host
    entry.lastError = failure.error
    entry.message = failure.message
    if (failure.permanent) entry.failLimit = 1
    // `stopped` is not sent again: its failure says little about the announces of the next start.
    if (event !== 'stopped' || failure.permanent) {
      entry.failed(clock.now(), settings.trackerBackoff, clampRetry(failure.retryIn))
      this.list.moveToBack(entry)
    }
    this.news.failed(entry, failure)
  }

  /** A tracker was told `stopped`, or could not be. If the torrent was started again meanwhile, it is told so now. */
  private onStopEnded(entry: AnnounceEntry): void {
    entry.startSent = false
    entry.nextAnnounce = 0
    entry.minAnnounce = 0
    this.stopping.pending--
    if (this.stopping.pending > 0) return
    const { done } = this.stopping
    this.stopping = { pending: 0, done: [] }
    for (const call of done) call()
  }

  /** The last `completed` of a torrent that is stopping was answered: now it may be told `stopped`. */
  private stopAfterCompleted(entry: AnnounceEntry): void {
    this.send(entry, 'stopped', true)
    this.stopping.pending--
  }

  /** `stop_tracker_timeout` is over and `completed` still not answered. */
  private giveUpCompleted(): void {
    for (const [entry, { event, pending }] of [...this.announces]) {
      if (event !== 'completed') continue
      pending.cancel()
      this.announces.delete(entry)
      entry.updating = false
      this.onStopEnded(entry)
    }
  }

  private onScraped(entry: AnnounceEntry, reply: ScrapeReply): void {
    this.noteCounts(entry, reply)
    this.news.scraped(entry, reply)
  }

  private onScrapeFailed(entry: AnnounceEntry, failure: TrackerFailure): void {
    if (failure.permanent) {
      entry.failLimit = 1
      entry.fails = Math.max(1, entry.fails)
    }
    this.news.scrapeFailed(entry, failure)
  }

  /** Trackers see different parts of a swarm: the largest counts are nearest to the truth. */
  private noteCounts(entry: AnnounceEntry, counts: SwarmCounts): void {
    if (counts.complete >= 0) entry.scrapeComplete = counts.complete
    if (counts.incomplete >= 0) entry.scrapeIncomplete = counts.incomplete
    if (counts.downloaded >= 0) entry.scrapeDownloaded = counts.downloaded
    let complete = -1
    let incomplete = -1
    let downloaded = -1
    for (const known of this.list.entries) {
      complete = Math.max(complete, known.scrapeComplete)
      incomplete = Math.max(incomplete, known.scrapeIncomplete)
      downloaded = Math.max(downloaded, known.scrapeDownloaded)
    }
    this.host.onScrape(complete, incomplete, downloaded)
  }

  private resolvePeer(peer: TrackerPeer, url: string): void {
    const cancel = this.host.client.resolvePeer(peer.address, (addresses) => {
      this.others.delete(cancel)
      if (addresses.length > 0) this.host.onTrackerPeers([{ ...peer, address: addresses[0] }], url)
    })
    this.others.add(cancel)
  }

  /** `completed` is due now, whatever the intervals say. */
  private hurryCompleted(entry: AnnounceEntry): void {
    entry.nextAnnounce = 0
    entry.minAnnounce = 0
  }

  private cancelAll(which: (event: TrackerEvent) => boolean): void {
    for (const [entry, { event, pending }] of this.announces) {
      if (!which(event)) continue
      pending.cancel()
      entry.updating = false
      this.announces.delete(entry)
    }
    for (const cancel of this.others) cancel()
    this.others.clear()
  }
}
