import type { Timer } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'
import { BandwidthChannel, type BandwidthChannelHost } from './bandwidthChannel.ts'
import type { BandwidthUser } from './bandwidthUser.ts'
import { oneAfterAnother } from './oneAfterAnother.ts'

export interface BandwidthManagerHost {
  /** How often quota is shared out. */
  readonly bandwidthInterval: Millis
  now(): Millis
  after(delay: Millis, callback: () => void): Timer
  /** Our own code threw while a user went on. */
  onFault(cause: unknown): void
}

/** Each share of a round exhausts a channel or serves somebody. What is left after so many is for the next round. */
const MOST_SHARES = 16
/** Less than this of a byte is a rounding error. */
const NOTHING = 1e-3

/**
 * Shares out what the limits of one direction let pass (libtorrent's `bandwidth_manager`).
 *
 * While there is plenty, whoever asks gets. When there is not, users wait in a queue, and each round shares the quota of
 * every channel among those who wait, by priority: what one cannot use, because another of its channels is narrower or it
 * wants less, is for the others, in the same round. Quota nobody wants is saved, for a second at most.
 *
 * While nobody waits there is no timer; while nothing is limited (`isLimited`) nothing is done at all.
 */
export class BandwidthManager implements BandwidthChannelHost {
  /** Some channel has a limit. */
  isLimited = false
  private limited = 0
  private queue: BandwidthUser[] = []
  private gone = 0
  private timer: Timer | null = null
  private round = 0
  private channels = 0
  private stopped = false
  private readonly found: BandwidthChannel[] = []

  constructor(private readonly host: BandwidthManagerHost) {}

  /** A limit of this direction; none at first. */
  newChannel(): BandwidthChannel {
    return new BandwidthChannel(this, this.channels++)
  }

  /** Users waiting for quota. */
  get queueSize(): number {
    return this.queue.length - this.gone
  }

  /** Bytes they wait for. */
  get queuedBytes(): number {
    let bytes = 0
    for (const user of this.queue) if (user.isWaiting) bytes += Math.max(0, user.wanted - user.assigned)
    return Math.round(bytes)
  }

  onLimited(isLimited: boolean): void {
    this.limited += isLimited ? 1 : -1
    this.isLimited = this.limited > 0
    // Whom the last limit kept waiting is let through by the next round.
    if (!isLimited && this.queue.length > 0) this.arm()
  }

  /** For `BandwidthUser`: has `bytes` to let pass. Gives it quota at once if there is plenty, else it waits for `least` of it. */
  request(user: BandwidthUser, bytes: number, least: number): void {
    const ahead = Math.max(bytes, user.host.bandwidthAhead)
    const wanted = ahead - user.quota
    user.least = Math.max(1, least - user.quota)
    if (user.isWaiting) {
      user.wanted = Math.max(wanted, user.assigned)
      return
    }
    this.collect(user)
    if (user.channels.length === 0) {
      user.quota = bytes
    } else if (this.isPlentyFor(user.channels, wanted)) {
      this.use(user.channels, wanted)
      user.quota += wanted
    } else if (!this.stopped) {
      user.isWaiting = true
      user.lastWait = this.host.now()
      user.wanted = wanted
      user.assigned = 0
      this.enqueue(user)
      this.arm()
    }
  }

  private enqueue(user: BandwidthUser): void {
    // It has left and come back before the queue was looked through.
    if (user.isQueued) this.gone--
    else this.queue.push(user)
    user.isQueued = true
  }

  /** For `BandwidthUser`: bytes have passed that asked nobody. */
  charge(user: BandwidthUser, bytes: number): void {
    this.collect(user)
    const now = this.host.now()
    for (const channel of user.channels) {
      channel.fill(now)
      channel.use(bytes)
    }
  }

  /** For `BandwidthUser`: it wants nothing more. */
  leave(user: BandwidthUser): void {
    this.collect(user)
    for (const channel of user.channels) channel.giveBack(user.quota + user.assigned)
    user.quota = 0
    user.assigned = 0
    user.balance = 0
    if (!user.isWaiting) return
    user.isWaiting = false
    this.gone++
  }

