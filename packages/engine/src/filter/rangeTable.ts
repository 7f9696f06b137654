import { sortKeys } from './sortKeys.ts'

/** A range of keys, both ends included, and what holds for it. */
export interface KeyRange {
  /** `words` numbers of 32 bits, most significant first. */
  readonly first: Uint32Array
  readonly last: Uint32Array
  readonly flags: number
}

const NO_RULES = new Uint32Array(0)

/**
 * Flags for each key of a space of whole numbers, kept as the ranges in which they are the same. Keys are of one or of
 * four words (32 bits each, most significant first). Where rules overlap the later one counts.
 *
 * Rules are collected and worked in when something is asked for: n rules cost O(n log n), in whatever order. The ranges
 * are two typed arrays that are replaced and never written to, so that a copy costs nothing.
 */
export class RangeTable {
  /** Where ranges begin, ascending; the first begins at 0, and each ends where the next begins. */
  private starts: Uint32Array
  private flags: Uint32Array
  /** First key, last key and flags of each rule that is not worked in yet. */
  private rules: Uint32Array = NO_RULES
  private numRules = 0

  /** @param max the largest key of a space of one-word keys */
  constructor(
    private readonly words: 1 | 4,
    private readonly max = 0xffff_ffff,
  ) {
    this.starts = new Uint32Array(words)
    this.flags = new Uint32Array(1)
  }

  /** One that is the same now and changes on its own. */
  clone(): RangeTable {
    this.settle()
    const copy = new RangeTable(this.words, this.max)
    copy.starts = this.starts
    copy.flags = this.flags
    return copy
  }

  /** How many ranges there are: 1 while the same holds for all keys. */
  get size(): number {
    this.settle()
    return this.flags.length
  }

  /** No key has flags. */
  get isBlank(): boolean {
    return this.size === 1 && this.flags[0] === 0
  }

  /** Keys of one word; `first` must not be greater than `last`. */
  addWord(first: number, last: number, flags: number): void {
    const at = this.nextRule()
    this.rules[at] = first
    this.rules[at + 1] = last
    this.rules[at + 2] = flags
  }

  /** Keys of any number of words; they are copied. `first` must not be greater than `last`. */
  add(first: Uint32Array, last: Uint32Array, flags: number): void {
    const at = this.nextRule()
    for (let i = 0; i < this.words; i++) {
      this.rules[at + i] = first[i]
      this.rules[at + this.words + i] = last[i]
    }
    this.rules[at + 2 * this.words] = flags
  }

  /** Adds the ranges of `other` that have flags as rules. */
  addTable(other: RangeTable): void {
    if (this.isBlank) {
      other.settle()
      this.starts = other.starts
      this.flags = other.flags
      return
    }
    for (const { first, last, flags } of other.ranges()) if (flags !== 0) this.add(first, last, flags)
  }

