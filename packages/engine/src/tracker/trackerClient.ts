import { normalizeAddress } from '../address/addressBytes.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { isI2pName } from '../address/i2pAddress.ts'
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
import { type I2pTrackerWay, i2pRequest, i2pTrackerHost, refusedI2pTracker } from './i2pTracker.ts'
import { chosenWay, type LocalWay, wayFrom } from './localWay.ts'
import { RouteMemory } from './routeMemory.ts'
import { blockedByIdnaError, noLocalAddressError } from './trackerErrors.ts'
import { isWebSocketScheme, parseTrackerUrl, type TrackerLocation } from './trackerLocation.ts'
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
import type { WebTrackerClient } from './webTrackerClient.ts'

/** What the session gives the tracker client. */
export interface TrackerClientHost {
  readonly platform: Pick<Platform, 'clock' | 'timers' | 'random' | 'resolver' | 'udp' | 'http'>
  readonly settings: Readonly<TrackerSettings>
  /**
   * Where no listen socket is named: the local address to speak to trackers of a family from; null: not to be used.
   * Default: the system chooses (`0.0.0.0`, `::`).
   */
  localAddress?(family: 4 | 6): string | null
  /** The IP filter's judgement of an address; asked only when it applies to trackers and to the torrent. Default: all pass. */
  checkAddress?(address: string): LibtorrentError | null
  /** Speaks to trackers in I2P. Left out: they cannot be spoken to. */
  readonly i2p?: I2pTrackerWay
  /** Speaks to `ws:` and `wss:` trackers. Left out: they cannot be spoken to. */
  readonly webTrackers?: WebTrackerClient
}

/** An announce that was asked for. */
export interface PendingAnnounce {
  /** Gives it up: nobody is called. */
  cancel(): void
  /** If it waits for its turn, it takes that of one that a person asked for. */
  hurry(): void
}

/**
 * Speaks to the trackers of all torrents of a session (http, https, udp; ws and wss by somebody else). Holds the queue of
 * HTTP announces and the shared UDP sockets; knows nothing of torrents, tiers or schedules.
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
      const refused = this.refusedI2p(tracker)
      if (refused !== null) return this.answerLater(refused, finish)
      const known = this.platform.resolver.known?.(tracker.host) ?? null
      const refusal = from === undefined || known === null ? null : this.routes.refusal(from, known)
      if (refusal !== null) return this.failLater(refusal, finish)
      if (tracker.scheme === 'udp') return this.udp.announce(tracker, request, finish, sending)
      if (isWebSocketScheme(tracker.scheme)) {
        return this.byWebSocket(finish, (web, way) => web.announce(tracker, request, way, finish, sending))
      }
      const queue = (answer: typeof finish) => {
        const work = this.enqueue(request, from?.address ?? '', answer, (ended) => {
          const i2p = this.i2pOf(tracker)
          if (i2p !== null) {
            sending()
            return httpAnnounce(i2pTrackerHost(i2p, this.platformOfI2p), tracker, i2pRequest(request, i2p), ended)
          }
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
      const refused = this.refusedI2p(tracker)
      if (refused !== null) return this.answerLater(refused, finish)
      if (tracker.scheme === 'udp') return this.udp.scrape(tracker, query, finish)
      if (isWebSocketScheme(tracker.scheme)) {
        return this.byWebSocket(finish, (web, way) => web.scrape(tracker, query, way, finish))
      }
      return this.enqueue(query, '', finish, (answer) => {
        const i2p = this.i2pOf(tracker)
        const host = i2p === null ? this.httpHost() : i2pTrackerHost(i2p, this.platformOfI2p)
        if (host === null) return this.failLater(noLocalAddressError(), answer)
        return httpScrape(host, tracker, query, answer) ?? this.failLater(scrapeNotAvailable(), answer)
      }).cancel
    })
  }

  /** WebSocket trackers may be announced to. */
  get usesWebSockets(): boolean {
    return this.host.webTrackers?.isOn === true
  }

  /** A torrent announces no more, or not to `url`: those who introduce peers to it stop doing so. */
  leave(infoHash: Uint8Array, url?: string): void {
    this.host.webTrackers?.leave(infoHash, url)
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

  checkAddress(address: string, query: TrackerQuery): LibtorrentError | null {
    if (query.applyIpFilter === false || !this.settings.applyIpFilterToTrackers) return null
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
    return this.answerLater(trackerFailure(error), finish)
  }

  private answerLater(failure: TrackerFailure, finish: (failure: TrackerFailure) => void): () => void {
    const timer = this.platform.timers.after(0, () => finish(failure))
    return () => timer.cancel()
  }

  /** The tracker is in I2P, and cannot be spoken to now. Nobody else is asked where it is. */
  private refusedI2p(tracker: TrackerLocation): TrackerFailure | null {
    return isI2pName(tracker.host) ? refusedI2pTracker(tracker, this.host.i2p) : null
  }

  /** The way to a tracker in I2P; null: it is elsewhere. */
  private i2pOf(tracker: TrackerLocation): I2pTrackerWay | null {
    return isI2pName(tracker.host) ? (this.host.i2p ?? null) : null
  }

  private get platformOfI2p(): Pick<HttpTrackerHost, 'resolver' | 'settings'> {
    return { resolver: this.platform.resolver, settings: this.settings }
  }

  /** Null: there is no address to speak from. */
  private httpHost(from?: Endpoint, sending: () => void = () => {}): HttpTrackerHost | null {
    const way = from === undefined ? chosenWay((family) => this.localAddress(family)) : wayFrom(from.address)
    if (way === null) return null
    return {
      http: this.platform.http,
      resolver: this.platform.resolver,
      settings: this.settings,
      ...way,
      checkAddress: (address: string, query: TrackerQuery) => {
        const refusal = this.checkAddress(address, query)
        if (refusal === null) sending()
        return refusal
      },
    }
  }

  private byWebSocket(
    finish: (failure: TrackerFailure) => void,
    start: (web: WebTrackerClient, way: LocalWay) => () => void,
  ): () => void {
    const { webTrackers } = this.host
    if (webTrackers === undefined) return this.failLater(unsupportedScheme(), finish)
    const way = chosenWay((family) => this.localAddress(family))
    return way === null ? this.failLater(noLocalAddressError(), finish) : start(webTrackers, way)
  }
}

/** Trackers of this kind cannot be spoken to here. */
function unsupportedScheme(): LibtorrentError {
  return libtorrentError('unsupportedUrlProtocol', { operation: 'tracker' })
}
