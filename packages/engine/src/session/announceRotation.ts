import type { Timer, Timers } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'

export interface AnnounceRotationHost<T> {
  readonly timers: Timers
  /** How often each member is announced. */
  readonly interval: Millis
  /** Whether announcing makes sense now; asked again after a while if not. Default: always. */
  isReady?(): boolean
  announce(member: T): void
}

/** Members whose turn comes are at least this far apart, however many there are (libtorrent). */
const SHORTEST_GAP_MS = 1000
/** New members do not wait for their turn, but come no faster than this. */
const NEW_MEMBER_GAP_MS = 100
/** How long to wait for a service that is not ready. */
const NOT_READY_MS = 1000

/**
 * Announces torrents to a service for finding peers (DHT, local discovery), one after the other, so that each comes
 * round once in an interval. A new one is announced at once. One timer for all; none while there is nobody.
 */
export class AnnounceRotation<T> {
  /** In the order of their turns. */
  private readonly members = new Set<T>()
  private readonly fresh = new Set<T>()
  private timer: Timer | null = null
  /** The timer is set for a new member. */
  private isHurried = false

  constructor(private readonly host: AnnounceRotationHost<T>) {}

  get size(): number {
    return this.members.size
  }

  /** Takes part from now on. One that takes part already is announced soon again. */
  add(member: T): void {
    this.members.add(member)
    this.fresh.add(member)
    if (this.isHurried) return
    this.timer?.cancel()
    this.schedule(0)
  }

  delete(member: T): void {
    this.members.delete(member)
    this.fresh.delete(member)
  }

  /** The service is gone: nobody is announced until somebody is added. */
  clear(): void {
    this.members.clear()
    this.fresh.clear()
    this.timer?.cancel()
    this.timer = null
    this.isHurried = false
  }

  private schedule(delay: Millis): void {
    this.isHurried = this.fresh.size > 0
    this.timer = this.host.timers.after(delay, () => this.turn())
  }

  private turn(): void {
    this.timer = null
    this.isHurried = false
    if (this.members.size > 0 && this.host.isReady?.() === false) return this.schedule(NOT_READY_MS)
    const member = first(this.fresh) ?? first(this.members)
    if (member === undefined) return
    this.fresh.delete(member)
    this.members.delete(member)
    this.members.add(member)
    // Before anything can throw, and so that who is added or leaves meanwhile finds all in order.
    this.schedule(this.nextDelay())
    this.host.announce(member)
  }

  private nextDelay(): Millis {
    if (this.fresh.size > 0) return NEW_MEMBER_GAP_MS
    return Math.max(SHORTEST_GAP_MS, this.host.interval / this.members.size)
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  return set.values().next().value
}
