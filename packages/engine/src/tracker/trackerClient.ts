import { LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { Platform } from '../platform/platform.ts'
import type { Seconds } from '../util/flavored.ts'
import { AnnounceQueue, type QueuedJob, type QueuedWork } from './announceQueue.ts'
import { httpAnnounce, httpScrape, refusedHttpTracker, scrapeNotAvailable } from './httpTracker.ts'
import { blockedByIdnaError } from './trackerErrors.ts'
import { parseTrackerUrl, type TrackerLocation } from './trackerLocation.ts'
import {
  type AnnounceReply,
  type ScrapeReply,
  type TrackerFailure,
  type TrackerQuery,
  type TrackerRequest,
  trackerFailure,
} from './trackerRequest.ts'
import { type TrackerSettings, timeoutOf } from './trackerSettings.ts'
import { UdpTracker, type UdpTrackerHost } from './udpTracker.ts'

/** What the session gives the tracker client. */
export interface TrackerClientHost {
  readonly platform: Pick<Platform, 'clock' | 'timers' | 'random' | 'resolver' | 'udp' | 'http'>
  readonly settings: Readonly<TrackerSettings>
  /**
   * The local address to speak to trackers of a family from; null: not to be used. Default: the system chooses
   * (`0.0.0.0`, `::`). HTTP requests go out from the IPv4 one if it is a specific address, else from the IPv6 one.
   */
  localAddress?(family: 4 | 6): string | null
  /** The IP filter's judgement of a tracker's address (setting `apply_ip_filter_to_trackers`). Default: all pass. */
  checkAddress?(address: string): LibtorrentError | null
}

/** An announce that was asked for. */
export interface PendingAnnounce {
  /** Gives it up: nobody is called. */
  cancel(): void
  /** If it waits for its turn, it takes that of one that a person asked for. */
  hurry(): void
}

/**
 * Speaks to the trackers of all torrents of a session (http, https, udp). Holds the queue of HTTP announces and the
 * shared UDP sockets; knows nothing of torrents, tiers or schedules.
 */
export class TrackerClient implements UdpTrackerHost {
  private readonly queue: AnnounceQueue
  private readonly udp: UdpTracker
  /** How to cancel what is under way or waits. */
  private readonly pending = new Set<() => void>()

  constructor(private readonly host: TrackerClientHost) {
    this.queue = new AnnounceQueue(() => host.settings.maxConcurrentHttpAnnounces)
    this.udp = new UdpTracker(this)
  }

  get platform(): TrackerClientHost['platform'] {
    return this.host.platform
  }

  get settings(): Readonly<TrackerSettings> {
    return this.host.settings
  }

  /** HTTP announces and scrapes under way. */
  get activeHttpAnnounces(): number {
    return this.queue.activeCount
  }

  /** HTTP announces and scrapes that wait for their turn. */
  get queuedHttpAnnounces(): number {
    return this.queue.queuedCount
  }

  /** Announces; `done` is called once, later, unless it is cancelled before. */
  announce(request: TrackerRequest, done: (result: AnnounceReply | TrackerFailure) => void): PendingAnnounce {
    let hurry = () => {}
    const cancel = this.track(done, (finish) => {
      const tracker = this.acceptedTracker(request.url)
      if (tracker instanceof LibtorrentError) return this.failLater(tracker, finish)
      if (tracker.scheme === 'udp') return this.udp.announce(tracker, request, finish)
      const queue = (answer: typeof finish) => {
        const work = this.enqueue(request, answer, (arrived) =>
          httpAnnounce(this.httpHost(), tracker, request, arrived),
        )
        hurry = work.hurry
        return work.cancel
      }
      // Shutting down must not take longer because many wait for their turn.
      return request.event === 'stopped' ? this.within(this.settings.stopTrackerTimeout, finish, queue) : queue(finish)
    })
    return { cancel, hurry: () => hurry() }
  }

  /** Asks for the counts of a torrent's swarm; as `announce`. The returned function gives it up. */
  scrape(query: TrackerQuery, done: (result: ScrapeReply | TrackerFailure) => void): () => void {
    return this.track(done, (finish) => {
      const tracker = this.acceptedTracker(query.url)
      if (tracker instanceof LibtorrentError) return this.failLater(tracker, finish)
      if (tracker.scheme === 'udp') return this.udp.scrape(tracker, query, finish)
      return this.enqueue(query, finish, (answer) => {
        const abort = httpScrape(this.httpHost(), tracker, query, answer)
        return abort ?? this.failLater(scrapeNotAvailable(), answer)
      }).cancel
    })
  }

  /** Addresses of a peer that a tracker gave by name; none when the lookup fails. As `scrape`. */
  resolvePeer(name: string, done: (addresses: readonly string[]) => void): () => void {
    return this.track(done, (finish) =>
      this.platform.resolver.resolve(name, (result) => finish(result instanceof LibtorrentError ? [] : result)),
    )
  }

  /** The listen addresses have changed: UDP sockets are opened anew, from the new ones. */
  onNetworkChanged(): void {
    this.udp.close()
  }

  /** Cancels everything; nobody is called any more. */
  close(): void {
    this.queue.clear()
    for (const cancel of [...this.pending]) cancel()
    this.udp.close()
  }

  localAddress(family: 4 | 6): string | null {
    if (this.host.localAddress !== undefined) return this.host.localAddress(family)
    return family === 6 ? '::' : '0.0.0.0'
  }

  checkAddress(address: string): LibtorrentError | null {
    return this.host.checkAddress?.(address) ?? null
  }

  private acceptedTracker(url: string): TrackerLocation | LibtorrentError {
    const tracker = parseTrackerUrl(url)
    if (tracker instanceof LibtorrentError) return tracker
    if (tracker.isIdna && !this.settings.allowIdna) return blockedByIdnaError()
    return (tracker.scheme === 'udp' ? null : refusedHttpTracker(tracker, this.settings)) ?? tracker
  }

  private enqueue<Result>(
    query: TrackerQuery,
    finish: (result: Result) => void,
    start: (answer: (result: Result) => void) => () => void,
  ): QueuedWork {
    const job: QueuedJob = (finished) =>
      start((result) => {
        finished()
        finish(result)
      })
    return this.queue.submit(job, query.highPriority === true)
  }

  /** Gives up what is started when `limit` is over. */
  private within(
    limit: Seconds,
    finish: (result: AnnounceReply | TrackerFailure) => void,
    start: (answer: (result: AnnounceReply | TrackerFailure) => void) => () => void,
  ): () => void {
    const timer = this.platform.timers.after(timeoutOf(limit), () => {
      abort()
      finish(trackerFailure(libtorrentError('timedOut', { operation: 'tracker' })))
    })
    const abort = start((result) => {
      timer.cancel()
      finish(result)
    })
    return () => {
      timer.cancel()
      abort()
    }
  }

  /** Starts something cancellable and keeps it in `pending` until it is over. */
  private track<Result>(
    done: (result: Result) => void,
    start: (finish: (result: Result) => void) => () => void,
  ): () => void {
    let abort = () => {}
    const cancel = () => {
      if (this.pending.delete(cancel)) abort()
    }
    this.pending.add(cancel)
    abort = start((result) => {
      if (this.pending.delete(cancel)) done(result)
    })
    return cancel
  }

  private failLater(error: LibtorrentError, finish: (failure: TrackerFailure) => void): () => void {
    const timer = this.platform.timers.after(0, () => finish(trackerFailure(error)))
    return () => timer.cancel()
  }

  private httpHost() {
    const specific = (address: string | null) =>
      address === null || address === '0.0.0.0' || address === '::' ? undefined : address
    return {
      http: this.platform.http,
      resolver: this.platform.resolver,
      settings: this.settings,
      localAddress: specific(this.localAddress(4)) ?? specific(this.localAddress(6)),
      checkAddress: (address: string) => this.checkAddress(address),
    }
  }
}
