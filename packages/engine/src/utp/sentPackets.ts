import type { OutPacket } from './packetPool.ts'
import { nextSeq, seqDistance } from './seqNumber.ts'

/** Packets that may be under way. Sequence numbers tell earlier from later over half their range only. */
export const MOST_PACKETS_UNDER_WAY = 8192

/** Packets that were sent and are not acknowledged yet, by sequence number. */
export class SentPackets {
  private slots: (OutPacket | null)[] = new Array(8).fill(null)
  /** The first that is not acknowledged. */
  private first: number
  /** Where the search for lost ones begins. */
  private lostFrom: number
  private flying = 0
  private lost = 0

  /** @param next the sequence number of the first packet to be sent. */
  constructor(private next: number) {
    this.first = next
    this.lostFrom = next
  }

  /** The next packet's number. */
  get nextSeq(): number {
    return this.next
  }

  /** The first that is not acknowledged; `nextSeq` when all are. */
  get firstSeq(): number {
    return this.first
  }

  /** Packets from the first that is not acknowledged to the last that was sent. */
  get span(): number {
    return (this.next - this.first) & 0xffff
  }

  /** Bytes of payload under way: sent, neither acknowledged nor taken for lost. */
  get bytesInFlight(): number {
    return this.flying
  }

  /** Packets to be sent again. */
  get lostCount(): number {
    return this.lost
  }

  /** Takes the packet with the number `nextSeq`, about to be sent. */
  add(packet: OutPacket): void {
    if (this.span === this.slots.length) this.grow()
    packet.seq = this.next
    this.slots[this.next & (this.slots.length - 1)] = packet
    this.next = nextSeq(this.next)
    this.flying += packet.payload
  }

  /** The packet `offset` behind the first that is not acknowledged, of the `span`; null: acknowledged by itself. */
  at(offset: number): OutPacket | null {
    return this.slots[(this.first + offset) & (this.slots.length - 1)]
  }

  /** Takes out the packet at that offset, because it was acknowledged. `skipAcknowledged` must follow. */
  remove(offset: number): OutPacket | null {
    const at = (this.first + offset) & (this.slots.length - 1)
    const packet = this.slots[at]
    if (packet === null) return null
    this.slots[at] = null
    if (packet.isLost) this.lost--
    else this.flying -= packet.payload
    return packet
  }

  /** Moves the first on over packets that were taken out. */
  skipAcknowledged(): void {
    while (this.first !== this.next && this.at(0) === null) this.first = nextSeq(this.first)
    if (seqDistance(this.lostFrom, this.first) > 0) this.lostFrom = this.first
  }

  /** The packet is not under way any more, and has to be sent again. */
  markLost(packet: OutPacket): void {
    if (packet.isLost) return
    packet.isLost = true
    this.lost++
    this.flying -= packet.payload
    if (seqDistance(packet.seq, this.lostFrom) > 0) this.lostFrom = packet.seq
  }

  /** The first packet to be sent again; null when there is none. */
  firstLost(): OutPacket | null {
    if (this.lost === 0) return null
    for (let offset = seqDistance(this.first, this.lostFrom); offset < this.span; offset++) {
      const packet = this.at(offset)
      if (packet?.isLost) {
        this.lostFrom = packet.seq
        return packet
      }
    }
    return null
  }

  /** A lost packet is sent again. */
  markResent(packet: OutPacket): void {
    packet.isLost = false
    this.lost--
    this.flying += packet.payload
  }

  /** Takes out everything. */
  clear(release: (packet: OutPacket) => void): void {
    for (let offset = 0; offset < this.span; offset++) {
      const packet = this.remove(offset)
      if (packet !== null) release(packet)
    }
    this.skipAcknowledged()
  }

  private grow(): void {
    const old = this.slots
    const slots: (OutPacket | null)[] = new Array(old.length * 2).fill(null)
    for (const packet of old) if (packet !== null) slots[packet.seq & (slots.length - 1)] = packet
    this.slots = slots
  }
}
