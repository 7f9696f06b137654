import { I2P_PORT } from '../address/i2pAddress.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { HttpClient } from '../platform/http.ts'
import type { Seconds } from '../util/flavored.ts'
import type { HttpTrackerHost } from './httpTracker.ts'
import type { TrackerLocation } from './trackerLocation.ts'
import { type TrackerFailure, type TrackerRequest, trackerFailure } from './trackerRequest.ts'
import type { TrackerSettings } from './trackerSettings.ts'

/** How trackers inside I2P are spoken to. */
export interface I2pTrackerWay {
  readonly http: HttpClient
  /** Ours in full, told as our address; null while there is no session with a router. */
  readonly destination: string | null
  /** Why there is none. */
  readonly noSession: LibtorrentError
}

/** A session with the router is often there within this (libtorrent). */
const RETRY_IN: Seconds = 5

/** Why `tracker`, which is in I2P, cannot be spoken to now; null: it can. */
export function refusedI2pTracker(tracker: TrackerLocation, way: I2pTrackerWay | undefined): TrackerFailure | null {
  if (tracker.scheme !== 'http')
    return trackerFailure(libtorrentError('unsupportedUrlProtocol', { operation: 'tracker' }))
  if (way === undefined) return trackerFailure(libtorrentError('noI2pRouter', { operation: 'tracker' }))
  return way.destination === null ? trackerFailure(way.noSession, '', RETRY_IN) : null
}

/** What speaks HTTP to a tracker in I2P. No address of the internet has a part in it, so none is judged. */
export function i2pTrackerHost(
  way: I2pTrackerWay,
  base: Pick<HttpTrackerHost, 'resolver' | 'settings'>,
): HttpTrackerHost {
  return {
    http: way.http,
    resolver: base.resolver,
    settings: base.settings satisfies Readonly<TrackerSettings>,
    localAddress: undefined,
    family: undefined,
    checkAddress: () => null,
  }
}

/** The announce as a tracker in I2P is told it: with our destination, and nothing of our place in the internet. */
export function i2pRequest(request: TrackerRequest, way: I2pTrackerWay): TrackerRequest {
  const { ipv4: _v4, ipv6: _v6, ...rest } = request
  return { ...rest, port: I2P_PORT, i2pDestination: way.destination ?? '' }
}
