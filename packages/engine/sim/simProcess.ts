import type { Clock, Timer, Timers } from '../src/platform/clock.ts'
import type { Millis, UnixSeconds } from '../src/util/flavored.ts'
import type { SimHost } from './simHost.ts'
import type { SimNetwork } from './simNetwork.ts'

/** What a program can hold that must be given back. */
export type ResourceKind =
  | 'timer'
  | 'stream'
  | 'listener'
  | 'udp socket'
  | 'http request'
  | 'lookup'
  | 'web socket'
  | 'rtc peer'
  | 'data channel'
  | 'disk'

/** Something a program opened. `kill` takes it away without a word to the program. */
export interface SimResource {
  kill(): void
  /** For the list of what was left open. */
  describe(): string
}

/**
 * One run of a program on a host. It owns every timer, socket and request the program opens, so that it can be killed
 * like a real process - no callback comes afterwards, the system resets its connections - and so that a scenario can
 * assert that nothing is left.
 */
export class SimProcess implements Clock, Timers {
  private dead = false
  private readonly open = new Map<SimResource, ResourceKind>()

  constructor(
    readonly network: SimNetwork,
    readonly host: SimHost,
  ) {}

  get isAlive(): boolean {
    return !this.dead
  }

  now(): Millis {
    return this.network.time.now()
  }

  unixTime(): UnixSeconds {
    return this.network.time.unixTime()
  }

  /** A timer of the program: counted as held until it fires or is cancelled. */
  after(delay: Millis, callback: () => void): Timer {
    if (this.dead) return { cancel() {} }
    const setAt = this.network.time.elapsed
    const release = () => {
      timer.cancel()
      this.open.delete(resource)
    }
    const timer = this.network.time.after(delay, () => {
      this.open.delete(resource)
      callback()
    })
    const resource: SimResource = {
      kill: release,
      describe: () => `of ${delay} ms set at ${setAt.toFixed(0)} ms: ${String(callback).slice(0, 120)}`,
    }
    this.open.set(resource, 'timer')
    return { cancel: release }
  }

  /** Calls into the program at the next turn, unless it is dead by then. */
  soon(callback: () => void): void {
    this.network.time.after(0, () => {
      if (!this.dead) callback()
    })
  }

  adopt(kind: ResourceKind, resource: SimResource): void {
    if (this.dead) throw new Error(`a killed program on ${this.host.name} opened a ${kind}`)
    this.open.set(resource, kind)
  }

  release(resource: SimResource): void {
    this.open.delete(resource)
  }

  /** Ends the program as `kill -9` does: nothing is flushed, nobody is told, connections are reset. */
  kill(): void {
    if (this.dead) return
    this.dead = true
    for (const resource of [...this.open.keys()]) resource.kill()
    this.open.clear()
    this.network.log.add(`kill ${this.host.name}`)
  }

  /** How many resources of `kind`, or of any, the program holds. */
  held(kind?: ResourceKind): number {
    if (kind === undefined) return this.open.size
    let count = 0
    for (const each of this.open.values()) if (each === kind) count++
    return count
  }

  /** One line for each thing held. */
  leftovers(): readonly string[] {
    return [...this.open].map(([resource, kind]) => `${this.host.name}: ${kind} ${resource.describe()}`)
  }
}
