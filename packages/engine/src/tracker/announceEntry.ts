import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Clock } from '../platform/clock.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import { retryDelay } from './announceIntervals.ts'

/** What it takes to name a tracker: an `AnnounceEntry`, a torrent's tracker, or just a URL. */
export interface TrackerSpec {
  /** `http:`, `https:` or `udp:`. */
  readonly url: string
  /** 0 to 255; lower ones first. Default 0. */
  readonly tier?: number
  /** `TrackerSource` bits; default none. */
  readonly source?: number
  /** See `AnnounceEntry.failLimit`; default 0. */
  readonly failLimit?: number
  /** See `AnnounceEntry.trackerid`; default empty. */
  readonly trackerid?: string
}

/** libtorrent counts failures in 7 bits. */
const MAX_FAILS = 127

/** One tracker of a torrent and how things stand with it: libtorrent's `announce_entry`. */
export class AnnounceEntry implements TrackerSpec {
  readonly url: string
  /** Priority: whatever works or fails, trackers of lower tiers are tried first (BEP 12). */
  tier: number
  /** Failures in a row after which the tracker is not used any more; 0: no limit. */
  failLimit: number
  /** `TrackerSource` bits: where the tracker became known. */
  source: number
  /** What the tracker wants to be told with each announce, one character per byte; empty: nothing. */
  trackerid: string
  /** Failures in a row. */
  fails = 0
  /** The tracker has answered at least once. */
  verified = false
  /** An announce is under way, or waits for its turn. */
  updating = false
  /** The tracker knows us: it has answered `started`, and was not told `stopped`. */
  startSent = false
  /** The tracker knows that we are complete, or was told us complete from the start. */
  completeSent = false
  /** The tracker's last words: a warning, or the reason of a failure. Empty if none. */
  message = ''
  lastError: LibtorrentError | null = null
  /** When to announce next, by the platform's clock; 0: at once. */
  nextAnnounce: Millis = 0
  /** Before this no announce may be forced. */
  minAnnounce: Millis = 0
  /** Counts the tracker told last; -1: unknown. */
  scrapeIncomplete = -1
  scrapeComplete = -1
  scrapeDownloaded = -1
  /** Somebody asked for an announce to this tracker: it is due whatever the other trackers do. */
  triggeredManually = false

  /** `clock` lets `nextAnnounceIn` and `minAnnounceIn` tell the time; without it they are 0. */
  constructor(
    spec: TrackerSpec | string,
    private readonly clock: Clock | null = null,
  ) {
    const {
      url,
      tier = 0,
      source = 0,
      failLimit = 0,
      trackerid = '',
    }: TrackerSpec = typeof spec === 'string' ? { url: spec } : spec
    this.url = url.trim()
    this.tier = Math.max(0, Math.min(255, Math.trunc(tier)))
    this.source = source
    this.failLimit = failLimit
    this.trackerid = trackerid
  }

  /** Seconds to the next announce, 0 when it is due. */
  nextAnnounceIn(): Seconds {
    return this.secondsTo(this.nextAnnounce)
  }

  /** Seconds until an announce may be forced. */
  minAnnounceIn(): Seconds {
    return this.secondsTo(this.minAnnounce)
  }

  /** The tracker has not failed since it last worked, or was never tried. */
  isWorking(): boolean {
    return this.fails === 0
  }

  /** It has failed as often as it may. */
  isExhausted(): boolean {
    return this.failLimit !== 0 && this.fails >= this.failLimit
  }

  /** An announce may go out now. `isSeed`: we are complete; a tracker that does not know yet is told before its time. */
  canAnnounce(now: Millis, isSeed: boolean): boolean {
    const needsComplete = isSeed && !this.completeSent
    return (
      !this.updating && !this.isExhausted() && now >= this.nextAnnounce && (now >= this.minAnnounce || needsComplete)
    )
  }

  /** As if never announced to: the next announce is `started`, and due at once. */
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
  clone(): AnnounceEntry {
    return Object.assign(new AnnounceEntry(this, this.clock), this)
  }

  private secondsTo(when: Millis): Seconds {
    return this.clock === null ? 0 : Math.max(0, Math.ceil((when - this.clock.now()) / 1000))
  }
}
