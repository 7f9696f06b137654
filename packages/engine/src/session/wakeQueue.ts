import type { Clock, Timer, Timers } from '../platform/clock.ts'
import type { Millis } from '../util/flavored.ts'
import { Heap } from '../util/heap.ts'

interface Wish<T> {
  readonly owner: T
  readonly when: Millis
}

/** A timer is set late by this much: that harms nobody, and lets many wishes share one. Early would be of no use. */
const SLACK_MS = 5

/**
 * Wakes owners at the time each wished for, with one timer for all: ten thousand torrents that wait for their next
 * announce cost one entry each and no timer.
 */
export class WakeQueue<T extends object> {
  private readonly wishes = new Map<T, Wish<T>>()
  private readonly heap = new Heap<Wish<T>>((a, b) => a.when < b.when)
  private timer: Timer | null = null
  private timerAt = Number.POSITIVE_INFINITY

  constructor(
    private readonly clock: Clock,
    private readonly timers: Timers,
    private readonly wake: (owner: T, now: Millis) => void,
  ) {}

  /** Replaces the earlier wish of `owner`; `Infinity` takes it back. */
  set(owner: T, when: Millis): void {
    if (when === Number.POSITIVE_INFINITY) {
      this.wishes.delete(owner)
      return
    }
    if (this.wishes.get(owner)?.when === when) return
    const wish = { owner, when }
    this.wishes.set(owner, wish)
    this.heap.push(wish)
    this.arm()
  }

  delete(owner: T): void {
    this.wishes.delete(owner)
  }

  stop(): void {
    this.timer?.cancel()
    this.wishes.clear()
  }

  /** Wishes that were replaced stay in the heap until they come up; only the one in the map counts. */
  private firstValid(): Wish<T> | null {
    for (;;) {
      const first = this.heap.peek()
      if (first === undefined) return null
      if (this.wishes.get(first.owner) === first) return first
      this.heap.pop()
    }
  }

  private arm(): void {
    const first = this.firstValid()
    if (first === null || first.when >= this.timerAt) return
    this.timer?.cancel()
    this.timerAt = first.when
    this.timer = this.timers.after(Math.max(0, first.when - this.clock.now()) + SLACK_MS, () => this.fire())
  }

  private fire(): void {
    this.timer = null
    this.timerAt = Number.POSITIVE_INFINITY
    const now = this.clock.now()
    try {
      for (let first = this.firstValid(); first !== null && first.when <= now; first = this.firstValid()) {
        this.heap.pop()
        this.wishes.delete(first.owner)
        this.wake(first.owner, now)
      }
    } finally {
      // An owner that throws does not keep the others asleep.
      this.arm()
    }
  }
}
