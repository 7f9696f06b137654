import type { Millis } from '../util/flavored.ts'

/** What choosing candidates asks of the list they are chosen from. */
export interface ConnectCandidatesHost<P> {
  readonly size: number
  at(index: number): P
  /** Whether it makes sense to ever connect to `peer`. */
  isConnectCandidate(peer: P): boolean
  /** When `peer` may be tried, 0 for at once. */
  readyAt(peer: P): Millis
  /** Negative when `a` is the better one. */
  compare(a: P, b: P): number
  /** Sees every peer that is looked at. True when it was erased, and another has taken its place. */
  onLookedAt(peer: P): boolean
}

/** Candidates found by one scan, best first (libtorrent). */
const CANDIDATE_COUNT = 10
/** Peers looked at by one scan: bounds its cost whatever the size of the list (libtorrent). */
const SCAN_COUNT = 300

/**
 * Whom to connect to next. A small cache of good candidates is refilled by scanning the next part of the list, so that
 * an attempt costs the same in a list of ten peers and of ten thousand. Once all parts were scanned in vain it is known
 * when the first peer becomes ready, and nothing is looked at before.
 */
export class ConnectCandidates<P> {
  private found: P[] = []
  private scanAt = 0
  /** Peers still to be looked at before it is certain that nobody is ready. */
  private unseen = 0
  /** When the first of those seen since becomes ready. */
  private earliest: Millis = Number.POSITIVE_INFINITY
  private nextTry: Millis = 0

  constructor(private readonly host: ConnectCandidatesHost<P>) {}

  /** When `take` may find somebody; in the past if it may now. */
  get retryAt(): Millis {
    return this.nextTry
  }

  /** The best candidate now, which is one no more; or null: see `retryAt`. */
  take(now: Millis): P | null {
    for (;;) {
      const peer = this.found.shift()
      if (peer === undefined) {
        if (now < this.nextTry) return null
        this.scan(now)
        if (this.found.length === 0) return null
      } else if (this.host.isConnectCandidate(peer) && this.host.readyAt(peer) <= now) {
        return peer
      }
    }
  }

  /** `peer` has become a candidate, or its time has changed. */
  onCandidate(peer: P): void {
    const readyAt = this.host.readyAt(peer)
    this.earliest = Math.min(this.earliest, readyAt)
    if (this.unseen <= 0) this.nextTry = Math.min(this.nextTry, readyAt)
  }

  /** Peers have moved in the list: some of those not seen yet may be where nobody looks any more. */
  onErased(): void {
    if (this.unseen > 0) this.restartSweep()
  }

  /** What makes a candidate, or one better than another, has changed. */
  reset(): void {
    this.found = []
    this.nextTry = 0
    this.restartSweep()
  }

  private restartSweep(): void {
    this.unseen = this.host.size
    this.earliest = Number.POSITIVE_INFINITY
  }

  private scan(now: Millis): void {
    const { host } = this
    const found: P[] = []
    if (this.unseen <= 0) this.restartSweep()
    for (let i = Math.min(host.size, SCAN_COUNT); i > 0 && host.size > 0; i--) {
      if (this.scanAt >= host.size) this.scanAt = 0
      const peer = host.at(this.scanAt)
      if (host.onLookedAt(peer)) continue
      this.scanAt++
      this.unseen--
      if (!host.isConnectCandidate(peer)) continue
      const readyAt = host.readyAt(peer)
      if (readyAt > now) this.earliest = Math.min(this.earliest, readyAt)
      else this.insert(found, peer)
    }
    this.found = found
    // Whoever was found will not be ready for a while: the others are looked through anew.
    if (found.length > 0) this.restartSweep()
    this.nextTry = this.unseen > 0 ? 0 : this.earliest
  }

  private insert(found: P[], peer: P): void {
    let at = found.length
    while (at > 0 && this.host.compare(peer, found[at - 1]) < 0) at--
    if (at === CANDIDATE_COUNT) return
    if (found.length === CANDIDATE_COUNT) found.pop()
    found.splice(at, 0, peer)
  }
}
