import { httpError, LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { HttpClient, HttpResponse } from '../platform/http.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { Seconds } from '../util/flavored.ts'
import { announceUrl, trackerHeaders } from './httpAnnounce.ts'
import { decodeAnnounceReply, decodeFailure, decodeRoot } from './httpResponse.ts'
import { decodeScrapeReply, scrapeUrl } from './httpScrape.ts'
import { trackerAddressGuard } from './trackerAddressGuard.ts'
import { ssrfMitigationError } from './trackerErrors.ts'
import { hasAnnounceParameters, type TrackerLocation } from './trackerLocation.ts'
import {
  type AnnounceReply,
  type ScrapeReply,
  type TrackerFailure,
  type TrackerQuery,
  type TrackerRequest,
  trackerFailure,
} from './trackerRequest.ts'
import { type TrackerSettings, timeoutOf } from './trackerSettings.ts'

export interface HttpTrackerHost {
  readonly http: HttpClient
  readonly resolver: Resolver
  readonly settings: Readonly<TrackerSettings>
  /** The local address requests go out from; undefined: the system chooses. */
  readonly localAddress: string | undefined
  /** Only addresses of this family are connected to; undefined: both. */
  readonly family: 4 | 6 | undefined
  /** `query` says what for. */
  checkAddress(address: string, query: TrackerQuery): LibtorrentError | null
}

/** A refusal known before anything is sent, or null. */
export function refusedHttpTracker(tracker: TrackerLocation, settings: TrackerSettings): LibtorrentError | null {
  return settings.ssrfMitigation && hasAnnounceParameters(tracker) ? ssrfMitigationError() : null
}

/** Announces to an HTTP tracker. `done` is called once, later, unless the returned function is called before. */
export function httpAnnounce(
  host: HttpTrackerHost,
  tracker: TrackerLocation,
  request: TrackerRequest,
  done: (result: AnnounceReply | TrackerFailure) => void,
): () => void {
  const { settings } = host
  const timeout = request.event === 'stopped' ? settings.stopTrackerTimeout : settings.trackerCompletionTimeout
  return exchange(
    host,
    tracker,
    request,
    announceUrl(tracker, request, settings),
    ['/announce'],
    timeout,
    (response) => {
      if (response instanceof LibtorrentError) return done(trackerFailure(response))
      if (response.status !== 200) return done(statusFailure(response))
      const reply = decodeAnnounceReply(response.body, request.i2pDestination !== undefined)
      done(reply.kind === 'reply' ? { ...reply, trackerAddress: response.remoteAddress } : reply)
    },
  )
}

/** Scrapes an HTTP tracker; as `httpAnnounce`. Null: it has no scrape. */
export function httpScrape(
  host: HttpTrackerHost,
  tracker: TrackerLocation,
  query: TrackerQuery,
  done: (result: ScrapeReply | TrackerFailure) => void,
): (() => void) | null {
  const url = scrapeUrl(tracker, query.infoHash)
  if (url === null) return null
  const timeout = host.settings.trackerCompletionTimeout
  return exchange(host, tracker, query, url, ['/announce', '/scrape'], timeout, (response) => {
    if (response instanceof LibtorrentError) return done(trackerFailure(response))
    if (response.status !== 200) return done(statusFailure(response))
    done(decodeScrapeReply(response.body, query.infoHash))
  })
}

/** Error for a tracker that has no scrape. */
export function scrapeNotAvailable(): LibtorrentError {
  return libtorrentError('scrapeNotAvailable', { operation: 'tracker' })
}

function exchange(
  host: HttpTrackerHost,
  tracker: TrackerLocation,
  query: TrackerQuery,
  url: string,
  allowedPaths: readonly string[],
  timeout: Seconds,
  done: (response: HttpResponse | LibtorrentError) => void,
): () => void {
  const { settings } = host
  const checkAddress = trackerAddressGuard({
    ssrfMitigation: settings.ssrfMitigation,
    allowIdna: settings.allowIdna,
    allowedPaths,
    checkAddress: (address) => host.checkAddress(address, query),
  })
  return host.http.get(
    {
      url,
      headers: trackerHeaders(tracker, query, settings),
      completionTimeout: timeoutOf(timeout),
      receiveTimeout: timeoutOf(settings.trackerReceiveTimeout),
      maxBodyBytes: settings.trackerMaximumResponseLength,
      validateCertificate: settings.validateHttpsTrackers,
      tls: query.tls,
      checkAddress,
      resolver: host.resolver,
      localAddress: host.localAddress,
      family: host.family,
    },
    done,
  )
}

/** Failure for a status other than 200: with the tracker's words, if the body has some, and its wish for a pause. */
function statusFailure(response: HttpResponse): TrackerFailure {
  const root = decodeRoot(response.body)
  const said = root === null ? null : decodeFailure(root)
  const error = httpError(response.status, { operation: 'tracker' })
  const retryAfter = response.headers['retry-after'] ?? ''
  const retryIn = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : (said?.retryIn ?? 0)
  return trackerFailure(error, said?.message ?? '', retryIn)
}
