/**
 * A binary heap: the item that sorts first is always at hand. Items that sort equal come out in no promised order;
 * give `before` a tie-breaker where it matters.
 */
export class Heap<T> {
  private readonly items: T[] = []

  /** `before(a, b)` is true when `a` must come out before `b`. */
  constructor(private readonly before: (a: T, b: T) => boolean) {}

  get size(): number {
    return this.items.length
  }

  /** The first item, left in place; undefined when empty. */
  peek(): T | undefined {
    return this.items[0]
  }

  push(item: T): void {
    this.items.push(item)
    this.siftUp(this.items.length - 1)
  }

  /** Takes out the first item; undefined when empty. */
  pop(): T | undefined {
    const first = this.items[0]
    const last = this.items.pop()
    if (this.items.length > 0) {
      this.items[0] = last as T
      this.siftDown(0)
    }
    return first
  }

  /** Drops every item `keep` says false of. Linear. */
  retain(keep: (item: T) => boolean): void {
    const items = this.items
    let kept = 0
    for (const item of items) if (keep(item)) items[kept++] = item
    items.length = kept
    for (let i = (kept >> 1) - 1; i >= 0; i--) this.siftDown(i)
  }

  private siftUp(start: number): void {
    const { items, before } = this
    const item = items[start]
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(item, items[parent])) break
      items[at] = items[parent]
      at = parent
    }
    items[at] = item
  }

  private siftDown(start: number): void {
    const { items, before } = this
    const size = items.length
    const item = items[start]
    let at = start
    for (;;) {
      let child = at * 2 + 1
      if (child >= size) break
      if (child + 1 < size && before(items[child + 1], items[child])) child++
      if (!before(items[child], item)) break
      items[at] = items[child]
      at = child
    }
    items[at] = item
  }
}
