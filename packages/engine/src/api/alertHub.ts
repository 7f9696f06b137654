import { EventEmitter } from 'node:events'
import type { AlertQueue } from '../alerts/alertQueue.ts'
import { type AlertRow, type AnyAlert, alertTable } from '../alerts/alertTable.ts'
import type { Timers } from '../platform/clock.ts'
import { closestName } from '../settings/closestName.ts'
import type { Millis } from '../util/flavored.ts'

const rows: Readonly<Record<string, AlertRow>> = alertTable
/** Stands for every kind of alert. */
const ANY = 'alert'

/** The most important alerts have this many times the room of others (libtorrent). */
const MAX_PRIORITY_FACTOR = 4

type Listener = (alert: AnyAlert) => void

/**
 * Brings alerts to the user in each of the four ways: popped, awaited, as events, as an async iterable. All ways see
 * every alert. Listening to a kind of alert turns its category on, so that events come without thinking of masks;
 * `popAlerts` still gives only what the mask asks for.
 */
export class AlertHub {
  private readonly emitter = new EventEmitter()
  private readonly iterators = new Set<AlertIterator>()
  private waiters: (() => void)[] = []
  /** What was handed to listeners and not popped yet. */
  private buffer: AnyAlert[] = []
  private isPulled = false
  private userMask: number
  private listenerMask = 0
  private scheduled = false
  private ended = false

  constructor(
    private readonly queue: AlertQueue,
    private readonly timers: Timers,
  ) {
    this.userMask = queue.mask
    this.emitter.setMaxListeners(0)
    queue.onFirst = () => this.schedule()
  }

  /** Bits of `AlertCategory` that `popAlerts` and the iterator give. */
  get mask(): number {
    return this.userMask
  }

  set mask(mask: number) {
    this.userMask = mask
    this.queue.mask = mask | this.listenerMask
  }

  popAlerts(): AnyAlert[] {
    this.isPulled = true
    this.deliver()
    const { buffer } = this
    this.buffer = []
    return buffer
  }

  popAlert(): AnyAlert | null {
    this.isPulled = true
    this.deliver()
    return this.buffer.shift() ?? null
  }

  /** The oldest alert, left in place; null after `maxWait` ms without any. */
  waitForAlert(maxWait: Millis): Promise<AnyAlert | null> {
    this.isPulled = true
    this.deliver()
    if (this.buffer.length > 0) return Promise.resolve(this.buffer[0])
    return new Promise((resolve) => {
      const finish = () => {
        timer.cancel()
        this.waiters = this.waiters.filter((each) => each !== finish)
        resolve(this.buffer[0] ?? null)
      }
      const timer = this.timers.after(maxWait, finish)
      this.waiters.push(finish)
    })
  }

  /** @throws TypeError when there is no alert of that name */
  on(type: string, listener: Listener): void {
    checkType(type)
    this.emitter.on(type, listener)
    this.updateListenerMask()
    this.schedule()
  }

  /** @throws TypeError as `on` */
  once(type: string, listener: Listener): void {
    checkType(type)
    this.emitter.once(type, listener)
    this.updateListenerMask()
    this.schedule()
  }

  off(type: string, listener: Listener): void {
    this.emitter.off(type, listener)
    this.updateListenerMask()
  }

  /** All alerts from now on, until the session has closed. */
  iterate(): AsyncIterableIterator<AnyAlert> {
    const iterator = new AlertIterator((ended) => this.iterators.delete(ended))
    if (this.ended) iterator.finish()
    else this.iterators.add(iterator)
    this.schedule()
    return iterator
  }

  /** Delivers what is left and ends all iterators. */
  end(): void {
    this.deliver()
    this.ended = true
    for (const iterator of [...this.iterators]) iterator.finish()
    for (const waiter of [...this.waiters]) waiter()
  }

  /** Sees to it that what is queued reaches those who wait for it; what was posted before they came, too. */
  private schedule(): void {
    if (this.scheduled || this.ended || this.queue.size === 0) return
    const wanted = this.waiters.length > 0 || this.iterators.size > 0 || this.emitter.eventNames().length > 0
    if (!wanted) return
    this.scheduled = true
    // Never in the middle of the engine's work: listeners may call anything.
    this.timers.after(0, () => {
      this.scheduled = false
      this.deliver()
      if (this.buffer.length > 0) for (const waiter of [...this.waiters]) waiter()
    })
  }

  private deliver(): void {
    for (const alert of this.queue.popAlerts()) {
      const isForListenersOnly = (alert.category & this.queue.mask) !== 0 && (alert.category & this.userMask) === 0
      if (this.isPulled && !isForListenersOnly) this.keep(alert)
      if (!isForListenersOnly) {
        for (const iterator of this.iterators)
          if (!iterator.push(alert, this.limit)) this.queue.countDropped(alert.type)
      }
      this.call(alert.type, alert)
      this.call(ANY, alert)
    }
  }

  /** A listener that throws is its owner's bug, to be seen as such; the others get their alerts all the same. */
  private call(event: string, alert: AnyAlert): void {
    try {
      this.emitter.emit(event, alert)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  /** The queue's own limit holds here as well: what whoever pops too rarely loses is counted with what it drops. */
  private keep(alert: AnyAlert): void {
    if (this.buffer.length < this.limit) this.buffer.push(alert)
    else this.queue.countDropped(alert.type)
  }

  private get limit(): number {
    return this.queue.sizeLimit * MAX_PRIORITY_FACTOR
  }

  private updateListenerMask(): void {
    let mask = 0
    for (const type of this.emitter.eventNames()) {
      if (type !== ANY) mask |= rows[String(type)].alertClass.category
    }
    this.listenerMask = mask
    this.queue.mask = this.userMask | mask
  }
}

function checkType(type: string): void {
  if (type === ANY || Object.hasOwn(rows, type)) return
  const meant = closestName(type, [...Object.keys(rows), ANY])
  throw new TypeError(`there is no alert "${type}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`)
}

class AlertIterator implements AsyncIterableIterator<AnyAlert> {
  private readonly alerts: AnyAlert[] = []
  private waiting: ((result: IteratorResult<AnyAlert>) => void) | null = null
  private finished = false

  constructor(private readonly onEnd: (iterator: AlertIterator) => void) {}

  /** False when `limit` alerts wait already, and this one is lost. */
  push(alert: AnyAlert, limit: number): boolean {
    const { waiting } = this
    this.waiting = null
    if (waiting !== null) waiting({ value: alert, done: false })
    else if (this.alerts.length < limit) this.alerts.push(alert)
    else return false
    return true
  }

  finish(): void {
    this.finished = true
    this.waiting?.({ value: undefined, done: true })
    this.waiting = null
    this.onEnd(this)
  }

  next(): Promise<IteratorResult<AnyAlert>> {
    const alert = this.alerts.shift()
    if (alert !== undefined) return Promise.resolve({ value: alert, done: false })
    if (this.finished) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => {
      this.waiting = resolve
    })
  }

  return(): Promise<IteratorResult<AnyAlert>> {
    this.finish()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<AnyAlert> {
    return this
  }
}
