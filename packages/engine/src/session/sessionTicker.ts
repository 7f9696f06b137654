import type { Clock, Timer, Timers } from '../platform/clock.ts'
import type { Torrent } from '../torrent/torrent.ts'
import type { Millis } from '../util/flavored.ts'
import type { TransferStats } from '../util/transferStats.ts'

export interface SessionTickerHost {
  readonly clock: Clock
  readonly timers: Timers
  readonly stats: TransferStats
  /** After the torrents have had their turn. */
  onTick(now: Millis): void
  onFault(cause: unknown): void
}

const TICK_MS = 1000

/** What is done once a second, while there is a torrent with connections: a session of idle torrents does nothing. */
export class SessionTicker {
  /** Torrents something is done for each second. */
  readonly active = new Set<Torrent>()
  private timer: Timer | null = null
  private lastTick: Millis = 0

  constructor(private readonly host: SessionTickerHost) {}

  setActive(torrent: Torrent, active: boolean): void {
    if (!active) {
      this.active.delete(torrent)
      return
    }
    this.active.add(torrent)
    if (this.timer !== null) return
    this.lastTick = this.host.clock.now()
    this.timer = this.host.timers.after(TICK_MS, () => this.tick())
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = null
  }

  private tick(): void {
    const { host } = this
    const now = host.clock.now()
    const elapsed = Math.max(1, now - this.lastTick)
    this.lastTick = now
    // Set before anything can throw: a fault must not be the last thing that happens in this session.
    const timer = host.timers.after(TICK_MS, () => this.tick())
    this.timer = timer
    for (const torrent of [...this.active]) this.tickTorrent(torrent, now, elapsed)
    host.stats.tick(elapsed)
    host.onTick(now)
    if (this.active.size > 0 || host.stats.uploadRate > 0 || host.stats.downloadRate > 0) return
    timer.cancel()
    this.timer = null
  }

  private tickTorrent(torrent: Torrent, now: Millis, elapsed: Millis): void {
    for (const peer of torrent.swarm.connections) this.host.stats.accumulate(peer.stats)
    for (const seed of torrent.webSeeds.connections()) this.host.stats.accumulate(seed.stats)
    try {
      torrent.tick(now, elapsed)
    } catch (cause) {
      this.host.onFault(cause)
    }
  }
}
