import type { Millis } from '../util/flavored.ts'

/** Acks are not delayed (`utp_delayed_ack`) beyond so many packets. */
const MOST_DELAYED_PACKETS = 2

/** Whether the other side is owed an acknowledgement, and by when. Any packet that leaves pays it. */
export class AckDebt {
  private due: Millis = Number.POSITIVE_INFINITY
  private packets = 0

  /** When it is to be paid at the latest; infinite: nothing is owed. */
  get at(): Millis {
    return this.due
  }

  get isOwed(): boolean {
    return this.due < Number.POSITIVE_INFINITY
  }

  isDue(now: Millis): boolean {
    return now >= this.due
  }

  /** One is owed at the end of this turn. */
  owe(): void {
    this.due = Number.NEGATIVE_INFINITY
  }

  /** A packet came whose acknowledgement may wait for so long for another; it waits for none that came before. */
  oweWithin(delay: Millis, now: Millis): void {
    if (++this.packets >= MOST_DELAYED_PACKETS || delay <= 0) this.owe()
    else this.due = Math.min(this.due, now + delay)
  }

  /** A packet has left. */
  pay(): void {
    this.due = Number.POSITIVE_INFINITY
    this.packets = 0
  }
}
