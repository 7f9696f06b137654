import type { Millis } from '../src/util/flavored.ts'
import type { VirtualTime } from './virtualTime.ts'

/** Something on its way out: called when its last byte has left. */
export interface LinkPacket {
  readonly size: number
  depart(): void
}

/** A sender that shares a link with others. */
export interface LinkFlow {
  /** The next packet to send, or null when there is none now; it must then ask for its turn again. */
  takePacket(): LinkPacket | null
}

/**
 * The sending side of a host's line: one packet at a time at the line's rate, flows taking turns packet by packet.
 * A rate of 0 is unlimited.
 */
export class SimUplink {
  private readonly waiting: LinkFlow[] = []
  private readonly isWaiting = new Set<LinkFlow>()
  private busy = false

  constructor(
    private readonly time: VirtualTime,
    public bytesPerSecond: number,
  ) {}

  /** `flow` has something to send and wants its turn. */
  ready(flow: LinkFlow): void {
    if (!this.isWaiting.has(flow)) {
      this.isWaiting.add(flow)
      this.waiting.push(flow)
    }
    if (!this.busy) this.sendNext()
  }

  private sendNext(): void {
    for (let flow = this.waiting.shift(); flow !== undefined; flow = this.waiting.shift()) {
      this.isWaiting.delete(flow)
      const packet = flow.takePacket()
      if (packet === null) continue
      this.isWaiting.add(flow)
      this.waiting.push(flow)
      if (this.bytesPerSecond <= 0 || packet.size === 0) {
        packet.depart()
        continue
      }
      this.busy = true
      this.time.after((packet.size * 1000) / this.bytesPerSecond, () => {
        this.busy = false
        packet.depart()
        this.sendNext()
      })
      return
    }
  }
}

/** The receiving side of a host's line: packets queue up and come out in order at the line's rate. 0 is unlimited. */
export class SimDownlink {
  private freeAt: Millis = 0

  constructor(
    private readonly time: VirtualTime,
    public bytesPerSecond: number,
  ) {}

  /** Bytes waiting to get through. */
  get queuedBytes(): number {
    return Math.max(0, ((this.freeAt - this.time.now()) * this.bytesPerSecond) / 1000)
  }

  /** Calls `deliver` when `size` bytes have come through; at once when the rate is unlimited. */
  receive(size: number, deliver: () => void): void {
    if (this.bytesPerSecond <= 0) return deliver()
    const now = this.time.now()
    this.freeAt = Math.max(now, this.freeAt) + (size * 1000) / this.bytesPerSecond
    this.time.after(this.freeAt - now, deliver)
  }
}