  /** Nobody is served any more. */
  stop(): void {
    this.stopped = true
    this.timer?.cancel()
    this.timer = null
  }

  private collect(user: BandwidthUser): void {
    const { channels } = user
    channels.length = 0
    user.host.collectChannels(channels)
    let kept = 0
    for (const channel of channels) if (channel.limit > 0) channels[kept++] = channel
    channels.length = kept
  }

  private isPlentyFor(channels: readonly BandwidthChannel[], bytes: number): boolean {
    const now = this.host.now()
    for (const channel of channels) {
      channel.fill(now)
      if (!channel.isPlentyFor(bytes)) return false
    }
    return true
  }

  private use(channels: readonly BandwidthChannel[], bytes: number): void {
    for (const channel of channels) channel.use(bytes)
  }

  private arm(): void {
    if (this.timer !== null || this.stopped) return
    this.timer = this.host.after(this.host.bandwidthInterval, () => {
      this.timer = null
      try {
        this.share()
      } finally {
        if (this.queueSize > 0) this.arm()
      }
    })
  }

  /** One round: what the channels have by now goes to those who wait. */
  private share(): void {
    const users = this.takeQueue()
    this.distribute(users)
    oneAfterAnother(users)
    this.queue = users.filter((user) => !isServed(user))
    const served = users.filter((user) => isServed(user))
    for (const user of served) {
      user.isWaiting = false
      user.isQueued = false
      user.quota += user.assigned
      user.assigned = 0
    }
    // Only now: who is served may ask again at once, and waits behind nobody who has been left out.
    for (const user of served) {
      try {
        user.host.onQuota()
      } catch (cause) {
        this.host.onFault(cause)
      }
    }
  }

  /** Those who still wait, with the channels that apply to them by now. */
  private takeQueue(): BandwidthUser[] {
    const now = this.host.now()
    const users: BandwidthUser[] = []
    const { found } = this
    found.length = 0
    this.round++
    for (const user of this.queue) {
      user.isQueued = user.isWaiting
      if (!user.isWaiting) continue
      users.push(user)
      this.collect(user)
      for (const channel of user.channels) {
        if (channel.round === this.round) continue
        channel.round = this.round
        channel.fill(now)
        found.push(channel)
      }
    }
    this.queue = []
    this.gone = 0
    return users
  }

  /**
   * Each channel is shared by priority; who is held back elsewhere, or wants less, leaves the rest to the next share, until
   * everybody has what they want or an empty channel (max-min fairness).
   */
  private distribute(users: readonly BandwidthUser[]): void {
    let open = users.filter((user) => isOpen(user))
    for (let share = 0; share < MOST_SHARES && open.length > 0; share++) {
      for (const channel of this.found) channel.weight = 0
      for (const { channels, host } of open) for (const channel of channels) channel.weight += host.bandwidthPriority
      // By what each channel has when the share begins: the order of the users is of no account.
      for (const channel of this.found) channel.level = channel.quota / channel.weight
      for (const user of open) {
        const given = Math.min(due(user), lowestLevel(user) * user.host.bandwidthPriority)
        user.assigned += given
        this.use(user.channels, given)
      }
      open = open.filter((user) => isOpen(user))
    }
  }
}

/** What the narrowest of its channels has for a priority of 1. */
function lowestLevel({ channels }: BandwidthUser): number {
  let level = Number.POSITIVE_INFINITY
  for (const channel of channels) level = Math.min(level, channel.level)
  return level
}

/**
 * What it is to have beside what it has, and to pay back what it owes. What others owe it does not count: they may be gone,
 * and until they pay it needs a share like everybody else.
 */
function due({ wanted, assigned, balance }: BandwidthUser): number {
  return wanted - assigned - Math.min(0, balance)
}

/** It wants more, and each of its channels has some. */
function isOpen(user: BandwidthUser): boolean {
  if (due(user) <= NOTHING) return false
  for (const channel of user.channels) if (channel.isUsedUp) return false
  return true
}

function isServed({ assigned, least, wanted }: BandwidthUser): boolean {
  return assigned >= least || wanted - assigned <= NOTHING
}
