import type { BandwidthChannel } from '../../../src/bandwidth/bandwidthChannel.ts'
import { BandwidthManager } from '../../../src/bandwidth/bandwidthManager.ts'
import { BandwidthUser, type BandwidthUserHost } from '../../../src/bandwidth/bandwidthUser.ts'

/** How often the manager of a scene shares out. */
export const INTERVAL_MS = 100

/** A manager in virtual time. */
export class BandwidthScene {
  now = 1000
  /** Timers that were set, those that fired included. */
  timers = 0
  readonly faults: unknown[] = []
  readonly manager: BandwidthManager
  private pending: { at: number; callback: () => void }[] = []

  constructor() {
    this.manager = new BandwidthManager({
      bandwidthInterval: INTERVAL_MS,
      now: () => this.now,
      after: (delay, callback) => {
        const timer = { at: this.now + delay, callback }
        this.timers++
        this.pending.push(timer)
        return { cancel: () => void (this.pending = this.pending.filter((each) => each !== timer)) }
      },
      onFault: (cause) => this.faults.push(cause),
    })
  }

  get isIdle(): boolean {
    return this.pending.length === 0
  }

  channel(limit: number): BandwidthChannel {
    const channel = this.manager.newChannel()
    channel.setLimit(limit, this.now)
    return channel
  }

  /** Lets so many milliseconds pass. */
  run(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const [next] = this.pending.sort((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      this.pending.shift()
      this.now = next.at
      next.callback()
    }
    this.now = end
  }
}

/** Somebody with bytes to let pass, `chunk` at a time, as many as may. */
export class Eater implements BandwidthUserHost {
  passed = 0
  wakes = 0
  isHungry = true
  readonly user: BandwidthUser

  constructor(
    scene: BandwidthScene,
    readonly channels: BandwidthChannel[],
    readonly bandwidthPriority = 1,
    private readonly chunk = 16_384,
    private readonly least = 1,
    /** Beyond this it does not come in one turn: nobody is infinitely fast. */
    private readonly mostAtOnce = 10_000_000,
  ) {
    this.user = new BandwidthUser(scene.manager, this)
  }

  readonly bandwidthAhead = 0

  collectChannels(into: BandwidthChannel[]): void {
    into.push(...this.channels)
  }

  onQuota(): void {
    this.wakes++
    this.eat()
  }

  /** Takes until it has to wait. */
  eat(): void {
    for (let now = 0; this.isHungry && now < this.mostAtOnce; ) {
      const taken = this.user.take(this.chunk, this.least)
      this.passed += taken
      now += taken
      if (taken < this.chunk) return
    }
  }
}
