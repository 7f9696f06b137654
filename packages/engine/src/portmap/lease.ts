import type { Millis } from '../util/flavored.ts'
import type { PortMapping } from './portMapping.ts'

/** Where a mapping stands with one router. */
export type LeaseState =
  /** To be asked for at `at`. */
  | { readonly name: 'wanted'; readonly at: Millis }
  /** Asked for; `before` is what stands if there is no answer. */
  | { readonly name: 'requesting'; readonly expiresAt: Millis | null }
  | { readonly name: 'mapped'; readonly renewAt: Millis; readonly expiresAt: Millis }
  /** To be taken back. */
  | { readonly name: 'leaving' }
  | { readonly name: 'removing' }

/** Renewing more often than this would only be done for a router that makes fun of us. */
const MIN_RENEWAL_MS: Millis = 30_000

/** One mapping at one router. */
export class Lease {
  state: LeaseState
  /** The port asked for outside, later the one that was given. */
  externalPort: number
  /** The router may know of it, so that it must be taken back at the end. */
  mayBeHeld = false
  /** Requests refused in a row. */
  refusals = 0
  /** The port that was reported as mapped, to report only changes; 0: none, or that it failed. */
  reported = 0
  /** Whether its failure was reported since it last was mapped. */
  failureReported = false

  constructor(
    readonly mapping: PortMapping,
    now: Millis,
    /** Proves to a PCP router that the mapping is ours (RFC 6887 section 11.2); empty without PCP. */
    readonly nonce: Uint8Array,
  ) {
    this.state = { name: 'wanted', at: now }
    this.externalPort = mapping.externalPort
  }

  /** wanted or mapped -> requesting. */
  requested(): void {
    this.state = { name: 'requesting', expiresAt: this.state.name === 'mapped' ? this.state.expiresAt : null }
    this.mayBeHeld = true
  }

  /** requesting -> mapped, to be renewed when `fraction` of `lifetime` is over. */
  granted(now: Millis, lifetime: Millis, fraction: number): void {
    const renewAt = now + Math.max(lifetime * fraction, MIN_RENEWAL_MS)
    this.state = { name: 'mapped', renewAt, expiresAt: now + lifetime }
    this.refusals = 0
    this.failureReported = false
  }

  /** requesting -> wanted again after `delay`. */
  postponed(now: Millis, delay: Millis): void {
    this.state = { name: 'wanted', at: now + delay }
  }

  /**
   * requesting -> mapped or wanted: the router did not answer. What was mapped is so until it expires, and is asked for
   * again at half of the time that is left; anything else after `delay`. True while it still is mapped.
   */
  unanswered(now: Millis, delay: Millis): boolean {
    const expiresAt = this.state.name === 'requesting' ? this.state.expiresAt : null
    const left = expiresAt === null ? 0 : expiresAt - now
    if (expiresAt !== null && left > 0) {
      this.state = { name: 'mapped', renewAt: now + Math.min(Math.max(left / 2, MIN_RENEWAL_MS), left), expiresAt }
      return true
    }
    this.postponed(now, delay)
    return false
  }

  /** Any state -> wanted at once: the router has forgotten it. */
  lost(now: Millis): void {
    this.state = { name: 'wanted', at: now }
  }

  /** When something is to be done; infinite while a request is out. */
  get dueAt(): Millis {
    const { state } = this
    if (state.name === 'wanted') return state.at
    if (state.name === 'mapped') return state.renewAt
    return state.name === 'leaving' ? 0 : Number.POSITIVE_INFINITY
  }
}
