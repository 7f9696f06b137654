import type { Clock, Timer, Timers } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'

/** A torrent, as far as opening connections is concerned. */
export interface ConnectingTorrent {
  /** Tries its best candidate. False when it has none, or wants no more connections now. */
  connectOne(): boolean
}

export interface ConnectorHost {
  readonly clock: Clock
  readonly timers: Timers
  /** Setting `connection_speed`: attempts per second. */
  readonly connectionSpeed: number
  readonly freeConnections: number
}

/** How often waiting attempts are made: a tenth of the second that `connection_speed` counts in. */
const ROUND_MS = 100

/**
 * Spends the session's connection attempts: `connection_speed` a second, one torrent after the other.
 * What was saved up in a quiet second may be spent at once, so that a new torrent starts without waiting.
 */
export class Connector {
  private readonly queue = new Set<ConnectingTorrent>()
  private budget: number
  private lastRefill: Millis
  private timer: Timer | null = null
  private stopped = false

  constructor(private readonly host: ConnectorHost) {
    this.budget = host.connectionSpeed
    this.lastRefill = host.clock.now()
  }

  add(torrent: ConnectingTorrent): void {
    if (this.stopped) return
    this.queue.add(torrent)
    this.resume()
  }

  /** A connection became free: whoever waits for one may try. */
  resume(): void {
    if (this.stopped || this.queue.size === 0) return
    this.timer ??= this.host.timers.after(this.budget >= 1 ? 0 : ROUND_MS, () => this.round())
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
    this.queue.clear()
  }

  private round(): void {
    this.timer = null
    this.refill()
    while (this.budget >= 1 && this.queue.size > 0 && this.host.freeConnections > 0) {
      const torrent = this.queue.values().next().value as ConnectingTorrent
      this.queue.delete(torrent)
      if (!torrent.connectOne()) continue
      this.budget--
      this.queue.add(torrent)
    }
    // Without free connections nothing is retried here: `resume` is called when there are some.
    if (this.queue.size > 0 && this.host.freeConnections > 0) {
      this.timer ??= this.host.timers.after(ROUND_MS, () => this.round())
    }
  }

  private refill(): void {
    const now = this.host.clock.now()
    const { connectionSpeed } = this.host
    this.budget = Math.min(connectionSpeed, this.budget + ((now - this.lastRefill) / 1000) * connectionSpeed)
    this.lastRefill = now
  }
}
