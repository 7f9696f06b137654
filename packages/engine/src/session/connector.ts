import type { Clock, Timer, Timers } from '../platform/clock.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import { type ConnectingTorrent, ConnectTurns } from './connectTurns.ts'

export interface ConnectorHost {
  readonly clock: Clock
  readonly timers: Timers
  readonly settings: Readonly<
    Pick<
      Settings,
      'connectionSpeed' | 'connectSeedEveryNDownload' | 'halfOpenLimit' | 'smoothConnects' | 'tickInterval'
    >
  >
  readonly freeConnections: number
  /** Connections that are being opened; counted when asked for. */
  readonly halfOpen: number
}

/** What a negative `connection_speed` means (manual). */
const DEFAULT_CONNECTION_SPEED = 200

/**
 * Spends the session's connection attempts: `connection_speed` a second, given to the torrents in turn.
 * What was saved up in a quiet second may be spent at once, so that a new torrent starts without waiting.
 */
export class Connector {
  private readonly turns: ConnectTurns
  /** Attempts that may be made now; below 0 while those of a boost are still to be made up for. */
  private budget: number
  private lastRefill: Millis
  private timer: Timer | null = null
  private stopped = false

  constructor(private readonly host: ConnectorHost) {
    this.turns = new ConnectTurns(() => host.settings.connectSeedEveryNDownload)
    this.budget = this.speed
    this.lastRefill = host.clock.now()
  }

  add(torrent: ConnectingTorrent): void {
    if (this.stopped) return
    this.turns.add(torrent)
    this.resume()
  }

  /** A connection became free: whoever waits for one may try. */
  resume(): void {
    if (this.stopped || this.turns.size === 0 || this.speed === 0) return
    this.timer ??= this.host.timers.after(this.canBegin ? 0 : this.host.settings.tickInterval, () => this.round())
  }

  /**
   * Makes up to `attempts` for `torrent` now, whatever the speed; they are taken off those that follow, of which the
   * first go to it as well. Returns how many were made.
   */
  boost(torrent: ConnectingTorrent, attempts: number): number {
    if (this.stopped || attempts <= 0 || this.speed === 0) return 0
    this.refill()
    let made = 0
    const room = Math.min(attempts, this.freeAttempts)
    while (made < room && this.host.freeConnections > 0 && torrent.connectOne()) made++
    this.budget -= made
    this.turns.prefer(torrent)
    return made
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
    this.turns.clear()
  }

  /** An attempt may be made at once. */
  private get canBegin(): boolean {
    return this.budget >= 1 && this.freeAttempts > 0
  }

  private get speed(): number {
    const { connectionSpeed } = this.host.settings
    return connectionSpeed < 0 ? DEFAULT_CONNECTION_SPEED : connectionSpeed
  }

  private round(): void {
    this.timer = null
    this.refill()
    let room = this.freeAttempts
    while (room > 0 && this.budget >= 1 && this.host.freeConnections > 0) {
      const torrent = this.turns.next()
      if (torrent === null) return
      if (!torrent.connectOne()) continue
      this.budget--
      room--
      this.turns.add(torrent)
    }
    // Without free connections nothing is retried here: `resume` is called when there are some.
    if (this.host.freeConnections > 0) this.resume()
  }

  /** Attempts that may be made before some of those under way have ended. */
  private get freeAttempts(): number {
    const { halfOpenLimit } = this.host.settings
    return halfOpenLimit === 0 ? Number.POSITIVE_INFINITY : Math.max(0, halfOpenLimit - this.host.halfOpen)
  }

  private refill(): void {
    const now = this.host.clock.now()
    const perSecond = this.attemptsPerSecond()
    this.budget = Math.min(perSecond, this.budget + ((now - this.lastRefill) / 1000) * perSecond)
    this.lastRefill = now
  }

  /** Close to the limit fewer are made: the last connections are not spent in one batch, and timed out in another. */
  private attemptsPerSecond(): number {
    const { freeConnections, settings } = this.host
    if (!settings.smoothConnects) return this.speed
    return Math.min(this.speed, Math.ceil(Math.max(0, freeConnections) / 2))
  }
}