  /** The flags of a key of one word. */
  getWord(key: number): number {
    if (this.numRules > 0) this.settle()
    const { starts } = this
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (starts[middle] <= key) low = middle
      else high = middle
    }
    return this.flags[low]
  }

  /** The flags of a key. */
  get(key: Uint32Array): number {
    if (this.numRules > 0) this.settle()
    let low = 0
    let high = this.flags.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (compareKeys(this.starts, middle * this.words, key, 0, this.words) <= 0) low = middle
      else high = middle
    }
    return this.flags[low]
  }

  /** The fewest ranges that say the same, from the lowest key to the highest. */
  *ranges(): Iterable<KeyRange> {
    this.settle()
    const { starts, flags, words } = this
    for (let i = 0; i < flags.length; i++) {
      const first = starts.slice(i * words, (i + 1) * words)
      const last = i + 1 < flags.length ? starts.slice((i + 1) * words, (i + 2) * words) : this.beyondLast()
      decrement(last)
      yield { first, last, flags: flags[i] }
    }
  }

  /** One past the largest key; 0 where that does not fit. */
  private beyondLast(): Uint32Array {
    return this.words === 1 ? Uint32Array.of(this.max + 1) : new Uint32Array(4)
  }

  private get ruleSize(): number {
    return 2 * this.words + 1
  }

  private nextRule(): number {
    const at = this.numRules++ * this.ruleSize
    if (at + this.ruleSize > this.rules.length) {
      const grown = new Uint32Array(Math.max(64 * this.ruleSize, this.rules.length * 2))
      grown.set(this.rules)
      this.rules = grown
    }
    return at
  }

  /** Works the collected rules in. */
  private settle(): void {
    if (this.numRules === 0) return
    const points = this.boundaries()
    const painted = this.paint(points)
    this.merge(points, painted)
    this.rules = NO_RULES
    this.numRules = 0
  }

  /** Where something may change: the first keys of all rules, and those after their last ones. Ascending, each once. */
  private boundaries(): Uint32Array {
    const { rules, words, numRules, ruleSize } = this
    const keys = new Uint32Array(2 * numRules * words)
    let length = 0
    for (let rule = 0; rule < numRules; rule++) {
      const at = rule * ruleSize
      for (let i = 0; i < words; i++) keys[length + i] = rules[at + i]
      length += words
      for (let i = 0; i < words; i++) keys[length + i] = rules[at + words + i]
      // What ends with the space ends nowhere.
      if (increment(keys, length, words, this.max)) length += words
    }
    return sortKeys(keys.subarray(0, length), words)
  }

  /**
   * Which rule counts between each of `points` and the next, -1 for none. The last rule goes first, and what it took is
   * skipped from then on: each stretch is looked at once.
   */
  private paint(points: Uint32Array): Int32Array {
    const { rules, words, numRules, ruleSize } = this
    const count = points.length / words
    const painted = new Int32Array(count).fill(-1)
    /** The next stretch at or after this one that is not taken. */
    const free = new Uint32Array(count + 1)
    for (let i = 0; i <= count; i++) free[i] = i
    const nextFree = (from: number) => {
      let root = from
      while (free[root] !== root) root = free[root]
      for (let i = from; free[i] !== root; ) {
        const next = free[i]
        free[i] = root
        i = next
      }
      return root
    }
    for (let rule = numRules - 1; rule >= 0; rule--) {
      const at = rule * ruleSize
      const begin = lowerBound(points, rules, at, words)
      for (let i = nextFree(begin); i < count; i = nextFree(i + 1)) {
        if (compareKeys(points, i * words, rules, at + words, words) > 0) break
        painted[i] = rule
        free[i] = i + 1
      }
    }
    return painted
  }

  /** Lays the rules over what there is. */
  private merge(points: Uint32Array, painted: Int32Array): void {
    const { rules, words, ruleSize, starts, flags } = this
    const numOld = flags.length
    const newStarts = new Uint32Array((numOld + painted.length) * words)
    const newFlags = new Uint32Array(numOld + painted.length)
    let size = 0
    let old = 0
    let point = 0
    let oldFlags = 0
    let rule = -1
    while (old < numOld || point < painted.length) {
      const order =
        point === painted.length
          ? -1
          : old === numOld
            ? 1
            : compareKeys(starts, old * words, points, point * words, words)
      const [source, at] = order <= 0 ? [starts, old * words] : [points, point * words]
      if (order <= 0) oldFlags = flags[old++]
      if (order >= 0) rule = painted[point++]
      const now = rule === -1 ? oldFlags : rules[rule * ruleSize + 2 * words]
      if (size > 0 && newFlags[size - 1] === now) continue
      for (let i = 0; i < words; i++) newStarts[size * words + i] = source[at + i]
      newFlags[size++] = now
    }
    this.starts = newStarts.slice(0, size * words)
    this.flags = newFlags.slice(0, size)
  }
}

/** Negative, 0 or positive as the key at `i` in `a` is below, equal to or above that at `j` in `b`. */
function compareKeys(a: Uint32Array, i: number, b: Uint32Array, j: number, words: number): number {
  for (let word = 0; word < words; word++) {
    if (a[i + word] !== b[j + word]) return a[i + word] < b[j + word] ? -1 : 1
  }
  return 0
}

/** The index of the first of `points` that is not below the key at `at` in `key`. */
function lowerBound(points: Uint32Array, key: Uint32Array, at: number, words: number): number {
  let low = 0
  let high = points.length / words
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(points, middle * words, key, at, words) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Adds one to a key. False when it was the largest. */
function increment(keys: Uint32Array, at: number, words: number, max: number): boolean {
  if (words === 1) return keys[at]++ !== max
  for (let i = at + words - 1; i >= at; i--) {
    keys[i]++
    if (keys[i] !== 0) return true
  }
  return false
}

/** Takes one off a key; 0 becomes the largest. */
function decrement(key: Uint32Array): void {
  for (let i = key.length - 1; i >= 0; i--) if (key[i]-- !== 0) return
}
