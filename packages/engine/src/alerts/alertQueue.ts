import type { Clock } from '../platform/clock.ts'
import type { Alert } from './alert.ts'
import type { AlertSink } from './alertSink.ts'
import { AlertPriority, type AlertRow, type AnyAlert, alertTable } from './alertTable.ts'
import { AlertsDroppedAlert } from './sessionAlerts.ts'

export interface AlertQueueOptions {
  /** Setting `alertMask`: bits of `AlertCategory`. */
  readonly mask: number
  /** Setting `alertQueueSize`: alerts kept for who has not fetched them yet. */
  readonly sizeLimit: number
}

const rows: Readonly<Record<string, AlertRow | undefined>> = alertTable

/**
 * The alerts between the engine, which posts, and the user, who fetches them. When nobody fetches, the queue stops
 * growing at its limit and counts what it drops; an `AlertsDroppedAlert` tells of it as soon as there is room.
 * Everything is constant time. @see libtorrent `alert_manager`, manual, set_alert_queue_size_limit
 */
export class AlertQueue implements AlertSink {
  /** Called when the queue goes from empty to not empty: the moment to wake whoever waits. */
  onFirst: (() => void) | null = null
  /** Bits of `AlertCategory` that are wanted. */
  mask: number
  private limit: number
  private queue: AnyAlert[] = []
  /** Index of the next alert in `queue`; those before it were popped one at a time. */
  private head = 0
  private dropped = new Map<string, number>()
  private dispatch: ((alert: AnyAlert) => void) | null = null

  constructor(
    private readonly clock: Clock,
    options: AlertQueueOptions,
  ) {
    this.mask = options.mask
    this.limit = options.sizeLimit
  }

  /** Alerts that can be popped now. */
  get size(): number {
    return this.queue.length - this.head
  }

  get sizeLimit(): number {
    return this.limit
  }

  /** Changes the limit and returns the old one. What is queued already stays. */
  setSizeLimit(limit: number): number {
    const old = this.limit
    this.limit = limit
    return old
  }

  wants(category: number): boolean {
    return (this.mask & category) !== 0
  }

  /** Queues an alert (of a kind in the table), or drops and counts it when the queue is full. */
  post(alert: Alert): void {
    alert.timestamp = this.clock.unixTime()
    if (this.dispatch !== null) {
      this.dispatch(alert as AnyAlert)
      return
    }
    const priority = rows[alert.type]?.priority ?? AlertPriority.normal
    if (this.size >= this.limit * (1 + priority)) {
      this.countDropped(alert.type)
      return
    }
    this.append(alert as AnyAlert)
  }

  /** An alert of this kind was lost, here or on its way to the user: `AlertsDroppedAlert` will tell of it. */
  countDropped(type: string): void {
    this.dropped.set(type, (this.dropped.get(type) ?? 0) + 1)
  }

  /** Takes all queued alerts, oldest first; the last one tells what was dropped, if anything was. */
  popAlerts(): AnyAlert[] {
    const alerts = this.head === 0 ? this.queue : this.queue.slice(this.head)
    this.queue = []
    this.head = 0
    const report = this.takeDropReport()
    if (report !== null) alerts.push(report)
    return alerts
  }

  /** Takes the oldest alert; null when there is none. */
  popAlert(): AnyAlert | null {
    if (this.size === 0) return null
    const alert = this.queue[this.head++]
    if (this.head === this.queue.length) {
      this.queue = []
      this.head = 0
    } else if (this.head * 2 > this.queue.length) {
      // Half of the array has been popped: dropping that half costs no more than those pops did.
      this.queue = this.queue.slice(this.head)
      this.head = 0
    }
    if (this.size < this.limit) {
      const report = this.takeDropReport()
      if (report !== null) this.queue.push(report)
    }
    return alert
  }

  /**
   * Hands every alert to `dispatch` at once instead of queueing it, beginning with those queued now; null ends that.
   * `dispatch` runs in the middle of the engine's work: it must not throw nor call back.
   */
  setDispatch(dispatch: ((alert: AnyAlert) => void) | null): void {
    this.dispatch = dispatch
    if (dispatch === null) return
    for (const alert of this.popAlerts()) dispatch(alert)
  }

  private append(alert: AnyAlert): void {
    this.queue.push(alert)
    if (this.size === 1) this.onFirst?.()
  }

  private takeDropReport(): AlertsDroppedAlert | null {
    if (this.dropped.size === 0) return null
    const report = new AlertsDroppedAlert({ droppedAlerts: this.dropped })
    report.timestamp = this.clock.unixTime()
    this.dropped = new Map()
    return report
  }
}
