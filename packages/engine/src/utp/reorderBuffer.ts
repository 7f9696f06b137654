import { nextSeq, seqDistance } from './seqNumber.ts'

/** Packets ahead of the first missing one that are looked at: the window in the smallest packets that make sense. */
export const MOST_PACKETS_AHEAD = 2048

/**
 * Packets that came before their turn. It holds copies, at most `MOST_PACKETS_AHEAD`; how many bytes they may have is the
 * caller's to watch. Nothing is allocated until the first packet comes early.
 */
export class ReorderBuffer {
  private slots: (Uint8Array | null)[] = []
  private bytes = 0
  private furthest = 0

  /** @param expected the packet whose turn it is. */
  constructor(private next: number) {}

  /** The packet whose turn it is. */
  get expected(): number {
    return this.next
  }

  /** Bytes of payload held. */
  get heldBytes(): number {
    return this.bytes
  }

  /** Packets from the expected one up to the last that is held, both counted; 0 when none is. */
  get span(): number {
    return this.furthest === 0 ? 0 : this.furthest + 1
  }

  /** Whether the packet `offset` behind the expected one is held. */
  holds(offset: number): boolean {
    return offset <= this.furthest && this.slots[(this.next + offset) & (this.slots.length - 1)] !== null
  }

  /** Keeps a copy of a packet that is ahead of its turn. False when it is held already, or too far ahead. */
  hold(seq: number, payload: Uint8Array): boolean {
    const offset = seqDistance(this.next, seq)
    if (offset <= 0 || offset >= MOST_PACKETS_AHEAD) return false
    if (offset >= this.slots.length) this.grow(offset)
    const at = seq & (this.slots.length - 1)
    if (this.slots[at] !== null) return false
    this.slots[at] = new Uint8Array(payload)
    this.bytes += payload.length
    this.furthest = Math.max(this.furthest, offset)
    return true
  }

  /** The expected packet has come: the next is expected. */
  advance(): void {
    this.next = nextSeq(this.next)
    if (this.furthest > 0) this.furthest--
  }

  /** Takes out the expected packet when it is held; the next is expected then. */
  takeExpected(): Uint8Array | null {
    if (this.bytes === 0 && this.slots.length === 0) return null
    const at = this.next & (this.slots.length - 1)
    const payload = this.slots[at]
    if (payload === null) return null
    this.slots[at] = null
    this.bytes -= payload.length
    this.advance()
    return payload
  }

  /** Lets go of what is held. */
  clear(): void {
    this.slots = []
    this.bytes = 0
    this.furthest = 0
  }

  private grow(offset: number): void {
    let size = Math.max(16, this.slots.length)
    while (size <= offset) size *= 2
    const slots: (Uint8Array | null)[] = new Array(size).fill(null)
    const old = this.slots.length
    for (let i = 0; i < old; i++) {
      const seq = (this.next + i) & 0xffff
      slots[seq & (size - 1)] = this.slots[seq & (old - 1)]
    }
    this.slots = slots
  }
}
