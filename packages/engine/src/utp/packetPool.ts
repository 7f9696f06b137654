import type { Millis } from '../util/flavored.ts'

/** What is kept for later at most; beyond it memory goes back to the system. */
const MOST_FREE_BYTES = 4 * 1024 * 1024

/** A packet of ours with a sequence number, kept until it is acknowledged. */
export class OutPacket {
  seq = 0
  /** Bytes of the whole packet, at the beginning of `buffer`. */
  size = 0
  /** Bytes of payload, at its end. */
  payload = 0
  /** Bytes of padding between header and payload: not 0 only for a probe of the path's largest packet. */
  padding = 0
  /** When it was sent last. */
  sentAt: Millis = 0
  /** How often it was sent. */
  transmissions = 0
  /** Taken for lost, and to be sent again. */
  isLost = false

  constructor(readonly buffer: Uint8Array) {}

  /** The bytes to send. */
  get bytes(): Uint8Array {
    return this.size === this.buffer.length ? this.buffer : this.buffer.subarray(0, this.size)
  }
}

/** Packets to use again: a fast sender needs a thousand at a time, and the next moment the same thousand. */
export class PacketPool {
  private readonly free = new Map<number, OutPacket[]>()
  private freeBytes = 0

  /** A packet with room for exactly `capacity` bytes. Its content is anything. */
  take(capacity: number): OutPacket {
    const packet = this.free.get(capacity)?.pop()
    if (packet === undefined) return new OutPacket(new Uint8Array(capacity))
    this.freeBytes -= capacity
    packet.padding = 0
    packet.transmissions = 0
    packet.isLost = false
    return packet
  }

  /** Nobody needs it any more. */
  give(packet: OutPacket): void {
    const capacity = packet.buffer.length
    if (this.freeBytes + capacity > MOST_FREE_BYTES) {
      // Of sizes that are asked for no more, perhaps.
      this.free.clear()
      this.freeBytes = 0
    }
    const list = this.free.get(capacity)
    if (list === undefined) this.free.set(capacity, [packet])
    else list.push(packet)
    this.freeBytes += capacity
  }
}
