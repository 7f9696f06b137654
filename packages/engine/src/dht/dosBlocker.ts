import type { Millis, Seconds } from '../util/flavored.ts'
import { addressKey, networkKey } from './nodeContact.ts'

/** Packets are counted over so long. */
const WINDOW: Millis = 10_000
/** Senders counted in one window, and senders blocked: a flood from forged addresses must not fill our memory. */
const MAX_SENDERS = 8192

/**
 * Ignores those who send too much (libtorrent's `dos_blocker`): more than `rateLimit` packets a second over ten seconds
 * and nothing of theirs is read for `timeout`. An IPv6 sender is its /64, in which it has as many addresses as it likes.
 */
export class DosBlocker {
  private readonly counts = new Map<string, number>()
  private readonly blocked = new Map<string, Millis>()
  private windowEnd: Millis = 0

  /** A packet came from a compact contact. False: ignore it. */
  incoming(compact: Uint8Array, now: Millis, rateLimit: number, timeout: Seconds): boolean {
    const key = compact.length === 6 ? addressKey(compact) : networkKey(compact)
    if (this.blocked.size > 0) {
      const until = this.blocked.get(key)
      if (until !== undefined) {
        if (now < until) return false
        this.blocked.delete(key)
      }
    }
    if (now >= this.windowEnd) {
      this.windowEnd = now + WINDOW
      this.counts.clear()
    }
    const count = this.counts.get(key) ?? 0
    if (count === 0 && this.counts.size >= MAX_SENDERS) return true
    if (count + 1 > rateLimit * (WINDOW / 1000)) {
      this.block(key, now, now + timeout * 1000)
      return false
    }
    this.counts.set(key, count + 1)
    return true
  }

  private block(key: string, now: Millis, until: Millis): void {
    if (this.blocked.size >= MAX_SENDERS) {
      for (const [other, end] of this.blocked) if (end <= now) this.blocked.delete(other)
      const oldest = this.blocked.keys().next().value
      if (this.blocked.size >= MAX_SENDERS && oldest !== undefined) this.blocked.delete(oldest)
    }
    this.blocked.set(key, until)
  }
}
