import { PendingBytes } from './pendingBytes.ts'
import { ReorderBuffer } from './reorderBuffer.ts'
import { seqDistance } from './seqNumber.ts'

/** What we take beyond what was acknowledged, bytes: as libtorrent. */
export const RECEIVE_CAPACITY_BYTES = 1024 * 1024

/** Who gets the bytes. */
export interface UtpReceiverHost {
  /** Bytes in order. The view is valid during the call only. */
  deliver(bytes: Uint8Array): void
}

/** What became of a packet: `taken` is new, `known` came before, `refused` is not to be acknowledged. */
export type Reception = 'taken' | 'known' | 'refused'

/**
 * The receiving half of a connection: puts packets in order, hands their bytes on, and says how many more it takes. What
 * a sender can make it keep is `RECEIVE_CAPACITY_BYTES`, whatever it thinks of our window.
 */
export class UtpReceiver {
  private readonly reorder: ReorderBuffer
  private readonly pending = new PendingBytes()
  private finSeq: number | null = null
  private finished = false
  private flow: 'open' | 'paused' | 'discarding' = 'open'

  /** @param firstSeq the sequence number of the first packet to come. */
  constructor(
    private readonly host: UtpReceiverHost,
    firstSeq: number,
  ) {
    this.reorder = new ReorderBuffer(firstSeq)
  }

  /** The last packet that came in order: what our acks name. */
  get ack(): number {
    return (this.reorder.expected - 1) & 0xffff
  }

  /** Packets that came too early, for the selective ack. */
  get held(): ReorderBuffer {
    return this.reorder
  }

  /** Bytes we take beyond what was acknowledged. */
  get window(): number {
    return Math.max(0, RECEIVE_CAPACITY_BYTES - this.pending.length - this.reorder.heldBytes)
  }

  /** The other side has said all, and all of it was handed on. */
  get isFinished(): boolean {
    return this.finished && this.pending.length === 0
  }

  /** The other side's last packet has come, and everything before it. */
  get hasFin(): boolean {
    return this.finished
  }

  /** A data packet. */
  data(seq: number, payload: Uint8Array): Reception {
    const offset = seqDistance(this.reorder.expected, seq)
    if (offset < 0 || this.finished) return 'known'
    if (this.finSeq !== null && seqDistance(this.finSeq, seq) >= 0) return 'refused'
    if (offset > 0) {
      if (this.reorder.holds(offset)) return 'known'
      if (payload.length > this.window || !this.reorder.hold(seq, payload)) return 'refused'
      return 'taken'
    }
    // What goes straight to its receiver needs no room.
    if (this.mustWait && payload.length > this.window) return 'refused'
    this.reorder.advance()
    this.hand(payload)
    this.handHeld()
    return 'taken'
  }

  /** The other side says nothing beyond `seq`. */
  fin(seq: number): Reception {
    if (this.finSeq !== null || this.finished) return 'known'
    // Nobody can end before what was said already.
    if (seqDistance(this.reorder.expected, seq) < 0) return 'refused'
    this.finSeq = seq
    this.handHeld()
    return 'taken'
  }

  /** Nothing is handed on until `resume`; what comes is kept, and the window shrinks. */
  pause(): void {
    if (this.flow === 'open') this.flow = 'paused'
  }

  /** Ends `pause`. What was kept is handed on by `handPending`. */
  resume(): void {
    if (this.flow === 'paused') this.flow = 'open'
  }

  /** Hands on what was kept, until told to pause again. */
  handPending(): void {
    while (this.flow === 'open') {
      const bytes = this.pending.take()
      if (bytes === null) return
      this.host.deliver(bytes)
    }
  }

  /** Nobody wants the bytes any more; packets are still put in order, so that the end can be told. */
  discard(): void {
    this.flow = 'discarding'
    this.pending.clear()
  }

  private get mustWait(): boolean {
    return this.flow === 'paused' || this.pending.length > 0
  }

  private handHeld(): void {
    for (;;) {
      if (this.finSeq === this.reorder.expected) {
        this.reorder.advance()
        this.reorder.clear()
        this.finished = true
        this.finSeq = null
        return
      }
      const payload = this.reorder.takeExpected()
      if (payload === null) return
      this.hand(payload)
    }
  }

  private hand(payload: Uint8Array): void {
    if (payload.length === 0 || this.flow === 'discarding') return
    if (this.mustWait) this.pending.append(payload)
    else this.host.deliver(payload)
  }
}
