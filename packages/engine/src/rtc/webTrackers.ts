import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { WebRtc } from '../platform/webRtc.ts'
import { trackerHeaders } from '../tracker/httpAnnounce.ts'
import type { LocalWay } from '../tracker/localWay.ts'
import { trackerAddressGuard } from '../tracker/trackerAddressGuard.ts'
import { locationText, type TrackerLocation } from '../tracker/trackerLocation.ts'
import {
  type AnnounceReply,
  type ScrapeReply,
  type TrackerFailure,
  type TrackerQuery,
  type TrackerRequest,
  trackerFailure,
} from '../tracker/trackerRequest.ts'
import { timeoutOf } from '../tracker/trackerSettings.ts'
import type { WebTrackerClient } from '../tracker/webTrackerClient.ts'
import { latin1 } from '../util/bytes.ts'
import type { Seconds } from '../util/flavored.ts'
import { Introductions } from './introductions.ts'
import type { RtcHost } from './rtcHost.ts'
import { WebExchange } from './webExchange.ts'
import { WebTracker } from './webTracker.ts'
import { announceText, MAX_MESSAGE_BYTES, type RtcOffer, scrapeText } from './webTrackerMessages.ts'

/** What is not installed now may be at the next try. */
const RETRY_LOADING: Seconds = 3600

type Loading = 'loadWebSockets' | 'loadPeers'

/**
 * WebTorrent: WebSocket trackers, and the WebRTC peers they introduce. `WebTracker` is one tracker with its connection,
 * `Introductions` the connections to peers on their way; those that stand are handed to the host. Nothing is loaded
 * before a torrent announces to such a tracker.
 */
export class WebTrackers implements WebTrackerClient {
  /** By URL, and how it is spoken to. */
  private readonly trackers = new Map<string, WebTracker>()
  /** The URLs as torrents name them, for those that each torrent has announced to. */
  private readonly urls = new Map<string, Map<string, WebTracker>>()
  private introductions: Introductions | null = null

  constructor(private readonly host: RtcHost) {}

  /** Strangers learn the addresses of this machine by WebRTC: who hides them uses none of it. */
  get isOn(): boolean {
    if (this.host.isHiding) return false
    return this.host.settings.maxWebtorrentOffers > 0
  }

  announce(
    location: TrackerLocation,
    request: TrackerRequest,
    way: LocalWay,
    done: (result: AnnounceReply | TrackerFailure) => void,
    sending: () => void,
  ): () => void {
    const { webRtc } = this.host.platform
    if (webRtc === undefined || !this.isOn)
      return this.failLater(libtorrentError('unsupportedUrlProtocol', TRACKER), done)
    const { settings } = this.host
    const tracker = this.trackerOf(webRtc, location, request, way)
    const infoHash = latin1(request.infoHash)
    const isStop = request.event === 'stopped'
    const timeout = timeoutOf(isStop ? settings.stopTrackerTimeout : settings.trackerCompletionTimeout)
    const exchange = new WebExchange<AnnounceReply>(tracker, this.host.platform.timers, timeout, (result) => {
      if (result.kind === 'failure' && !isStop) this.forget(infoHash, request.url, tracker)
      done(result)
    })
    const introductions = this.introductionsBy(webRtc)
    const ask = (offers: readonly RtcOffer[]) => {
      exchange.step(() => {
        sending()
        exchange.asked = this.host.platform.clock.now()
        return tracker.ask('announce', infoHash, announceText(request, offers), (result) =>
          exchange.finish(result as AnnounceReply | TrackerFailure),
        )
      })
    }
    if (isStop) {
      this.forget(infoHash, request.url, tracker)
      // What was never reached, or has forgotten us, needs no goodbye.
      if (tracker.isOpen) this.later(exchange, () => ask([]))
      else this.later(exchange, () => exchange.finish(trackerFailure(libtorrentError('torrentAborted', TRACKER))))
      return () => exchange.cancel()
    }
    this.load(exchange, webRtc, ['loadWebSockets', 'loadPeers'], () =>
      this.open(exchange, tracker, () => {
        this.remember(infoHash, request.url, tracker)
        const wanted = request.event === 'completed' ? 0 : Math.min(request.numWant, settings.maxWebtorrentOffers)
        exchange.step(() => introductions.makeOffers(infoHash, tracker, wanted, ask))
      }),
    )
    return () => exchange.cancel()
  }

  scrape(
    location: TrackerLocation,
    query: TrackerQuery,
    way: LocalWay,
    done: (result: ScrapeReply | TrackerFailure) => void,
  ): () => void {
    const { webRtc } = this.host.platform
    if (webRtc === undefined || !this.isOn)
      return this.failLater(libtorrentError('unsupportedUrlProtocol', TRACKER), done)
    const tracker = this.trackerOf(webRtc, location, query, way)
    const timeout = timeoutOf(this.host.settings.trackerCompletionTimeout)
    const exchange = new WebExchange<ScrapeReply>(tracker, this.host.platform.timers, timeout, done)
    this.load(exchange, webRtc, ['loadWebSockets'], () =>
      this.open(exchange, tracker, () =>
        exchange.step(() =>
          tracker.ask('scrape', latin1(query.infoHash), scrapeText(query.infoHash), (result) =>
            exchange.finish(result as ScrapeReply | TrackerFailure),
          ),
        ),
      ),
    )
    return () => exchange.cancel()
  }

