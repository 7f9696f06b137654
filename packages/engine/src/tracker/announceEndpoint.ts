import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import { retryDelay } from './announceIntervals.ts'

/** libtorrent counts failures in 7 bits. */
const MAX_FAILS = 127

/**
 * How things stand between one tracker and one of our listen sockets: libtorrent's `announce_endpoint`. Each listen
 * socket announces for itself, so that peers of both families learn of us, and each keeps its own times and failures.
 */
export class AnnounceEndpoint {
  /** The tracker can be reached from here, or that was not tried yet. */
  enabled = true
  /** Failures in a row. */
  fails = 0
  /** An announce is under way, or waits for its turn. */
  updating = false
  /** The tracker knows us: it has answered `started`, and was not told `stopped`. */
  startSent = false
  /** The tracker's last words: a warning, or the reason of a failure. Empty if none. */
  message = ''
  lastError: LibtorrentError | null = null
  /** When to announce next, by the platform's clock; 0: at once. */
  nextAnnounce: Millis = 0
  /** Before this no announce may be forced. */
  minAnnounce: Millis = 0
  /** Counts the tracker told when it was announced to from here; -1: unknown. */
  scrapeIncomplete = -1
  scrapeComplete = -1
  scrapeDownloaded = -1
  /** Somebody asked for an announce to this tracker: it is due whatever the other trackers do. */
  triggeredManually = false

  constructor(
    /** Where the listen socket listens: the address announces go out from, and the port they tell. */
    readonly localEndpoint: Endpoint,
  ) {}

  /** No announce has failed since the last that worked, or none was made yet. */
  isWorking(): boolean {
    return this.fails === 0
  }

  /** It has failed as often as it may: `failLimit` times, where 0 is no limit. */
  isExhausted(failLimit: number): boolean {
    return failLimit !== 0 && this.fails >= failLimit
  }

  /** As if never announced: the next announce is `started`, and due at once. */
  reset(): void {
    this.startSent = false
    this.nextAnnounce = 0
    this.minAnnounce = 0
  }

  /** Counts a failure; the next announce is after `retryDelay`, and not before `retryIn` seconds. */
  failed(now: Millis, trackerBackoff: number, retryIn: Seconds = 0): void {
    this.fails = Math.min(this.fails + 1, MAX_FAILS)
    this.updating = false
    this.nextAnnounce = now + Math.max(retryIn, retryDelay(this.fails, trackerBackoff)) * 1000
  }

  /** A copy that does not change when this does. */
  clone(): AnnounceEndpoint {
    return Object.assign(new AnnounceEndpoint(this.localEndpoint), this)
  }
}
