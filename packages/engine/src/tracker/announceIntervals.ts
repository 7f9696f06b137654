import type { Seconds } from '../util/flavored.ts'

/** A failing tracker is asked again after at least this... */
const MIN_RETRY_DELAY: Seconds = 5
/** ...and at most this. */
const MAX_RETRY_DELAY: Seconds = 3600
/** A tracker that one of our listen sockets cannot reach, but another can, is tried again from there after this. */
export const UNREACHABLE_PAUSE: Seconds = 3600
/** A tracker that wants to be left alone for longer than a day is left alone for a day. */
const MAX_INTERVAL: Seconds = 24 * 3600
/** Announces that a person forces are at least this far apart, unless the minimum interval is to be ignored. */
const LEAST_MIN_INTERVAL: Seconds = 30

/**
 * Pause before the next announce to a tracker that has failed `fails` times in a row: 17, 55, 117, 205, 317... seconds
 * with the default `tracker_backoff` of 250 per cent.
 */
export function retryDelay(fails: number, trackerBackoff: number): Seconds {
  const growth = Math.floor((fails * fails * MIN_RETRY_DELAY * trackerBackoff) / 100)
  return Math.min(MAX_RETRY_DELAY, MIN_RETRY_DELAY + growth)
}

/** The intervals to keep, whatever the tracker asked for: 0, negative and endless ones are brought into range. */
export function clampIntervals(
  interval: Seconds,
  minInterval: Seconds,
  minAnnounceInterval: Seconds,
): { readonly interval: Seconds; readonly minInterval: Seconds } {
  const kept = clamp(interval, Math.min(minAnnounceInterval, MAX_INTERVAL), MAX_INTERVAL)
  return { interval: kept, minInterval: Math.min(kept, clamp(minInterval, LEAST_MIN_INTERVAL, MAX_INTERVAL)) }
}

/** The pause a failing tracker asked for, within reason. */
export function clampRetry(retryIn: Seconds): Seconds {
  return clamp(retryIn, 0, MAX_INTERVAL)
}

function clamp(value: number, least: number, most: number): number {
  return Number.isFinite(value) ? Math.max(least, Math.min(most, value)) : most
}
