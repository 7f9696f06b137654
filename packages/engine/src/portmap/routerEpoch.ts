import type { Millis, Seconds } from '../util/flavored.ts'

type Seen = { readonly at: Millis; readonly epoch: Seconds }

/**
 * The router's own clock, which every answer of NAT-PMP and PCP carries: when it has not gone on as ours did, the router
 * has started again and forgotten all mappings.
 */
export class RouterEpoch {
  private last: Seen | null = null

  /** The rule of RFC 6887 section 8.5, which is a little stricter than that of RFC 6886 section 3.6. */
  startedAgain(now: Millis, epoch: Seconds): boolean {
    const { last } = this
    this.last = { at: now, epoch }
    if (last === null) return false
    // Answers may overtake each other by a second.
    if (epoch + 1 < last.epoch) return true
    const ours = (now - last.at) / 1000
    const routers = epoch - last.epoch
    return ours + 2 < routers - routers / 16 || routers + 2 < ours - ours / 16
  }
}
