import type { Millis } from '../util/flavored.ts'
import { seqLess } from './seqNumber.ts'

/**
 * Says which losses the window pays for: one of all packets that were under way together (libtorrent, `m_loss_seq_nr`), and
 * none within `utp_cwnd_reduce_timer` of the one before.
 */
export class LossPrice {
  /** Losses up to this packet have been paid for. */
  private paidUpTo: number
  private nextAt: Millis = 0

  /** @param firstSeq the number of the first packet to be sent. */
  constructor(firstSeq: number) {
    this.paidUpTo = (firstSeq - 1) & 0xffff
  }

  /** Whether the loss of that packet costs anything. */
  isDue(seq: number, now: Millis): boolean {
    return seqLess(this.paidUpTo, seq) && now >= this.nextAt
  }

  /** All packets before `nextSeq` are paid for, and whatever is lost within `pause`. */
  pay(nextSeq: number, now: Millis, pause: Millis): void {
    this.paidUpTo = (nextSeq - 1) & 0xffff
    this.nextAt = now + pause
  }

  /** All packets before `nextSeq` are paid for, by a timeout. */
  timedOut(nextSeq: number): void {
    this.paidUpTo = (nextSeq - 1) & 0xffff
  }

  /**
   * `firstSeq` is the first packet that is not acknowledged. What is remembered is kept close behind it: numbers half their
   * range apart tell nothing of which is the earlier.
   */
  follow(firstSeq: number): void {
    if (seqLess(this.paidUpTo, firstSeq)) this.paidUpTo = (firstSeq - 1) & 0xffff
  }
}
