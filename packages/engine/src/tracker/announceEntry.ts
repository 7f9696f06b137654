import { type Endpoint, sameEndpoint } from '../address/endpoint.ts'
import { isI2pUrl } from '../address/i2pAddress.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Clock } from '../platform/clock.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import { AnnounceEndpoint } from './announceEndpoint.ts'
import { isWebSocketUrl } from './trackerLocation.ts'

/** What it takes to name a tracker: an `AnnounceEntry`, a torrent's tracker, or just a URL. */
export interface TrackerSpec {
  /** `http:`, `https:`, `udp:`, `ws:` or `wss:`. */
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

/** Counts of a swarm as a scrape told them; -1: unknown, or told anew by an announce since. */
interface ScrapedCounts {
  complete: number
  incomplete: number
  downloaded: number
}

/**
 * One tracker of a torrent and how things stand with it: libtorrent's `announce_entry`. What differs from listen socket
 * to listen socket is in `endpoints`; the tracker's own `fails`, `message`, ... are those of the one that fares best.
 */
export class AnnounceEntry implements TrackerSpec {
  readonly url: string
  /** It introduces WebRTC peers. */
  readonly isWebSocket: boolean
  /** It is in I2P, and told nothing of our listen sockets. */
  readonly isI2p: boolean
  /** Priority: whatever works or fails, trackers of lower tiers are tried first (BEP 12). */
  tier: number
  /** Failures in a row after which the tracker is not used any more; 0: no limit. */
  failLimit: number
  /** `TrackerSource` bits: where the tracker became known. */
  source: number
  /** What the tracker wants to be told with each announce, one character per byte; empty: nothing. */
  trackerid: string
  /** The tracker has answered at least once. */
  verified = false
  /** The tracker knows that we are complete, or was told us complete from the start. */
  completeSent = false
  /** The tracker said that it is never to be asked again (HTTP status 410, BEP 31); only a person's wish counts. */
  retired = false
  /** Each of our listen sockets that has announced here, or has tried to. */
  endpoints: AnnounceEndpoint[] = []
  private scraped: ScrapedCounts = { complete: -1, incomplete: -1, downloaded: -1 }

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
    this.isWebSocket = isWebSocketUrl(this.url)
    this.isI2p = isI2pUrl(this.url)
    this.tier = Math.max(0, Math.min(255, Math.trunc(tier)))
    this.source = source
    this.failLimit = failLimit
    this.trackerid = trackerid
  }

  /** One listen socket speaks for all. */
  get hasOneSource(): boolean {
    return this.isWebSocket || this.isI2p
  }

  /** How things stand with the listen socket at `local`; null: it has not announced here yet. */
  findEndpoint(local: Endpoint): AnnounceEndpoint | null {
    for (const endpoint of this.endpoints) if (sameEndpoint(endpoint.localEndpoint, local)) return endpoint
    return null
  }

  /** The same, made if need be. */
  openEndpoint(local: Endpoint): AnnounceEndpoint {
    const known = this.findEndpoint(local)
    if (known !== null) return known
    const endpoint = new AnnounceEndpoint(local)
    this.endpoints.push(endpoint)
    return endpoint
  }

  /** Failures in a row. */
  get fails(): number {
    return this.best?.fails ?? 0
  }

  /** An announce is under way, or waits for its turn. */
  get updating(): boolean {
    return this.endpoints.some((endpoint) => endpoint.updating)
  }

  /** The tracker knows us: it has answered `started`, and was not told `stopped`. */
  get startSent(): boolean {
    return this.endpoints.some((endpoint) => endpoint.startSent)
  }

  /** The tracker's last words: a warning, or the reason of a failure. Empty if none. */
  get message(): string {
    return this.best?.message ?? ''
  }

  get lastError(): LibtorrentError | null {
    return this.best?.lastError ?? null
  }

  /** When to announce next, by the platform's clock; 0: at once. */
  get nextAnnounce(): Millis {
    return this.best?.nextAnnounce ?? 0
  }

  /** Before this no announce may be forced. */
  get minAnnounce(): Millis {
    return this.best?.minAnnounce ?? 0
  }

