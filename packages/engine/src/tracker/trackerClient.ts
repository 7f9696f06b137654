import { normalizeAddress } from '../address/addressBytes.ts'
import { isUnspecified } from '../address/classify.ts'
import { type Endpoint, isV6 } from '../address/endpoint.ts'
import { LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { Platform } from '../platform/platform.ts'
import type { Seconds } from '../util/flavored.ts'
import { AnnounceQueue, type QueuedJob, type QueuedWork } from './announceQueue.ts'
import {
  type HttpTrackerHost,
  httpAnnounce,
  httpScrape,
  refusedHttpTracker,
  scrapeNotAvailable,
} from './httpTracker.ts'
import { RouteMemory } from './routeMemory.ts'
import { blockedByIdnaError, noLocalAddressError } from './trackerErrors.ts'
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
   * Where no listen socket is named: the local address to speak to trackers of a family from; null: not to be used.
   * Default: the system chooses (`0.0.0.0`, `::`).
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
  private readonly routes: RouteMemory
  /** How to cancel what is under way or waits. */
  private readonly pending = new Set<() => void>()

  constructor(private readonly host: TrackerClientHost) {
    this.queue = new AnnounceQueue(() => host.settings.maxConcurrentHttpAnnounces)
    this.udp = new UdpTracker(this)
    this.routes = new RouteMemory(host.platform.clock)
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

  /**
   * Announces; `done` is called once, later, unless it is cancelled before. `sending` is called when it is known that
   * the tracker has an address that may be spoken to, before that is done; perhaps more than once.
   */
  announce(
    request: TrackerRequest,
    done: (result: AnnounceReply | TrackerFailure) => void,
    sending: () => void = () => {},
  ): PendingAnnounce {
    let hurry = () => {}
    const from = request.localEndpoint
    const arrived = (result: AnnounceReply | TrackerFailure) => {
      if (from !== undefined && result.kind === 'failure') this.routes.onFailure(from, result.error)
      done(result)
    }
    const cancel = this.track(arrived, (finish) => {
      const tracker = this.acceptedTracker(request.url)
      if (tracker instanceof LibtorrentError) return this.failLater(tracker, finish)
      const known = this.platform.resolver.known?.(tracker.host) ?? null
      const refusal = from === undefined || known === null ? null : this.routes.refusal(from, known)
      if (refusal !== null) return this.failLater(refusal, finish)
      if (tracker.scheme === 'udp') return this.udp.announce(tracker, request, finish, sending)
      const queue = (answer: typeof finish) => {
        const work = this.enqueue(request, from?.address ?? '', answer, (ended) => {
          const host = this.httpHost(from, sending)
          if (host === null) return this.failLater(noLocalAddressError(), ended)
          return httpAnnounce(host, tracker, request, ended)
        })
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
      return this.enqueue(query, '', finish, (answer) => {
        const host = this.httpHost()
        if (host === null) return this.failLater(noLocalAddressError(), answer)
        return httpScrape(host, tracker, query, answer) ?? this.failLater(scrapeNotAvailable(), answer)
      }).cancel
    })
  }

  /** Addresses of a peer that a tracker gave by name; none when the lookup fails. As `scrape`. */
  resolvePeer(name: string, done: (addresses: readonly string[]) => void): () => void {
    return this.track(done, (finish) =>
      this.platform.resolver.resolve(name, (result) =>
        // A name that only the proxy may look up stands for itself: peers are connected to by address.
        finish(result instanceof LibtorrentError ? [] : result.filter((found) => normalizeAddress(found) !== null)),
      ),
    )
  }

  /** The listen addresses have changed: UDP sockets are opened anew, from the new ones. */
  onNetworkChanged(): void {
    this.udp.close()
    this.routes.clear()
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
    // A name that the proxy looks up is in no filter.
    return normalizeAddress(address) === null ? null : (this.host.checkAddress?.(address) ?? null)
  }

  private acceptedTracker(url: string): TrackerLocation | LibtorrentError {
    const tracker = parseTrackerUrl(url)
    if (tracker instanceof LibtorrentError) return tracker
    if (tracker.isIdna && !this.settings.allowIdna) return blockedByIdnaError()
    return (tracker.scheme === 'udp' ? null : refusedHttpTracker(tracker, this.settings)) ?? tracker
  }

  private enqueue<Result>(
    query: TrackerQuery,
    lane: string,
    finish: (result: Result) => void,
    start: (answer: (result: Result) => void) => () => void,
  ): QueuedWork {
    const job: QueuedJob = (finished) =>
      start((result) => {
        finished()
        finish(result)
      })
    return this.queue.submit(job, query.highPriority === true, lane)
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

  /** Null: there is no address to speak from. */
  private httpHost(from?: Endpoint, sending: () => void = () => {}): HttpTrackerHost | null {
    const way = from === undefined ? this.chosenWay() : wayFrom(from.address)
    if (way === null) return null
    return {
      http: this.platform.http,
      resolver: this.platform.resolver,
      settings: this.settings,
      ...way,
      checkAddress: (address: string) => {
        const refusal = this.checkAddress(address)
        if (refusal === null) sending()
        return refusal
      },
    }
  }

  /** From a specific IPv4 address if there is one, else a specific IPv6 one, else as the system chooses. */
  private chosenWay(): LocalWay | null {
    const v4 = this.localAddress(4)
    const v6 = this.localAddress(6)
    if (v4 !== null && (v6 === null || !isUnspecified(v4))) return wayFrom(v4)
    if (v6 !== null && (v4 === null || !isUnspecified(v6))) return wayFrom(v6)
    return v4 === null ? null : { localAddress: undefined, family: undefined }
  }
}

/** How a connection goes out. */
type LocalWay = Pick<HttpTrackerHost, 'localAddress' | 'family'>

function wayFrom(address: string): LocalWay {
  return { localAddress: isUnspecified(address) ? undefined : address, family: isV6(address) ? 6 : 4 }
}
