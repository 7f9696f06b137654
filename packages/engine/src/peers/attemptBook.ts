import { isLoopback } from '../address/classify.ts'
import type { Clock } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'

/** An attempt to connect; compared by identity. */
export type Attempt = object

/** Who wanted to dial an address and may not. */
export interface WaitingDialler {
  /** Now it may. */
  onReached(address: string): void
}

interface Page {
  readonly underWay: Set<Attempt>
  readonly waiting: Set<WaitingDialler>
  /** Attempts that led to no BitTorrent client, since the last that did. */
  failures: number
  /** Not to be dialled before. */
  restUntil: Millis
}

/** At one address at once, as long as nobody there has spoken BitTorrent. */
export const MAX_ATTEMPTS_AT_ONCE = 8
/** So many attempts may fail before the address is left alone for a while. */
export const FORGIVEN_FAILURES = 3
const FIRST_REST_MS: Millis = 60_000
const LONGEST_REST_MS: Millis = 3_600_000
/** Addresses remembered at once; beyond, the one longest untouched is forgotten. */
const MAX_PAGES = 10_000

/**
 * Which addresses were dialled in vain, over all torrents and ports: what trackers and peers name need not be a peer, and
 * a session with many torrents must not be made to knock at somebody's door all the time. As soon as one handshake with
 * an address succeeds it may be dialled as often as torrents like.
 */
export class AttemptBook {
  /** Longest untouched first. */
  private readonly pages = new Map<string, Page>()

  constructor(private readonly clock: Clock) {}

  /**
   * Whether `dialler` may connect to `address` now. If not, it is told when somebody reaches it; otherwise it may ask
   * again in a minute.
   */
  mayDial(address: string, dialler: WaitingDialler): boolean {
    const page = this.pages.get(address)
    if (page === undefined || this.isOpen(page)) return true
    page.waiting.add(dialler)
    return false
  }

  dialled(address: string, attempt: Attempt): void {
    // Our own machine is nobody else's door.
    if (isLoopback(address)) return
    const page = this.pages.get(address) ?? { underWay: new Set(), waiting: new Set(), failures: 0, restUntil: 0 }
    page.underWay.add(attempt)
    this.touch(address, page)
  }

  /** The attempt is over. `failed`: for a reason that says something about the address. */
  ended(address: string, attempt: Attempt, failed: boolean): void {
    const page = this.pages.get(address)
    if (page === undefined || !page.underWay.delete(attempt)) return
    if (failed) {
      page.failures++
      const rest = FIRST_REST_MS * 2 ** Math.min(page.failures - FORGIVEN_FAILURES, 10)
      page.restUntil = this.clock.now() + Math.min(rest, LONGEST_REST_MS)
      this.touch(address, page)
    }
    if (page.failures === 0 && page.underWay.size === 0) this.pages.delete(address)
  }

  /** There is a BitTorrent client at `address`, or somebody says so who should know. */
  reached(address: string): void {
    const page = this.pages.get(address)
    if (page === undefined) return
    this.pages.delete(address)
    for (const dialler of page.waiting) dialler.onReached(address)
  }

  private isOpen({ underWay, failures, restUntil }: Page): boolean {
    if (failures < FORGIVEN_FAILURES) return underWay.size < MAX_ATTEMPTS_AT_ONCE
    return underWay.size === 0 && this.clock.now() >= restUntil
  }

  private touch(address: string, page: Page): void {
    this.pages.delete(address)
    if (this.pages.size >= MAX_PAGES) this.pages.delete(this.pages.keys().next().value as string)
    this.pages.set(address, page)
  }
}
