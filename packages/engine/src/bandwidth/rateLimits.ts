import type { BandwidthChannel } from './bandwidthChannel.ts'
import type { BandwidthManager } from './bandwidthManager.ts'
import { DIRECTIONS, type Direction } from './direction.ts'

/** The two managers of a session, and the time. */
export interface BandwidthManagers {
  readonly upload: BandwidthManager
  readonly download: BandwidthManager
  now(): number
}

/** The limits of a session, a torrent, a peer or a kind of peers. Takes next to no memory while there are none. */
export class RateLimits {
  private upload: BandwidthChannel | null = null
  private download: BandwidthChannel | null = null

  constructor(private readonly managers: BandwidthManagers) {}

  /** Bytes a second, 0 for none. */
  get(direction: Direction): number {
    return this[direction]?.limit ?? 0
  }

  /** `limit`: bytes a second; 0, or what is no number above it, for none. */
  set(direction: Direction, limit: number): void {
    const isLimit = limit > 0 && limit < Number.POSITIVE_INFINITY
    if (!isLimit && this[direction] === null) return
    this[direction] ??= this.managers[direction].newChannel()
    this[direction].setLimit(isLimit ? limit : 0, this.managers.now())
    if (!isLimit) this[direction] = null
  }

  /** Whatever they belong to is gone. */
  clear(): void {
    for (const direction of DIRECTIONS) this.set(direction, 0)
  }

  /** Adds the channel of `direction`, if there is a limit. */
  collect(direction: Direction, into: BandwidthChannel[]): void {
    const channel = this[direction]
    if (channel !== null) into.push(channel)
  }
}