  leave(infoHashBytes: Uint8Array, url?: string): void {
    const infoHash = latin1(infoHashBytes)
    for (const [known, tracker] of this.urls.get(infoHash) ?? []) {
      if (url === undefined || url === known) this.forget(infoHash, known, tracker)
    }
  }

  /** Where it may not be used any more, trackers and those they were introducing are left at once. */
  onSettingsChanged(): void {
    if (this.isOn) return
    for (const tracker of this.leaveAll()) tracker.endWith(libtorrentError('unsupportedUrlProtocol', TRACKER))
  }

  /** Ends everything that is on its way. */
  close(): void {
    for (const tracker of this.leaveAll()) tracker.close()
  }

  private leaveAll(): WebTracker[] {
    const trackers = [...this.trackers.values()]
    this.introductions?.close()
    this.trackers.clear()
    this.urls.clear()
    return trackers
  }

  // --- the steps of an exchange ---------------------------------------------------------------------------------

  private load<Reply>(exchange: WebExchange<Reply>, webRtc: WebRtc, what: readonly Loading[], then: () => void): void {
    const [first, ...rest] = what
    if (first === undefined) return then()
    exchange.step(() => {
      let isStopped = false
      webRtc[first]((error) => {
        if (isStopped) return
        if (error !== null) exchange.finish(trackerFailure(error, '', RETRY_LOADING))
        else this.load(exchange, webRtc, rest, then)
      })
      return () => {
        isStopped = true
      }
    })
  }

  private open<Reply>(exchange: WebExchange<Reply>, tracker: WebTracker, then: () => void): void {
    // The settings may be others by now.
    if (!this.isOn) return exchange.finish(trackerFailure(libtorrentError('unsupportedUrlProtocol', TRACKER)))
    exchange.step(() =>
      tracker.open((error) => {
        if (error === null) then()
        else exchange.finish(trackerFailure(error, '', Math.ceil(tracker.restLeft / 1000)))
      }),
    )
  }

  private later<Reply>(exchange: WebExchange<Reply>, what: () => void): void {
    exchange.step(() => {
      const timer = this.host.platform.timers.after(0, what)
      return () => timer.cancel()
    })
  }

  private failLater(error: LibtorrentError, done: (failure: TrackerFailure) => void): () => void {
    const timer = this.host.platform.timers.after(0, () => done(trackerFailure(error)))
    return () => timer.cancel()
  }

  // --- who announces where --------------------------------------------------------------------------------------

  private remember(infoHash: string, url: string, tracker: WebTracker): void {
    tracker.join(infoHash)
    const urls = this.urls.get(infoHash) ?? new Map<string, WebTracker>()
    this.urls.set(infoHash, urls.set(url, tracker))
  }

  private forget(infoHash: string, url: string, tracker: WebTracker): void {
    this.introductions?.forget(infoHash, tracker)
    tracker.leave(infoHash)
    const urls = this.urls.get(infoHash)
    if (urls?.delete(url) && urls.size === 0) this.urls.delete(infoHash)
  }

  private introductionsBy(webRtc: WebRtc): Introductions {
    this.introductions ??= new Introductions(this.host, webRtc)
    return this.introductions
  }

  private trackerOf(webRtc: WebRtc, location: TrackerLocation, query: TrackerQuery, way: LocalWay): WebTracker {
    const { settings, platform } = this.host
    const url = locationText(location)
    const headers = trackerHeaders(location, query, settings)
    const isFiltered = query.applyIpFilter !== false
    const key = JSON.stringify([url, headers, way, isFiltered])
    const known = this.trackers.get(key)
    if (known !== undefined) return known
    const check = trackerAddressGuard({
      ssrfMitigation: settings.ssrfMitigation,
      allowedPaths: location.path === '/' ? ['/'] : ['/announce'],
      checkAddress: (address) =>
        isFiltered && settings.applyIpFilterToTrackers ? this.host.checkTrackerAddress(address) : null,
    })
    const request = {
      url,
      headers,
      openTimeout: timeoutOf(settings.trackerReceiveTimeout),
      maxMessageBytes: MAX_MESSAGE_BYTES,
      validateCertificate: settings.validateHttpsTrackers,
      checkAddress: (address: string) => check(address, url),
      resolver: platform.resolver,
      ...way,
    }
    const tracker = new WebTracker(
      this.host,
      webRtc,
      {
        onIntroduction: (by, message) => {
          if (message.kind === 'offer') this.introductions?.onOffer(by, message)
          else this.introductions?.onAnswer(by, message)
        },
        onLost: (lost, infoHashes, delay) => this.onLost(lost, infoHashes, delay),
        onUnused: () => this.trackers.get(key) === tracker && this.trackers.delete(key),
      },
      request,
    )
    this.trackers.set(key, tracker)
    return tracker
  }

  /** The connections that this tracker has introduced go on without it, but those on their way need its words. */
  private onLost(lost: WebTracker, infoHashes: readonly string[], delay: number): void {
    for (const infoHash of infoHashes) {
      for (const [url, tracker] of this.urls.get(infoHash) ?? []) {
        if (tracker !== lost) continue
        this.forget(infoHash, url, tracker)
        this.host.onTrackerLost(infoHash, url, delay)
      }
    }
  }
}

const TRACKER = { operation: 'tracker' } as const