  /** Counts the tracker told last, the largest of those it told our listen sockets; -1: unknown. */
  get scrapeIncomplete(): number {
    return this.endpoints.reduce(
      (most, { scrapeIncomplete }) => Math.max(most, scrapeIncomplete),
      this.scraped.incomplete,
    )
  }

  get scrapeComplete(): number {
    return this.endpoints.reduce((most, { scrapeComplete }) => Math.max(most, scrapeComplete), this.scraped.complete)
  }

  get scrapeDownloaded(): number {
    return this.endpoints.reduce(
      (most, { scrapeDownloaded }) => Math.max(most, scrapeDownloaded),
      this.scraped.downloaded,
    )
  }

  /** Somebody asked for an announce to this tracker. */
  get triggeredManually(): boolean {
    return this.endpoints.some((endpoint) => endpoint.triggeredManually)
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

  /** It has failed as often as it may, from wherever it can be reached. */
  isExhausted(): boolean {
    return this.retired || (this.best?.isExhausted(this.failLimit) ?? false)
  }

  /** The tracker is never to be asked again. */
  retire(): void {
    this.retired = true
    this.failLimit = 1
  }

  /**
   * An announce may go out now, from one listen socket at least. `isSeed`: we are complete; a tracker that does not
   * know yet is told before its time.
   */
  canAnnounce(now: Millis, isSeed: boolean): boolean {
    const needsComplete = isSeed && !this.completeSent
    if (this.retired) return false
    if (this.endpoints.length === 0) return true
    return this.endpoints.some(
      (endpoint) =>
        !endpoint.updating &&
        !endpoint.isExhausted(this.failLimit) &&
        now >= endpoint.nextAnnounce &&
        (now >= endpoint.minAnnounce || needsComplete),
    )
  }

  /** As if never announced to: the next announces are `started`, and due at once. */
  reset(): void {
    for (const endpoint of this.endpoints) endpoint.reset()
  }

  /** The tracker told the size of the swarm; what is -1 it did not tell. `from`: in answer to an announce from there. */
  noteCounts(counts: Readonly<ScrapedCounts>, from: AnnounceEndpoint | null): void {
    // Announces of all listen sockets count beside each other, a scrape and announces in place of each other.
    for (const field of ['complete', 'incomplete', 'downloaded'] as const) {
      if (counts[field] < 0) continue
      this.scraped = { ...this.scraped, [field]: from === null ? counts[field] : -1 }
      const key = COUNT_FIELDS[field]
      if (from === null) for (const endpoint of this.endpoints) endpoint[key] = -1
      else from[key] = counts[field]
    }
  }

  /** A copy that does not change when this does. */
  clone(): AnnounceEntry {
    const copy = Object.assign(new AnnounceEntry(this, this.clock), this)
    copy.endpoints = this.endpoints.map((endpoint) => endpoint.clone())
    return copy
  }

  /** The endpoint that fares best: those from which the tracker cannot be reached say little about it. */
  private get best(): AnnounceEndpoint | null {
    let best: AnnounceEndpoint | null = null
    for (const endpoint of this.endpoints) if (best === null || isBetter(endpoint, best)) best = endpoint
    return best
  }

  private secondsTo(when: Millis): Seconds {
    return this.clock === null ? 0 : Math.max(0, Math.ceil((when - this.clock.now()) / 1000))
  }
}

const COUNT_FIELDS = {
  complete: 'scrapeComplete',
  incomplete: 'scrapeIncomplete',
  downloaded: 'scrapeDownloaded',
} as const

function isBetter(a: AnnounceEndpoint, b: AnnounceEndpoint): boolean {
  if (a.enabled !== b.enabled) return a.enabled
  if (a.enabled && a.fails !== b.fails) return a.fails < b.fails
  // That a tracker has no address of one family tells less than that there is no route to the one it has.
  if (!a.enabled && hasNoAddress(a) !== hasNoAddress(b)) return hasNoAddress(b)
  return a.nextAnnounce < b.nextAnnounce
}

function hasNoAddress({ lastError }: AnnounceEndpoint): boolean {
  return lastError?.code === 'EAFNOSUPPORT'
}
