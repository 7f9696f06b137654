import type { Millis } from '../util/flavored.ts'

/** Something that wants to be woken. The heap keeps its place in the thing itself. */
export interface Wakeable {
  /** -1: in no heap. */
  wakePosition: number
  wakeKey: Millis
  /** When it wants to be woken; infinite: never. It may move later at any time without telling. */
  readonly wakeAt: Millis
}

/**
 * Who is to be woken next. Times that move later - with every ack the next timeout does - cost nothing: whoever comes to
 * the top too early is put back then.
 */
export class WakeHeap<T extends Wakeable> {
  private readonly items: T[] = []

  /** When the next look is due; infinite: never. */
  get nextAt(): Millis {
    return this.items.length === 0 ? Number.POSITIVE_INFINITY : this.items[0].wakeKey
  }

  /** The item's time may have moved. */
  update(item: T): void {
    const at = item.wakeAt
    if (item.wakePosition === -1) {
      if (at === Number.POSITIVE_INFINITY) return
      item.wakeKey = at
      this.items.push(item)
      this.siftUp(item, this.items.length - 1)
    } else if (at < item.wakeKey) {
      item.wakeKey = at
      this.siftUp(item, item.wakePosition)
    }
  }

  /** It wants nothing any more. */
  remove(item: T): void {
    const position = item.wakePosition
    if (position === -1) return
    item.wakePosition = -1
    const last = this.items.pop() as T
    if (last === item) return
    this.siftUp(last, position)
    this.siftDown(last, last.wakePosition)
  }

  /** Takes out one whose time has come; null when there is none. */
  takeDue(now: Millis): T | null {
    while (this.nextAt <= now) {
      const item = this.items[0]
      this.remove(item)
      if (item.wakeAt <= now) return item
      this.update(item)
    }
    return null
  }

  private siftUp(item: T, start: number): void {
    const { items } = this
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent].wakeKey <= item.wakeKey) break
      this.place(items[parent], at)
      at = parent
    }
    this.place(item, at)
  }

  private siftDown(item: T, start: number): void {
    const { items } = this
    let at = start
    for (;;) {
      let child = at * 2 + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1].wakeKey < items[child].wakeKey) child++
      if (items[child].wakeKey >= item.wakeKey) break
      this.place(items[child], at)
      at = child
    }
    this.place(item, at)
  }

  private place(item: T, at: number): void {
    this.items[at] = item
    item.wakePosition = at
  }
}
