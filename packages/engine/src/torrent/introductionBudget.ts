import { networkOf } from '../address/networkOf.ts'
import type { Millis } from '../util/flavored.ts'

/** What one address may make us do in a minute, and how often others are led to one address. */
const PER_MINUTE = 20
const MINUTE_MS: Millis = 60_000
/** Networks counted in a minute; nothing more is done in it for others. */
const MAX_NETWORKS = 1000

/**
 * How much hole punching strangers may cause (BEP 55). Counted by address, of IPv6 by the /64, so that it does not help to
 * connect again.
 */
export class IntroductionBudget {
  private began: Millis = Number.NEGATIVE_INFINITY
  private readonly messages = new Map<string, number>()
  private readonly introductions = new Map<string, number>()

  constructor(private readonly host: { now(): Millis }) {}

  /** A message from `address` came. False when there were too many. */
  take(address: string): boolean {
    return this.count(this.messages, address)
  }

  /** Somebody is to be led to `address`. False when too many were. */
  takeFor(address: string): boolean {
    return this.count(this.introductions, address)
  }

  private count(counts: Map<string, number>, address: string): boolean {
    const now = this.host.now()
    if (now - this.began >= MINUTE_MS) {
      this.began = now
      this.messages.clear()
      this.introductions.clear()
    }
    const network = networkOf(address)
    const count = counts.get(network) ?? 0
    if (count >= PER_MINUTE || (count === 0 && counts.size >= MAX_NETWORKS)) return false
    counts.set(network, count + 1)
    return true
  }
}
